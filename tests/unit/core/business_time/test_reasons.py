"""Why time is closed, as an explanation shows it."""

from streams.core.business_time import CalendarSpec, CompiledCalendar, compile_calendar
from tests.unit.core.business_time.rules import EVERY_DAY, calendar, closed, ms


def test_a_week_end_and_a_holiday() -> None:
    office = calendar("UTC", "09:00-17:00", holidays=[{"date": "2026-12-28", "name": "Boxing Day"}])
    assert closed(office, "2026-12-25T12:00Z", "2026-12-29T12:00Z") == [
        ("12-25T17:00Z", "outside_hours"),
        ("12-26T00:00Z", "day_off"),
        ("12-28T00:00Z", "holiday:2026-12-28:Boxing Day"),
        ("12-29T00:00Z", "outside_hours"),
    ]


def test_half_days_moved_days_and_holidays_without_a_name() -> None:
    office = calendar(
        "UTC",
        "09:00-17:00",
        holidays=["2026-12-25"],
        overrides={"2026-12-24": [["09:00", "12:00"]]},
        moved_workdays={"2026-12-26": "mon"},
    )
    assert closed(office, "2026-12-24T10:00Z", "2026-12-26T20:00Z") == [
        ("12-24T12:00Z", "override:2026-12-24"),
        ("12-25T00:00Z", "holiday:2026-12-25"),
        ("12-26T00:00Z", "outside_hours"),
        ("12-26T17:00Z", "outside_hours"),
    ]


def test_closures_are_named_whatever_their_order() -> None:
    office = calendar(
        "UTC",
        "09:00-17:00",
        closures=[
            {"from": "2026-01-16T13:00:00Z", "to": "2026-01-16T18:00:00Z", "reason": "flood"},
            {"from": "2026-01-16T10:00:00Z", "to": "2026-01-16T14:00:00Z", "reason": "fire"},
        ],
    )
    assert closed(office, "2026-01-16T09:00Z", "2026-01-16T20:00Z") == [
        ("01-16T10:00Z", "closure:fire"),
        ("01-16T14:00Z", "closure:flood"),
        ("01-16T18:00Z", "outside_hours"),
    ]


def test_the_night_shift_that_a_holiday_takes_away_is_missed_next_morning_too() -> None:
    night = calendar("UTC", "22:00-06:00", days=EVERY_DAY, holidays=["2026-12-25"])
    assert closed(night, "2026-12-25T00:00Z", "2026-12-26T23:00Z") == [
        ("12-25T06:00Z", "holiday:2026-12-25"),
        ("12-26T06:00Z", "outside_hours"),
    ]


def test_so_does_the_night_shift_that_other_hours_replace_but_not_a_moved_working_day() -> None:
    night = calendar(
        "UTC",
        "22:00-06:00",
        days=EVERY_DAY,
        holidays=["2026-12-27"],
        overrides={"2026-12-24": [["09:00", "12:00"]]},
        moved_workdays={"2026-12-27": "mon"},
    )
    assert closed(night, "2026-12-24T12:00Z", "2026-12-25T23:00Z") == [
        ("12-24T12:00Z", "override:2026-12-24"),
        ("12-25T06:00Z", "outside_hours"),
    ]
    assert closed(night, "2026-12-27T00:00Z", "2026-12-28T10:00Z") == [
        ("12-27T06:00Z", "outside_hours"),
        ("12-28T06:00Z", "outside_hours"),
    ]


def test_days_go_by_local_midnights_even_when_the_clock_is_set_back_over_one() -> None:
    # On 2010-11-07 at 00:01 the clocks of St John's went back to 23:01 of the 6th.
    office = calendar("America/St_Johns", "09:00-17:00", holidays=["2010-11-07"])
    assert closed(office, "2010-11-06T12:00Z", "2010-11-08T12:00Z") == [
        ("11-06T12:00Z", "day_off"),
        ("11-07T02:30Z", "holiday:2010-11-07"),
        ("11-08T03:30Z", "outside_hours"),
    ]


def test_of_a_union_the_rule_that_kept_somebody_away() -> None:
    berlin = calendar("Europe/Berlin", "09:00-17:00", holidays=["2026-12-25"]).spec
    denver = calendar("America/Denver", "09:00-17:00", holidays=["2026-12-25"]).spec
    union = compile_calendar(CalendarSpec("sun", union=(berlin, denver)))
    assert isinstance(union, CompiledCalendar)
    assert closed(union, "2026-12-25T00:00Z", "2026-12-28T09:00Z") == [
        ("12-25T00:00Z", "outside_hours"),  # the 24th in Denver, the 25th in Berlin
        ("12-25T07:00Z", "holiday:2026-12-25"),
        ("12-26T00:00Z", "outside_hours"),
        ("12-26T07:00Z", "day_off"),
        ("12-27T23:00Z", "outside_hours"),
    ]


def test_a_site_that_is_shut_by_an_emergency_explains_the_hole_in_the_union() -> None:
    berlin = calendar("Europe/Berlin", "09:00-17:00").spec.with_closure(
        ms("2026-01-16T08:00Z"), ms("2026-01-16T12:00Z"), "fire"
    )
    sydney = calendar("Australia/Sydney", "09:00-17:00").spec
    union = compile_calendar(CalendarSpec("sun", union=(berlin, sydney)))
    assert isinstance(union, CompiledCalendar)
    assert closed(union, "2026-01-16T04:00Z", "2026-01-16T13:00Z") == [
        ("01-16T06:00Z", "outside_hours"),
        ("01-16T08:00Z", "closure:fire"),
    ]
