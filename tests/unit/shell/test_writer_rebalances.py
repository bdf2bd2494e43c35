"""What the writer does with rows in hand when its partitions change hands."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from sinks.batching import Limits
from sinks.contract import Batch
from sinks.memory import MemorySink
from streams.runtime.clock import ManualClock
from streams.shell import writer as writer_module
from streams.shell.settings import load_settings
from streams.shell.writer import Writer, _Offsets
from tests.outcome_rows import as_json, ticket

WHERE = TopicPartition("outcomes-tickets", 0)


class ScriptedConsumer:
    """Stands for the Kafka consumer: hands out what a test puts in, notes what is committed."""

    def __init__(self) -> None:
        self.ready: asyncio.Queue[list[ConsumerRecord]] = asyncio.Queue()
        self.commits: list[dict[TopicPartition, int]] = []
        self.stopped = False

    def assignment(self) -> set[TopicPartition]:
        return {WHERE}

    def paused(self) -> set[TopicPartition]:
        return set()

    def highwater(self, where: TopicPartition) -> int:
        return 0

    async def getmany(
        self, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        return {WHERE: await self.ready.get()}

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.commits.append(offsets)

    async def stop(self) -> None:
        self.stopped = True


class GatedSink(MemorySink):
    """Stores when the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def write(self, batch: Batch) -> None:
        self.begun.set()
        assert self.gate.wait(10)
        super().write(batch)


class Bench:
    def __init__(self) -> None:
        self.sink = GatedSink()
        self.consumer = ScriptedConsumer()
        limits = Limits(age_seconds=0.0)
        self.writer = Writer(load_settings(), self.sink, ManualClock(0), limits)
        self.writer._offsets = _Offsets(self.consumer)
        self.writer._on_assigned()

    def arrive(self, first: int, count: int = 3) -> None:
        """Rows come out of the consumer."""
        self.consumer.ready.put_nowait([_record(offset) for offset in range(first, first + count)])

    @property
    def held(self) -> int:
        return self.writer.counters().held_rows

    @property
    def stored(self) -> int:
        return len(self.sink.rows("tickets"))


def _record(offset: int) -> ConsumerRecord:
    value = as_json(ticket(offset))
    return ConsumerRecord(
        WHERE.topic, WHERE.partition, offset, 0, 0, b"key", value, None, 3, len(value), ()
    )


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(writer_module, "REVOKED_FLUSH_SECONDS_MAX", 0.1)
    bench = Bench()
    running = asyncio.create_task(bench.writer.run())
    yield bench
    bench.sink.gate.set()
    await bench.writer.stop()
    await running
    assert bench.consumer.stopped


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is awaited is in the writer
            await asyncio.sleep(0.01)


async def test_rows_are_committed_after_they_are_stored(bench: Bench) -> None:
    bench.sink.gate.clear()
    bench.arrive(0)
    await until(bench.sink.begun.is_set)
    await asyncio.sleep(0.05)
    assert bench.consumer.commits == []

    bench.sink.gate.set()
    await until(lambda: bench.consumer.commits == [{WHERE: 3}])
    assert bench.stored == 3


async def test_held_rows_are_stored_before_the_partitions_go(bench: Bench) -> None:
    bench.arrive(0)
    await until(lambda: bench.held > 0 or bench.stored > 0)
    await bench.writer._on_revoked()

    assert (bench.stored, bench.held) == (3, 0)
    assert bench.consumer.commits == [{WHERE: 3}]


async def test_an_insert_that_outlives_its_assignment_commits_nothing(bench: Bench) -> None:
    #  insert of 0-2   |-----------------------|  stored, but no longer ours to commit
    #  revoked              X
    #  assigned, 0-4 again       |---
    bench.sink.gate.clear()
    bench.arrive(0)
    await until(bench.sink.begun.is_set)
    await bench.writer._on_revoked()
    assert bench.held == 0
    bench.writer._on_assigned()
    bench.arrive(0, count=5)
    await until(lambda: bench.held == 5)

    bench.sink.gate.set()
    await until(lambda: bench.consumer.commits != [])

    assert bench.consumer.commits == [{WHERE: 5}]
    assert bench.stored == 5


async def test_rows_that_come_between_assignments_are_not_kept(bench: Bench) -> None:
    # They would be committed before those in front of them, which the new assignment reads again.
    await bench.writer._on_revoked()
    bench.arrive(7)
    await until(bench.consumer.ready.empty)
    await asyncio.sleep(0.05)
    assert (bench.held, bench.stored) == (0, 0)

    bench.writer._on_assigned()
    bench.arrive(0)
    await until(lambda: bench.consumer.commits == [{WHERE: 3}])
