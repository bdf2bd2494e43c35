"""What is true of a ticket at one instant, in the terms of the SLA conventions."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.outcomes import ClockState, Verdict
from streams.core.tickets.cycle import Breach, Cycle, Stretch, breach_before, held
from streams.core.tickets.facts import Facts
from streams.core.tickets.log import Entry, Flag, beginning, flags_of, sorted_flags
from streams.core.tickets.plan import PlannedBook


@dataclass(frozen=True, slots=True)
class HolderView:
    """Active time of one team, or of one agent in it; shares are of the target in force."""

    team: str | None
    agent: str | None
    held_ms: int
    share_of_target: float | None
    held_at_breach: bool


@dataclass(frozen=True, slots=True)
class CycleView:
    """One cycle as of an instant; see the conventions for each field's exact meaning."""

    clock: str
    cycle_id: str
    ordinal: int
    state: ClockState
    target_ms: int | None
    elapsed_ms: int
    due_ms: int | None
    breached: bool
    breach_ms: int | None
    breach_reason: str | None
    stopped_ms: int | None
    withdrawn_ms: int | None
    opened_ms: int
    start_ms: int
    at_risk_ms: int | None
    policy_version: str
    rule: str | None
    tier: str | None
    priority: str | None
    team: str | None
    agent: str | None
    breach_team: str | None
    breach_agent: str | None
    holders: tuple[HolderView, ...]  # per team
    agents: tuple[HolderView, ...]  # per team and agent
    stretches: tuple[Stretch, ...]  # they add up to elapsed_ms; the last may still run

    @property
    def verdict(self) -> Verdict:
        """The closed list: pending, met, breached, void, no_target."""
        return verdict_of(self.state, breached=self.breached)

    @property
    def largest_team(self) -> str | None:
        """The team that used most of the budget; of equals the one that held it first."""
        largest = max(self.holders, key=lambda holder: holder.held_ms, default=None)
        return None if largest is None or not largest.held_ms else largest.team


@dataclass(frozen=True, slots=True)
class TicketView:
    """One ticket as of an instant. `cycles` stand oldest first."""

    ticket_id: str
    as_of_ms: int
    facts: Facts
    cycles: tuple[CycleView, ...]
    flags: tuple[Flag, ...]


def cycle_view(
    cycle: Cycle, breach: Breach | None, facts: Facts, as_of_ms: int, book: PlannedBook
) -> CycleView:
    """A cycle as of an instant at or after every event folded into it."""
    stretches = _stretches(cycle, as_of_ms, book)
    used_ms = cycle.used_ms
    if cycle.run_ms is not None:
        used_ms += stretches[-1].used_ms
    state = state_of(cycle, breach, facts)
    agents = _holders(cycle, breach, stretches)
    return CycleView(
        clock=cycle.clock,
        cycle_id=cycle.cycle_id,
        ordinal=cycle.ordinal,
        state=state,
        target_ms=cycle.target_ms,
        elapsed_ms=used_ms,
        due_ms=due_of(cycle, breach, state),
        breached=breach is not None,
        breach_ms=None if breach is None else breach.at_ms,
        breach_reason=None if breach is None else breach.reason,
        stopped_ms=cycle.stopped_ms,
        withdrawn_ms=cycle.withdrawn_ms,
        opened_ms=cycle.opened_ms,
        start_ms=cycle.start_ms,
        at_risk_ms=cycle.marks[0] if cycle.marks and cycle.marks[0] <= as_of_ms else None,
        policy_version=cycle.policy,
        rule=cycle.rule,
        tier=cycle.tier,
        priority=cycle.priority,
        team=cycle.team,
        agent=cycle.agent,
        breach_team=None if breach is None else breach.team,
        breach_agent=None if breach is None else breach.agent,
        holders=_per_team(agents, cycle.target_ms),
        agents=agents,
        stretches=stretches,
    )


def _stretches(cycle: Cycle, as_of_ms: int, book: PlannedBook) -> tuple[Stretch, ...]:
    """What was scaled to a new target stands first, as stretches without length at that change."""
    carried = tuple(
        Stretch(cycle.carried_ms, cycle.carried_ms, used_ms, cycle.calendar, team, agent)
        for team, agent, used_ms in cycle.carried
    )
    run_ms = cycle.run_ms
    if run_ms is None:
        return (*carried, *cycle.stretches)
    used_ms = book.calendar(cycle.calendar).measure(run_ms, as_of_ms)
    running = Stretch(run_ms, as_of_ms, used_ms, cycle.calendar, cycle.team, cycle.agent)
    return (*carried, *cycle.stretches, running)


