"""Outcome rows of a ticket: what changed since the last checkpoint, absolute."""

from collections.abc import Iterable, Iterator

from schemas.instants import from_ms, from_ms_or_none
from schemas.outcomes import AlertIntentRow, ClockState, TicketClockRow, TicketRow
from streams.core.effects import Effect, Intent, OutcomeRow, Stamp
from streams.core.tickets.cycle import Cycle
from streams.core.tickets.plan import PlannedBook
from streams.core.tickets.state import TicketState, is_plain, known_breach, settled, told_of
from streams.core.tickets.view import due_of, largest_team, state_of, ticket_flags, verdict_of


def changed_rows(
    before: TicketState | None,
    after: TicketState,
    effects: tuple[Effect, ...],
    stamp: Stamp,
    book: PlannedBook,
) -> Iterator[OutcomeRow]:
    """At most one row per table and key. A ticket shrunk to its stub has said everything."""
    if after is not before and after.stub_ms is None:
        rows = _Rows(after, stamp, book)
        if before is not None and before.stub_ms is not None:
            before = None
        yield from rows.clocks(before)
        if before is None or before.facts != after.facts or rows.flags != rows.flags_of(before):
            yield "tickets", rows.ticket()
    yield from _intents(after, effects, stamp, book)


class _Rows:
    """Rows of one state at one stamp."""

    def __init__(self, state: TicketState, stamp: Stamp, book: PlannedBook) -> None:
        self._state = state
        self._stamp = stamp
        self._book = book
        self._judged_at = from_ms(stamp.now_ms)
        self.flags = self.flags_of(state)
        self._external = dict(state.facts.external)

    def flags_of(self, state: TicketState) -> list[str]:
        if is_plain(state):
            return []
        base = state.base
        flags = ticket_flags(
            (*state.log, *state.waiting),
            self._stamp.now_ms,
            state.facts.created_ms,
            self._book,
            () if base is None else base.flags,
        )
        return sorted({flag.flag for flag in flags})

    def clocks(self, before: TicketState | None) -> Iterator[OutcomeRow]:
        """A row per cycle that is new, changed or gone."""
        cycles = (*self._state.past, *self._state.last)
        if before is None:
            for cycle in cycles:
                yield "ticket_clocks", self.clock(cycle)
            return
        old = {(cycle.clock, cycle.cycle_id): cycle for cycle in (*before.past, *before.last)}
        everything = self._shared_changed(before)
        for cycle in cycles:
            was = old.pop((cycle.clock, cycle.cycle_id), None)
            if everything or was is None or self._changed(before, was, cycle):
                yield "ticket_clocks", self.clock(cycle)
        for cycle in old.values():
            if not settled(self._state, cycle):
                yield "ticket_clocks", self.clock(cycle, removed=True)

    def _shared_changed(self, before: TicketState) -> bool:
        """Whether something changed that every clock row repeats."""
        was, now = before.facts, self._state.facts
        return (
            was.external != now.external
            or was.excluded != now.excluded
            or was.ticket_type != now.ticket_type
            or was.channel != now.channel
            or self.flags_of(before) != self.flags
        )

    def _changed(self, before: TicketState, was: Cycle, cycle: Cycle) -> bool:
        if was is not cycle and was != cycle:
            return True
        return told_of(before, was) != told_of(self._state, cycle)

    def clock(self, cycle: Cycle, *, removed: bool = False) -> TicketClockRow:
        """One cycle as it stands; `removed`: late truth took it away.

        The same facts as `view.cycle_view`, which a test holds; made for some hundred thousand a
        minute, so nothing is built on the way.
        """
        state, stamp, facts, book = self._state, self._stamp, self._state.facts, self._book
        breach = None if removed else known_breach(state, cycle, stamp.now_ms)
        running_ms = 0
        if cycle.run_ms is not None:
            running_ms = book.calendar(cycle.calendar).measure(cycle.run_ms, stamp.now_ms)
        clock_state: ClockState = "void" if removed else state_of(cycle, breach, facts)
        due_at = from_ms_or_none(due_of(cycle, breach, clock_state))
        clock = book.version(cycle.policy, cycle.opened_ms).clocks.get(cycle.clock)
        marks = cycle.marks
        # A mark that timers have passed was told, even if the clock was wrong then and is right now.
        now_ms = max(stamp.now_ms, state.timed_ms)
        return {
            "tenant": state.tenant,
            "source": state.source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "ticket_id": state.ticket_id,
            "clock": cycle.clock,
            "cycle_id": cycle.cycle_id,
            "cycle_ordinal": cycle.ordinal,
            "kind": "sla" if clock is None else clock.spec.kind,
            "event_time": from_ms(cycle.opened_ms),
            "state": clock_state,
            "verdict": verdict_of(clock_state, breached=breach is not None),
            "target_ms": cycle.target_ms,
            "due_at": due_at,
            "next_due_at": due_at if clock_state == "running" and breach is None else None,
            "stopped_at": from_ms_or_none(cycle.stopped_ms),
            "withdrawn_at": from_ms_or_none(cycle.withdrawn_ms),
            "elapsed_ms": cycle.used_ms + running_ms,
            "breached": breach is not None,
            "breach_at": None if breach is None else from_ms(breach.at_ms),
            "breach_reason": None if breach is None else breach.reason,
            "at_risk_at": from_ms(marks[0]) if marks and marks[0] <= now_ms else None,
            "team": cycle.team,
            "agent": cycle.agent,
            "breach_team": None if breach is None else breach.team,
            "breach_agent": None if breach is None else breach.agent,
            "largest_team": largest_team(cycle, running_ms),
            "tier": cycle.tier,
            "priority": cycle.priority,
            "ticket_type": facts.ticket_type,
            "channel": facts.channel,
            "external_verdict": self._external.get(cycle.clock),
            "flags": self.flags,
            "policy_version": cycle.policy,
            "rule": cycle.rule,
            "judged_at": self._judged_at,
            "removed": removed,
        }

    def ticket(self) -> TicketRow:
        """The ticket apart from its clocks."""
        state, stamp, facts = self._state, self._stamp, self._state.facts
        policy = self._book.as_of(state.last_ms if state.log else facts.first_ms)
        return {
            "tenant": state.tenant,
            "source": state.source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "ticket_id": state.ticket_id,
            "event_time": from_ms(facts.first_ms),
            "status": facts.status,
            "source_status": facts.source_status,
            "open": not facts.ended and facts.status not in ("solved", "closed"),
            "ticket_type": facts.ticket_type,
            "priority": facts.priority,
            "tier": facts.tier,
            "channel": facts.channel,
            "team": facts.team,
            "agent": facts.agent,
            "first_agent": facts.first_agent,
            "customer_id": facts.customer_id,
            "stage": facts.stage,
            "solved_at": from_ms_or_none(facts.solved_ms),
            "closed_at": from_ms_or_none(facts.closed_ms),
            "reopen_count": facts.reopen_count,
            "reassignment_count": facts.reassignment_count,
            "event_count": facts.event_count,
            "last_event_at": from_ms(max(state.last_ms, facts.first_ms)),
            "merged_into": facts.merged_into,
            "attributes": facts.attributes,
            "flags": self.flags,
            "policy_version": policy.version,
            "judged_at": self._judged_at,
        }


