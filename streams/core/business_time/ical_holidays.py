"""Holidays by iCal file → what a `CalendarSpec` wants: sorted (date, name) pairs.

Nothing is read here: the file comes as bytes.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import icalendar
import recurring_ical_events

from streams.core.business_time.spec import Holidays

ICAL_BYTES_MAX = 4_000_000
MISTAKES_TOLD = 5
_TOO_FREQUENT = ("SECONDLY", "MINUTELY", "HOURLY")  # no days, and years of seconds never end


def holidays_of_ical(content: bytes, from_year: int, to_year: int) -> Holidays:
    """Every day of the years [from, to] that an all-day event of an iCal file touches, repeated events
    included, cancelled ones left out. Two names of one day are joined.

    ValueError when it is no iCal file, or names the events that can't be holidays, such as those that
    are not all day.
    """
    found: dict[date, list[str]] = {}
    for name, first, end in _occurrences(_ical_calendar(content), from_year, to_year):
        for day in _days(first, end, from_year, to_year):
            names = found.setdefault(day, [])
            if name not in names:
                names.append(name)
    return tuple((day, " / ".join(sorted(names))) for day, names in sorted(found.items()))


def _ical_calendar(content: bytes) -> icalendar.Component:
    """ValueError names every event that can't be a holiday."""
    if len(content) > ICAL_BYTES_MAX:
        message = f"an iCal file of {len(content):,} bytes; at most {ICAL_BYTES_MAX:,} are read"
        raise ValueError(message)
    try:
        calendar = icalendar.Calendar.from_ical(content)
    except (ValueError, LookupError) as error:
        message = f"not an iCal file: {error}"
        raise ValueError(message) from error
    mistakes = [_mistake_of(event) for event in calendar.walk("VEVENT")]
    told = list(dict.fromkeys(mistake for mistake in mistakes if mistake))
    if told:
        more = f"; and {len(told) - MISTAKES_TOLD} more" if len(told) > MISTAKES_TOLD else ""
        raise ValueError("; ".join(told[:MISTAKES_TOLD]) + more)
    return calendar


def _mistake_of(event: icalendar.Component) -> str | None:
    name = f"event {str(event.get('SUMMARY', ''))!r}"
    if event.errors:
        field, what = event.errors[0]
        return f"{name}: {field}: {what}"
    if "DTSTART" not in event:
        return f"{name}: no DTSTART"
    first = _date_of(event, "DTSTART")
    end = _date_of(event, "DTEND") if "DTEND" in event else first
    if first is None or end is None:
        return f"{name}: not all day; half days are overrides of the calendar"
    if end < first:
        return f"{name} on {first}: ends before it starts"
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if str(rule.get("FREQ", [""])[0]).upper() in _TOO_FREQUENT:
            return f"{name} on {first}: repeats more often than daily"
    return None


def _occurrences(
    calendar: icalendar.Component, from_year: int, to_year: int
) -> Iterator[tuple[str, date, date]]:
    """Name, start and end (exclusive) of every event in the years."""
    try:
        events = recurring_ical_events.of(calendar).between(
            date(from_year, 1, 1), date(to_year + 1, 1, 1)
        )
    except (ValueError, LookupError) as error:
        message = f"not a usable iCal file: {error}"
        raise ValueError(message) from error
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        first = _date_of(event, "DTSTART")
        assert first is not None, "checked before"
        yield str(event.get("SUMMARY", "")), first, _date_of(event, "DTEND") or first


def _date_of(event: icalendar.Component, field: str) -> date | None:
    """None when there is none, or a time of day with it."""
    found: object = getattr(event.get(field), "dt", None)
    return found if isinstance(found, date) and not isinstance(found, datetime) else None


def _days(first: date, end: date, from_year: int, to_year: int) -> Iterator[date]:
    """At least the first day; those within the years."""
    day = max(first, date(from_year, 1, 1))
    last = max(first, end - timedelta(days=1))
    while day <= min(last, date(to_year, 12, 31)):
        yield day
        day += timedelta(days=1)
