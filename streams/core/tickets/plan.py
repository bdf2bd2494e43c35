"""Policies made ready for the fold: matchers by event type, and matches of attributes, remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from schemas.events import Data
from streams.core.policy import (
    AtRiskMark,
    Calendar,
    ClockSpec,
    DueRule,
    Matcher,
    Policy,
    PolicyBook,
    ReopenMode,
)
from streams.core.tickets.facts import Facts, attribute_of

Checks = tuple[tuple[tuple[str, frozenset[str | bool]], ...], ...]

_TOUCHING_EVERY_CLOCK = frozenset(
    (
        "created",
        "assigned",
        "priority_changed",
        "customer_changed",
        "reopened",
        "cancelled",
        "merged",
        "absorbed",
        "excluded",
    )
)
_TOUCHING_STATUS = frozenset(("status_changed", "solved", "closed"))
_REMEMBERED_MATCHES_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Reactions:
    """What one clock does with events of one type; each role holds alternatives."""

    start: Checks = ()
    stop: Checks = ()
    cancel: Checks = ()
    reset: Checks = ()
    pause: Checks = ()
    resume: Checks = ()


NO_REACTION = Reactions()


def holds(checks: Checks, data: Data) -> bool:
    """True when one of the alternatives holds for the event's data."""
    for fields in checks:
        for name, values in fields:
            if getattr(data, name, None) not in values:
                break
        else:
            return True
    return False


def _reactions(spec: ClockSpec) -> dict[str, Reactions]:
    roles: dict[str, tuple[Matcher, ...]] = {
        "start": spec.start,
        "stop": spec.stop,
        "cancel": spec.cancel,
        "reset": spec.reset,
        "pause": spec.pause,
        "resume": spec.resume,
    }
    types = sorted({matcher.type for matchers in roles.values() for matcher in matchers})
    return {
        type_: Reactions(
            **{
                role: tuple(matcher.fields for matcher in matchers if matcher.type == type_)
                for role, matchers in roles.items()
            }
        )
        for type_ in types
    }


@lru_cache(maxsize=4_096)
def mark_used_ms(mark: AtRiskMark, target_ms: int) -> int:
    """How much of the budget is used when the mark is reached, floored to the millisecond."""
    if mark.share is not None:
        return int(Decimal(repr(mark.share)) * target_ms)
    return max(0, target_ms - (mark.before_ms or 0))


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock of one policy version."""

    id: str
    spec: ClockSpec
    team: str | None  # of a team clock (OLA, UC)
    pause_statuses: frozenset[str]
    on_reopen: ReopenMode
    reactions: Mapping[str, Reactions]

    def touched_by(self, type_: str) -> bool:
        """Whether an event of the type can change a cycle of this clock at all."""
        if type_ in _TOUCHING_EVERY_CLOCK or type_ in self.reactions:
            return True
        return bool(self.pause_statuses) and type_ in _TOUCHING_STATUS


def _clock(spec: ClockSpec) -> Clock:
    team = None if spec.kind == "sla" else spec.team
    return Clock(spec.id, spec, team, spec.pause_statuses, spec.on_reopen, _reactions(spec))


@dataclass(frozen=True, slots=True)
class Match:
    """What the policy promises a ticket with given attributes."""

    rule: str | None
    targets: Mapping[str, int]
    calendar: str
    applying: frozenset[str]  # clocks that apply
    due_rules: Mapping[str, DueRule] = field(default_factory=dict)
    own_calendars: Mapping[str, str] = field(default_factory=dict)  # of clocks that have one

    def calendar_of(self, clock: str) -> str:
        """The key of the calendar by which a clock is measured."""
        return self.own_calendars.get(clock, self.calendar) if self.own_calendars else self.calendar


def calendar_key(calendar: Calendar) -> str:
    """Names a calendar's content in states, for ever."""
    return f"{calendar.id}@{calendar.version[:12]}"


