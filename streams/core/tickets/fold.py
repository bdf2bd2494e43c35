"""The fold: events of one ticket in order, one after the other, into facts and cycles.

It knows no clock of the world. The same fold serves the live fast path (one more event) and the
evaluation of a whole log, so that both give the same result by construction.
"""

from collections.abc import Iterable
from copy import copy

from schemas.events import Excluded
from streams.core.tickets import cycle as cycles_
from streams.core.tickets.cycle import Breach, Cycle
from streams.core.tickets.facts import Facts, update
from streams.core.tickets.log import Entry
from streams.core.tickets.plan import (
    NO_REACTION,
    Clock,
    Match,
    PlannedBook,
    PlannedPolicy,
    Reactions,
    holds,
)

_STOPS_THAT_MAY_NOT_LAST = ("solved", "closed")


class Fold:
    """Facts and cycles of one ticket, moved on by `apply`. What it was given stays unchanged.

    `last` holds the latest cycle of each clock, `past` the ones before, in order of opening.
    """

    __slots__ = ("_book", "_policy", "facts", "last", "past")

    def __init__(
        self,
        book: PlannedBook,
        facts: Facts,
        last: Iterable[Cycle] = (),
        past: tuple[Cycle, ...] = (),
    ) -> None:
        self._book = book
        self._policy: PlannedPolicy | None = None
        self.facts = facts
        self.last = list(last)
        self.past = past

    def apply(self, entry: Entry, instant_ms: int) -> None:
        """Take the next event in order; a second `created` changes nothing."""
        facts = self.facts = copy(self.facts)
        facts.event_count += 1
        type_ = entry.type
        if type_ == "created" and facts.created_ms is not None:
            return
        changed = update(facts, entry.data, instant_ms)
        if facts.created_ms is None:
            return
        policy = self._policy = self._book.as_of(instant_ms)
        step = _Step(self, entry, type_, instant_ms, changed)
        if all(cycle.policy == policy.version for cycle in self.last):
            for clock in policy.touched_by(type_):
                step.run(clock)
        else:
            self._step_across_versions(step, policy)

    def _step_across_versions(self, step: "_Step", policy: PlannedPolicy) -> None:
        """A clock whose cycle is open obeys the version it was matched by; others the present one."""
        clocks = dict(policy.clocks)
        for cycle in self.last:
            if cycle.open or cycle.clock not in clocks:
                own = self._book.version(cycle.policy, cycle.opened_ms).clocks.get(cycle.clock)
                if own is not None:
                    clocks[cycle.clock] = own
        for clock in clocks.values():
            if clock.touched_by(step.type):
                step.run(clock)

    @property
    def policy(self) -> PlannedPolicy:
        """The version in force at the event being applied."""
        assert self._policy is not None
        return self._policy

    @property
    def book(self) -> PlannedBook:
        return self._book


