"""Compiled calendars: sorted open intervals with running sums, grown by whole years as needed."""

import hashlib
import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import NamedTuple

from schemas.instants import from_ms, to_ms
from streams.core.business_time.localtime import instant_of
from streams.core.business_time.spec import CalendarSpec, Interval
from streams.core.business_time.zones import TZDATA_VERSION, zone

YEAR_MIN, YEAR_MAX = 1900, 2300
NEVER_OPEN_YEARS = 12  # a calendar that stays shut for so long is taken to stay shut
HOLIDAY_OUTLOOK_DAYS = 60


class Open(NamedTuple):
    """A stretch of working time, [from, to)."""

    from_ms: int
    to_ms: int


class Closed(NamedTuple):
    """A stretch outside working time, and the rule that closed it."""

    from_ms: int
    to_ms: int
    because: str


@dataclass(frozen=True, slots=True)
class AlwaysCalendar:
    """Round the clock."""

    id: str = "24x7"
    version: str = "always"

    def add(self, instant_ms: int, duration_ms: int) -> int | None:
        """See `streams.core.policy.Calendar`."""
        return instant_ms + duration_ms

    def measure(self, from_ms: int, to_ms: int) -> int:
        """See `streams.core.policy.Calendar`."""
        return to_ms - from_ms if to_ms > from_ms else 0

    def open_intervals(self, from_ms: int, to_ms: int) -> Iterator[Open]:
        """The one stretch there is."""
        if from_ms < to_ms:
            yield Open(from_ms, to_ms)

    def closed_because(self, _from_ms: int, _to_ms: int) -> Iterator[Closed]:
        """Nothing is ever closed."""
        return iter(())

    def outlook_warning(self, _now_ms: int) -> str | None:
        """Nothing to warn of."""
        return None


ALWAYS = AlwaysCalendar()


