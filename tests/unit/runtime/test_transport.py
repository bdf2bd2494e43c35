"""What the transport hands over, where it reads, what it commits: on fetches made up here."""

import asyncio
import hashlib
import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, NamedTuple

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.app.base import App
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.transport.conductor import ConductorCompiler
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import Consumer as DriverConsumer
from faust.types import TP

from streams.runtime import transport as transport_module
from streams.runtime.transport import BatchConsumer, RecordBatch, _parts

ZERO, ONE = TP("tickets", 0), TP("tickets", 1)


class Record(NamedTuple):
    """As much of aiokafka's record as is looked at."""

    offset: int
    value: bytes | None = b"value"
    timestamp: int = 1_000
    timestamp_type: int = 0


Fetch = Mapping[TP, Iterable[int]] | Exception


class Broker:
    """Stands behind a consumer: plays the given fetches, notes seeks and commits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, assignment: set[TP]) -> None:
        app = faust.App(
            "group", broker="kafka+batch://nowhere:1", store="memory://", web_enabled=False
        )
        app.consumer_generation_id = 1
        consumer = app.consumer
        assert isinstance(consumer, BatchConsumer)
        self.app, self.consumer = app, consumer
        self.assignment = assignment
        self.fetches: list[Fetch] = []
        self.seeks: list[tuple[TP, int]] = []
        self.commits: list[dict[TP, int]] = []
        self.commit_error: Exception | None = None
        self.commit_gate = asyncio.Event()
        self.commit_gate.set()
        monkeypatch.setattr(consumer, "assignment", lambda: self.assignment)
        monkeypatch.setattr(consumer, "_wait_next_records", self._wait_next_records)
        monkeypatch.setattr(consumer, "seek_wait", self._seek_wait)
        monkeypatch.setattr(consumer._thread, "call_thread", self._call_thread)
        monkeypatch.setattr(consumer._thread, "_ensure_consumer", lambda: self)

    async def _wait_next_records(self, _seconds: float) -> tuple[object, object]:
        fetch = self.fetches.pop(0)
        if isinstance(fetch, Exception):
            raise fetch
        records = {
            TopicPartition(where.topic, where.partition): [Record(offset) for offset in offsets]
            for where, offsets in fetch.items()
        }
        return records, None

    async def _seek_wait(self, positions: Mapping[TP, int]) -> None:
        self.seeks += positions.items()

    async def _call_thread(self, function: Callable[..., Any], *args: object) -> object:
        return await function(*args)

    async def commit(self, offsets: Mapping[TopicPartition, Any]) -> None:
        """aiokafka's."""
        await self.commit_gate.wait()
        if self.commit_error is not None:
            raise self.commit_error
        self.commits.append(
            {TP(where.topic, where.partition): meta.offset for where, meta in offsets.items()}
        )

    async def assign(self, positions: Mapping[TP, int]) -> None:
        """A rebalance ends, and its restores: as Faust does it."""
        self.consumer._settled = True
        self.consumer.resume_flow()
        self.consumer.start_at(positions)
        await self.consumer.perform_seek()

    async def fetch(self, fetch: Fetch) -> list[RecordBatch]:
        """The batches that one fetch becomes."""
        self.fetches.append(fetch)
        return [message.value async for _, message in self.consumer.getmany(1.0)]


@pytest.fixture
async def joining(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Broker]:
    """A consumer with two partitions, of which none is restored."""
    broker = Broker(monkeypatch, assignment={ZERO, ONE})
    yield broker
    broker.consumer._thread.thread_loop.close()


@pytest.fixture
async def broker(joining: Broker) -> Broker:
    """A consumer with two partitions that are restored."""
    await joining.assign({ZERO: 100, ONE: 0})
    return joining


def offsets(batch: RecordBatch) -> list[int]:
    return [record.offset for record in batch.records]


# -- reading ------------------------------------------------------------------------------------


