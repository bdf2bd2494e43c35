"""Throughput of the compute role and of the whole pipeline, on the embedded broker."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sampling import Sampler
from benchmarks.workload import START_MS
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.migrate import migrate_up
from streams.core.policy import PolicyBook
from streams.policies import load_policy
from streams.runtime.changelog import Message
from streams.runtime.clock import ManualClock
from streams.runtime.producer import LoudProducer
from streams.shell.compute import Compute, compute_role
from streams.shell.database import open_database
from streams.shell.settings import Settings, load_settings
from streams.shell.topics_admin import ensure_topics
from streams.shell.writer import writer_role

POLICY = Path(__file__).with_name("policy.yaml")
PARTITIONS = 4
NOW_MS = START_MS + 60 * 86_400_000
POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Run:
    """How fast it went, and where the time of the main thread was spent."""

    events_per_second: float
    profile: str = ""


async def preload(broker: str, prefix: str, messages: Sequence[tuple[bytes, bytes]]) -> Settings:
    """Topics of their own with all messages in `tickets`."""
    settings = load_settings(
        broker_url=broker,
        topic_prefix=prefix,
        partitions=PARTITIONS,
        session_timeout_seconds=6.0,
        policy=POLICY,
    )
    await asyncio.to_thread(ensure_topics, broker, PARTITIONS, prefix)
    async with _producer(settings) as producer:
        for start in range(0, len(messages), 20_000):
            await producer.publish("tickets", messages[start : start + 20_000])
    return settings


async def compute_alone(settings: Settings, count: int) -> Run:
    """Decode, state, timers, checkpoint with outbox, publish: until all is acknowledged."""
    async with _producer(settings) as producer:
        compute = _compute(settings, producer)
        await compute.start()
        running = asyncio.ensure_future(compute.run())
        await _until(running, lambda: len(compute.counters()) == PARTITIONS)
        sampler = Sampler()
        sampler.start()
        started = time.perf_counter()
        await _until(running, lambda: _acknowledged(compute) >= count)
        seconds = time.perf_counter() - started
        sampler.stop()
        await compute.stop()
        await running
    return Run(count / seconds, sampler.report())


async def end_to_end(settings: Settings, count: int) -> Run:
    """The same, with the writer beside it, until every row can be queried in ClickHouse."""
    with tempfile.TemporaryDirectory(prefix="ticketpulse-bench-") as folder:
        database = open_database(settings.model_copy(update={"data_dir": Path(folder)}))
        with database:
            migrate_up(database)
            return await _end_to_end(settings, count, database)


async def _end_to_end(settings: Settings, count: int, database: ClickHouse) -> Run:
    async with _producer(settings) as producer:
        compute = _compute(settings, producer)
        writer = writer_role(settings, database)
        await writer.start()
        await compute.start()
        running = asyncio.ensure_future(compute.run())
        writing = asyncio.ensure_future(writer.run())
        await _until(running, lambda: len(compute.counters()) == PARTITIONS)
        started = time.perf_counter()
        await _until(running, lambda: _acknowledged(compute) >= count)
        while (await asyncio.to_thread(_stored_position, database)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        # Tables are written side by side: the progress says nothing of the other rows.
        await _until(
            running, lambda: sum(writer.counters().rows_total.values()) >= producer.published
        )
        seconds = time.perf_counter() - started
        await compute.stop()
        await writer.stop()
        await asyncio.gather(running, writing)
    return Run(count / seconds)


def _stored_position(database: ClickHouse) -> int:
    """Source events whose rows are in ClickHouse: compute says so in a row that comes last."""
    (row,) = database.query_rows("SELECT sum(position) AS total FROM v_partition_progress")
    return int(str(row["total"] or 0))


class _CountingProducer(LoudProducer):
    """Counts the outcome messages that the broker has acknowledged."""

    published = 0

    async def publish_messages(self, messages: Sequence[Message]) -> None:
        await super().publish_messages(messages)
        self.published += len(messages)


def _compute(settings: Settings, producer: LoudProducer) -> Compute:
    book = PolicyBook((load_policy(settings.policy),))
    return compute_role(settings, book, ManualClock(NOW_MS), producer)


def _acknowledged(compute: Compute) -> int:
    return sum(counters.acknowledged for counters in compute.counters().values())


async def _until(running: "asyncio.Future[None]", done: "object") -> None:
    assert callable(done)
    while not done():
        if running.done():
            running.result()
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def _producer(settings: Settings) -> AsyncIterator[_CountingProducer]:
    producer = _CountingProducer(
        settings.broker_url, client_id="bench", topic_prefix=settings.topic_prefix, idempotent=False
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