def _intents(
    state: TicketState, effects: Iterable[Effect], stamp: Stamp, book: PlannedBook
) -> Iterator[OutcomeRow]:
    last = {effect.key: effect for effect in effects if isinstance(effect, Intent)}
    for intent in last.values():
        yield "alert_intents", _intent_row(state, intent, stamp, book)


def _intent_row(
    state: TicketState, intent: Intent, stamp: Stamp, book: PlannedBook
) -> AlertIntentRow:
    facts = state.facts
    cycle = next(
        (
            cycle
            for cycle in (*state.last, *state.past)
            if cycle.clock == intent.clock and cycle.cycle_id == intent.cycle_id
        ),
        None,
    )
    return {
        "tenant": state.tenant,
        "source": state.source,
        "source_partition": stamp.source_partition,
        "version": stamp.version,
        "key": intent.key,
        "ticket_id": state.ticket_id,
        "clock": intent.clock,
        "cycle_id": intent.cycle_id,
        "event_time": from_ms(intent.event_ms),
        "level": intent.level,  # type: ignore[typeddict-item]  # the announcer's closed list
        "due_at": from_ms_or_none(intent.due_ms),
        "breach_at": from_ms_or_none(intent.breach_ms),
        "page_at": from_ms_or_none(intent.page_ms),
        "open": intent.open,
        "team": facts.team,
        "agent": facts.agent,
        "tier": facts.tier,
        "priority": facts.priority,
        "policy_version": cycle.policy if cycle else book.as_of(facts.first_ms).version,
        "recorded_at": from_ms(intent.recorded_ms),
    }
