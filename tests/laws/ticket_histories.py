"""Hypothesis strategies: policies with one clock and ticket histories that try hard to be awkward.

Instants lie on a coarse grid around a week-end and the end of a due time, so that events meet at one
instant, arrive late, early, twice and with other content; calendars close at lunch and at night.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from schemas.events import (
    Absorbed,
    Assigned,
    Cancelled,
    Closed,
    Created,
    CustomerChanged,
    CustomerErased,
    Data,
    Event,
    Excluded,
    Merged,
    Message,
    PriorityChanged,
    Reopened,
    Solved,
    StatusChanged,
)
from streams.core.business_time import ALWAYS, compile_calendar, spec_from_mapping
from streams.core.policy import (
    AtRiskMark,
    Calendar,
    CalendarChoice,
    ClockSpec,
    Matcher,
    MergeStart,
    Policy,
    Rule,
)
from tests.laws.slow_calendar import SlowCalendar, slow_calendar

MINUTE_MS = 60_000
GRID_MS = 30 * MINUTE_MS
START_MS = 1_768_550_400_000  # Friday 2026-01-16T08:00:00Z
STEPS = 44  # of the grid: a bit less than a day
CLOCK = "resolution"
CUSTOMER_ID, CITY = "customer 4711", "Ghent"
FOREVER_MS = 10**15

_RULES: Mapping[str, Mapping[str, Any]] = {
    "always": {"always": True},
    "desk": {
        "tz": "Europe/Berlin",
        "weekly": {day: [["09:00", "12:00"], ["13:00", "17:30"]] for day in ("mon", "thu", "fri")},
    },
    "night": {
        "tz": "America/New_York",
        "weekly": {day: [["22:00", "06:00"]] for day in ("thu", "fri", "sat")},
        "overrides": {"2026-01-16": [["04:00", "05:00"], ["09:30", "11:00"]]},
    },
}


def _compiled(name: str) -> Calendar:
    rules = _RULES[name]
    if rules.get("always"):
        return ALWAYS
    return compile_calendar(spec_from_mapping(rules, name, _no_union))


def _no_union(name: str) -> Any:
    raise AssertionError(name)


FAST: Mapping[str, Calendar] = {name: _compiled(name) for name in _RULES}
SLOW: Mapping[str, SlowCalendar] = {
    name: slow_calendar(name, rules, date(2026, 1, 10), 60) for name, rules in _RULES.items()
}


@dataclass(frozen=True)
class Promise:
    """A policy of one clock, with compiled calendars for the core and slow ones for the oracle."""

    fast: Policy
    slow: Policy

    @property
    def clock(self) -> ClockSpec:
        return self.fast.clocks[0]


_CREATED = Matcher("created")
_SOLVED, _CLOSED = Matcher("solved"), Matcher("closed")
_CUSTOMER = Matcher("message", (("author", frozenset(("customer",))),))
_AGENT = Matcher("message", (("author", frozenset(("agent",))), ("public", frozenset((True,)))))

_TARGETS = st.sampled_from([steps * GRID_MS for steps in (4, 1, 2, 3, 5, 9, 14)] + [None])


@st.composite
def clocks(draw: st.DrawFn, name: str = CLOCK) -> ClockSpec:
    """Every mode; starts and stops of the usual clocks and of odd ones. Clocks that the oracle is not
    asked for may have a calendar of their own."""
    start, stop = draw(
        st.sampled_from(
            (
                ((_CREATED,), (_SOLVED, _CLOSED)),
                ((_CREATED,), (_SOLVED, _CLOSED)),
                ((_CREATED,), (_AGENT,)),
                ((_CUSTOMER,), (_AGENT, _SOLVED)),
                ((_CREATED, _AGENT), (_AGENT, _SOLVED, _CLOSED)),
                ((_SOLVED,), (_CLOSED, _CUSTOMER)),
            )
        )
    )
    team = draw(st.sampled_from((None, None, None, "L1", "L2")))
    return ClockSpec(
        id=name,
        start=start,
        stop=stop,
        kind="sla" if team is None else draw(st.sampled_from(("ola", "uc"))),
        team=team,
        calendar=None if name == CLOCK else draw(st.sampled_from((None, *FAST.values()))),
        pause_statuses=draw(
            st.sampled_from(
                (frozenset(), frozenset(("pending",)), frozenset(("new", "pending", "solved")))
            )
        ),
        on_reopen=draw(st.sampled_from(("resume", "reset", "count_closed"))),
        on_target_change=draw(st.sampled_from(("retroactive", "restart", "proportional"))),
        on_tier_change=draw(st.sampled_from(("segmented", "whole_history"))),
        grace_ms=draw(st.sampled_from((0, 0, GRID_MS // 2, 3 * GRID_MS))),
    )


@st.composite
def promises(draw: st.DrawFn) -> Promise:
    """One clock, targets by tier and priority, calendars by tier."""
    clock = draw(clocks())
    rules = [("gold", "P1"), ("gold", None), (None, "P1"), (None, None)]
    targets = [draw(_TARGETS) for _ in rules]
    names = draw(st.tuples(*[st.sampled_from(tuple(_RULES))] * 2))
    starts: tuple[MergeStart, ...] = ("own", "earliest")
    merge_start = draw(st.sampled_from(starts))

    def policy(calendars: Mapping[str, Calendar]) -> Policy:
        return Policy(
            id="law",
            version="law@1",
            effective_from_ms=0,
            calendar=calendars[names[0]],
            clocks=(clock,),
            rules=tuple(
                Rule(
                    f"{tier}/{priority}",
                    tuple(
                        (name, frozenset((value,)))
                        for name, value in (("tier", tier), ("priority", priority))
                        if value is not None
                    ),
                    {} if target is None else {CLOCK: target},
                )
                for (tier, priority), target in zip(rules, targets, strict=True)
            ),
            calendar_choices=(CalendarChoice("tier", {"gold": calendars[names[1]]}),),
            merge_start=merge_start,
            future_skew_ms_max=GRID_MS,
            horizon_ms=FOREVER_MS,
        )

    return Promise(policy(FAST), policy(SLOW))


@dataclass(frozen=True)
class StepsLater:
    """A promise by date: due so many steps of the grid after the opening."""

    steps: int

    def due_ms(self, opened_ms: int) -> int | None:
        """See `streams.core.policy.DueRule`."""
        return opened_ms + self.steps * GRID_MS


def books(promise: Promise, others: list[ClockSpec], marks: tuple[AtRiskMark, ...]) -> list[Policy]:
    """Two versions: the promise with more clocks and warnings, the last of them promised by date; then
    another with other targets."""
    dates = {clock.id: StepsLater(7) for clock in others[-1:]}
    first = replace(
        promise.fast,
        clocks=(replace(promise.clock, at_risk=marks), *others),
        rules=tuple(replace(rule, due_rules=dates) for rule in promise.fast.rules),
        version="law@1",
    )
    rules = tuple(
        replace(rule, targets={name: target * 2 for name, target in rule.targets.items()})
        for rule in first.rules
    )
    second = replace(
        first,
        version="law@2",
        rules=rules,
        clocks=first.clocks[:-1],
        effective_from_ms=START_MS + 9 * GRID_MS,
    )
    return [first, second]


def _instants(low: int = 0, high: int = STEPS) -> st.SearchStrategy[int]:
    return st.integers(low, high).map(lambda step: START_MS + step * GRID_MS)


_TEAMS = st.sampled_from(("L1", "L2"))
_PRIORITIES = st.sampled_from(("P1", "P2", "P3"))
_TIERS = st.sampled_from(("gold", "iron"))
_STATUSES = st.sampled_from(("new", "open", "pending", "solved"))

_DATA: st.SearchStrategy[Data] = st.one_of(
    st.builds(StatusChanged, _STATUSES),
    st.builds(StatusChanged, _STATUSES),
    st.builds(PriorityChanged, _PRIORITIES),
    st.builds(CustomerChanged, _TIERS, st.sampled_from((None, CUSTOMER_ID))),
    st.builds(Assigned, _TEAMS, st.sampled_from((None, "ann"))),
    st.builds(Assigned, _TEAMS),
    st.builds(Message, st.sampled_from(("customer", "agent", "bot")), st.booleans()),
    st.builds(Message, st.sampled_from(("customer", "agent")), st.just(True)),
    st.builds(Solved),
    st.builds(Solved),
    st.builds(Reopened),
    st.builds(Reopened),
    st.builds(Closed),
    st.builds(Absorbed, st.just("T0"), _instants(-6, 6)),
    st.sampled_from((Closed(), Solved(), Cancelled(), Merged("T9"), Excluded(CLOCK, "storm"))),
    st.sampled_from((Closed(), Solved(), CustomerErased())),
)
_CREATED_DATA = st.builds(
    Created,
    status=st.sampled_from(("new", "open", "open", "pending")),
    priority=st.one_of(st.none(), _PRIORITIES),
    tier=st.one_of(st.none(), _TIERS),
    team=st.sampled_from(("L1", "L1", "L2", None)),
    customer_id=st.sampled_from((None, CUSTOMER_ID)),
    attributes=st.sampled_from(({}, {"city": CITY})),
    targets=st.one_of(
        st.just({}), st.just({}), st.just({}), st.fixed_dictionaries({CLOCK: _instants(-2, 12)})
    ),
)
_DELAYS = st.sampled_from((0, 4, 0, 9, 0, 2, 14, -1, -2))  # steps between stamp and arrival


@st.composite
def _events(draw: st.DrawFn, event_id: str, data: Data, occurred_ms: int) -> Event:
    delay = draw(_DELAYS)
    occurred_ms += draw(st.sampled_from((0, 0, 0, 1, -1)))
    sequence = draw(st.sampled_from((None, None, None, 1, 2)))
    content = event_id, occurred_ms, sequence, data
    return Event(
        tenant="default",
        source="law",
        kind="ticket",
        entity_id="T1",
        event_id=event_id,
        type=str(type(data).__struct_config__.tag),
        occurred_ms=occurred_ms,
        ingested_ms=max(START_MS, occurred_ms + delay * GRID_MS),
        data=data,
        sequence=sequence,
        digest=hashlib.sha256(repr(content).encode()).hexdigest(),
    )


@st.composite
def histories(draw: st.DrawFn, most: int = 9) -> list[Event]:
    """Events of one ticket in any order, mostly with a beginning; some twice, some contradicted."""
    events = []
    if draw(st.integers(0, 9)):
        events.append(
            draw(_events("e0", draw(_CREATED_DATA), START_MS + draw(st.integers(0, 2)) * GRID_MS))
        )
    ids = [f"e{number}" for number in range(1, draw(st.integers(2, most)) + 1)]
    events += [
        draw(_events(event_id, draw(_DATA), draw(_instants(0, 20))))
        for event_id in draw(st.permutations(ids))
    ]
    for event in draw(st.lists(st.sampled_from(events), max_size=2)):
        if event.type != "created" and draw(st.booleans()):
            other = draw(_events(event.event_id, draw(_DATA), event.occurred_ms))
        else:
            other = replace_arrival(event, event.ingested_ms + draw(st.integers(0, 6)) * GRID_MS)
        events.append(other)
    return draw(st.permutations(events))


def replace_arrival(event: Event, ingested_ms: int) -> Event:
    """The same content, read once more."""
    return structs.replace(event, ingested_ms=ingested_ms)


as_ofs = st.sampled_from((*range(10, 30), 0, 5, 40, STEPS + 10)).map(
    lambda step: START_MS + step * GRID_MS
)
