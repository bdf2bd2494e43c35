"""How fast events can be read at all: by a raw client, by a stock Faust agent, by our worker.

All read the same topic of the same broker and do nothing with what they read, so the numbers of one
run compare. Time counts from the first record to the last: joining a group is not part of it.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.runtime.producer import LoudProducer
from streams.runtime.worker import TP, BatchWorker, RecordBatch

PARTITIONS = 4
SESSION_SECONDS = 2.0
PUBLISH_AT_ONCE = 10_000
WAIT_SECONDS_MAX = 120.0
_groups = count(1)


@dataclass(frozen=True, slots=True)
class Source:
    """A topic full of events."""

    bootstrap: str
    topic: str
    events: int


class Stopwatch:
    """From the first of so many events to the last."""

    def __init__(self, events: int) -> None:
        self._left = self._events = events
        self._started = self._ended = 0.0
        self._done = asyncio.Event()

    def count(self, events: int) -> None:
        """So many more were read."""
        if self._left == self._events:
            self._started = time.perf_counter()
        self._left -= events
        if self._left <= 0 and not self._done.is_set():
            self._ended = time.perf_counter()
            self._done.set()

    async def per_second(self) -> float:
        """Events per second, once all were read."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            await self._done.wait()
        return self._events / (self._ended - self._started)


async def fill(bootstrap: str, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> Source:
    """Create a topic and put the messages on it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        await admin.close()
    producer = LoudProducer(bootstrap, client_id="benchmark", idempotent=False)
    await producer.start()
    events, left = 0, iter(messages)
    try:
        while some := list(islice(left, PUBLISH_AT_ONCE)):
            await producer.publish(topic, some)
            events += len(some)
    finally:
        await producer.stop()
    return Source(bootstrap, topic, events)


async def raw_client(source: Source) -> float:
    """(a) aiokafka's `getmany`, no group: the limit of anything in Python on this client."""
    consumer = AIOKafkaConsumer(bootstrap_servers=source.bootstrap)
    await consumer.start()
    try:
        wheres = [TopicPartition(source.topic, partition) for partition in range(PARTITIONS)]
        consumer.assign(wheres)
        await consumer.seek_to_beginning()
        watch, left = Stopwatch(source.events), source.events
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                watch.count(len(records))
                left -= len(records)
        return await watch.per_second()
    finally:
        await consumer.stop()


async def stock_agent(source: Source, events: int) -> float:
    """(b) A Faust agent as the manual writes it, on Faust's own transport. So many events are enough."""
    watch = Stopwatch(min(events, source.events))
    with tempfile.TemporaryDirectory() as datadir:
        app = faust.App(
            f"benchmark-stock-{next(_groups)}",
            broker=f"kafka://{source.bootstrap}",
            autodiscover=False,
            datadir=datadir,
            store="memory://",
            web_enabled=False,
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=SESSION_SECONDS / 5,
            consumer_auto_offset_reset="earliest",
            stream_wait_empty=False,
        )

        async def agent(stream: Any) -> None:
            async for _ in stream:
                watch.count(1)

        app.agent(app.topic(source.topic, value_type=bytes), name="stock")(agent)
        app.finalize()
        await app.start()
        try:
            return await watch.per_second()
        finally:
            await app.stop()


async def batch_worker(source: Source) -> float:
    """Our transport and worker with a handler that only counts and acknowledges."""
    watch = Stopwatch(source.events)
    handler = _Counting(watch)
    worker = BatchWorker(
        handler,
        bootstrap=source.bootstrap,
        group=f"benchmark-batches-{next(_groups)}",
        topics=[source.topic],
        session_timeout_seconds=SESSION_SECONDS,
    )
    handler.worker = worker
    await worker.start()
    running = asyncio.create_task(worker.run())
    try:
        return await watch.per_second()
    finally:
        await worker.stop()
        await running


class _Counting:
    """A handler with nothing to do."""

    worker: BatchWorker

    def __init__(self, watch: Stopwatch) -> None:
        self._watch = watch

    async def assigned(
        self, partitions: frozenset[TP], is_current: Callable[[], bool]
    ) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 0)

    async def revoked(self, partitions: frozenset[TP]) -> None:
        """Nothing is kept."""

    async def take(self, batch: RecordBatch) -> None:
        self._watch.count(len(batch.records))
        self.worker.acknowledge(TP(batch.topic, batch.partition), batch.next_offset)
