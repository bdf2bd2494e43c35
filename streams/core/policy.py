"""Policies as the core judges by them: compiled, immutable, versioned.

`schemas.policy` is the file a person writes; `streams.core.policy_compile` turns it into these.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from schemas.events import Event
from streams.core.measures import USUAL, Measures

ReopenMode = Literal["resume", "reset", "count_closed"]
TargetChangeMode = Literal["retroactive", "restart", "proportional"]
TierChangeMode = Literal["segmented", "whole_history"]
MergeStart = Literal["own", "earliest"]
ClockKind = Literal["sla", "ola", "uc"]


class Calendar(Protocol):
    """Working time as instants (ms). `streams.core.business_time` has the real ones."""

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> str:
        """Content hash: rules, holidays and tzdata."""
        ...

    def add(self, instant_ms: int, duration_ms: int) -> int | None:
        """Earliest instant t >= instant with measure(instant, t) == duration; None: never."""
        ...

    def measure(self, from_ms: int, to_ms: int) -> int:
        """Working milliseconds in [from, to); 0 when to <= from."""
        ...


class DueRule(Protocol):
    """A promise by date. `streams.core.business_time.working_days` has the real one."""

    def due_ms(self, opened_ms: int) -> int | None:
        """The due instant of what was opened then; None: never."""
        ...


@dataclass(frozen=True, slots=True)
class Matcher:
    """Matches an event by its type and, where given, by fields of its data."""

    type: str
    fields: tuple[tuple[str, frozenset[str | bool]], ...] = ()

    def matches(self, event: Event) -> bool:
        """True when the type is equal and each named field has one of the given values."""
        return event.type == self.type and all(
            getattr(event.data, name, None) in values for name, values in self.fields
        )


@dataclass(frozen=True, slots=True)
class AtRiskMark:
    """A warning mark: at a share of the budget used, or so long before the due instant."""

    share: float | None = None
    before_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ClockSpec:
    """One promise. See shared conventions: start, stop, pause, reopen and target-change modes."""

    id: str
    start: tuple[Matcher, ...]
    stop: tuple[Matcher, ...]
    kind: ClockKind = "sla"
    team: str | None = None  # ola, uc: runs only while that team holds the ticket
    calendar: Calendar | None = None  # its own, whatever the ticket; else by choice, rule, policy
    pause: tuple[Matcher, ...] = ()
    resume: tuple[Matcher, ...] = ()
    reset: tuple[Matcher, ...] = ()  # ends nothing: time used becomes 0 in the same cycle
    cancel: tuple[Matcher, ...] = ()  # withdraws an open cycle
    pause_statuses: frozenset[str] = frozenset()
    applies: tuple[tuple[str, frozenset[str]], ...] = ()  # ticket attributes; empty: always
    on_reopen: ReopenMode = "resume"
    on_target_change: TargetChangeMode = "retroactive"
    on_tier_change: TierChangeMode = "segmented"
    at_risk: tuple[AtRiskMark, ...] = ()
    grace_ms: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """First match wins. `match`: attribute → allowed values; all must hold; empty matches all."""

    id: str
    match: tuple[tuple[str, frozenset[str]], ...]
    targets: Mapping[str, int]  # clock → target in ms; a clock missing has no target
    calendar: Calendar | None = None  # else the policy's
    # Promised by date: settled at the opening of a cycle, as absolute as one given by the source.
    due_rules: Mapping[str, DueRule] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CalendarChoice:
    """Calendar by an attribute of the ticket (tier, team, …), asked before the rule's; a clock that has
    its own keeps it."""

    attribute: str
    calendars: Mapping[str, Calendar]


@dataclass(frozen=True, slots=True)
class Policy:
    """One immutable version. Attributes a rule may ask: tier, priority, ticket_type, channel, team,
    agent, customer_id, source, tenant and every key of the ticket's `attributes`."""

    id: str
    version: str  # e.g. "boston311@3f2a9c1d77aa": content hash, holidays and tzdata included
    effective_from_ms: int
    calendar: Calendar
    clocks: tuple[ClockSpec, ...]
    rules: tuple[Rule, ...]
    calendar_choices: tuple[CalendarChoice, ...] = ()
    merge_start: MergeStart = "own"
    future_skew_ms_max: int = 60_000
    horizon_ms: int = 90 * 86_400_000
    labels: Mapping[str, str] = field(default_factory=dict)
    measures: Measures = USUAL


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """Somebody asked for history to be judged anew, explicitly: by a version, from an instant on.

    `at_ms` names it: later ones are greater. The version is in force from `since_ms` on, in the place
    of whatever was until the version's own beginning; later versions keep their turn.
    """

    at_ms: int
    version: str
    since_ms: int


class PolicyBook:
    """Every known version; answers by event time. Of versions in force from the same instant the one
    given last counts."""

    def __init__(
        self, policies: tuple[Policy, ...], rejudgements: tuple[Rejudgement, ...] = ()
    ) -> None:
        assert policies, "a book without a policy can't judge"
        self._policies = tuple(sorted(policies, key=lambda policy: policy.effective_from_ms))
        self._rejudgements = tuple(sorted(rejudgements, key=lambda one: one.at_ms))
        turns = [(policy.effective_from_ms, policy) for policy in self._policies]
        for rejudgement in self._rejudgements:
            turns = self._with(turns, rejudgement)
        self._starts = [start_ms for start_ms, _ in turns]
        self._in_force = [policy for _, policy in turns]

    def _with(
        self, turns: list[tuple[int, Policy]], rejudgement: Rejudgement
    ) -> list[tuple[int, Policy]]:
        """The turns, with the version's own beginning moved back."""
        policy = next(one for one in self._policies if one.version == rejudgement.version)
        since_ms, own_ms = rejudgement.since_ms, policy.effective_from_ms
        if since_ms >= own_ms:
            return turns
        before = [turn for turn in turns if turn[0] < since_ms]
        return [*before, (since_ms, policy), *(turn for turn in turns if turn[0] >= own_ms)]

    def as_of(self, instant_ms: int) -> Policy:
        """The version in force at an instant; before the first one, the first."""
        at = bisect_right(self._starts, instant_ms) - 1
        return self._in_force[max(at, 0)]

    @property
    def policies(self) -> tuple[Policy, ...]:
        return self._policies

    @property
    def rejudgements(self) -> tuple[Rejudgement, ...]:
        """The oldest first."""
        return self._rejudgements
