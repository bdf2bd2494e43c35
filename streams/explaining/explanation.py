"""One ticket explained, as plain data: what ran when, what paused or closed it, how the due instant
follows, what was said and when.

Segments of a clock follow each other without gap from its start to its end (or to the instant of the
explanation). Those of kind `running` sum to the elapsed time, exactly.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, cast

from schemas.events import Event
from schemas.problems import Problem, ProblemsError
from streams.core.business_time.calendar import CompiledCalendar
from streams.core.business_time.date_rules import members
from streams.core.effects import CoreRejected, Effect, Intent
from streams.core.policy import PolicyBook
from streams.core.tickets.cycle import Stretch
from streams.core.tickets.erasure import erases, scrubbed
from streams.core.tickets.facts import Facts
from streams.core.tickets.fold import Fold
from streams.core.tickets.log import Entry, digest_of, entry_of, known_as_of, reconciled
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.plan import Clock, PlannedBook
from streams.core.tickets.state import TicketState
from streams.core.tickets.view import CycleView, ticket_flags, view_of

SegmentKind = Literal["running", "closed", "paused", "carried"]
DueFrom = Literal["target", "source", "rule"]


class _Opening(Protocol):
    """What a calendar says of its own hours."""

    def open_intervals(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]: ...

    def closed_because(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, str]]: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a clock's life. `because`: of `closed` the calendar's rule, of `paused` what holds
    it, of `carried` that a changed target scaled the time used before."""

    kind: SegmentKind
    from_ms: int
    to_ms: int
    used_ms: int
    because: str | None
    calendar: str | None  # id@version
    team: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who used how much of the budget."""

    team: str | None
    agent: str | None
    held_ms: int
    share_of_target: float | None
    held_at_breach: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What a live engine said of the cycle, and when it became known."""

    level: str  # at_risk, breach, retracted, resolved
    at_ms: int
    due_ms: int | None
    breach_ms: int | None