class _Step:
    """One event meeting the clocks of one ticket."""

    __slots__ = ("changed", "entry", "facts", "fold", "instant_ms", "type")

    def __init__(
        self, fold: Fold, entry: Entry, type_: str, instant_ms: int, changed: bool
    ) -> None:
        self.fold = fold
        self.facts = fold.facts
        self.entry = entry
        self.type = type_
        self.instant_ms = instant_ms
        self.changed = changed

    def run(self, clock: Clock) -> None:
        """Move on the latest cycle of a clock, and open the next one where this event does."""
        last = self.fold.last
        reactions = clock.reactions.get(self.type, NO_REACTION)
        at = 0
        for cycle in last:
            if cycle.clock == clock.id:
                break
            at += 1
        else:
            if self._opens(clock, reactions):
                opened = self._open(clock, None)
                if opened is not None:
                    last.append(opened)
            return
        if cycle.open:
            after = self._while_open(cycle, clock, reactions)
        else:
            after = self._while_ended(cycle, clock)
        if not after.open and self._opens(clock, reactions):
            after = self._next(after, clock)
        if after is not cycle:
            last[at] = after

    def _next(self, cycle: Cycle, clock: Clock) -> Cycle:
        opened = self._open(clock, cycle)
        if opened is None:
            return cycle
        self.fold.past = (*self.fold.past, cycle)
        return opened

    def _opens(self, clock: Clock, reactions: Reactions) -> bool:
        """A start match opens a cycle; a team clock waits until its team holds the ticket."""
        facts = self.facts
        if facts.ended:
            return False
        starts = bool(reactions.start) and holds(reactions.start, self.entry.data)
        if clock.team is None:
            return starts
        if facts.team == clock.team:
            return starts or clock.id in facts.armed
        if starts and clock.id not in facts.armed:
            facts.armed = (*facts.armed, clock.id)
        return False

    def _open(self, clock: Clock, before: Cycle | None) -> Cycle | None:
        """A new cycle, or None when the clock is not for this ticket."""
        facts, policy = self.facts, self.fold.policy
        clock = policy.clocks.get(clock.id, clock)
        match = policy.match(facts)
        if clock.id not in match.applying:
            return None
        if clock.id in facts.armed:
            facts.armed = tuple(armed for armed in facts.armed if armed != clock.id)
        given_due_ms = facts.targets.get(clock.id)
        if given_due_ms is None and clock.id in match.due_rules:
            given_due_ms = match.due_rules[clock.id].due_ms(self.instant_ms)
        cycle = Cycle(
            clock=clock.id,
            cycle_id=self.entry.event_id,
            ordinal=1 if before is None else before.ordinal + 1,
            policy=policy.version,
            rule=match.rule,
            opened_ms=self.instant_ms,
            start_ms=self.instant_ms,
            calendar=match.calendar_of(clock.id),
            by_created=self.type == "created",
            target_ms=None if given_due_ms is not None else match.targets.get(clock.id),
            given_due_ms=given_due_ms,
            team=facts.team,
            agent=facts.agent,
            tier=facts.tier,
            priority=facts.priority,
        )
        if self._active(cycle, clock):
            cycle.run_ms = self.instant_ms
        self._project(cycle, clock)
        return cycle

    def _project(self, cycle: Cycle, clock: Clock) -> None:
        excluded = bool(self.facts.excluded) and clock.id in self.facts.excluded
        cycles_.project(cycle, clock, excluded, self.fold.book)

    def _active(self, cycle: Cycle, clock: Clock) -> bool:
        facts = self.facts
        if cycle.held or facts.status in clock.pause_statuses:
            return False
        return clock.team is None or facts.team == clock.team

    def _while_open(self, cycle: Cycle, clock: Clock, reactions: Reactions) -> Cycle:
        data, book = self.entry.data, self.fold.book
        if reactions is not NO_REACTION:
            if reactions.stop and holds(reactions.stop, data):
                return cycles_.stop(cycle, self.instant_ms, self.type, clock, book)
            if reactions.cancel and holds(reactions.cancel, data):
                return cycles_.withdraw(cycle, self.instant_ms, book)
            cycle = self._nudge(cycle, clock, reactions)
        if self._withdraws(clock):
            return cycles_.withdraw(cycle, self.instant_ms, book)
        if self.type == "absorbed":
            return self._start_earlier(cycle, clock)
        if self.changed:
            cycle = self._rematch(cycle, clock)
        return self._shift(cycle, clock) if cycle.open else cycle

    def _withdraws(self, clock: Clock) -> bool:
        if self.type == "excluded":
            return isinstance(self.entry.data, Excluded) and self.entry.data.clock == clock.id
        return self.type in ("cancelled", "merged")

    def _nudge(self, cycle: Cycle, clock: Clock, reactions: Reactions) -> Cycle:
        """Reset, pause and resume matchers. A reset at the due instant is in time, as a stop is."""
        data = self.entry.data
        if reactions.reset and holds(reactions.reset, data):
            cycle = cycles_.touched(cycle, self.instant_ms)
            cycle.pin = None
            running = cycle.run_ms is not None
            cycles_.clear_used(cycle)
            cycle.run_ms = self.instant_ms if running else None
            self._project(cycle, clock)
        held = cycle.held
        if reactions.resume and holds(reactions.resume, data):
            held = False
        if reactions.pause and holds(reactions.pause, data):
            held = True
        if held != cycle.held:
            cycle = cycles_.touched(cycle, self.instant_ms)
            cycle.held = held
        return cycle

    def _shift(self, cycle: Cycle, clock: Clock) -> Cycle:
        """Follow status and holder: pause, go on, or hand the running clock over."""
        facts = self.facts
        active = self._active(cycle, clock)
        handed = cycle.team != facts.team or cycle.agent != facts.agent
        turned = active != (cycle.run_ms is not None)
        if not (handed or turned):
            if cycle.tier == facts.tier and cycle.priority == facts.priority:
                return cycle
            cycle = copy(cycle)
        else:
            cycle = cycles_.touched(cycle, self.instant_ms)
            cycles_.halt(cycle, self.instant_ms, self.fold.book)
            cycle.team = facts.team
            cycle.agent = facts.agent
            cycle.run_ms = self.instant_ms if active else None
            if turned:
                self._project(cycle, clock)
        cycle.tier = facts.tier
        cycle.priority = facts.priority
        return cycle

    def _rematch(self, cycle: Cycle, clock: Clock) -> Cycle:
        """A changed attribute asks the policy in force now again."""
        policy = self.fold.policy
        if clock.id not in policy.clocks:
            policy = self.fold.book.version(cycle.policy, cycle.opened_ms)
        match = policy.match(self.facts)
        if clock.id not in match.applying:
            return cycles_.withdraw(cycle, self.instant_ms, self.fold.book)
        if cycle.policy != policy.version or cycle.rule != match.rule:
            cycle = copy(cycle)
            cycle.policy = policy.version
            cycle.rule = match.rule
        return self._retarget(cycle, policy.clocks.get(clock.id, clock), match)

    def _retarget(self, cycle: Cycle, clock: Clock, match: Match) -> Cycle:
        """Another target, another calendar, or neither."""
        given = cycle.given_due_ms is not None
        target_ms = None if given else match.targets.get(clock.id)
        calendar = match.calendar_of(clock.id)
        if target_ms == cycle.target_ms and calendar == cycle.calendar:
            return cycle
        book, instant_ms = self.fold.book, self.instant_ms
        cycle = cycles_.touched(cycle, instant_ms)
        running = cycle.run_ms is not None
        cycles_.halt(cycle, instant_ms, book)
        if calendar != cycle.calendar:
            cycle.calendar = calendar
            if clock.spec.on_tier_change == "whole_history":
                cycles_.remeasure(cycle, book)
        if target_ms != cycle.target_ms:
            _carry_over(cycle, clock, target_ms, instant_ms)
        cycle.run_ms = instant_ms if running else None
        self._project(cycle, clock)
        self._breach_if_shortened(cycle)
        return cycle

    def _breach_if_shortened(self, cycle: Cycle) -> None:
        """The due instant moved into the past: the breach is at the change, paused or not."""
        due_ms = cycle.due_ms
        if cycle.breach is None and due_ms is not None and due_ms < self.instant_ms:
            cycle.breach = Breach(
                due_ms, self.instant_ms, "target_shortened", self.facts.team, self.facts.agent
            )
            cycle.pin = None

    def _start_earlier(self, cycle: Cycle, clock: Clock) -> Cycle:
        """merge_start earliest: a cycle opened by `created` began with the ticket absorbed."""
        absorbed_ms = self.facts.absorbed_ms
        if self.fold.policy.policy.merge_start != "earliest" or not cycle.by_created:
            return cycle
        if absorbed_ms is None or absorbed_ms >= cycle.start_ms:
            return cycle
        cycle = cycles_.touched(cycle, self.instant_ms)
        cycles_.shift_start(cycle, absorbed_ms, self.fold.book)
        self._project(cycle, clock)
        self._breach_if_shortened(cycle)
        return cycle

    def _while_ended(self, cycle: Cycle, clock: Clock) -> Cycle:
        if self.type == "reopened" and not self.facts.ended:
            if cycle.stopped_by in _STOPS_THAT_MAY_NOT_LAST:
                own = self.fold.book.version(cycle.policy, cycle.opened_ms)
                clock = own.clocks.get(clock.id, clock)
                if clock.on_reopen == "reset":
                    return self._next(cycle, clock)
                return self._go_on(cycle, clock)
        elif self.type == "assigned" and cycle.gap:
            cycle = copy(cycle)
            cycle.gap = (*cycle.gap, (self.instant_ms, self.facts.team, self.facts.agent))
        return cycle

    def _go_on(self, cycle: Cycle, clock: Clock) -> Cycle:
        """Reopened: the same cycle runs again; what happened in the gap may count and breach it."""
        facts, book = self.facts, self.fold.book
        cycle = copy(cycle)
        cycle.open = True
        cycle.held = False
        cycle.stopped_ms = cycle.stopped_by = None
        if clock.on_reopen == "count_closed":
            _count_gap(cycle, clock, self.instant_ms, book)
        if self._active(cycle, clock):
            cycle.run_ms = self.instant_ms
        self._project(cycle, clock)
        if cycle.breach is None and cycle.due_ms is not None and cycle.due_ms < self.instant_ms:
            cycle.team, cycle.agent = cycles_.holder_at(cycle, cycle.due_ms)
            cycle.breach = cycles_.latent_breach(cycle)
        cycle.gap = ()
        cycle.team, cycle.agent = facts.team, facts.agent
        cycle.tier, cycle.priority = facts.tier, facts.priority
        return self._rematch(self._start_earlier(cycle, clock), clock)


def _carry_over(cycle: Cycle, clock: Clock, target_ms: int | None, instant_ms: int) -> None:
    """What the time used so far means for a new target."""
    mode = clock.spec.on_target_change
    if mode == "restart":
        cycles_.clear_used(cycle)
    elif mode == "proportional" and cycle.target_ms is not None and target_ms is not None:
        cycles_.scale_used(cycle, cycle.target_ms, target_ms, instant_ms)
    cycle.target_ms = target_ms


def _count_gap(cycle: Cycle, clock: Clock, instant_ms: int, book: PlannedBook) -> None:
    """The time between stop and reopening counts for whoever held the ticket then."""
    ends = [turn[0] for turn in cycle.gap[1:]] + [instant_ms]
    for (from_ms, team, agent), to_ms in zip(cycle.gap, ends, strict=True):
        if to_ms > from_ms and (clock.team is None or clock.team == team):
            cycles_.add_stretch(cycle, from_ms, to_ms, (team, agent), book)