def state_of(cycle: Cycle, breach: Breach | None, facts: Facts) -> ClockState:
    """The state of a cycle of which this breach is known."""
    if cycle.clock in facts.excluded:
        return "void"
    if cycle.withdrawn_ms is not None:
        return "void" if breach is None else "breached"
    if breach is None and cycle.target_ms is None and cycle.given_due_ms is None:
        return "no_target"
    if cycle.open:
        return "paused" if cycle.run_ms is None else "running"
    return "met" if breach is None else "breached"


def due_of(cycle: Cycle, breach: Breach | None, state: ClockState) -> int | None:
    """The due instant as published: frozen once missed, none while paused or not judged."""
    if breach is not None:
        return breach.due_ms
    if state == "void" or state == "no_target":
        return None
    return cycle.given_due_ms if state == "paused" else cycle.due_ms


def verdict_of(state: ClockState, *, breached: bool) -> Verdict:
    """The verdict that goes with a state."""
    if state == "void" or state == "no_target" or state == "met":
        return state
    return "breached" if breached else "pending"


def _holders(
    cycle: Cycle, breach: Breach | None, stretches: Iterable[Stretch]
) -> tuple[HolderView, ...]:
    used = held(cycle)
    if cycle.run_ms is not None:
        *_, running = stretches
        holder = running.team, running.agent
        used[holder] = used.get(holder, 0) + running.used_ms
    at_breach = None if breach is None else (breach.team, breach.agent)
    if at_breach is not None:
        used.setdefault(at_breach, 0)
    return tuple(
        HolderView(*holder, used_ms, _share(used_ms, cycle.target_ms), holder == at_breach)
        for holder, used_ms in used.items()
        if used_ms or holder == at_breach
    )


def largest_team(cycle: Cycle, running_ms: int) -> str | None:
    """The team that used most of the budget, `running_ms` of the running stretch included; of equals the
    one that held it first."""
    if not cycle.carried and all(stretch.team == cycle.team for stretch in cycle.stretches):
        return cycle.team if running_ms or cycle.used_ms else None
    used: dict[str | None, int] = {}
    for team, _agent, used_ms in cycle.carried:
        used[team] = used.get(team, 0) + used_ms
    for stretch in cycle.stretches:
        used[stretch.team] = used.get(stretch.team, 0) + stretch.used_ms
    used[cycle.team] = used.get(cycle.team, 0) + running_ms
    most_ms = max(used.values())
    return next(team for team, used_ms in used.items() if used_ms == most_ms) if most_ms else None


def _share(used_ms: int, target_ms: int | None) -> float | None:
    return None if target_ms is None else used_ms / target_ms


def _per_team(agents: Iterable[HolderView], target_ms: int | None) -> tuple[HolderView, ...]:
    used: dict[str | None, tuple[int, bool]] = {}
    for agent in agents:
        held_ms, at_breach = used.get(agent.team, (0, False))
        used[agent.team] = held_ms + agent.held_ms, at_breach or agent.held_at_breach
    return tuple(
        HolderView(team, None, held_ms, _share(held_ms, target_ms), at_breach)
        for team, (held_ms, at_breach) in used.items()
    )


def view_of(
    ticket_id: str,
    facts: Facts,
    cycles: Iterable[Cycle],
    flags: tuple[Flag, ...],
    as_of_ms: int,
    book: PlannedBook,
) -> TicketView:
    """Everything as of an instant; a due instant equal to it has not passed."""
    views = [
        cycle_view(cycle, breach_before(cycle, as_of_ms), facts, as_of_ms, book) for cycle in cycles
    ]
    views.sort(key=lambda view: view.opened_ms)
    return TicketView(ticket_id, as_of_ms, facts, tuple(views), flags)


def ticket_flags(
    entries: Iterable[Entry],
    as_of_ms: int,
    created_ms: int | None,
    book: PlannedBook,
    more: Iterable[Flag] = (),
) -> tuple[Flag, ...]:
    """Flags of a ticket whose known beginning is `created_ms`, else of a partial history."""
    entries = [entry for entry in entries if entry.ingested_ms <= as_of_ms]
    if created_ms is None:
        found = beginning(entries, book.skew_ms)
        created_ms = None if found is None else found[1]
    flags = [*more, *flags_of(entries, as_of_ms, created_ms, book.skew_ms)]
    if created_ms is None and entries:
        flags.append(Flag("partial_history"))
    return sorted_flags(flags)
