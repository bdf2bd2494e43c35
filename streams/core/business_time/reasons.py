"""Why time is closed: every shut stretch with the rule that shut it, for people to read."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import chain, pairwise
from typing import NamedTuple

from streams.core.business_time.date_rules import DateRules
from streams.core.business_time.localtime import instant_of, local_date
from streams.core.business_time.spec import CalendarSpec
from streams.core.business_time.stretches import open_stretches
from streams.core.business_time.years import END_MS, FIRST_MS
from streams.core.business_time.zones import zone

OUTSIDE_HOURS = "outside_hours"
BEYOND = "beyond_known_years"


class Closed(NamedTuple):
    """A stretch outside working time, and the rule that closed it:

    `closure:REASON`, `holiday:DATE[:NAME]`, `override:DATE`, `day_off` (a weekday without hours),
    `outside_hours`, or `beyond_known_years`.
    """

    from_ms: int
    to_ms: int
    because: str


def reasons(spec: CalendarSpec, from_ms: int, to_ms: int) -> Iterator[Closed]:
    """Split a stretch in which the calendar is shut: ascending, without gaps, neighbours differ."""
    first_ms, end_ms = max(from_ms, FIRST_MS), min(to_ms, END_MS)
    if first_ms >= end_ms:
        return iter((Closed(from_ms, to_ms, BEYOND),))
    before = Closed(from_ms, first_ms, BEYOND)
    after = Closed(end_ms, to_ms, BEYOND)
    parts = chain((before,), _reasons(spec, first_ms, end_ms), (after,))
    return _joined(part for part in parts if part.from_ms < part.to_ms)


def _joined(stretches: Iterable[Closed]) -> Iterator[Closed]:
    """Neighbours that touch and have one reason become one."""
    last: Closed | None = None
    for stretch in stretches:
        if last is not None and (last.to_ms, last.because) == (stretch.from_ms, stretch.because):
            last = last._replace(to_ms=stretch.to_ms)
            continue
        if last is not None:
            yield last
        last = stretch
    if last is not None:
        yield last


def _reasons(spec: CalendarSpec, from_ms: int, to_ms: int) -> Iterator[Closed]:
    at_ms = from_ms
    for closure in sorted(spec.closures, key=lambda closure: closure.from_ms):
        start, end = max(at_ms, closure.from_ms), min(to_ms, closure.to_ms)
        if start < end:
            yield from _by_rules(spec, at_ms, start)
            yield Closed(start, end, f"closure:{closure.reason}")
            at_ms = end
    yield from _by_rules(spec, at_ms, to_ms)


def _by_rules(spec: CalendarSpec, from_ms: int, to_ms: int) -> Iterator[Closed]:
    if from_ms >= to_ms:
        return
    if spec.union:
        yield from _by_members(spec.union, from_ms, to_ms)
    else:
        assert not spec.always, "only a closure shuts what is always open"
        yield from _by_dates(spec, from_ms, to_ms)


def _by_dates(spec: CalendarSpec, from_ms: int, to_ms: int) -> Iterator[Closed]:
    """A date runs from its midnight to the next one, whatever the clock repeats in between."""
    rules, tz = DateRules(spec), zone(spec.tz)
    day = local_date(from_ms, tz) - timedelta(days=1)
    start_ms = instant_of(day, 0, tz)
    while start_ms < to_ms:
        before, after = day - timedelta(days=1), day + timedelta(days=1)
        missed_ms = instant_of(day, max(0, rules.minutes_missed_next_day(before)), tz)
        end_ms = instant_of(after, 0, tz)
        for part in (
            Closed(start_ms, min(missed_ms, end_ms), rules.because(before)),
            Closed(missed_ms, end_ms, rules.because(day)),
        ):
            clipped = Closed(max(part.from_ms, from_ms), min(part.to_ms, to_ms), part.because)
            if clipped.from_ms < clipped.to_ms:
                yield clipped
        day, start_ms = after, end_ms


def _by_members(members: tuple[CalendarSpec, ...], from_ms: int, to_ms: int) -> Iterator[Closed]:
    """The rule of the member that would have been open by its week; where none would, what all of
    them say, or `outside_hours`.
    """
    prevented = [
        [
            reason
            for usual in open_stretches(_usual(member), from_ms, to_ms)
            for reason in reasons(member, *usual)
        ]
        for member in members
    ]
    plain = [list(reasons(member, from_ms, to_ms)) for member in members]
    edges = {edge for parts in (*prevented, *plain) for part in parts for edge in part[:2]}
    steps = sorted(edges | {from_ms, to_ms})
    for start, end in pairwise(steps):
        said = [_reason_at(start, parts) for parts in prevented]
        because = next((reason for reason in said if reason), None)
        if because is None:
            agreed = {_reason_at(start, parts) for parts in plain}
            because = agreed.pop() if len(agreed) == 1 else None
        yield Closed(start, end, because or OUTSIDE_HOURS)


def _usual(spec: CalendarSpec) -> CalendarSpec:
    """The week as it is without holidays, changes and closures."""
    return replace(
        spec,
        holidays=(),
        overrides=(),
        moved_workdays=(),
        closures=(),
        union=tuple(_usual(member) for member in spec.union),
    )


def _reason_at(instant_ms: int, stretches: list[Closed]) -> str | None:
    """Of the ascending, disjoint stretch that holds the instant."""
    at = bisect_right(stretches, instant_ms, key=lambda stretch: stretch.from_ms) - 1
    return stretches[at].because if at >= 0 and instant_ms < stretches[at].to_ms else None
