"""The partition engine by example."""

from collections.abc import Sequence

import orjson

from schemas.encode import encode
from schemas.events import Closed, Created, Data, Event
from streams.runtime.changelog import Message
from streams.runtime.clock import ManualClock
from streams.runtime.memory_log import MemoryLog
from streams.runtime.partition import PartitionEngine, SourceRange, SourceRecord, Surroundings
from tests.unit.runtime.world import LOGIC, START_MS, TARGET_MS, Engine, decode_record

YEAR_MS = 365 * 86_400_000


class Outlet:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, object]]] = []

    async def publish(self, messages: Sequence[Message]) -> None:
        self.rows += [(message.topic, orjson.loads(message.value)) for message in messages]

    def of(self, topic: str) -> list[dict[str, object]]:
        return [row for name, row in self.rows if name == topic]


def record(offset: int, event_id: str, at_ms: int, data: Data) -> SourceRecord:
    event = Event(
        tenant="t",
        source="s",
        kind="ticket",
        entity_id="T1",
        event_id=event_id,
        type=str(type(data).__struct_config__.tag),
        occurred_ms=at_ms,
        ingested_ms=at_ms,
        data=data,
    )
    return SourceRecord(offset, at_ms, event.key.encode(), encode(event))


async def opened(now_ms: int, outlet: Outlet, log: MemoryLog | None = None) -> Engine:
    clock = ManualClock(now_ms)
    around = Surroundings(outlet, decode_record, clock, clock, lambda _key, _count: 0)
    engine: Engine = PartitionEngine("tickets", 0, LOGIC, log or MemoryLog(), around)

    async def source_now(_at_least: int) -> SourceRange:
        return SourceRange(0, 2, 1)

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
