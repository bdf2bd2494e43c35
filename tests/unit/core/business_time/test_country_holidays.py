"""Holidays by country, the same on every machine; China as decreed."""

import subprocess
import sys
from datetime import date, timedelta
from itertools import pairwise

import chinese_calendar
import pytest

from streams.core.business_time import CalendarSpec, Interval, compile_calendar
from streams.core.business_time.country_holidays import (
    CHINA,
    holidays_of_country,
    moved_workdays_of_china,
    outlook_of_china,
    years_decreed_in_china,
)
from tests.unit.core.business_time.rules import DAY_MS, HOUR_MS, ms


def test_a_country_and_its_subdivision() -> None:
    assert (date(2026, 10, 3), "German Unity Day") in holidays_of_country("DE", None, [2026])
    bavaria = set(holidays_of_country("DE", "BY", [2026]))
    assert (date(2026, 1, 6), "Epiphany") in bavaria - set(holidays_of_country("DE", None, [2026]))


def test_only_the_years_asked_for_in_order_and_each_day_once() -> None:
    found = holidays_of_country("US", "MA", range(2024, 2027))
    assert {day.year for day, _ in found} == {2024, 2025, 2026}
    assert all(before[0] < after[0] for before, after in pairwise(found))
    assert holidays_of_country("US", None, []) == ()


@pytest.mark.parametrize(
    ("code", "subdivision", "told"),
    [
        ("XX", None, "country 'XX'; write an ISO 3166 code such as DE"),
        ("de", None, "country 'de'"),
        ("DE", "QQ", "subdivision 'QQ' of DE; known are BB, BE, BW, BY"),
        ("CN", "XJ", "subdivision 'XJ' of CN; known are none"),
    ],
)
def test_an_unknown_place_is_named(code: str, subdivision: str | None, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        holidays_of_country(code, subdivision, [2026])


def test_names_do_not_follow_the_language_of_the_machine() -> None:
    program = (
        "from streams.core.business_time.country_holidays import holidays_of_country as h;"
        "print(h('CN', None, [2030]) + h('DE', None, [2026]))"
    )
    german = {"LANGUAGE": "de", "LANG": "de_DE.UTF-8", "PYTHONIOENCODING": "utf-8"}
    told = subprocess.run(
        [sys.executable, "-c", program], env=german, capture_output=True, check=True, text=True
    ).stdout
    assert "New Year's Day" in told
    assert told.strip() == str(
        holidays_of_country(CHINA, None, [2030]) + holidays_of_country("DE", None, [2026])
    )


def test_every_decreed_day_of_china_is_worked_or_not_as_the_state_council_says() -> None:
    years = years_decreed_in_china()
    calendar = compile_calendar(
        CalendarSpec(
            "cn",
            tz="Asia/Shanghai",
            weekly=((Interval(540, 1_020),),) * 5 + ((), ()),
            holidays=holidays_of_country(CHINA, None, years),
            moved_workdays=moved_workdays_of_china(years),
        )
    )
    day = date(years[0], 1, 1)
    while day.year <= years[-1]:
        noon_ms = ms(f"{day}T12:00+08:00")
        worked_ms = calendar.measure(noon_ms - DAY_MS // 2, noon_ms + DAY_MS // 2)
        assert worked_ms == (8 * HOUR_MS if chinese_calendar.is_workday(day) else 0), day
        day += timedelta(days=1)


def test_a_moved_working_day_works_like_the_day_off_it_pays_for() -> None:
    moved = dict(moved_workdays_of_china([2026]))
    assert moved[date(2026, 9, 20)] == 1  # for Tuesday 6 October
    assert moved[date(2026, 10, 10)] == 2  # for Wednesday 7 October
    known = moved_workdays_of_china(years_decreed_in_china())
    assert len(known) == len(chinese_calendar.workdays)
    assert all(weekday < 5 for _day, weekday in known)


def test_years_not_decreed_yet_have_statutory_days_and_a_warning() -> None:
    last = years_decreed_in_china()[-1]
    later = range(last + 1, last + 4)
    assert outlook_of_china(years_decreed_in_china()) is None
    assert f"; {last + 1}–{last + 3}: only statutory" in str(outlook_of_china([last, *later]))
    assert f"; 2000, {last + 2}: only statutory" in str(outlook_of_china([2000, last, last + 2]))
    assert moved_workdays_of_china(later) == ()
    names = " ".join(name for _day, name in holidays_of_country(CHINA, None, later))
    assert "Spring Festival" in names
    assert "substituted" not in names