@dataclass(frozen=True, slots=True)
class ClockExplanation:
    """One cycle of one clock. `due_from`: a `target` in working time, an instant that the `source` gives,
    or a policy `rule` by date; None when nothing is promised.

    Of a target: `used_before_ms` of it were used when the stretch began, at `last_start_ms`, in which the
    rest of it ends at `due_ms` by the calendar; of a clock that was stopped while held, as if it had gone on
    then. Both are None when the due instant doesn't follow so:
    while the clock is held, or when a changed target had been used up already.
    """

    clock: str
    cycle_id: str
    ordinal: int
    labels: dict[str, str]
    state: str
    verdict: str
    opened_ms: int
    start_ms: int
    ended_ms: int | None
    target_ms: int | None
    due_from: DueFrom | None
    elapsed_ms: int
    due_ms: int | None
    last_start_ms: int | None
    used_before_ms: int | None
    breached: bool
    breach_ms: int | None
    breach_reason: str | None
    breach_team: str | None
    largest_team: str | None
    policy_version: str
    rule: str | None
    segments: tuple[Segment, ...]
    holders: tuple[Holder, ...]
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A ticket as of an instant. `zone`: in which its calendar thinks, so in which people do."""

    tenant: str
    source: str
    ticket_id: str
    as_of_ms: int
    zone: str
    status: str
    first_agent: str | None  # first-contact responsibility (首问负责制)
    team: str | None
    agent: str | None
    events: int
    flags: tuple[str, ...]
    refused: tuple[str, ...]  # ids of events that a live engine refuses: known after the horizon
    complete: bool  # false: the oldest events have been folded away
    clocks: tuple[ClockExplanation, ...]


@dataclass(frozen=True, slots=True)
class _Moment:
    """The ticket from an event on."""

    instant_ms: int
    type: str
    status: str
    team: str | None


@dataclass(slots=True)
class _Story:
    """Everything that explanations of one ticket share."""

    book: PlannedBook
    as_of_ms: int
    facts: Facts
    moments: list[_Moment] = field(default_factory=list)
    said: dict[tuple[str, str], list[Said]] = field(default_factory=dict)

    def before(self, instant_ms: int) -> _Moment | None:
        """The ticket as the events up to an instant left it."""
        found = None
        for moment in self.moments:
            if moment.instant_ms > instant_ms:
                break
            found = moment
        return found


def explain(events: Iterable[Event], policy_book: PolicyBook, as_of_ms: int) -> Explanation:
    """Explain one ticket from its events, in any order and number, as of an instant."""
    events = list(events)
    assert events, "a ticket without an event is no ticket"
    first = events[0]
    entries: dict[str, Entry] = {}
    for event in events:
        entry = entry_of(event)
        kept = entries.get(entry.event_id)
        entries[entry.event_id] = entry if kept is None else reconciled(kept, entry, digest_of)
    names = first.tenant, first.source, first.entity_id
    return explain_entries(names, list(entries.values()), policy_book, as_of_ms)


def explain_entries(
    names: tuple[str, str, str],
    entries: Sequence[Entry],
    policy_book: PolicyBook,
    as_of_ms: int,
    *,
    complete: bool = True,
) -> Explanation:
    """The same from the log that a live state keeps. `names`: tenant, source, ticket id."""
    tenant, source, ticket_id = names
    book = PlannedBook(policy_book)
    live = _replayed(names, entries, policy_book, as_of_ms)
    entries = [entry for entry in entries if entry.event_id not in live.refused]
    if any(map(erases, entries)):
        entries = scrubbed(entries, book.asked)
    known = known_as_of(entries, as_of_ms, None, book.skew_ms)
    fold = Fold(book, Facts(tenant, source, known.first_ms))
    story = _Story(book, as_of_ms, fold.facts)
    for key, entry in known.ordered:
        fold.apply(entry, key[0])
        facts = fold.facts
        story.moments.append(_Moment(key[0], entry.type, facts.status, facts.team))
    story.facts = fold.facts
    story.said = live.said()
    flags = ticket_flags(entries, as_of_ms, fold.facts.created_ms, book)
    view = view_of(ticket_id, fold.facts, (*fold.past, *fold.last), flags, as_of_ms, book)
    return Explanation(
        tenant=tenant,
        source=source,
        ticket_id=ticket_id,
        as_of_ms=as_of_ms,
        zone=_zone(view.cycles, book, as_of_ms),
        status=fold.facts.status,
        first_agent=fold.facts.first_agent,
        team=fold.facts.team,
        agent=fold.facts.agent,
        events=len(known.ordered),
        flags=tuple(sorted({flag.flag for flag in flags})),
        refused=tuple(sorted(live.refused)),
        complete=complete,
        clocks=tuple(_clock(cycle, story) for cycle in view.cycles),
    )


def only_clock(explanation: Explanation, clock: str) -> Explanation:
    """The same with the cycles of one clock; ProblemsError when the ticket has none of it."""
    clocks = tuple(item for item in explanation.clocks if item.clock == clock)
    if not clocks:
        known = ", ".join(sorted({item.clock for item in explanation.clocks})) or "none"
        raise ProblemsError(
            Problem("clock", f"this ticket has no clock {clock!r}", f"it has: {known}")
        )
    return replace(explanation, clocks=clocks)


def _clock(cycle: CycleView, story: _Story) -> ClockExplanation:
    clock = story.book.version(cycle.policy_version, cycle.opened_ms).clocks.get(cycle.clock)
    ended_ms = cycle.stopped_ms if cycle.stopped_ms is not None else cycle.withdrawn_ms
    due_from = _due_from(cycle, story)
    last = _last_stretch(cycle, story.book) if due_from == "target" else None
    return ClockExplanation(
        clock=cycle.clock,
        cycle_id=cycle.cycle_id,
        ordinal=cycle.ordinal,
        labels={} if clock is None else dict(clock.spec.labels),
        state=cycle.state,
        verdict=cycle.verdict,
        opened_ms=cycle.opened_ms,
        start_ms=cycle.start_ms,
        ended_ms=ended_ms,
        target_ms=cycle.target_ms,
        due_from=due_from,
        elapsed_ms=cycle.elapsed_ms,
        due_ms=cycle.due_ms,
        last_start_ms=None if last is None else last[0],
        used_before_ms=None if last is None else last[1],
        breached=cycle.breached,
        breach_ms=cycle.breach_ms,
        breach_reason=cycle.breach_reason,
        breach_team=cycle.breach_team,
        largest_team=cycle.largest_team,
        policy_version=cycle.policy_version,
        rule=cycle.rule,
        segments=tuple(_segments(cycle, clock, ended_ms, story)),
        holders=tuple(
            Holder(h.team, h.agent, h.held_ms, h.share_of_target, h.held_at_breach)
            for h in cycle.agents
        ),
        said=tuple(story.said.get((cycle.clock, cycle.cycle_id), ())),
    )


def _due_from(cycle: CycleView, story: _Story) -> DueFrom | None:
    if cycle.target_ms is not None:
        return "target"
    if cycle.due_ms is None:
        return None
    policy = story.book.version(cycle.policy_version, cycle.opened_ms).policy
    by_date = any(rule.id == cycle.rule and cycle.clock in rule.due_rules for rule in policy.rules)
    return "rule" if by_date and cycle.clock not in story.facts.targets else "source"


def _last_stretch(cycle: CycleView, book: PlannedBook) -> tuple[int, int] | None:
    """Beginning of the stretch in which the target ends at the due instant, and what was used before."""
    if cycle.target_ms is None or cycle.due_ms is None:
        return None
    before_ms = 0
    for stretch in cycle.stretches:
        left_ms = cycle.target_ms - before_ms
        ran = stretch.to_ms > stretch.from_ms
        if ran and left_ms >= 0:
            due_ms = book.calendar(stretch.calendar).add(stretch.from_ms, left_ms)
            if due_ms == cycle.due_ms:
                return stretch.from_ms, before_ms
        before_ms += stretch.used_ms
    if cycle.stopped_ms is None or before_ms > cycle.target_ms or cycle.breached:
        return None
    if not cycle.stretches:  # over before any time had passed
        return cycle.stopped_ms, 0
    # Stopped while it was held: due as if it had gone on at the stop.
    calendar = book.calendar(cycle.stretches[-1].calendar)
    due_ms = calendar.add(cycle.stopped_ms, cycle.target_ms - before_ms)
    return (cycle.stopped_ms, before_ms) if due_ms == cycle.due_ms else None


def _zone(cycles: Iterable[CycleView], book: PlannedBook, as_of_ms: int) -> str:
    """The zone of the calendar that a clock runs on, else of the policy's; of a union its first."""
    calendars = [
        book.calendar(stretch.calendar) for cycle in cycles for stretch in cycle.stretches[-1:]
    ]
    for calendar in (*calendars, book.as_of(as_of_ms).policy.calendar):
        if isinstance(calendar, CompiledCalendar):
            return next(
                (one.tz for one in members(calendar.spec) if not one.always), calendar.spec.tz
            )
    return "UTC"


