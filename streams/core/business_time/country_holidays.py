"""Holidays by country → what a `CalendarSpec` wants: sorted (date, name) pairs.

From the `holidays` library; China from `chinesecalendar`, which knows the yearly decrees of the State
Council: days off and working days moved to weekends (调休). What the libraries know becomes part of a
calendar's version, so a newer library gives a new version.
"""

import re
from collections.abc import Collection, Iterator
from datetime import date

import chinese_calendar
import holidays

from streams.core.business_time.spec import Holidays, MovedWorkdays

CHINA = "CN"
_MONDAY = 0
# Names would follow the language of the machine, and with them a calendar's version.
_LANGUAGE = "en_US"
_SUBSTITUTED = re.compile(r"substituted from (\d\d)/(\d\d)/(\d{4})")


def holidays_of_country(code: str, subdivision: str | None, years: Collection[int]) -> Holidays:
    """Public holidays of a country (ISO 3166 code) and, where given, of its subdivision.

    China: the days off as decreed where `years_decreed_in_china` has the year, else the statutory days
    alone. ValueError for an unknown country or subdivision.
    """
    found = _statutory(code, subdivision, years)
    if code == CHINA:
        decreed = set(years) & set(years_decreed_in_china())
        found = {day: name for day, name in found.items() if day.year not in decreed}
        found |= {
            day: str(name) for day, name in chinese_calendar.holidays.items() if day.year in decreed
        }
    return tuple(sorted(found.items()))


def years_decreed_in_china() -> range:
    """The years for which days off and moved working days of China are known."""
    years = {day.year for day in chinese_calendar.holidays}
    return range(min(years), max(years) + 1)


def moved_workdays_of_china(years: Collection[int]) -> MovedWorkdays:
    """Weekend days that are worked in China (调休) → the weekday they work like.

    That is the weekday of the day off they pay for; Monday where no decree is known to pair them. Years
    that are not decreed yet have none: see `outlook_of_china`.
    """
    wanted = set(years)
    pairs = _substituted_in_china(wanted | {year + 1 for year in wanted})
    return tuple(
        (day, pairs[day].weekday() if day in pairs else _MONDAY)
        for day in sorted(chinese_calendar.workdays)
        if day.year in wanted
    )


def outlook_of_china(years: Collection[int]) -> str | None:
    """A sentence when some years are not decreed, and what is known of them instead; else None."""
    known = years_decreed_in_china()
    missing = sorted(set(years) - set(known))
    if not missing:
        return None
    return (
        f"China's days off and moved working days are known for {known[0]} to {known[-1]};"
        f" {', '.join(_spans(missing))}: only statutory holidays, no moved working days"
        " (update chinesecalendar when the State Council has decreed them)"
    )


def _statutory(code: str, subdivision: str | None, years: Collection[int]) -> dict[date, str]:
    """As the `holidays` library has them."""
    if not years:
        return {}
    try:
        known = holidays.country_holidays(
            code, subdiv=subdivision, years=sorted(years), language=_LANGUAGE
        )
    except NotImplementedError as error:
        raise ValueError(_unknown_place(code, subdivision)) from error
    wanted = set(years)
    return {day: str(name) for day, name in known.items() if day.year in wanted}


def _unknown_place(code: str, subdivision: str | None) -> str:
    places = holidays.list_supported_countries()
    if code not in places:
        return f"no holidays are known for country {code!r}; write an ISO 3166 code such as DE"
    known = ", ".join(places[code]) or "none"
    return f"no holidays are known for subdivision {subdivision!r} of {code}; known are {known}"


def _substituted_in_china(years: Collection[int]) -> dict[date, date]:
    """Worked weekend day → the day off it pays for."""
    pairs = {}
    for day, name in _statutory(CHINA, None, years).items():
        for month, day_of_month, year in _SUBSTITUTED.findall(name):
            pairs[date(int(year), int(month), int(day_of_month))] = day
    return pairs


def _spans(years: list[int]) -> Iterator[str]:
    """`2027–2036`, `2040`: ascending years in runs."""
    start = last = years[0]
    for year in [*years[1:], None]:
        if year == last + 1:
            last = year
            continue
        yield str(start) if start == last else f"{start}–{last}"
        if year is not None:
            start = last = year
