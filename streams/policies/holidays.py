"""Holidays by country and by iCal file, from libraries that are kept up to date by others.

What they know is part of a policy's content hash: a newer library gives a new version, never another
judgement under an old one.
"""

from collections.abc import Iterable
from datetime import date, datetime

import chinese_calendar
import holidays
import icalendar
import recurring_ical_events


def of_country(code: str, subdivision: str | None, years: Iterable[int]) -> dict[date, str]:
    """Public holidays with their names; ValueError for an unknown country or subdivision."""
    try:
        found = holidays.country_holidays(code, subdiv=subdivision, years=list(years))
    except NotImplementedError as error:
        message = (
            f"no holidays are known for {code}{f'/{subdivision}' if subdivision else ''}: {error}"
        )
        raise ValueError(message) from error
    return {day: str(name) for day, name in found.items()}


def of_china(years: Iterable[int]) -> dict[date, str]:
    """Days off in China as decreed by the State Council; years not decreed yet are left out."""
    return {
        day: name.value if name is not None else ""
        for day, name in chinese_calendar.constants.holidays.items()
        if day.year in set(years)
    }


def moved_workdays_of_china(years: Iterable[int]) -> dict[date, int]:
    """Weekend days that are worked in China (调休) → the weekday they work like: Monday."""
    wanted = set(years)
    return {day: 0 for day in chinese_calendar.constants.workdays if day.year in wanted}


def of_ical(content: bytes, years: range) -> dict[date, str]:
    """Every day that an event of the file touches; ValueError when it is no iCal file."""
    try:
        calendar = icalendar.Calendar.from_ical(content)
        events = recurring_ical_events.of(calendar).between(
            date(years.start, 1, 1), date(years.stop - 1, 12, 31)
        )
    except ValueError as error:
        message = f"not an iCal file: {error}"
        raise ValueError(message) from error
    found: dict[date, str] = {}
    for event in events:
        start = event["DTSTART"].dt
        end = event["DTEND"].dt if "DTEND" in event else start
        day = start.date() if isinstance(start, datetime) else start
        last = end.date() if isinstance(end, datetime) else end
        while day < last or day == (start.date() if isinstance(start, datetime) else start):
            found[day] = str(event.get("SUMMARY", ""))
            day = date.fromordinal(day.toordinal() + 1)
    return found