@dataclass(slots=True)
class PlannedPolicy:
    """A policy version with its lookups."""

    policy: Policy
    clocks: dict[str, Clock] = field(init=False)
    _by_type: dict[str, tuple[Clock, ...]] = field(init=False, default_factory=dict)
    asked: tuple[str, ...] = field(init=False)  # attributes, sorted
    _matches: dict[tuple[str | None, ...], Match] = field(init=False, default_factory=dict)
    _own_calendars: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._own_calendars = {
            spec.id: calendar_key(spec.calendar)
            for spec in self.policy.clocks
            if spec.calendar is not None
        }
        self.clocks = {spec.id: _clock(spec) for spec in self.policy.clocks}
        asked = {name for rule in self.policy.rules for name, _ in rule.match}
        asked |= {choice.attribute for choice in self.policy.calendar_choices}
        asked |= {name for spec in self.policy.clocks for name, _ in spec.applies}
        self.asked = tuple(sorted(asked))

    @property
    def version(self) -> str:
        return self.policy.version

    def touched_by(self, type_: str) -> tuple[Clock, ...]:
        """Clocks that an event of this type can concern."""
        clocks = self._by_type.get(type_)
        if clocks is None:
            clocks = tuple(clock for clock in self.clocks.values() if clock.touched_by(type_))
            self._by_type[type_] = clocks
        return clocks

    def match(self, facts: Facts) -> Match:
        """Targets, calendar and applying clocks for the ticket's attributes as they are now."""
        key = tuple([attribute_of(facts, name) for name in self.asked])
        match = self._matches.get(key)
        if match is None:
            if len(self._matches) >= _REMEMBERED_MATCHES_MAX:
                self._matches.clear()
            match = self._matches[key] = self._match(dict(zip(self.asked, key, strict=True)))
        return match

    def _match(self, attributes: Mapping[str, str | None]) -> Match:
        policy = self.policy
        rule = next((rule for rule in policy.rules if _all_hold(rule.match, attributes)), None)
        calendar = policy.calendar if rule is None or rule.calendar is None else rule.calendar
        for choice in policy.calendar_choices:
            chosen = choice.calendars.get(attributes[choice.attribute] or "")
            if chosen is not None:
                calendar = chosen
                break
        return Match(
            None if rule is None else rule.id,
            {} if rule is None else rule.targets,
            calendar_key(calendar),
            frozenset(spec.id for spec in policy.clocks if _all_hold(spec.applies, attributes)),
            {} if rule is None else rule.due_rules,
            self._own_calendars,
        )


def _all_hold(
    wanted: tuple[tuple[str, frozenset[str]], ...], attributes: Mapping[str, str | None]
) -> bool:
    return all(attributes[name] in values for name, values in wanted)


class PlannedBook:
    """A policy book with its lookups, and every calendar it names. It may learn more versions; what it
    knew stays known, so that states can go on naming it."""

    def __init__(self, book: PolicyBook) -> None:
        self.planned: dict[str, PlannedPolicy] = {}
        self.calendars: dict[str, Calendar] = {}
        self.learn(book)

    def learn(self, book: PolicyBook) -> None:
        """Judge by this book from now on. Nothing that was judged changes by it."""
        self.book = book
        self.rejudged_ms = book.rejudgements[-1].at_ms if book.rejudgements else 0
        for policy in book.policies:
            if policy.version not in self.planned:
                self.planned[policy.version] = PlannedPolicy(policy)
            for calendar in _calendars(policy):
                self.calendars[calendar_key(calendar)] = calendar
        self.asked = frozenset(
            name for policy in book.policies for name in self.planned[policy.version].asked
        )
        self._only = (
            self.planned[book.policies[0].version] if len(book.policies) == 1 else None
        )  # the usual case needs no search

    def asks_for(self, last_ms: int, rejudged_ms: int) -> bool:
        """Whether a rejudgement after `rejudged_ms` wants a ticket whose last event is of `last_ms`."""
        return any(
            one.at_ms > rejudged_ms and one.since_ms <= last_ms for one in self.book.rejudgements
        )

    def as_of(self, instant_ms: int) -> PlannedPolicy:
        """The version in force at an instant."""
        return self._only or self.planned[self.book.as_of(instant_ms).version]

    def version(self, version: str, instant_ms: int) -> PlannedPolicy:
        """A version by name; one that is gone is replaced by what is in force at the instant."""
        return self.planned.get(version) or self.as_of(instant_ms)

    def skew_ms(self, instant_ms: int) -> int:
        """Largest tolerated future skew of an event that arrives at the instant."""
        return self.as_of(instant_ms).policy.future_skew_ms_max

    def calendar(self, key: str) -> Calendar:
        """A calendar by its key; one that no known policy names any more yields to the same id."""
        calendar = self.calendars.get(key)
        if calendar is None:
            calendar_id = key.rpartition("@")[0]
            known = [c for k, c in self.calendars.items() if k.rpartition("@")[0] == calendar_id]
            calendar = known[-1] if known else self.book.policies[-1].calendar
            self.calendars[key] = calendar
        return calendar


def _calendars(policy: Policy) -> list[Calendar]:
    calendars = [policy.calendar]
    calendars += [rule.calendar for rule in policy.rules if rule.calendar is not None]
    calendars += [clock.calendar for clock in policy.clocks if clock.calendar is not None]
    for choice in policy.calendar_choices:
        calendars += choice.calendars.values()
    return calendars
