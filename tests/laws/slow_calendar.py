"""Calendars that are slow, and easy to believe: a list of intervals, and a person who looks at the clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instants import from_ms, to_ms
from streams.core.business_time.spec import CalendarSpec
from streams.core.business_time.zones import zone as pinned_zone

MINUTE_MS = 60_000
_LEAD_MINUTES = 2 * 1_440

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class SlowCalendar:
    """Open intervals [from, to), disjoint and ascending; `None`: always open."""

    id: str
    intervals: tuple[tuple[int, int], ...] | None = None
    version: str = field(default="1")

    def measure(self, from_ms: int, to_ms: int) -> int:
        if self.intervals is None:
            return max(0, to_ms - from_ms)
        return sum(max(0, min(end, to_ms) - max(start, from_ms)) for start, end in self.intervals)

    def add(self, instant_ms: int, duration_ms: int) -> int | None:
        if self.intervals is None:
            return instant_ms + duration_ms
        if duration_ms == 0:
            return instant_ms
        left_ms = duration_ms
        for start, end in self.intervals:
            open_ms = max(0, end - max(start, instant_ms))
            if open_ms >= left_ms:
                return max(start, instant_ms) + left_ms
            left_ms -= open_ms
        return None


def slow_calendar(name: str, rules: Mapping[str, Any], first: date, days: int) -> SlowCalendar:
    """From the conventions' rules, for a range of dates."""
    if rules.get("always"):
        return SlowCalendar(name)
    parts = rules.get("union", [rules])
    spans = [span for part in parts for span in _spans(part, first, days)]
    return SlowCalendar(name, tuple(_union(spans)))


def _spans(rules: Mapping[str, Any], first: date, days: int) -> Iterable[tuple[int, int]]:
    zone = pinned_zone(rules["tz"])
    for offset in range(days):
        day = first + timedelta(days=offset)
        text = day.isoformat()
        times = rules["weekly"].get(_DAYS[day.weekday()], [])
        if text in rules.get("holidays", []):
            times = []
        times = rules.get("overrides", {}).get(text, times)
        for opens, closes in times:
            next_day = closes != "24:00" and closes <= opens
            start = _instant(day, opens, zone)
            end = _instant(day + timedelta(days=1) if next_day else day, closes, zone)
            if end > start:
                yield start, end


def _instant(day: date, text: str, zone: ZoneInfo) -> int:
    if text == "24:00":
        day, text = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(text), tzinfo=zone)
    back = datetime.fromtimestamp(local.timestamp(), zone)
    if back.replace(tzinfo=None) != local.replace(tzinfo=None):
        return _transition(local, zone)
    return to_ms(local)


def _transition(local: datetime, zone: ZoneInfo) -> int:
    """First instant whose wall time lies at or beyond a wall time that does not exist."""
    wall = local.replace(tzinfo=None)
    at = to_ms(local) // 60_000 * 60_000 - 26 * 3_600_000
    while datetime.fromtimestamp(at / 1000, zone).replace(tzinfo=None) < wall:
        at += 60_000
    return at


def _union(spans: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def open_minutes(spec: CalendarSpec, from_ms_: int, minutes: int) -> list[bool]:
    """For each minute from an instant on: is somebody at work?

    Found by looking at the wall clock of every minute, with no sum and no search. A clock set back
    keeps its hands still for us until it has caught up: so a boundary in a repeated hour is passed at
    its first occurrence, and one that the clock skips at the transition.
    """
    if spec.union:
        members = [open_minutes(member, from_ms_, minutes) for member in spec.union]
        at_work = [any(together) for together in zip(*members, strict=True)]
    elif spec.always:
        at_work = [True] * minutes
    else:
        walls = _walls(spec.tz, from_ms_, minutes)
        shifts = list(_shifts(spec, walls[0].date(), walls[-1].date()))
        at_work = [any(start <= wall < end for start, end in shifts) for wall in walls]
    instants = range(from_ms_, from_ms_ + minutes * MINUTE_MS, MINUTE_MS)
    return [
        open_ and not any(c.from_ms <= instant < c.to_ms for c in spec.closures)
        for open_, instant in zip(at_work, instants, strict=True)
    ]


@cache
def _walls(tz: str, from_ms_: int, minutes: int) -> list[datetime]:
    zone = pinned_zone(tz)
    walls, latest = [], datetime(1, 1, 1)  # noqa: DTZ001  # what a clock on the wall shows
    for minute in range(-_LEAD_MINUTES, minutes):
        shown = from_ms(from_ms_ + minute * MINUTE_MS).astimezone(zone).replace(tzinfo=None, fold=0)
        latest = max(latest, shown)
        if minute >= 0:
            walls.append(latest)
    return walls


def _shifts(spec: CalendarSpec, first: date, last: date) -> Iterable[tuple[datetime, datetime]]:
    """From and to on the wall; those of the day before may last into the first."""
    day = first - timedelta(days=1)
    while day <= last:
        midnight = datetime.combine(day, time())
        for interval in _hours(spec, day):
            yield (
                midnight + timedelta(minutes=interval.from_minute),
                midnight + timedelta(minutes=interval.end_minute),
            )
        day += timedelta(days=1)


def _hours(spec: CalendarSpec, day: date) -> Any:
    for date_, hours in spec.overrides:
        if date_ == day:
            return hours
    for date_, weekday in spec.moved_workdays:
        if date_ == day:
            return spec.weekly[weekday]
    if any(date_ == day for date_, _name in spec.holidays):
        return ()
    return spec.weekly[day.weekday()]
