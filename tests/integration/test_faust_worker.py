"""The Faust worker on a real broker: batches in order, resuming, sharing, giving up, failing."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.problems import ProblemsError
from streams.runtime.producer import LoudProducer
from streams.runtime.worker import TP, BatchWorker, RecordBatch, WorkerCrashedError
from tests.integration.broker import broker_address

pytestmark = pytest.mark.kafka

SESSION_SECONDS = 2.0  # the broker's group join waits half of it
_names = itertools.count(1)


class Ledger:
    """A handler that keeps what it is given; its `positions` play the part of checkpoint markers."""

    def __init__(self, positions: dict[TP, int] | None = None) -> None:
        self.worker: BatchWorker | None = None
        self.positions = {} if positions is None else positions
        self.taken: dict[TP, list[int]] = defaultdict(list)
        self.story: list[tuple[str, frozenset[TP]]] = []
        self.owned: frozenset[TP] = frozenset()
        self.batches = 0
        self.acknowledges = True
        self.restore_seconds = 0.0
        self.take_error: Exception | None = None
        self.assigned_error: Exception | None = None
        self.not_ours = 0

    async def assigned(
        self, partitions: frozenset[TP], is_current: Callable[[], bool]
    ) -> Mapping[TP, int]:
        self.story.append(("assigned", partitions))
        await asyncio.sleep(self.restore_seconds)
        if self.assigned_error is not None:
            raise self.assigned_error
        if is_current():
            self.owned = partitions
        return {where: self.positions.get(where, 0) for where in partitions}

    async def revoked(self, partitions: frozenset[TP]) -> None:
        self.story.append(("revoked", partitions))
        self.owned -= partitions

    async def take(self, batch: RecordBatch) -> None:
        if self.take_error is not None:
            raise self.take_error
        where = TP(batch.topic, batch.partition)
        self.not_ours += where not in self.owned
        assert batch.fetch_start <= self.positions.get(where, 0), "something was skipped"
        self.batches += 1
        self.taken[where] += [record.offset for record in batch.records]
        if self.acknowledges:
            self.positions[where] = batch.next_offset
            assert self.worker is not None
            self.worker.acknowledge(where, batch.next_offset)

    def total(self) -> int:
        return sum(map(len, self.taken.values()))


class Surroundings:
    """A topic and a group of their own."""

    def __init__(self, address: str, topic: str) -> None:
        self.address = address
        self.topic = topic

    async def publish(self, count: int, start: int = 0) -> None:
        producer = LoudProducer(self.address, client_id="test", idempotent=False)
        await producer.start()
        try:
            await producer.publish(
                self.topic, [(b"key-%d" % n, b"value-%d" % n) for n in range(start, start + count)]
            )
        finally:
            await producer.stop()

    @asynccontextmanager
    async def working(self, ledger: Ledger) -> AsyncIterator["asyncio.Task[None]"]:
        """A worker with this handler; yields the task of its `run`."""
        worker = BatchWorker(
            ledger,
            bootstrap=self.address,
            group=self.topic,
            topics=[self.topic],
            session_timeout_seconds=SESSION_SECONDS,
        )
        ledger.worker = worker
        await worker.start()
        task = asyncio.create_task(worker.run())
        try:
            yield task
        finally:
            await worker.stop()
            await asyncio.wait([task], timeout=5)
            assert task.done()

    async def committed(self) -> int:
        """Sum of the group's committed offsets."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.address, group_id=self.topic)
        await consumer.start()
        try:
            wheres = [TopicPartition(self.topic, p) for p in range(4)]
            found = [await consumer.committed(where) for where in wheres]
            return sum(offset or 0 for offset in found)
        finally:
            await consumer.stop()


@pytest.fixture
async def around() -> Surroundings:
    address, topic = broker_address(), f"faust-worker-{next(_names)}"
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 4, 1)])
    finally:
        await admin.close()
    return Surroundings(address, topic)


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # nothing to wait for but the condition
            await asyncio.sleep(0.02)


async def test_fifty_thousand_records_come_in_batches_in_order(around: Surroundings) -> None:
    await around.publish(50_000)
    ledger = Ledger()
    async with around.working(ledger):
        await until(lambda: ledger.total() >= 50_000)

    assert ledger.total() == 50_000
    assert len(ledger.taken) == 4
    for offsets in ledger.taken.values():
        assert offsets == list(range(len(offsets)))
    assert ledger.batches < 200
    assert await around.committed() == 50_000