def _segments(
    cycle: CycleView, clock: Clock | None, ended_ms: int | None, story: _Story
) -> Iterator[Segment]:
    end_ms = story.as_of_ms if ended_ms is None else ended_ms
    at_ms = cycle.start_ms
    for stretch in cycle.stretches:
        if stretch.from_ms == stretch.to_ms:
            if stretch.used_ms:
                yield _carried(stretch)
                at_ms = max(at_ms, stretch.to_ms)
            continue
        if at_ms < stretch.from_ms:
            yield _paused(at_ms, stretch.from_ms, cycle, clock, story)
        yield from _opened(stretch, story)
        at_ms = stretch.to_ms
    if at_ms < end_ms:
        yield _paused(at_ms, end_ms, cycle, clock, story)


def _carried(stretch: Stretch) -> Segment:
    return Segment(
        "carried",
        stretch.from_ms,
        stretch.to_ms,
        stretch.used_ms,
        "target_changed",
        stretch.calendar,
        stretch.team,
        stretch.agent,
    )


def _opened(stretch: Stretch, story: _Story) -> Iterator[Segment]:
    """A running stretch, cut into working time and the calendar's reasons against it."""
    calendar = cast("_Opening", story.book.calendar(stretch.calendar))
    pieces: list[tuple[int, int, str | None]] = [
        (from_ms, to_ms, None)
        for from_ms, to_ms in calendar.open_intervals(stretch.from_ms, stretch.to_ms)
    ]
    pieces += calendar.closed_because(stretch.from_ms, stretch.to_ms)
    for from_ms, to_ms, because in sorted(pieces, key=lambda piece: piece[:2]):
        yield Segment(
            "running" if because is None else "closed",
            from_ms,
            to_ms,
            to_ms - from_ms if because is None else 0,
            because,
            stretch.calendar,
            stretch.team,
            stretch.agent,
        )


