"""Compute against a real broker: what it published, and a process of it that can be killed."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.policies import load_book
from streams.runtime.clock import Clock, ManualClock
from streams.runtime.producer import LoudProducer
from streams.shell.compute import Compute, compute_role
from streams.shell.settings import Settings, load_settings
from streams.shell.topics_admin import ensure_topics
from tests.integration.broker import broker_address, is_real

ROOT = Path(__file__).parents[2]
BOSTON_POLICY = ROOT / "deploy/policies/boston311.yaml"
PARTITIONS = 4
_prefixes = itertools.count(1)
Row = dict[str, Any]


async def new_settings(**overrides: object) -> Settings:
    """Settings with topics of their own, which exist. On the tests' own broker, unless another is named."""
    address = str(overrides.get("broker_url") or broker_address())
    given: dict[str, object] = {
        "broker_url": address,
        "topic_prefix": f"c{os.getpid()}-{next(_prefixes)}-",
        "partitions": PARTITIONS,
        "session_timeout_seconds": 6.0 if is_real(address) else 2.0,
        "checkpoint_seconds": 0.2,
        "policy": BOSTON_POLICY,
    }
    settings = load_settings(**(given | overrides))
    await asyncio.to_thread(
        ensure_topics, settings.broker_url, settings.partitions, settings.topic_prefix
    )
    return settings


@asynccontextmanager
async def started_producer(settings: Settings) -> AsyncIterator[LoudProducer]:
    """A producer for tests."""
    producer = LoudProducer(
        settings.broker_url,
        client_id="test",
        topic_prefix=settings.topic_prefix,
        idempotent=is_real(settings.broker_url),
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def running_compute(settings: Settings, clock: Clock) -> AsyncIterator[Compute]:
    """Compute in this process; ends in good order, and raises what broke it."""
    async with started_producer(settings) as producer:
        compute = compute_role(settings, load_book(settings.policy), clock, producer)
        await compute.start()
        running = asyncio.ensure_future(compute.run())
        try:
            yield compute
        finally:
            await compute.stop()
            await running


async def until(done: Callable[[], bool], seconds_max: float = 40.0) -> None:
    """Poll until it holds."""
    async with asyncio.timeout(seconds_max):
        while not done():  # noqa: ASYNC110  # what is awaited has no event
            await asyncio.sleep(0.02)


def acknowledged(compute: Compute) -> int:
    """Source records that are durable and published."""
    return sum(counters.acknowledged for counters in compute.counters().values())


async def records_of(settings: Settings, table: str) -> list[tuple[str, Row]]:
    """Everything on an outcome topic, as published: (key, row)."""
    topic = settings.topic_prefix + OUTCOME_TOPIC_OF_TABLE[table]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        wheres = [TopicPartition(topic, number) for number in range(settings.partitions)]
        consumer.assign(wheres)
        ends = await consumer.end_offsets(wheres)
        found: list[tuple[str, Row]] = []
        while any([await consumer.position(where) < ends[where] for where in wheres]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [(r.key.decode(), orjson.loads(r.value)) for r in records]
        return found
    finally:
        await consumer.stop()


async def current(settings: Settings, table: str, *key: str) -> dict[tuple[str, ...], Row]:
    """The row with the highest version of each key."""
    rows: dict[tuple[str, ...], Row] = {}
    for record_key, row in await records_of(settings, table):
        name = (record_key, *(str(row[part]) for part in key))
        if name not in rows or rows[name]["version"] <= row["version"]:
            rows[name] = row
    return rows


COMPUTE = """
import asyncio, sys
from streams.policies import load_book
from streams.runtime.clock import ManualClock
from streams.runtime.producer import LoudProducer
from streams.shell.compute import compute_role
from streams.shell.settings import load_settings

async def main(now_ms):
    settings = load_settings()
    producer = LoudProducer(settings.broker_url, client_id="c",
                            topic_prefix=settings.topic_prefix, idempotent=len(sys.argv) > 2)
    await producer.start()
    compute = compute_role(settings, load_book(settings.policy), ManualClock(now_ms), producer)
    await compute.start()
    running = asyncio.create_task(compute.run())
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        if running.done():
            running.result()
        print(sum(c.acknowledged for c in compute.counters().values()), flush=True)
        await asyncio.sleep(0.02)
    await compute.stop()
    await running
    await producer.stop()
    print("end", flush=True)

asyncio.run(main(int(sys.argv[1])))
"""


class ComputeProcess:
    """Compute in a process of its own, that says how far it is until its input ends."""

    def __init__(self, settings: Settings, clock: ManualClock) -> None:
        names = (
            "broker_url",
            "topic_prefix",
            "partitions",
            "session_timeout_seconds",
            "checkpoint_seconds",
            "policy",
            "worker_id",
        )
        environment = {
            f"TICKETPULSE_{name.upper()}": str(getattr(settings, name)) for name in names
        }
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                COMPUTE,
                str(clock.now_ms()),
                *(["real"] if is_real(settings.broker_url) else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ | environment,
        )

    def wait_for(self, count: int) -> int:
        """Return when so many records are acknowledged."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if int(line) >= count:
                return int(line)
        message = "compute ended by itself"
        raise AssertionError(message)

    def kill(self) -> None:
        """Kill -9."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.communicate()

    def finish(self) -> str:
        """Stop in good order; the last line."""
        out, _ = self.process.communicate("", timeout=60)
        return out.splitlines()[-1]


def in_slices(
    messages: Sequence[tuple[bytes, bytes]], size: int
) -> list[Sequence[tuple[bytes, bytes]]]:
    """Cut into pieces."""
    return [messages[start : start + size] for start in range(0, len(messages), size)]
