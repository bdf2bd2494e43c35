"""`python -m benchmarks.restore --broker host:port`: how soon a killed worker goes on.

Fills a changelog with open tickets by a real compute process, kills it (kill -9), starts it again with
nothing else said, and measures until the first event that came in meanwhile has its row, and until
every partition has. Then reads the same changelog with a raw client. Needs a real Kafka: groups of
the embedded broker don't outlive a member that was killed.
"""

import argparse
import asyncio
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.workload import INTERVAL_MS, ticket_messages
from schemas.instants import rfc3339
from schemas.topics import OUTCOME_TOPIC_OF_TABLE, changelog_of
from streams.runtime.producer import LoudProducer, partition_of
from streams.shell.settings import PREFIX
from streams.shell.topics_admin import ensure_topics

SOURCE = "tickets"
POLICY = Path(__file__).with_name("policy.yaml")
PARTITIONS = 4
DAY_MS = 86_400_000
PUBLISH_AT_ONCE = 20_000
FILL_SECONDS_MAX = 900.0
RESTORE_SECONDS_MAX = 120.0


async def measure(broker: str, tickets: int) -> None:
    """Run and print."""
    prefix = f"restore-{secrets.token_hex(4)}-"
    await asyncio.to_thread(ensure_topics, broker, PARTITIONS, prefix)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "compute.log"
        async with _producer(broker, prefix) as producer:
            events = await _fill(producer, tickets)
            with _compute(broker, prefix, log) as process:
                await _until_read(broker, prefix, events, process)
                process.kill()
            first_seconds, all_seconds = await _restart(broker, prefix, producer, log)
        restored = re.findall(
            r"tickets/\d+: (\d+) entities restored in ([0-9.]+) s", log.read_text()
        )
    records, raw_seconds = await _read_raw(broker, prefix)
    # The first assignment restored nothing; the last lines are those of the second life.
    last = restored[-PARTITIONS:]
    count, restore_seconds = sum(int(one) for one, _ in last), sum(float(took) for _, took in last)
    print(f"{count:,} open tickets of {events:,} events, {PARTITIONS} partitions, killed with -9")
    print(f"from the start of the process to the first processed event  {first_seconds:6.1f} s")
    print(f"                              to one of every partition     {all_seconds:6.1f} s")
    ours, raw = records / restore_seconds, records / raw_seconds
    print(f"restore  {ours:>10,.0f} records/s   {ours / raw:.2f} of a raw read of the same topic")
    print(f"raw read {raw:>10,.0f} records/s   {records:,} records")


async def _fill(producer: LoudProducer, tickets: int) -> int:
    """Tickets of the last days that stay open, some within their targets, some beyond."""
    events = 0
    start_ms = int(time.time() * 1000) - tickets * INTERVAL_MS - DAY_MS
    messages = ticket_messages(tickets, start_ms=start_ms, solved=False)
    while some := list(islice(messages, PUBLISH_AT_ONCE)):
        await producer.publish(SOURCE, some)
        events += len(some)
    return events


@contextmanager
def _compute(broker: str, prefix: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`ticketpulse compute`, as deployed: with a name of its own, so that it gets its partitions back."""
    given = {
        "broker_url": broker,
        "topic_prefix": prefix,
        "policy": str(POLICY),
        "worker_id": "benchmark",
    }
    environment = os.environ | {PREFIX + name.upper(): value for name, value in given.items()}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("ticketpulse"), "compute"],
            stderr=out,
            stdout=out,
            env=environment,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def _until_read(
    broker: str, prefix: str, events: int, process: subprocess.Popen[bytes]
) -> None:
    """Until the partitions' own rows say that all is durable."""
    positions: dict[int, int] = {}
    topic = prefix + OUTCOME_TOPIC_OF_TABLE["partition_progress"]
    async with asyncio.timeout(FILL_SECONDS_MAX), _consumer(broker, topic) as consumer:
        while sum(positions.values()) < events:
            assert process.poll() is None, "compute ended by itself"
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    row = orjson.loads(record.value)
                    positions[row["partition"]] = row["position"]


async def _restart(
    broker: str, prefix: str, producer: LoudProducer, log: Path
) -> tuple[float, float]:
    """Seconds from the start until a new ticket's row of the first, and of every partition is there."""
    topic = prefix + OUTCOME_TOPIC_OF_TABLE["tickets"]
    async with _consumer(broker, topic) as consumer:
        await consumer.seek_to_end()
        waiting = await _publish_one_for_each_partition(producer)
        first_seconds = 0.0
        started_at = time.monotonic()
        with _compute(broker, prefix, log) as process:
            async with asyncio.timeout(RESTORE_SECONDS_MAX):
                while waiting:
                    assert process.poll() is None, "compute ended by itself"
                    for records in (await consumer.getmany(timeout_ms=50)).values():
                        seen = {record.key for record in records} & waiting
                        if seen and not first_seconds:
                            first_seconds = time.monotonic() - started_at
                        waiting -= seen
            return first_seconds, time.monotonic() - started_at


async def _publish_one_for_each_partition(producer: LoudProducer) -> set[bytes]:
    now = rfc3339(int(time.time() * 1000))
    keys: dict[int, bytes] = {}
    number = 0
    while len(keys) < PARTITIONS:
        keys.setdefault(
            partition_of(key := f"default/bench/new-{number}".encode(), PARTITIONS), key
        )
        number += 1
    messages = []
    for key in keys.values():
        event = {
            "schema_version": 1,
            "source": "bench",
            "event_id": key.decode(),
            "type": "created",
            "occurred_at": now,
            "ingested_at": now,
            "ticket_id": key.decode().rsplit("/", 1)[1],
            "data": {"team": "L1"},
        }
        messages.append((key, orjson.dumps(event)))
    await producer.publish(SOURCE, messages)
    return set(keys.values())


async def _read_raw(broker: str, prefix: str) -> tuple[int, float]:
    """Records of the changelog, and seconds to read them and do nothing."""
    topic = prefix + changelog_of(SOURCE)
    async with _consumer(broker, topic) as consumer:
        wheres = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        ends = await consumer.end_offsets(wheres)
        records = 0
        started_at = time.monotonic()
        while any([await consumer.position(where) < ends[where] for where in wheres]):
            for found in (await consumer.getmany(timeout_ms=500, max_records=5_000)).values():
                records += len(found)
        return records, time.monotonic() - started_at


@asynccontextmanager
async def _producer(broker: str, prefix: str) -> AsyncIterator[LoudProducer]:
    producer = LoudProducer(broker, client_id="benchmark", topic_prefix=prefix)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def _consumer(broker: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Of every partition from its beginning, in no group."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        yield consumer
    finally:
        await consumer.stop()


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--broker", required=True, help="host:port of a real Kafka")
    parser.add_argument("--tickets", type=int, default=200_000)
    options = parser.parse_args()
    asyncio.run(measure(options.broker, options.tickets))


if __name__ == "__main__":
    main()