async def test_one_batch_per_partition_and_fetch_after_seeking_to_the_markers(
    broker: Broker,
) -> None:
    first, second = await broker.fetch({ZERO: range(100, 110), ONE: range(5)})

    assert sorted(broker.seeks) == [(ZERO, 100), (ONE, 0)]
    assert (first.topic, first.partition, offsets(first)) == (
        "tickets",
        0,
        list(range(100, 110)),
    )
    assert (first.fetch_start, first.next_offset) == (100, 110)
    assert (second.partition, second.fetch_start, second.next_offset) == (1, 0, 5)


async def test_a_hole_lies_between_the_fetchs_start_and_its_first_record(broker: Broker) -> None:
    # asked from 100, compacted or control records at 100..104 and 106
    (first,) = await broker.fetch({ZERO: [105, 107]})
    (second,) = await broker.fetch({ZERO: [110]})

    assert (first.fetch_start, offsets(first), first.next_offset) == (100, [105, 107], 108)
    assert (second.fetch_start, offsets(second)) == (108, [110])


async def test_a_large_fetch_is_cut_and_stays_consecutive(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "BATCH_RECORDS_MAX", 4)

    batches = await broker.fetch({ZERO: range(100, 110)})

    assert [len(batch.records) for batch in batches] == [4, 4, 2]
    assert [batch.fetch_start for batch in batches] == [100, 104, 108]


def test_parts_are_bounded_by_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "BATCH_BYTES_MAX", 10)
    records: list[Any] = [Record(at, bytes(size)) for at, size in enumerate([4, 4, 4, 100, 0, 3])]

    parts = [[record.offset for record in part] for part in _parts(records)]

    assert parts == [[0, 1, 2], [3], [4, 5]]
    assert list(_parts([])) == []


async def test_going_back_drops_the_rest_of_the_fetch_and_what_is_queued(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "BATCH_RECORDS_MAX", 2)
    broker.fetches.append({ZERO: range(100, 110), ONE: [0]})
    seen: list[RecordBatch] = []
    async for _, message in broker.consumer.getmany(1.0):
        seen.append(message.value)
        if message.value.next_offset == 104:
            broker.consumer.go_to(ZERO, 101)

    assert [offsets(batch) for batch in seen] == [[100, 101], [102, 103], [0]]
    assert [broker.consumer.is_stale(batch) for batch in seen] == [True, True, False]

    (again, *_) = await broker.fetch({ZERO: range(101, 110)})
    assert broker.seeks[-1] == (ZERO, 101)
    assert (again.fetch_start, offsets(again)) == (101, [101, 102])
    assert not broker.consumer.is_stale(again)


async def test_a_partition_without_a_restore_is_not_handed_over(joining: Broker) -> None:
    await joining.assign({ZERO: 0})

    batches = await joining.fetch({ZERO: range(3), ONE: range(3)})

    assert [batch.partition for batch in batches] == [0]


async def test_records_of_an_older_generation_are_not_handed_over(broker: Broker) -> None:
    broker.fetches.append({ZERO: range(100, 103), ONE: range(3)})
    seen = []
    async for _, message in broker.consumer.getmany(1.0):
        seen.append(message.value.partition)
        broker.app.consumer_generation_id = 2

    assert seen == [0]


async def test_a_fetch_from_outside_the_log_is_loud_only_where_it_is_wanted(
    broker: Broker,
) -> None:
    await broker.fetch({})
    assert await broker.fetch(OffsetOutOfRangeError({ZERO: 99})) == []  # asked before the seek
    assert await broker.fetch(NoOffsetForPartitionError(ZERO)) == []

    with pytest.raises(OffsetOutOfRangeError):
        await broker.fetch(OffsetOutOfRangeError({ZERO: 100}))


