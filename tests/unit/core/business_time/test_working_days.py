"""Promises by date, by example: so many working days later, at a time of day."""

import pytest

from schemas.instants import rfc3339
from streams.core.business_time import CalendarSpec, spec_from_mapping
from streams.core.business_time.working_days import WorkingDays
from tests.unit.core.business_time.rules import WORKDAYS, ms


def weekdays(tz: str, **more: object) -> CalendarSpec:
    rules = {"tz": tz, "weekly": {day: [["09:00", "17:00"]] for day in WORKDAYS}}
    return spec_from_mapping({**rules, **more}, "weekdays")


BOSTON = weekdays("America/New_York")


def due(promise: WorkingDays, opened: str) -> str | None:
    found = promise.due_ms(ms(opened))
    return None if found is None else rfc3339(found)


@pytest.mark.parametrize(
    ("opened", "expected"),
    [
        (
            "2011-07-05T09:57:16.250-04:00",
            "2011-07-07T13:57:16.250Z",
        ),  # Tuesday → Thursday, same time
        ("2011-07-05T06:47:00-04:00", "2011-07-07T10:47:00Z"),  # before anybody works: same time
        ("2011-07-07T16:59:59-04:00", "2011-07-11T20:59:59Z"),  # over a weekend
        ("2011-07-07T17:00:00-04:00", "2011-07-12T12:30:00Z"),  # at the cut-off: from Friday 08:30
        ("2011-07-09T09:34:31-04:00", "2011-07-13T13:34:31Z"),  # Saturday counts as Monday
        (
            "2011-07-10T17:11:43-04:00",
            "2011-07-14T12:30:00Z",
        ),  # Sunday after the cut-off: Tuesday 08:30
    ],
)
def test_two_working_days_with_a_cut_off(opened: str, expected: str) -> None:
    promise = WorkingDays(BOSTON, 2, cut_off_minute=17 * 60, next_start_minute=8 * 60 + 30)
    assert due(promise, opened) == expected


def test_holidays_and_overrides_decide_what_a_working_day_is() -> None:
    spec = weekdays(
        "UTC",
        holidays=["2026-01-20"],
        moved_workdays={"2026-01-24": "tue"},
        overrides={"2026-01-21": []},
    )
    promise = WorkingDays(spec, 2)
    #  Mon 19, (Tue 20 holiday), (Wed 21 shut), Thu 22, Fri 23, Sat 24 worked
    assert due(promise, "2026-01-19T10:00:00Z") == "2026-01-23T10:00:00Z"
    assert due(promise, "2026-01-22T10:00:00Z") == "2026-01-24T10:00:00Z"


def test_the_end_of_the_day_is_a_time_of_day_too() -> None:
    assert due(WorkingDays(BOSTON, 0, due_minute=18 * 60), "2026-01-19T15:00:00Z") == (
        "2026-01-19T23:00:00Z"
    )
    assert due(WorkingDays(weekdays("UTC"), 3, due_minute=1_440), "2026-01-19T15:00:00Z") == (
        "2026-01-23T00:00:00Z"
    )


def test_a_time_that_dst_skips_is_the_transition_and_one_it_repeats_is_the_first() -> None:
    daily = spec_from_mapping(
        {
            "tz": "America/New_York",
            "weekly": {d: [["00:00", "24:00"]] for d in (*WORKDAYS, "sat", "sun")},
        },
        "daily",
    )
    promise = WorkingDays(daily, 1)
    assert due(promise, "2026-03-07T02:30:30-05:00") == "2026-03-08T07:00:00Z"
    assert due(promise, "2026-10-31T01:30:30-04:00") == "2026-11-01T05:30:30Z"


def test_a_calendar_that_does_not_open_again_promises_nothing() -> None:
    once = spec_from_mapping(
        {"tz": "UTC", "overrides": {"2026-01-20": [["09:00", "17:00"]]}}, "once"
    )
    assert due(WorkingDays(once, 0), "2026-01-19T10:00:00Z") == "2026-01-20T10:00:00Z"
    assert due(WorkingDays(once, 1), "2026-01-19T10:00:00Z") is None
    assert due(WorkingDays(once, 0), "2026-01-21T10:00:00Z") is None
