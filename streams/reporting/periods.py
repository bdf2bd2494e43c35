"""Which span of time a report is about, in its zone; days of a change to or from daylight saving are as long as
they are."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.instants import from_ms, to_ms

Kind = Literal["daily", "weekly", "monthly", "complaints"]


@dataclass(frozen=True, slots=True)
class Span:
    """[from, to) and the beginning of the period before it, in ms; `first` and `last` are its days."""

    first: date
    last: date
    before_ms: int
    from_ms: int
    to_ms: int

    @property
    def hourly(self) -> bool:
        """Whether hours tell more of it than days."""
        return self.to_ms - self.from_ms <= 3 * 24 * 3_600_000


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


def last_of(duration: timedelta, now_ms: int, zone: ZoneInfo) -> Span:
    """What ends now, from a full hour or a midnight on, against as much before it."""
    moment = from_ms(now_ms).astimezone(zone) - duration
    began = moment.replace(minute=0, second=0, microsecond=0)
    if duration > timedelta(days=3):
        began = began.replace(hour=0)
    first_ms = to_ms(began)
    today = from_ms(now_ms).astimezone(zone).date()
    return Span(began.date(), today, first_ms - (now_ms - first_ms), first_ms, now_ms)


def today_of(now_ms: int, zone: ZoneInfo) -> Span:
    """Since midnight, against the same hours of yesterday."""
    day = from_ms(now_ms).astimezone(zone).date()
    midnight_ms = _midnight_ms(day, zone)
    return Span(day, day, _midnight_ms(day - timedelta(days=1), zone), midnight_ms, now_ms)


def instants_of(span: Span, zone: ZoneInfo) -> list[int]:
    """Beginnings of the hours, or of the days, that a span is made of."""
    if span.hourly:
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