class CompiledCalendar:
    """Implements `streams.core.policy.Calendar` in O(log n), lazily grown in both directions."""

    def __init__(self, spec: CalendarSpec) -> None:
        self.id = spec.id
        self.version = version_of(spec)
        self.spec = spec
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sums: list[int] = []  # working ms up to the end of each interval, from a fixed origin
        self._from_ms = self._to_ms = 0
        self._first_year = self._next_year = 0
        # What a range answers is remembered: `add` of one target from similar starts hits one range.

    def add(self, instant_ms: int, duration_ms: int) -> int | None:
        """Earliest instant t >= instant with measure(instant, t) == duration; None: never again."""
        if duration_ms <= 0:
            return instant_ms
        if not self._from_ms <= instant_ms < self._to_ms:
            self._cover(instant_ms)
        target = self._worked(instant_ms) + duration_ms
        shut_years = 0
        while not self._sums or self._sums[-1] < target:
            known = len(self._sums)
            if self._next_year > YEAR_MAX or shut_years > NEVER_OPEN_YEARS:
                return None
            self._grow_forward()
            shut_years = 0 if len(self._sums) > known else shut_years + 1
        at = bisect_left(self._sums, target)
        return self._ends[at] - (self._sums[at] - target)

    def measure(self, from_ms: int, to_ms: int) -> int:
        """Working milliseconds in [from, to); 0 when to <= from."""
        if to_ms <= from_ms:
            return 0
        if not (self._from_ms <= from_ms and to_ms < self._to_ms):
            self._cover(from_ms)
            self._cover(to_ms)
        return self._worked(to_ms) - self._worked(from_ms)

    def open_intervals(self, from_ms: int, to_ms: int) -> Iterator[Open]:
        """Working time in [from, to), ascending and disjoint."""
        self._cover(from_ms)
        self._cover(to_ms)
        at = bisect_right(self._ends, from_ms)
        while at < len(self._starts) and self._starts[at] < to_ms:
            yield Open(max(from_ms, self._starts[at]), min(to_ms, self._ends[at]))
            at += 1

    def closed_because(self, from_ms: int, to_ms: int) -> Iterator[Closed]:
        """The complement of `open_intervals` in [from, to), each stretch with its rule."""
        at_ms = from_ms
        for interval in self.open_intervals(from_ms, to_ms):
            if at_ms < interval.from_ms:
                yield from _reasons(self.spec, at_ms, interval.from_ms)
            at_ms = interval.to_ms
        if at_ms < to_ms:
            yield from _reasons(self.spec, at_ms, to_ms)

    def outlook_warning(self, now_ms: int) -> str | None:
        """A sentence when a calendar with holidays knows none in the next 60 days, else None."""
        return outlook_warning(self.spec, now_ms)

    def _worked(self, instant_ms: int) -> int:
        """Working ms from the origin to an instant of the covered range."""
        at = bisect_right(self._starts, instant_ms) - 1
        if at < 0:
            return self._sums[0] - (self._ends[0] - self._starts[0]) if self._sums else 0
        return self._sums[at] - max(0, self._ends[at] - instant_ms)

    def _cover(self, instant_ms: int) -> None:
        year = min(max(from_ms(instant_ms).year, YEAR_MIN), YEAR_MAX)
        if self._first_year == self._next_year == 0:
            self._first_year = self._next_year = year
            self._from_ms = self._to_ms = _year_ms(year)
        while self._next_year <= year:
            self._grow_forward()
        while self._first_year > year:
            self._grow_backward()

    def _grow_forward(self) -> None:
        end_ms = _year_ms(self._next_year + 1)
        total = self._sums[-1] if self._sums else 0
        for start, end in _merged(self.spec, self._to_ms, end_ms):
            total += end - start
            if self._ends and self._ends[-1] == start:
                self._ends[-1], self._sums[-1] = end, total
                continue
            self._starts.append(start)
            self._ends.append(end)
            self._sums.append(total)
        self._to_ms = end_ms
        self._next_year += 1

    def _grow_backward(self) -> None:
        start_ms = _year_ms(self._first_year - 1)
        pieces = list(_merged(self.spec, start_ms, self._from_ms))
        origin = self._sums[0] - (self._ends[0] - self._starts[0]) if self._sums else 0
        if pieces and self._starts and pieces[-1].to_ms == self._starts[0]:
            last = pieces.pop()
            self._starts[0] = last.from_ms
            origin -= last.to_ms - last.from_ms
        sums: list[int] = []
        for piece in reversed(pieces):
            sums.append(origin)
            origin -= piece.to_ms - piece.from_ms
        self._starts[:0] = [piece.from_ms for piece in pieces]
        self._ends[:0] = [piece.to_ms for piece in pieces]
        self._sums[:0] = reversed(sums)
        self._from_ms = start_ms
        self._first_year -= 1


def compile_calendar(spec: CalendarSpec) -> CompiledCalendar | AlwaysCalendar:
    """Make a calendar ready to be asked; ValueError for an unknown zone."""
    if spec.always and not spec.closures:
        return AlwaysCalendar(spec.id)
    for member in _members(spec):
        if not member.always:
            zone(member.tz)
    return CompiledCalendar(spec)


