"""Which span of time a report is about, in its zone; days of a change to or from daylight saving are as long as
they are."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.instants import to_ms

Kind = Literal["daily", "weekly", "monthly", "complaints"]


@dataclass(frozen=True, slots=True)
class Span:
    """[from, to) and the beginning of the period before it, in ms; `first` and `last` are its days."""

    first: date
    last: date
    before_ms: int
    from_ms: int
    to_ms: int


def span_of(kind: Kind, day: date, zone: ZoneInfo) -> Span:
    """The day, the week from Monday, or the month that holds a day. Complaints are counted by month."""
    first, after = _days(kind, day)
    before, _ = _days(kind, first - timedelta(days=1))
    return Span(
        first,
        after - timedelta(days=1),
        _midnight_ms(before, zone),
        _midnight_ms(first, zone),
        _midnight_ms(after, zone),
    )


def instants_of(span: Span, zone: ZoneInfo, hourly: bool) -> list[int]:
    """Beginnings of the hours, or of the days, that a span is made of."""
    if hourly:
        return list(range(span.from_ms, span.to_ms, 3_600_000))
    days = (span.last - span.first).days + 1
    return [_midnight_ms(span.first + timedelta(days=at), zone) for at in range(days)]


def _days(kind: Kind, day: date) -> tuple[date, date]:
    if kind == "daily":
        return day, day + timedelta(days=1)
    if kind == "weekly":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, time(0), tzinfo=zone))
