"""The Faust worker on a real broker: batches in order, resuming, sharing, giving up, failing."""

import asyncio
import itertools
import sys
import threading
import time
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.problems import ProblemsError
from streams.runtime.producer import LoudProducer
from streams.runtime.worker import TP, BatchWorker, RecordBatch
from streams.shell.embedded_broker import EmbeddedBroker
from tests.integration.broker import broker_address

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
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

    def has_taken(self, records: int) -> bool:
        return self.total() >= records


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
        return sum((await self.committed_of_each()).values())

    async def committed_of_each(self) -> dict[TP, int]:
        """The group's committed offsets, 0 where there is none."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.address, group_id=self.topic)
        await consumer.start()
        try:
            wheres = [TP(self.topic, p) for p in range(4)]
            return {
                where: await consumer.committed(TopicPartition(where.topic, where.partition)) or 0
                for where in wheres
            }
        finally:
            await consumer.stop()


@pytest.fixture
async def around() -> Surroundings:
    return await surroundings(broker_address())


async def surroundings(address: str) -> Surroundings:
    """A topic that exists."""
    topic = f"faust-worker-{next(_names)}"
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


async def test_a_restarted_worker_goes_on_at_its_markers_whatever_the_group_says(
    around: Surroundings,
) -> None:
    await around.publish(1_000)
    first = Ledger()
    async with around.working(first):
        await until(lambda: first.total() >= 1_000)
    await around.publish(200, start=1_000)
    markers = {where: next_offset - 10 for where, next_offset in first.positions.items()}

    second = Ledger(markers)
    async with around.working(second):
        await until(lambda: second.total() >= 240)

    assert {where: offsets[0] for where, offsets in second.taken.items()} == {
        where: next_offset - 10 for where, next_offset in first.positions.items()
    }
    assert second.total() == 240


# A process that works until it is killed, slowly, and says what it has acknowledged.
WORKER = """
import asyncio, sys
from streams.runtime import transport, worker
from tests.integration.test_faust_worker import Ledger, Surroundings

class Telling(Ledger):
    async def take(self, batch):
        await asyncio.sleep(0.02)
        await super().take(batch)
        print(batch.partition, batch.next_offset, flush=True)

async def main():
    async with Surroundings(*sys.argv[1:]).working(Telling()) as running:
        await running

worker.COMMIT_SECONDS = 0.2
transport.BATCH_RECORDS_MAX = 50
asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_killed_worker_has_committed_nothing_that_it_had_not_acknowledged(
    around: Surroundings,
) -> None:
    await around.publish(10_000)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, around.address, around.topic, stdout=PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    acknowledged: dict[TP, int] = {TP(around.topic, p): 0 for p in range(4)}
    lines = 0
    async for line in process.stdout:
        partition, next_offset = map(int, line.split())
        acknowledged[TP(around.topic, partition)] = next_offset
        lines += 1
        if lines == 60:
            process.kill()
    await process.wait()

    committed = await around.committed_of_each()
    assert 0 < sum(committed.values()) < 10_000
    assert all(committed[where] <= acknowledged[where] for where in committed)

    successor = Ledger(dict(committed))  # must wait until the group has given up the dead one
    async with around.working(successor):
        await until(lambda: sum(committed.values()) + successor.total() >= 10_000)
    for where, offsets in successor.taken.items():
        assert offsets == list(range(committed[where], successor.positions[where]))


async def test_what_is_not_acknowledged_is_not_committed(around: Surroundings) -> None:
    await around.publish(1_000)
    ledger = Ledger()
    ledger.acknowledges = False
    async with around.working(ledger):
        await until(lambda: sum(map(len, ledger.taken.values())) >= 1_000)

    assert await around.committed() == 0


async def test_a_stop_gives_up_first_and_commits_what_that_acknowledged(
    around: Surroundings,
) -> None:
    class Late(Ledger):
        async def revoked(self, partitions: frozenset[TP]) -> None:
            await super().revoked(partitions)
            assert self.worker is not None
            for where, offsets in self.taken.items():
                self.worker.acknowledge(where, offsets[-1] + 1)

    await around.publish(1_000)
    ledger = Late()
    ledger.acknowledges = False
    async with around.working(ledger) as running:
        await until(lambda: ledger.total() >= 1_000)

    assert running.exception() is None
    assert [what for what, _ in ledger.story] == ["assigned", "revoked"]
    assert await around.committed() == 1_000


