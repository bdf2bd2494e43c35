"""One cycle of one clock: its active stretches, its due instant, its breach.

Functions here change the cycle they are given and are called on copies only (`touched`, `reopened`);
a cycle that stands in a state never changes. Between two touches nothing has to be done as time
goes by: the due instant is known in advance, and whether it has passed is asked when somebody looks.
"""

from copy import copy

import msgspec

from streams.core.tickets.plan import Clock, PlannedBook, mark_used_ms

Holder = tuple[str | None, str | None]  # team, agent


class Stretch(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Time in which the clock ran under one calendar and one holder."""

    from_ms: int
    to_ms: int
    used_ms: int
    calendar: str
    team: str | None
    agent: str | None


class Breach(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A due instant that passed without a stop; never changed by what happens later."""

    due_ms: int
    at_ms: int
    reason: str
    team: str | None
    agent: str | None


class Pin(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The clock was touched at its very due instant: only a stop at that instant still saves it."""

    due_ms: int
    team: str | None
    agent: str | None


class Cycle(msgspec.Struct, array_like=True, gc=False):
    """`used_ms` is what was used up to `run_ms` (running) or altogether (held or ended)."""

    clock: str
    cycle_id: str
    ordinal: int
    policy: str
    rule: str | None
    opened_ms: int
    start_ms: int  # earlier than opened_ms when an absorbed ticket's beginning counts
    calendar: str
    by_created: bool = False
    target_ms: int | None = None
    given_due_ms: int | None = None  # by the source: absolute
    team: str | None = None
    agent: str | None = None
    tier: str | None = None
    priority: str | None = None
    open: bool = True
    held: bool = False  # by a pause matcher
    run_ms: int | None = None
    used_ms: int = 0
    due_ms: int | None = None
    marks: tuple[int, ...] = ()  # at-risk instants, reached or foreseen, ascending
    stretches: tuple[Stretch, ...] = ()
    carried: tuple[tuple[str | None, str | None, int], ...] = ()  # scaled time of before carried_ms
    carried_ms: int = 0
    pin: Pin | None = None
    breach: Breach | None = None
    stopped_ms: int | None = None
    stopped_by: str | None = None
    withdrawn_ms: int | None = None
    gap: tuple[
        tuple[int, str | None, str | None], ...
    ] = ()  # holders since a stop that may not last


def latent_breach(cycle: Cycle) -> Breach | None:
    """The breach that stands once the due instant has passed; None when nothing is due."""
    if cycle.pin is not None:
        due_ms, team, agent = cycle.pin.due_ms, cycle.pin.team, cycle.pin.agent
    elif cycle.due_ms is not None:
        due_ms, team, agent = cycle.due_ms, cycle.team, cycle.agent
    else:
        return None
    if due_ms < cycle.start_ms:
        return Breach(due_ms, cycle.start_ms, "due_before_start", team, agent)
    return Breach(due_ms, due_ms, "deadline", team, agent)


def pending_due_ms(cycle: Cycle) -> int | None:
    """The instant whose passing would breach an open cycle."""
    if cycle.breach is not None or not cycle.open:
        return None
    return cycle.due_ms if cycle.pin is None else cycle.pin.due_ms


def breach_before(cycle: Cycle, instant_ms: int) -> Breach | None:
    """The breach as of an instant; a due instant equal to it has not passed yet."""
    due_ms = pending_due_ms(cycle)
    if due_ms is not None and due_ms < instant_ms:
        return latent_breach(cycle)
    return cycle.breach


def touched(cycle: Cycle, instant_ms: int) -> Cycle:
    """A copy to be changed at an instant, with what happened until then written down."""
    cycle = copy(cycle)
    if cycle.breach is None and cycle.open:
        due_ms = cycle.due_ms if cycle.pin is None else cycle.pin.due_ms
        if due_ms is not None:
            if due_ms < instant_ms:
                cycle.breach = latent_breach(cycle)
                cycle.pin = None
            elif due_ms == instant_ms and cycle.pin is None:
                cycle.pin = Pin(due_ms, cycle.team, cycle.agent)
    return cycle


def halt(cycle: Cycle, instant_ms: int, book: PlannedBook) -> None:
    """End the running stretch, if any."""
    run_ms = cycle.run_ms
    if run_ms is None:
        return
    cycle.run_ms = None
    if instant_ms > run_ms:
        add_stretch(cycle, run_ms, instant_ms, (cycle.team, cycle.agent), book)


def add_stretch(cycle: Cycle, from_ms: int, to_ms: int, holder: Holder, book: PlannedBook) -> None:
    """Count one more stretch under the cycle's calendar."""
    used_ms = book.calendar(cycle.calendar).measure(from_ms, to_ms)
    cycle.used_ms += used_ms
    stretch = Stretch(from_ms, to_ms, used_ms, cycle.calendar, *holder)
    cycle.stretches = (*cycle.stretches, stretch)


def instant_of(cycle: Cycle, used_ms: int, book: PlannedBook) -> int | None:
    """Earliest instant at which so much is used; None when held before it, or never."""
    if used_ms > cycle.used_ms:
        if cycle.run_ms is None:
            return None
        return book.calendar(cycle.calendar).add(cycle.run_ms, used_ms - cycle.used_ms)
    left_ms = used_ms - sum(part[2] for part in cycle.carried)
    if left_ms <= 0:
        return cycle.carried_ms if cycle.carried else cycle.start_ms
    for stretch in cycle.stretches:
        if stretch.used_ms >= left_ms:
            return book.calendar(stretch.calendar).add(stretch.from_ms, left_ms)
        left_ms -= stretch.used_ms
    return None


def project(cycle: Cycle, clock: Clock, excluded: bool, book: PlannedBook) -> None:
    """Foresee the due instant and the at-risk marks from where the cycle stands now."""
    if excluded:
        cycle.due_ms = None
        cycle.marks = ()
    elif cycle.given_due_ms is not None:
        cycle.due_ms = cycle.given_due_ms
        if clock.spec.at_risk:
            cycle.marks = _marks_of_given(cycle, clock)
    elif cycle.target_ms is not None:
        cycle.due_ms = instant_of(cycle, cycle.target_ms, book)
        if clock.spec.at_risk:
            cycle.marks = _marks(cycle, cycle.target_ms, clock, book)
    else:
        cycle.due_ms = None
        cycle.marks = ()


def _marks(cycle: Cycle, target_ms: int, clock: Clock, book: PlannedBook) -> tuple[int, ...]:
    instants = (
        instant_of(cycle, mark_used_ms(mark, target_ms), book) for mark in clock.spec.at_risk
    )
    return tuple(sorted(instant for instant in instants if instant is not None))


def _marks_of_given(cycle: Cycle, clock: Clock) -> tuple[int, ...]:
    """Marks of an absolute due instant stand on the wall clock, not before the start."""
    assert cycle.given_due_ms is not None
    budget_ms = max(0, cycle.given_due_ms - cycle.start_ms)
    return tuple(
        sorted(
            max(cycle.start_ms, cycle.given_due_ms - budget_ms + mark_used_ms(mark, budget_ms))
            for mark in clock.spec.at_risk
        )
    )


def stop(cycle: Cycle, instant_ms: int, type_: str, clock: Clock, book: PlannedBook) -> Cycle:
    """The promise is kept or was broken: rule D, met if and only if the stop is not after the due."""
    cycle = touched(cycle, instant_ms)
    cycle.pin = None
    halt(cycle, instant_ms, book)
    if cycle.breach is None and cycle.due_ms is None and cycle.target_ms is not None:
        left_ms = cycle.target_ms - cycle.used_ms  # stopped in a pause: due as if it ran on
        if left_ms >= 0:
            cycle.due_ms = book.calendar(cycle.calendar).add(instant_ms, left_ms)
    cycle.open = False
    cycle.stopped_ms = instant_ms
    cycle.stopped_by = type_
    cycle.marks = tuple(mark for mark in cycle.marks if mark <= instant_ms)
    gap_matters = clock.on_reopen == "count_closed" or cycle.given_due_ms is not None
    if gap_matters and type_ in ("solved", "closed"):
        cycle.gap = ((instant_ms, cycle.team, cycle.agent),)
    return cycle


def withdraw(cycle: Cycle, instant_ms: int, book: PlannedBook) -> Cycle:
    """Cancelled, merged or excluded while open: never judged, unless breached before."""
    cycle = touched(cycle, instant_ms)
    cycle.pin = None
    halt(cycle, instant_ms, book)
    cycle.open = False
    cycle.withdrawn_ms = instant_ms
    cycle.marks = tuple(mark for mark in cycle.marks if mark <= instant_ms)
    return cycle


def shift_start(cycle: Cycle, start_ms: int, book: PlannedBook) -> None:
    """The cycle began earlier, in an absorbed ticket; the time between counts."""
    first = cycle.stretches[0] if cycle.stretches else None
    calendar = cycle.calendar if first is None else first.calendar
    used_ms = book.calendar(calendar).measure(start_ms, cycle.start_ms)
    holder = (cycle.team, cycle.agent) if first is None else (first.team, first.agent)
    stretch = Stretch(start_ms, cycle.start_ms, used_ms, calendar, *holder)
    cycle.stretches = (stretch, *cycle.stretches)
    cycle.used_ms += used_ms
    cycle.start_ms = start_ms


def remeasure(cycle: Cycle, book: PlannedBook) -> None:
    """Measure every active stretch of the cycle again under its present calendar."""
    calendar = book.calendar(cycle.calendar)
    cycle.stretches = tuple(
        Stretch(
            stretch.from_ms,
            stretch.to_ms,
            calendar.measure(stretch.from_ms, stretch.to_ms),
            cycle.calendar,
            stretch.team,
            stretch.agent,
        )
        for stretch in cycle.stretches
    )
    carried_ms = sum(part[2] for part in cycle.carried)
    cycle.used_ms = carried_ms + sum(stretch.used_ms for stretch in cycle.stretches)


def clear_used(cycle: Cycle) -> None:
    """Time used becomes 0 in the same cycle."""
    cycle.used_ms = 0
    cycle.stretches = ()
    cycle.carried = ()


def scale_used(cycle: Cycle, old_ms: int, new_ms: int, instant_ms: int) -> None:
    """Keep the used share of the target, floored; each holder keeps their part of it."""
    parts: list[tuple[str | None, str | None, int]] = []
    before_ms = scaled_ms = 0
    for (team, agent), used_ms in held(cycle).items():
        before_ms += used_ms
        upto_ms = before_ms * new_ms // old_ms
        parts.append((team, agent, upto_ms - scaled_ms))
        scaled_ms = upto_ms
    cycle.used_ms = scaled_ms
    cycle.stretches = ()
    cycle.carried = tuple(parts)
    cycle.carried_ms = instant_ms


def held(cycle: Cycle) -> dict[Holder, int]:
    """Time used per team and agent up to the running stretch, by first holding."""
    used: dict[Holder, int] = {}
    for team, agent, used_ms in cycle.carried:
        used[team, agent] = used.get((team, agent), 0) + used_ms
    for stretch in cycle.stretches:
        holder = stretch.team, stretch.agent
        used[holder] = used.get(holder, 0) + stretch.used_ms
    return used


def holder_at(cycle: Cycle, instant_ms: int) -> Holder:
    """Who held the ticket when the clock reached an instant of its past; else who held it last."""
    for stretch in cycle.stretches:
        if stretch.from_ms < instant_ms <= stretch.to_ms:
            return stretch.team, stretch.agent
    for from_ms, team, agent in reversed(cycle.gap):
        if from_ms < instant_ms:
            return team, agent
    return cycle.team, cycle.agent