async def test_faust_delivers_in_order_across_a_step_back_and_drops_nothing(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real drain loop of Faust, which keeps offsets of its own."""
    consumer = broker.consumer
    delivered: list[tuple[int, list[int]]] = []

    async def callback(message: Any) -> None:
        batch = message.value
        delivered.append((batch.partition, offsets(batch)))
        if batch.next_offset == 104 and len(delivered) < 4:
            consumer.go_to(ZERO, 50)
        if not broker.fetches:
            consumer._stopped.set()

    monkeypatch.setattr(consumer, "callback", callback)
    monkeypatch.setattr(broker.app.topics, "acks_enabled_for", lambda _topic: True)  # as an agent's
    broker.fetches += [
        {ZERO: [100], ONE: [0, 3]},
        {ZERO: [103]},
        {ZERO: [50, 60]},
        {ZERO: [61], ONE: [9]},
        {ONE: [10]},
    ]
    async with asyncio.timeout(5):
        await consumer._drain_messages(consumer)

    assert delivered == [
        (0, [100]),
        (1, [0, 3]),
        (0, [103]),
        (0, [50, 60]),
        (0, [61]),
        (1, [9]),
        (1, [10]),
    ]
    assert not consumer._gap  # nothing grows with holes between batches


# -- commits ------------------------------------------------------------------------------------


async def test_only_what_is_acknowledged_is_committed_over_all_holes_at_once(
    broker: Broker,
) -> None:
    for start in range(100, 2_000, 10):
        await broker.fetch({ZERO: [start, start + 3]})
    await broker.consumer.commit_now()
    assert broker.commits == []

    broker.consumer.acknowledge(ZERO, 1_994)
    await broker.consumer.commit_now()
    await broker.consumer.commit_now()

    assert broker.commits == [{ZERO: 1_994}]  # once


async def test_an_unacknowledged_head_is_not_passed(broker: Broker) -> None:
    first, second = [
        (await broker.fetch({ZERO: range(start, start + 10)}))[0] for start in (100, 110)
    ]
    broker.consumer.acknowledge(ZERO, first.next_offset)
    await broker.consumer.commit_now()

    assert broker.commits == [{ZERO: 110}]
    assert second.next_offset == 120


async def test_partitions_of_others_are_not_committed(broker: Broker) -> None:
    broker.consumer.acknowledge(ZERO, 105)
    broker.consumer.acknowledge(ONE, 7)
    broker.assignment = {ONE}

    await broker.consumer.commit_now()

    assert broker.commits == [{ONE: 7}]


async def test_a_commit_that_failed_is_made_up_for_by_the_next(broker: Broker) -> None:
    broker.consumer.acknowledge(ZERO, 105)
    broker.commit_error = CommitFailedError("the group has already rebalanced")
    assert not await broker.consumer.commit()
    broker.commit_error = None

    assert await broker.consumer.commit()

    assert broker.commits == [{ZERO: 105}]
    assert not broker.consumer.crashed


async def test_a_commit_under_way_does_not_hide_what_came_after_it_began(broker: Broker) -> None:
    broker.consumer.acknowledge(ZERO, 105)
    broker.commit_gate.clear()
    under_way = asyncio.create_task(broker.consumer.commit())
    await asyncio.sleep(0)
    broker.consumer.acknowledge(ZERO, 110)
    last = asyncio.create_task(broker.consumer.commit_now())
    await asyncio.sleep(0)
    broker.commit_gate.set()
    await asyncio.gather(under_way, last)

    assert broker.commits == [{ZERO: 105}, {ZERO: 110}]


async def test_a_broker_that_does_not_answer_holds_up_no_commit_for_long(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "COMMIT_SECONDS_MAX", 0.05)
    broker.consumer.acknowledge(ZERO, 105)
    broker.commit_gate.clear()

    assert not await asyncio.wait_for(broker.consumer.commit(), 2)


async def test_fausts_own_acknowledgements_do_nothing(broker: Broker) -> None:
    broker.fetches.append({ZERO: range(100, 110)})
    async for _, message in broker.consumer.getmany(1.0):
        broker.consumer.track_message(message)
        assert not broker.consumer.ack(message)

    await broker.consumer.commit_now()

    assert broker.commits == []
    assert not broker.consumer.unacked


# -- rebalances ---------------------------------------------------------------------------------


async def test_a_revocation_closes_checkpoints_commits_and_only_then_lets_faust_forget(
    broker: Broker,
) -> None:
    consumer = broker.consumer
    (queued,) = await broker.fetch({ZERO: [100]})
    story: list[str] = []

    async def on_revoked(partitions: frozenset[TP]) -> None:
        assert partitions == {ZERO, ONE}
        assert consumer.is_stale(queued)
        assert await_nothing(consumer)
        story.append("handler")
        consumer.acknowledge(ZERO, 101)

    async def forget(_revoked: set[TP]) -> None:
        story.append(f"faust, after {broker.commits}")

    consumer.on_revoked = on_revoked
    consumer._on_partitions_revoked = forget
    await consumer.on_partitions_revoked({ZERO, ONE})

    assert story == ["handler", f"faust, after [{{{ZERO!r}: 101}}]"]


def await_nothing(consumer: BatchConsumer) -> bool:
    """Whether no assignment is in force and the flow stands."""
    return consumer.current_assignment() is None and not consumer.flow_active


async def test_after_a_revocation_nothing_is_handed_over_until_the_next_restore(
    broker: Broker,
) -> None:
    async def nothing(*_args: object) -> None:
        pass

    consumer = broker.consumer
    consumer._on_partitions_revoked = nothing
    await consumer.on_partitions_revoked({ZERO, ONE})
    with pytest.raises(RebalanceAgain):  # the restore of the assignment before comes too late
        await consumer.perform_seek()
    consumer.resume_flow()
    assert await broker.fetch({ZERO: [100], ONE: [0]}) == []

    await broker.assign({ONE: 3})

    (batch,) = await broker.fetch({ZERO: [100], ONE: [3]})
    assert (batch.partition, batch.fetch_start) == (1, 3)


async def test_acknowledgements_of_an_earlier_assignment_are_forgotten(broker: Broker) -> None:
    async def nothing(*_args: object) -> None:
        pass

    consumer = broker.consumer
    consumer._on_partitions_revoked = consumer._on_partitions_assigned = nothing
    await consumer.on_partitions_revoked({ZERO, ONE})
    consumer.acknowledge(ZERO, 105)  # too late
    await consumer.on_partitions_assigned({ZERO, ONE}, 2)
    await consumer.commit_now()

    assert broker.commits == []
    assert consumer.current_assignment() == 1


# -- Faust's private code -----------------------------------------------------------------------

# What the transport and the worker rely on beyond Faust's public promises. When a hash differs, read
# the new code with `transport.py` and `worker.py` beside it, then write its hash here.
PRIVATE = {
    "the fetch loop": (Consumer._drain_messages, "44a2500309e8"),
    "waiting for records": (Consumer._wait_next_records, "6218e1969a63"),
    "commit": (Consumer.commit, "a354437baaa0"),
    "one commit at a time": (Consumer.maybe_wait_for_commit_to_finish, "d687f63a0b5e"),
    "the stop that ours replaces": (DriverConsumer.on_stop, "173f86b366f3"),
    "revocation, consumer": (Consumer.on_partitions_revoked, "d04b7ae72c6f"),
    "assignment, consumer": (Consumer.on_partitions_assigned, "29ce96596f05"),
    "revocation, app": (App._on_partitions_revoked, "d5c895bbe57d"),
    "assignment, app": (App._on_partitions_assigned, "de932b7927db"),
    "resuming streams": (Recovery._resume_streams, "d986a6710c1a"),
    "restarting recovery": (Recovery._restart_recovery.fun, "6bd8a8558a2d"),
    "delivery": (ConductorCompiler.build, "837cf521368c"),
}


@pytest.mark.parametrize("what", PRIVATE)
def test_the_private_code_we_lean_on_is_the_one_that_was_read(what: str) -> None:
    function, known = PRIVATE[what]

    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12] == known