def _paused(
    from_ms: int, to_ms: int, cycle: CycleView, clock: Clock | None, story: _Story
) -> Segment:
    """What held the clock: the status, another team, the end of the ticket, or a pause matcher."""
    moment = story.before(from_ms)
    because = "not_counted"
    team = None
    if moment is not None:
        team = moment.team
        if clock is not None and moment.status in clock.pause_statuses:
            because = f"status:{moment.status}"
        elif clock is not None and clock.team is not None and moment.team != clock.team:
            because = f"team:{moment.team or ''}"
        elif moment.status in ("solved", "closed"):
            because = f"status:{moment.status}"
        else:
            because = f"event:{moment.type}"
    return Segment("paused", from_ms, to_ms, 0, because, None, team, None)


class _Live:
    """A live engine over one ticket: the log driven by arrival, timers at their own instants."""

    def __init__(self, policy_book: PolicyBook) -> None:
        self._logic = TicketLogic(policy_book)
        self._state: TicketState | None = None
        self._now_ms = 0
        self._intents: list[Intent] = []
        self.refused: set[str] = set()

    def pass_time(self, until_ms: int) -> None:
        """Everything due before an instant happens: at its own, or now when that has gone by."""
        while self._state is not None:
            wake_ms = self._logic.wake_ms(self._state)
            if wake_ms is None or wake_ms >= until_ms:
                break
            self._now_ms = max(self._now_ms, wake_ms)
            self._state, effects = self._logic.on_timer(self._state, self._now_ms)
            self._take(effects)
        self._now_ms = max(self._now_ms, until_ms)

    def deliver(self, event: Event) -> None:
        """Hand over one event when it arrives."""
        self.pass_time(event.ingested_ms)
        self._state, effects = self._logic.advance(self._state, event, event.ingested_ms)
        self._take(effects)
        if any(isinstance(effect, CoreRejected) for effect in effects):
            self.refused.add(event.event_id)

    def said(self) -> dict[tuple[str, str], list[Said]]:
        """What was said of each cycle, by what was known when."""
        found: dict[tuple[str, str], list[Said]] = {}
        for intent in self._intents:
            found.setdefault((intent.clock, intent.cycle_id), []).append(
                Said(intent.level, intent.recorded_ms, intent.due_ms, intent.breach_ms)
            )
        return found

    def _take(self, effects: Iterable[Effect]) -> None:
        self._intents += [effect for effect in effects if isinstance(effect, Intent)]


def _replayed(
    names: tuple[str, str, str], entries: Sequence[Entry], policy_book: PolicyBook, as_of_ms: int
) -> _Live:
    """A live engine that has seen what was known by then."""
    tenant, source, ticket_id = names
    live = _Live(policy_book)
    known = (entry for entry in entries if entry.ingested_ms <= as_of_ms)
    for entry in sorted(known, key=lambda entry: entry.ingested_ms):
        live.deliver(
            Event(
                tenant=tenant,
                source=source,
                kind="ticket",
                entity_id=ticket_id,
                event_id=entry.event_id,
                type=entry.type,
                occurred_ms=entry.occurred_ms,
                ingested_ms=entry.ingested_ms,
                data=entry.data,
                sequence=entry.sequence,
                digest=entry.digest.hex(),
            )
        )
    live.pass_time(as_of_ms)
    return live
