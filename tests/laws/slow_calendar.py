"""A calendar as a plain list of open intervals, by linear search: slow, and easy to believe."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instants import to_ms

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
    zone = ZoneInfo(rules["tz"])
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
