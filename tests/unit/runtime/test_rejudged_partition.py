"""History judged anew in portions: what a killed worker had not made durable is done by the next one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from schemas.encode import encode
from schemas.events import Created, Event
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.core.policy import PolicyBook, Rejudgement, Rule
from streams.core.tickets.logic import TicketLogic
from streams.runtime.changelog import Message
from streams.runtime.clock import ManualClock
from streams.runtime.memory_log import MemoryLog
from streams.runtime.partition import Limits, SourceRange, SourceRecord, Surroundings
from tests.unit.runtime.world import BOOK, START_MS, TARGET_MS, Engine, decode_record

TICKETS, PORTION = 30, 10
FIRST = BOOK.policies[0]
SECOND = replace(
    FIRST, version="test@2", effective_from_ms=2**50, rules=(Rule("all", (), {"resolution": 1}),)
)
ANEW = PolicyBook((FIRST, SECOND), (Rejudgement(START_MS, SECOND.version, START_MS),))


class Outlet:
    """Keeps the newest row of each ticket's clock."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.said: set[tuple[str, int]] = set()  # an outbox may be published twice

    async def publish(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.topic == OUTCOME_TOPIC_OF_TABLE["ticket_clocks"]:
                key, row = message.key.decode(), orjson.loads(message.value)
                self.rows[key] = row
                self.said.add((key, row["version"]))

    def judged_by(self, version: str) -> int:
        return sum(row["policy_version"] == version for row in self.rows.values())


def created(number: int) -> SourceRecord:
    event = Event(
        tenant="t",
        source="s",
        kind="ticket",
        entity_id=f"T{number}",
        event_id="c",
        type="created",
        occurred_ms=START_MS,
        ingested_ms=START_MS,
        data=Created(),
    )
    return SourceRecord(number, START_MS, event.key.encode(), encode(event))


async def opened(logic: TicketLogic, log: MemoryLog, outlet: Outlet, name: str) -> Engine:
    clock = ManualClock(START_MS)
    limits = Limits(timers_at_once_max=PORTION, compaction_lag_ms=10**12)
    around = Surroundings(outlet, decode_record, clock, clock, lambda _key, _count: 0, limits)
    engine: Engine = Engine("tickets", 0, logic, log, around)

    async def source_now(_at_least: int) -> SourceRange:
        return SourceRange(0, TICKETS, 1)

    await engine.open(source_now, name)
    return engine


async def test_a_killed_worker_leaves_the_rest_to_the_next_one() -> None:
    log, outlet = MemoryLog(), Outlet()
    log.now_ms = START_MS
    logic = TicketLogic(BOOK)
    first = await opened(logic, log, outlet, "first")
    first.apply(map(created, range(TICKETS)), TICKETS)
    await first.checkpoint()
    assert outlet.judged_by(FIRST.version) == TICKETS
    assert first.next_timer_ms() == START_MS + TARGET_MS

    logic.learn(ANEW)
    first.ask_timers_again()
    assert first.fire_timers(START_MS) == PORTION
    await first.checkpoint()
    assert outlet.judged_by(SECOND.version) == PORTION
    assert first.fire_timers(START_MS) == PORTION  # and is killed before it is durable

    second = await opened(TicketLogic(ANEW), log, outlet, "second")
    assert second.fire_timers(START_MS) == PORTION
    assert second.fire_timers(START_MS) == PORTION
    assert second.fire_timers(START_MS) == 0
    await second.checkpoint()
    assert outlet.judged_by(SECOND.version) == TICKETS
    assert len(outlet.said) == 2 * TICKETS  # each is judged anew once

    third = await opened(TicketLogic(ANEW), log, outlet, "third")
    assert third.next_timer_ms() == START_MS + 1  # due by the second version, nothing else
    assert not third.failed_timers
