"""Working time by example: hours, breaks, nights, holidays, odd clocks, far years."""

import pytest

from streams.core.business_time import (
    ALWAYS,
    CalendarSpec,
    CompiledCalendar,
    compile_calendar,
    spec_from_mapping,
)
from tests.unit.core.business_time.rules import (
    DAY_MS,
    EVERY_DAY,
    HOUR_MS,
    calendar,
    due,
    ms,
    opens,
)

FOREVER_MS = 10**15


def test_a_lunch_break_does_not_count() -> None:
    #  09 ████ 12 ---- 13 ████ 17
    office = calendar("Europe/London", "09:00-12:00", "13:00-17:00")
    assert due(office, "2026-01-16T11:00Z", 2) == "01-16T14:00Z"
    assert due(office, "2026-01-16T12:30Z", 4) == "01-16T17:00Z"
    assert due(office, "2026-01-16T16:00Z", 2) == "01-19T10:00Z"


def test_intervals_that_meet_are_one_and_an_overlap_counts_once() -> None:
    office = calendar("UTC", "09:00-12:00", "12:00-14:00", "13:00-15:00")
    assert opens(office, "2026-01-16T00:00Z", "2026-01-17T00:00Z") == ["01-16T09:00Z..01-16T15:00Z"]


def test_a_night_shift_belongs_to_the_day_it_starts_on() -> None:
    night = calendar("UTC", "22:00-06:00", days=("fri",), holidays=["2026-01-23"])
    assert opens(night, "2026-01-15T00:00Z", "2026-02-01T00:00Z") == [
        "01-16T22:00Z..01-17T06:00Z",
        "01-30T22:00Z..01-31T06:00Z",
    ]


def test_equal_times_are_a_whole_day_and_24_is_the_end_of_one() -> None:
    days = {"mon": [["08:00", "08:00"]], "wed": [["20:00", "24:00"]]}
    shifts = compile_calendar(spec_from_mapping({"tz": "UTC", "weekly": days}, "shifts"))
    assert isinstance(shifts, CompiledCalendar)
    assert opens(shifts, "2026-01-19T00:00Z", "2026-01-26T00:00Z") == [
        "01-19T08:00Z..01-20T08:00Z",
        "01-21T20:00Z..01-22T00:00Z",
    ]


def test_what_a_date_follows_strongest_first() -> None:
    office = calendar(
        "UTC",
        "09:00-17:00",
        holidays=["2026-10-01", "2026-10-02", "2026-10-05"],
        overrides={"2026-10-02": [["09:00", "12:00"]], "2026-10-06": []},
        moved_workdays={"2026-10-04": "fri", "2026-10-05": "mon", "2026-10-06": "mon"},
    )
    assert opens(office, "2026-10-01T00:00Z", "2026-10-07T00:00Z") == [
        "10-02T09:00Z..10-02T12:00Z",  # an override beats a holiday
        "10-04T09:00Z..10-04T17:00Z",  # a Sunday works like a Friday
        "10-05T09:00Z..10-05T17:00Z",  # a moved working day beats a holiday, an override beats it
    ]


def test_an_emergency_closure_takes_its_instants_out_and_makes_a_new_version() -> None:
    office = calendar("UTC", "09:00-17:00")
    shut = compile_calendar(
        office.spec.with_closure(ms("2026-01-16T10:00Z"), ms("2026-01-16T12:30Z"), "fire")
    )
    assert shut.measure(ms("2026-01-16T00:00Z"), ms("2026-01-17T00:00Z")) == 5.5 * HOUR_MS
    assert shut.version != office.version


def test_follow_the_sun_counts_shared_hours_once() -> None:
    desks = [calendar(tz, "09:00-17:00").spec for tz in ("Europe/Berlin", "America/New_York")]
    union = compile_calendar(CalendarSpec("sun", union=tuple(desks)))
    assert isinstance(union, CompiledCalendar)
    assert opens(union, "2026-01-16T00:00Z", "2026-01-17T00:00Z") == ["01-16T08:00Z..01-16T22:00Z"]


@pytest.mark.parametrize(
    ("tz", "hours", "day", "open_"),
    [
        pytest.param(
            "Europe/Berlin", "02:30-10:00", "03-29", "03-29T01:00Z..03-29T08:00Z", id="starts in a gap"
        ),
        pytest.param(
            "Europe/Berlin", "01:00-02:30", "03-29", "03-29T00:00Z..03-29T01:00Z", id="ends in a gap"
        ),
        pytest.param(
            "Europe/Berlin", "02:30-10:00", "10-25", "10-25T00:30Z..10-25T09:00Z", id="starts in a repeated hour"
        ),
        pytest.param(
            "Europe/Berlin", "02:15-02:45", "10-25", "10-25T00:15Z..10-25T00:45Z", id="within a repeated hour, once"
        ),
        pytest.param(
            "Australia/Lord_Howe", "01:45-03:00", "04-05", "04-04T14:45Z..04-04T16:30Z", id="half an hour twice"
        ),
        pytest.param(
            "Australia/Lord_Howe", "02:15-03:00", "10-04", "10-03T15:30Z..10-03T16:00Z", id="half an hour less"
        ),
        pytest.param(
            "Africa/Cairo", "00:00-02:00", "04-24", "04-23T22:00Z..04-23T23:00Z", id="no midnight"
        ),
        pytest.param(
            "America/Santiago", "22:00-24:00", "04-04", "04-05T01:00Z..04-05T04:00Z", id="the last hour of a day twice"
        ),
    ],
)  # fmt: skip
def test_boundaries_where_the_clock_jumps(tz: str, hours: str, day: str, open_: str) -> None:
    days = calendar(tz, hours, days=EVERY_DAY, holidays=[])
    found = opens(days, "2026-01-01T00:00Z", "2027-01-01T00:00Z")
    assert open_ in found


