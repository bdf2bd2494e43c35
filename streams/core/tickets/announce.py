"""From what stands now and what has been said to what must be said: one intent per cycle at most.

Nothing is announced twice, nothing that no longer holds stays announced. The instant at which a breach
is to be paged is settled when it is first announced: a cycle that is reopened later stands as breached
and open again, but under its old page instant.
"""

from dataclasses import dataclass

from streams.core.effects import Intent
from streams.core.tickets.cycle import Breach, Cycle, pending_due_ms
from streams.core.tickets.plan import PlannedBook
from streams.core.tickets.state import TicketState, Told, known_breach, seen, told_of


@dataclass(frozen=True, slots=True)
class News:
    """What has been said after this step, and what is said in it."""

    told: tuple[Told, ...]
    intents: tuple[Intent, ...]


def intent_key(state: TicketState, clock: str, cycle_id: str) -> str:
    """The alert key of a cycle: the same for every level, for ever."""
    return f"sla:{state.tenant}/{state.source}/{state.ticket_id}:{clock}:{cycle_id}"


def announce(state: TicketState, book: PlannedBook, now_ms: int) -> News:
    """Compare the cycles with what has been told."""
    told, intents = _farewells(state, now_ms) if state.told else ([], [])
    for cycle in (*state.past, *state.last):
        before = told_of(state, cycle) if state.told else None
        if before is None and not _worth_a_look(state, cycle):
            continue
        after = _next(state, cycle, before, book, now_ms)
        if after is not None:
            told.append(after)
            if _is_news(before, after):
                intents.append(_intent(state, cycle, before, after, now_ms))
    return News(tuple(told), tuple(intents))


def _farewells(state: TicketState, now_ms: int) -> tuple[list[Told], list[Intent]]:
    """What was told of cycles that late truth took away altogether is taken back first."""
    present = {(cycle.clock, cycle.cycle_id) for cycle in (*state.past, *state.last)}
    told, intents = [], []
    for gone in state.told:
        if (gone.clock, gone.cycle_id) not in present:
            told.append(Told(gone.clock, gone.cycle_id, "retracted", open=False))
            if gone.level != "retracted":
                intents.append(_farewell(state, gone, now_ms))
    return told, intents


def _worth_a_look(state: TicketState, cycle: Cycle) -> bool:
    """A cycle of which nothing was said needs a look once something may be due."""
    if cycle.breach is not None:
        return True
    if not cycle.open:
        return False
    due_ms = pending_due_ms(cycle)
    if due_ms is not None and (due_ms < state.last_ms or due_ms <= state.timed_ms):
        return True
    marks = cycle.marks
    return bool(marks) and (marks[0] < state.last_ms or marks[0] <= state.timed_ms)


def _is_news(before: Told | None, after: Told) -> bool:
    if before is None or after.level != before.level:
        return True
    if after.level == "at_risk":
        return after.marks > before.marks
    return (after.breach_ms, after.open) != (before.breach_ms, before.open)


def _next(
    state: TicketState, cycle: Cycle, before: Told | None, book: PlannedBook, now_ms: int
) -> Told | None:
    excluded = cycle.clock in state.facts.excluded
    breach = None if excluded else known_breach(state, cycle, now_ms)
    if breach is not None:
        return _breached(cycle, breach, before, book, now_ms)
    marks = sum(1 for mark in cycle.marks if seen(state, mark, before is not None, now_ms))
    return _unbreached(cycle, before, marks, cycle.open and not excluded)


def _breached(
    cycle: Cycle, breach: Breach, before: Told | None, book: PlannedBook, now_ms: int
) -> Told:
    marks = 0 if before is None else before.marks
    level = "breach"
    page_ms = None
    if before is not None and before.breach_ms is not None:
        if not cycle.open:
            level = "resolved" if before.open else before.level
        paged = before.page_ms is not None and before.page_ms < now_ms
        if paged or breach.at_ms == before.breach_ms:
            page_ms = before.page_ms
    if page_ms is None:
        page_ms = max(now_ms, breach.at_ms + _grace_ms(cycle, book))
    return Told(cycle.clock, cycle.cycle_id, level, marks, breach.at_ms, cycle.open, page_ms)


def _unbreached(cycle: Cycle, before: Told | None, marks: int, open_: bool) -> Told | None:
    if before is not None and before.breach_ms is not None:
        return Told(cycle.clock, cycle.cycle_id, "retracted", marks, None, open_)
    if before is None:
        if not (open_ and marks):
            return None
        return Told(cycle.clock, cycle.cycle_id, "at_risk", marks)
    level = before.level
    if level == "at_risk" and not open_:
        level = "resolved"
    elif open_ and marks > before.marks:
        level = "at_risk"
    elif level == "at_risk" and marks == 0:
        level = "retracted"
    return Told(cycle.clock, cycle.cycle_id, level, marks, None, open_)


def _intent(
    state: TicketState,
    cycle: Cycle,
    before: Told | None,
    after: Told,
    now_ms: int,
) -> Intent:
    breach_ms = after.breach_ms
    if breach_ms is None and before is not None:
        breach_ms = before.breach_ms  # a retraction names the breach it takes back
    breach = known_breach(state, cycle, now_ms)
    return Intent(
        key=intent_key(state, cycle.clock, cycle.cycle_id),
        level=after.level,
        ticket_id=state.ticket_id,
        clock=cycle.clock,
        cycle_id=cycle.cycle_id,
        recorded_ms=now_ms,
        event_ms=cycle.opened_ms,
        due_ms=cycle.due_ms if breach is None else breach.due_ms,
        breach_ms=breach_ms,
        page_ms=after.page_ms if after.level == "breach" and after.open else None,
        open=cycle.open,
    )


def _grace_ms(cycle: Cycle, book: PlannedBook) -> int:
    clock = book.version(cycle.policy, cycle.opened_ms).clocks.get(cycle.clock)
    return 0 if clock is None else clock.spec.grace_ms


def _farewell(state: TicketState, gone: Told, now_ms: int) -> Intent:
    return Intent(
        key=intent_key(state, gone.clock, gone.cycle_id),
        level="retracted",
        ticket_id=state.ticket_id,
        clock=gone.clock,
        cycle_id=gone.cycle_id,
        recorded_ms=now_ms,
        event_ms=state.facts.first_ms,
        due_ms=None,
        breach_ms=gone.breach_ms,
        page_ms=None,
        open=False,
    )


def next_wake_ms(state: TicketState) -> int | None:
    """The next instant at which a cycle has something to say by itself."""
    wake_ms: int | None = None
    for cycle in state.last:
        if not cycle.open:
            continue
        told = told_of(state, cycle) if state.told else None
        if told is not None and told.breach_ms is not None:
            continue
        instant_ms = pending_due_ms(cycle)
        for mark_ms in cycle.marks[0 if told is None else told.marks :]:
            if instant_ms is None or mark_ms < instant_ms:
                instant_ms = mark_ms
            break
        if instant_ms is not None and (wake_ms is None or instant_ms < wake_ms):
            wake_ms = instant_ms
    return wake_ms
