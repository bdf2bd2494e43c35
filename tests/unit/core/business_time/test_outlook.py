"""The warning before holidays run out."""

import pytest

from streams.core.business_time import CalendarSpec, compile_calendar
from streams.core.business_time.outlook import outlook_warning
from tests.unit.core.business_time.rules import EVERY_DAY, calendar, ms


@pytest.mark.parametrize(
    ("holiday", "warned"),
    [("2026-11-24", True), ("2026-11-25", False), ("2027-01-24", False), ("2027-01-25", True)],
)
def test_a_holiday_within_60_days_of_local_time_is_enough(holiday: str, *, warned: bool) -> None:
    office = calendar("Asia/Shanghai", "09:00-17:00", holidays=[holiday])
    warning = office.outlook_warning(ms("2026-11-24T18:00Z"))  # already the 25th there
    assert (warning is not None) == warned
    if warning:
        assert warning == (
            "calendar office knows no holiday between 2026-11-25 and 2027-01-24;"
            f" the last one it knows is {holiday}"
        )


def test_an_override_is_a_day_somebody_thought_of() -> None:
    office = calendar("UTC", "09:00-17:00", overrides={"2026-12-24": [["09:00", "12:00"]]})
    assert office.outlook_warning(ms("2026-11-25T00:00Z")) is None


def test_no_holidays_at_all() -> None:
    office = calendar("UTC", "09:00-17:00")
    assert (
        office.outlook_warning(ms("2026-11-25T00:00Z"))
        == "calendar office knows no holidays at all"
    )
    round_the_clock = calendar("Europe/Berlin", "00:00-24:00", days=EVERY_DAY)
    assert round_the_clock.outlook_warning(ms("2026-11-25T00:00Z")) is None
    always = compile_calendar(CalendarSpec("24x7", always=True))
    assert always.outlook_warning(0) is None


def test_each_member_of_a_union_is_looked_at() -> None:
    members = [
        CalendarSpec(name, tz="UTC", weekly=calendar("UTC", "09:00-17:00").spec.weekly)
        for name in ("east", "west")
    ]
    warning = outlook_warning(CalendarSpec("sun", union=tuple(members)), ms("2026-11-25T00:00Z"))
    assert (
        warning == "calendar east knows no holidays at all; calendar west knows no holidays at all"
    )


def test_an_instant_beyond_all_years_warns_of_nothing() -> None:
    assert calendar("UTC", "09:00-17:00").outlook_warning(10**18) is None
