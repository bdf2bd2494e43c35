"""The partition engine by example."""

from collections.abc import Sequence

import orjson
import pytest

from schemas.encode import encode
from schemas.events import Closed, Created, Data, Event, Message as Reply
from streams.runtime.changelog import FencedError, Message
from streams.runtime.clock import ManualClock
from streams.runtime.memory_log import MemoryLog
from streams.runtime.partition import (
    Limits,
    PartitionEngine,
    SourceRange,
    SourceRecord,
    Surroundings,
)
from tests.unit.runtime.world import LOGIC, START_MS, TARGET_MS, Engine, decode_record

YEAR_MS = 365 * 86_400_000
SOURCE_END = 100


class Outlet:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, object]]] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        self.rows += [(message.topic, orjson.loads(message.value)) for message in messages]

    def of(self, topic: str) -> list[dict[str, object]]:
        return [row for name, row in self.rows if name == topic]


def record(offset: int, event_id: str, at_ms: int, data: Data, ticket: str = "T1") -> SourceRecord:
    event = Event(
        tenant="t",
        source="s",
        kind="ticket",
        entity_id=ticket,
        event_id=event_id,
        type=str(type(data).__struct_config__.tag),
        occurred_ms=at_ms,
        ingested_ms=at_ms,
        data=data,
    )
    return SourceRecord(offset, at_ms, event.key.encode(), encode(event))


class SetBack(ManualClock):
    """A clock that somebody sets wrong."""

    def set(self, now_ms: int) -> None:
        self._now_ms = now_ms