def test_a_gap_that_swallows_an_interval_leaves_nothing() -> None:
    early = calendar("Europe/Berlin", "02:15-02:45", days=EVERY_DAY)
    found = opens(early, "2026-03-28T00:00Z", "2026-03-31T00:00Z")
    assert found == ["03-28T01:15Z..03-28T01:45Z", "03-30T00:15Z..03-30T00:45Z"]


def test_a_date_that_the_zone_skipped_does_not_exist() -> None:
    apia = calendar("Pacific/Apia", "09:00-17:00", days=EVERY_DAY)
    found = opens(apia, "2011-12-29T12:00Z", "2011-12-31T12:00Z")
    assert found == ["12-29T19:00Z..12-30T03:00Z", "12-30T19:00Z..12-31T03:00Z"]


def test_nothing_added_stays_where_it_is_and_less_than_nothing_too() -> None:
    office = calendar("UTC", "09:00-17:00")
    sunday = ms("2026-01-18T03:00Z")
    assert [office.add(sunday, 0), office.add(sunday, -5), ALWAYS.add(sunday, -5)] == [sunday] * 3
    assert office.measure(sunday, sunday - DAY_MS) == 0


def test_due_at_closing_is_closing_not_the_next_opening() -> None:
    office = calendar("UTC", "09:00-17:00")
    assert due(office, "2026-01-16T09:00Z", 8) == "01-16T17:00Z"


@pytest.mark.parametrize("instant", [-(10**18), -FOREVER_MS, FOREVER_MS, 10**18])
def test_instants_beyond_all_years_get_an_answer(instant: int) -> None:
    office = calendar("UTC", "09:00-10:00", days=("mon",))
    now = ms("2026-01-16T00:00Z")
    assert office.measure(instant, instant + DAY_MS) == 0
    assert (office.add(instant, 1) is None) == (instant > 0)
    assert sum(1 for _ in office.open_intervals(min(now, instant), max(now, instant))) > 3_000
    first = next(office.closed_because(-(10**18), now))
    assert (first.from_ms, first.because) == (-(10**18), "beyond_known_years")


def test_a_calendar_that_never_opens_says_never() -> None:
    shut = calendar("UTC")
    assert due(shut, "2026-01-16T00:00Z", 1) is None
    once = calendar("UTC", overrides={"2060-05-05": [["09:00", "10:00"]]})
    assert due(once, "2026-01-16T00:00Z", 1) == "05-05T10:00Z"
    assert due(once, "2026-01-16T00:00Z", 1.5) is None


def test_always_is_round_the_clock_until_a_closure() -> None:
    spec = spec_from_mapping({"always": True}, "24x7")
    assert compile_calendar(spec).add(5, 7) == 12
    assert list(compile_calendar(spec).closed_because(0, DAY_MS)) == []
    closed = compile_calendar(spec.with_closure(10, 20, "power cut"))
    assert closed.measure(0, 30) == 20
    assert closed.add(5, 7) == 22


def test_asking_while_reading_intervals_changes_neither() -> None:
    office = calendar("UTC", "09:00-17:00")
    seen = []
    for stretch in office.open_intervals(ms("2026-01-16T00:00Z"), ms("2026-01-20T00:00Z")):
        seen.append(stretch.from_ms)
        office.measure(ms("2020-01-01T00:00Z"), ms("2030-01-01T00:00Z"))
    assert seen == [ms("2026-01-16T09:00Z"), ms("2026-01-19T09:00Z")]


def test_the_version_is_of_the_content() -> None:
    versions = {
        calendar("UTC", "09:00-17:00").version,
        calendar("UTC", "09:00-17:00", holidays=["2026-01-01"]).version,
        calendar("UTC", "09:00-17:00", holidays=[{"date": "2026-01-01", "name": "x"}]).version,
        calendar("Europe/London", "09:00-17:00").version,
    }
    assert len(versions) == 4
    assert calendar("UTC", "09:00-17:00").version in versions


def test_an_unknown_zone_is_named_with_what_comes_near() -> None:
    for name in ("Europe/Berln", "", "../../secret", "zone.tab", "europe/berlin"):
        with pytest.raises(ValueError, match="unknown zone") as told:
            compile_calendar(CalendarSpec("x", tz=name))
        assert name != "Europe/Berln" or "Europe/Berlin" in str(told.value)


def test_calendars_of_the_same_rules_are_equal_whatever_they_were_asked() -> None:
    one, other = calendar("UTC", "09:00-17:00"), calendar("UTC", "09:00-17:00")
    assert due(one, "2026-01-16T09:00Z", 2) is not None
    assert one == other
    assert hash(one) == hash(other)
    assert one != calendar("UTC", "09:00-16:00")
    assert one != ALWAYS