def version_of(spec: CalendarSpec) -> str:
    """Content hash: rules, holidays, closures and the tzdata version."""
    content = json.dumps([asdict(spec), TZDATA_VERSION], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def outlook_warning(spec: CalendarSpec, now_ms: int) -> str | None:
    """A sentence when a calendar with holidays knows none in the next 60 days, else None."""
    for member in _members(spec):
        days = [day for day, _name in member.holidays] + [day for day, _ in member.overrides]
        today = from_ms(now_ms).date()
        last = today + timedelta(days=HOLIDAY_OUTLOOK_DAYS)
        if days and not any(today <= day <= last for day in days):
            return f"calendar {member.id} knows no holiday between {today} and {last}"
    return None


def _members(spec: CalendarSpec) -> Iterator[CalendarSpec]:
    if spec.union:
        for member in spec.union:
            yield from _members(member)
    else:
        yield spec


def _year_ms(year: int) -> int:
    return to_ms(from_ms(0).replace(year=year))


def _merged(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Open]:
    """Open stretches within [from, to): ascending, disjoint, not touching, closures taken out."""
    start = end = None
    for piece in sorted(_clipped(spec, from_ms_, to_ms_)):
        if end is None or start is None:
            start, end = piece
        elif piece.from_ms <= end:
            end = max(end, piece.to_ms)
        else:
            yield Open(start, end)
            start, end = piece
    if start is not None and end is not None:
        yield Open(start, end)


def _clipped(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Open]:
    for piece in _pieces(spec, from_ms_, to_ms_):
        clipped = Open(max(piece.from_ms, from_ms_), min(piece.to_ms, to_ms_))
        if clipped.from_ms < clipped.to_ms:
            yield from _without(clipped, spec)


def _without(piece: Open, spec: CalendarSpec) -> Iterator[Open]:
    """What the spec's closures leave of a stretch."""
    at_ms = piece.from_ms
    for closure in sorted(spec.closures, key=lambda closure: closure.from_ms):
        if closure.to_ms <= at_ms or closure.from_ms >= piece.to_ms:
            continue
        if at_ms < closure.from_ms:
            yield Open(at_ms, closure.from_ms)
        at_ms = max(at_ms, closure.to_ms)
    if at_ms < piece.to_ms:
        yield Open(at_ms, piece.to_ms)


def _pieces(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Open]:
    """Open stretches that may touch [from, to), in no order."""
    if spec.union:
        for member in spec.union:
            yield from _clipped(member, from_ms_, to_ms_)
        return
    if spec.always:
        yield Open(from_ms_, to_ms_)
        return
    rules = _DateRules(spec)
    tz = zone(spec.tz)
    day = from_ms(from_ms_).date() - timedelta(days=3)
    last = from_ms(to_ms_).date() + timedelta(days=2)
    while day <= last:
        for interval in rules.intervals(day):
            start = instant_of(day, interval.from_minute, tz)
            end = instant_of(day, interval.end_minute, tz)
            if start < end:
                yield Open(start, end)
        day += timedelta(days=1)


class _DateRules:
    """Which rule a date follows."""

    def __init__(self, spec: CalendarSpec) -> None:
        self._weekly = spec.weekly
        self._holidays = dict(spec.holidays)
        self._overrides = dict(spec.overrides)
        self._moved = dict(spec.moved_workdays)

    def intervals(self, day: date) -> tuple[Interval, ...]:
        if day in self._overrides:
            return self._overrides[day]
        if day in self._moved:
            return self._weekly[self._moved[day]]
        if day in self._holidays:
            return ()
        return self._weekly[day.weekday()]

    def because(self, day: date) -> str:
        """Why a date is shut, or shut just then."""
        if day in self._overrides:
            return f"override:{day}"
        if day in self._moved:
            return "outside_hours"
        if day in self._holidays:
            name = self._holidays[day]
            return f"holiday:{day}:{name}" if name else f"holiday:{day}"
        return "outside_hours" if self._weekly[day.weekday()] else "day_off"


def _reasons(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Closed]:
    """Split a shut stretch at closures and local midnights, and name the rule of each part."""
    for closure in spec.closures:
        start, end = max(from_ms_, closure.from_ms), min(to_ms_, closure.to_ms)
        if start < end:
            yield from _reasons_without_closures(spec, from_ms_, start)
            yield Closed(start, end, f"closure:{closure.reason}")
            from_ms_ = end
    yield from _reasons_without_closures(spec, from_ms_, to_ms_)


def _reasons_without_closures(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Closed]:
    if from_ms_ >= to_ms_:
        return
    if spec.union or spec.always:
        yield Closed(from_ms_, to_ms_, "outside_hours")
        return
    rules, tz = _DateRules(spec), zone(spec.tz)
    at_ms = from_ms_
    while at_ms < to_ms_:
        day = from_ms(at_ms).astimezone(tz).date()
        midnight_ms = instant_of(day + timedelta(days=1), 0, tz)
        end_ms = min(to_ms_, midnight_ms if midnight_ms > at_ms else to_ms_)
        yield Closed(at_ms, end_ms, rules.because(day))
        at_ms = end_ms