async def opened_by(clock: ManualClock, outlet: Outlet, log: MemoryLog) -> Engine:
    around = Surroundings(outlet, decode_record, clock, clock, lambda _key, _count: 0)
    engine: Engine = PartitionEngine("tickets", 0, LOGIC, log, around)

    async def source_now(_at_least: int) -> SourceRange:
        return SourceRange(0, SOURCE_END, 1)

    await engine.open(source_now, f"claim {len(log.records)}")
    return engine


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_row_does_not_deny_a_breach_when_the_clock_is_set_back(restarted: bool) -> None:
    """It was announced by an event, without a timer that could say it again."""
    outlet, log, clock = Outlet(), MemoryLog(), SetBack(START_MS)
    engine = await opened_by(clock, outlet, log)
    engine.apply([record(0, "c", START_MS, Created())], 1)
    clock.set(START_MS + 2 * TARGET_MS)
    engine.apply([record(1, "r", START_MS + TARGET_MS + 1, Reply("customer"))], 2)
    engine.fire_timers(clock.now_ms())
    await engine.checkpoint()
    clock.set(START_MS + TARGET_MS // 2)
    if restarted:
        engine = await opened_by(clock, outlet, log)
    engine.apply([record(2, "t", START_MS + 1, Reply("agent"))], 3)
    await engine.checkpoint()
    rows = outlet.of("outcomes-ticket-clocks")
    assert [row["breached"] for row in rows][-1] is True
    assert str(rows[-1]["judged_at"]) >= str(rows[0]["judged_at"])


async def test_a_clock_that_had_been_far_ahead_is_believed_when_it_is_right() -> None:
    outlet, log, clock = Outlet(), MemoryLog(), SetBack(START_MS + YEAR_MS)
    engine = await opened_by(clock, outlet, log)
    engine.apply([record(0, "c", START_MS, Created())], 1)
    await engine.checkpoint()
    clock.set(START_MS + 1)
    engine.apply([record(1, "r", START_MS + 1, Reply("agent"), "T2")], 2)
    await engine.checkpoint()
    assert outlet.of("outcomes-tickets")[-1]["judged_at"] == "2023-11-14T22:13:20.001000Z"


async def opened(
    now_ms: int, outlet: Outlet, log: MemoryLog | None = None, limits: Limits | None = None
) -> Engine:
    clock = ManualClock(now_ms)
    around = Surroundings(
        outlet, decode_record, clock, clock, lambda _key, _count: 0, limits or Limits()
    )
    engine: Engine = PartitionEngine("tickets", 0, LOGIC, log or MemoryLog(), around)

    async def source_now(_at_least: int) -> SourceRange:
        return SourceRange(0, SOURCE_END, 1)

    await engine.open(source_now, "claim")
    return engine


async def test_a_ticket_whose_horizon_passes_within_one_checkpoint_is_told_first() -> None:
    """An old history read at once: created, closed and forgotten before the first checkpoint."""
    outlet = Outlet()
    now_ms = START_MS + YEAR_MS
    engine = await opened(now_ms, outlet)
    story = [
        record(0, "c", START_MS, Created()),
        record(1, "s", START_MS + 2 * TARGET_MS, Closed()),
    ]
    engine.apply(story, 2)
    engine.fire_timers(now_ms)
    await engine.checkpoint()

    (clock,) = outlet.of("outcomes-ticket-clocks")
    assert (clock["verdict"], clock["state"]) == ("breached", "breached")
    (ticket,) = outlet.of("outcomes-tickets")
    assert ticket["event_count"] == 2
    state = engine.state_of("t/s/T1")
    assert state is not None
    assert state.stub_ms is None

    assert engine.fire_timers(now_ms) == 1
    await engine.checkpoint()
    state = engine.state_of("t/s/T1")
    assert state is not None
    assert state.stub_ms is not None
    assert len(outlet.of("outcomes-ticket-clocks")) == 1


async def test_versions_go_on_from_the_marker_and_begin_at_the_wall_clock() -> None:
    """The next owner says again what nobody has confirmed, under its old version."""
    outlet, log = Outlet(), MemoryLog()
    first = await opened(START_MS, outlet, log)
    first.apply([record(0, "c", START_MS, Created())], 1)
    await first.checkpoint()
    second = await opened(START_MS + TARGET_MS, outlet, log)
    second.apply([record(1, "s", START_MS + 1, Closed())], 2)
    await second.checkpoint()

    versions = [row["version"] for row in outlet.of("outcomes-tickets")]
    assert versions == [START_MS + 1, START_MS + 1, START_MS + 2]
    assert second.position == 2


def large(offset: int, size: int) -> SourceRecord:
    texts = {f"note{n}": "x" * 500 for n in range(size // 500)}
    return record(offset, f"c{offset}", START_MS, Created(attributes=texts), f"T{offset}")


async def test_input_is_cut_where_the_states_of_a_checkpoint_are_full() -> None:
    """At the record, not at the batch: a batch holds many times what an append takes."""
    log = MemoryLog()
    engine = await opened(START_MS, Outlet(), log, Limits(state_bytes_max=50_000))
    batch = [large(offset, 10_000) for offset in range(9)]  # 20 kB of state each
    engine.apply(batch, 9)
    assert (engine.position, engine.has_room) == (3, False)
    engine.apply(batch, 9)
    assert engine.position == 3

    await engine.checkpoint()
    engine.apply(batch, 9)
    assert engine.position == 6
    await engine.checkpoint()
    engine.apply(batch, 9)
    await engine.checkpoint()
    assert (engine.position, engine.entities) == (9, 9)
    sizes = [len(one.value or b"") for one in log.records if one.key.startswith(b"s/")]
    assert len(sizes) == 9
    assert min(sizes) > 20_000


async def test_small_changes_of_large_states_count_as_large() -> None:
    log = MemoryLog()
    first = await opened(START_MS, Outlet(), log)
    first.apply([large(offset, 10_000) for offset in range(9)], 9)
    await first.checkpoint()
    second = await opened(START_MS, Outlet(), log, Limits(state_bytes_max=50_000))
    second.apply([record(9 + n, f"s{n}", START_MS + 1, Closed(), f"T{n}") for n in range(9)], 18)
    assert second.position == 9 + 3


async def test_an_event_that_lets_a_state_outgrow_its_record_is_a_dead_letter() -> None:
    outlet = Outlet()
    engine = await opened(START_MS + 2, outlet, None, Limits(entity_bytes_max=30_000))
    again = record(1, "again", START_MS + 1, Created(attributes={"a": "x" * 900}), "T0")
    engine.apply([large(0, 14_000), *[again._replace(offset=n) for n in range(1, 3)]], 3)
    huge = large(3, 25_000)
    engine.apply([huge, record(4, "s", START_MS + 2, Closed(), "T0")], 5)
    await engine.checkpoint()

    (letter,) = outlet.of("outcomes-dead-letters")
    assert (letter["offset"], letter["reason"]) == (3, "state_too_large")
    assert engine.state_of("t/s/T3") is None
    (ticket,) = outlet.of("outcomes-tickets")
    assert ticket["status"] == "closed"


async def test_repairs_of_more_than_a_checkpoint_holds_go_into_several() -> None:
    """A fenced owner wrote large states; each is put right, a part at every checkpoint."""
    log = MemoryLog()
    old = await opened(START_MS, Outlet(), log)
    new = await opened(START_MS, Outlet(), log, Limits(state_bytes_max=50_000))
    batch = [large(offset, 10_000) for offset in range(9)]
    while new.position < len(batch):
        new.apply(batch, 9)
        await new.checkpoint()
    old.apply(batch, 9)
    with pytest.raises(FencedError):
        await old.checkpoint()
    stray = {one.key for one in log.records if one.epoch == old._epoch} - {b"m"}
    assert len([key for key in stray if key.startswith(b"s/")]) == 9

    await new.checkpoint()  # nothing to say, but it sees what has come between
    checkpoints = 0
    while new.is_dirty:
        appended = len(log.records)
        await new.checkpoint()
        assert sum(len(one.value or b"") for one in log.records[appended:]) < 50_000 + 25_000
        checkpoints += 1
    newest = {one.key: one.epoch for one in log.records}
    assert {newest[key] for key in stray} == {new._epoch}
    assert checkpoints == 4  # the ninth state and their windows stand in a last one