async def test_two_workers_share_four_partitions_and_one_takes_over(around: Surroundings) -> None:
    #  first   |-- all ---|-- half --|
    #  second             |-- half --|-- all --|
    await around.publish(1_000)
    markers: dict[TP, int] = {}
    first, second = Ledger(markers), Ledger(markers)
    async with around.working(second) as running:
        await until(lambda: len(second.owned) == 4)
        async with around.working(first):
            await until(lambda: len(first.owned) == 2 and len(second.owned) == 2)
            assert first.owned | second.owned == {TP(around.topic, p) for p in range(4)}
            await around.publish(1_000, start=1_000)
            await until(lambda: first.total() + second.total() >= 2_000)
        await until(lambda: len(second.owned) == 4)
        await around.publish(1_000, start=2_000)
        await until(lambda: first.total() + second.total() >= 3_000)
        assert not running.done()

    everything = sorted(
        (where.partition, offset)
        for ledger in (first, second)
        for where, offsets in ledger.taken.items()
        for offset in offsets
    )
    assert everything == sorted(
        (where.partition, offset) for where, end in markers.items() for offset in range(end)
    )
    assert first.not_ours == second.not_ours == 0
    for ledger in (first, second):
        assert [what for what, _ in ledger.story[::2]] == ["assigned"] * (len(ledger.story) // 2)
        assert [what for what, _ in ledger.story[1::2]] == ["revoked"] * (len(ledger.story) // 2)
    assert await around.committed() == 3_000


async def test_nothing_is_delivered_before_a_slow_restore_is_done(around: Surroundings) -> None:
    await around.publish(1_000)
    ledger = Ledger()
    ledger.restore_seconds = 1.5
    async with around.working(ledger):
        await until(lambda: bool(ledger.story))
        await asyncio.sleep(1.0)
        assert ledger.total() == 0
        await until(lambda: ledger.total() >= 1_000)

    assert ledger.not_ours == 0


async def test_a_rebalance_during_a_restore_lets_nothing_slip_through(
    around: Surroundings,
) -> None:
    #  first   |-- restores all, slowly --|
    #  second        |-- joins ---------------- half
    await around.publish(1_000)
    markers: dict[TP, int] = {}
    first, second = Ledger(markers), Ledger(markers)
    first.restore_seconds = 1.5
    async with around.working(first) as running:
        await until(lambda: bool(first.story))
        async with around.working(second):
            await until(lambda: first.total() + second.total() >= 1_000)
            assert len(second.owned) == 2
        assert not running.done()

    assert first.not_ours == second.not_ours == 0
    assert first.total() + second.total() == 1_000


async def test_a_failing_handler_crashes_the_run_and_acknowledges_nothing(
    around: Surroundings,
) -> None:
    await around.publish(1_000)
    ledger = Ledger()
    ledger.take_error = RuntimeError("poisoned")
    async with around.working(ledger) as running:
        with pytest.raises(RuntimeError, match="poisoned"):
            await asyncio.wait_for(running, 20)

    assert [what for what, _ in ledger.story] == ["assigned"]
    assert await around.committed() == 0


async def test_a_failing_restore_crashes_the_run(around: Surroundings) -> None:
    ledger = Ledger()
    ledger.assigned_error = RuntimeError("no trust in this log")
    async with around.working(ledger) as running:
        with pytest.raises(RuntimeError, match="no trust in this log"):
            await asyncio.wait_for(running, 20)


async def test_going_back_delivers_again_and_nothing_from_before_comes_between(
    around: Surroundings,
) -> None:
    class Returning(Ledger):
        returned: TP | None = None

        async def take(self, batch: RecordBatch) -> None:
            await super().take(batch)
            where = TP(batch.topic, batch.partition)
            if self.total() > 3_000 and not self.returned:
                self.returned = where
                self.taken[where].clear()
                self.positions[where] = 7
                assert self.worker is not None
                self.worker.go_to(where, 7)

    await around.publish(20_000)
    ledger = Returning()
    async with around.working(ledger):
        await until(lambda: sum(ledger.positions.values()) >= 20_000)

    assert ledger.returned is not None
    for where, offsets in ledger.taken.items():
        start = 7 if where == ledger.returned else 0
        assert offsets == list(range(start, ledger.positions[where]))


async def test_an_unreachable_broker_is_told_clearly() -> None:
    worker = BatchWorker(
        Ledger(), bootstrap="127.0.0.1:1", group="g", topics=["t"], session_timeout_seconds=2.0
    )
    with pytest.raises(ProblemsError, match=r"127.0.0.1:1: Kafka can't be reached.*BROKER_URL"):
        await worker.start()
    await worker.stop()


async def test_a_record_is_handed_over_at_once(around: Surroundings) -> None:
    ledger = Ledger()
    waited: list[float] = []
    async with around.working(ledger):
        await until(lambda: len(ledger.owned) == 4)
        for n in range(15):
            await around.publish(1, start=n)
            published = time.monotonic()
            await until(partial(ledger.has_taken, n + 1))
            waited.append(time.monotonic() - published)
            await asyncio.sleep(0.05)

    assert median(waited) < 0.2


@pytest.mark.slow
async def test_a_stop_without_a_broker_ends_within_seconds_and_leaves_no_thread() -> None:
    threads = threading.active_count()
    broker = EmbeddedBroker()
    around = await surroundings(await broker.start())
    await around.publish(1_000)
    ledger = Ledger()
    async with around.working(ledger) as running:
        await until(partial(ledger.has_taken, 1_000))
        await broker.stop()
        assert ledger.worker is not None
        ledger.worker.acknowledge(TP(around.topic, 0), 1)  # there is something to commit
        await asyncio.sleep(0.5)
        assert not running.done()  # a broker may come back
        stopping_at = time.monotonic()
    assert time.monotonic() - stopping_at < 10.0
    assert threading.active_count() <= threads + 1  # asyncio's own for name look-ups
