"""Holidays by iCal file."""

from datetime import date

import pytest

from streams.core.business_time.ical_holidays import ICAL_BYTES_MAX, holidays_of_ical


def ical(*events: str) -> bytes:
    """A file of events, each given as its lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", *event.split(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def days(*events: str, from_year: int = 2026, to_year: int = 2027) -> list[str]:
    found = holidays_of_ical(ical(*events), from_year, to_year)
    return [f"{day} {name}".strip() for day, name in found]


def test_one_day_several_days_and_a_duration() -> None:
    assert days(
        "DTSTART;VALUE=DATE:20260501 SUMMARY:May",
        "DTSTART;VALUE=DATE:20261224 DTEND;VALUE=DATE:20261226 SUMMARY:Xmas",
        "DTSTART;VALUE=DATE:20261001 DURATION:P2D SUMMARY:国庆节",
    ) == [
        "2026-05-01 May",
        "2026-10-01 国庆节",
        "2026-10-02 国庆节",
        "2026-12-24 Xmas",
        "2026-12-25 Xmas",
    ]


def test_repetitions_with_exceptions_and_additions() -> None:
    yearly = "DTSTART;VALUE=DATE:20200704 RRULE:FREQ=YEARLY EXDATE;VALUE=DATE:20270704"
    assert days(yearly, to_year=2028) == ["2026-07-04", "2028-07-04"]
    assert days("DTSTART;VALUE=DATE:20260501 RDATE;VALUE=DATE:20260601,20260602") == [
        "2026-05-01",
        "2026-06-01",
        "2026-06-02",
    ]


def test_only_days_of_the_years_asked_for() -> None:
    turn = "DTSTART;VALUE=DATE:20251230 DTEND;VALUE=DATE:20260102"
    assert days(turn, "DTSTART;VALUE=DATE:20280101", to_year=2027) == ["2026-01-01"]


def test_cancelled_events_are_left_out_and_two_names_joined() -> None:
    assert days(
        "DTSTART;VALUE=DATE:20260501 SUMMARY:b",
        "DTSTART;VALUE=DATE:20260501 SUMMARY:a",
        "DTSTART;VALUE=DATE:20260501 SUMMARY:a",
        "DTSTART;VALUE=DATE:20260502 STATUS:CANCELLED",
    ) == ["2026-05-01 a / b"]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("SUMMARY:x", "event 'x': no DTSTART"),
        ("DTSTART:20260501T120000Z SUMMARY:x", "event 'x': not all day; half days are overrides"),
        ("DTSTART;VALUE=DATE:20260501 DTEND:20260502T000000Z", "not all day"),
        ("DTSTART;VALUE=DATE:20261301 SUMMARY:x", "event 'x': DTSTART: Wrong date format 20261301"),
        ("DTSTART;VALUE=DATE:20260501 RRULE:FREQ=SECONDLY", "repeats more often than daily"),
        ("DTSTART;VALUE=DATE:20260501 RRULE:FREQ=NEVER", "RRULE: Expected frequency, got: NEVER"),
        ("DTSTART;VALUE=DATE:20260501 DTEND;VALUE=DATE:20260401", "ends before it starts"),
    ],
)
def test_an_event_that_is_no_holiday_is_named(event: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        days("DTSTART;VALUE=DATE:20260101", event)


def test_several_mistakes_are_told_at_once_but_not_all_of_thousands() -> None:
    with pytest.raises(ValueError, match=r"'e0': no DTSTART; event 'e1'.*; and 2 more$"):
        days(*[f"SUMMARY:e{number}" for number in range(7)])


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\xff\xfe\x00\x01", b"BEGIN:VCALENDAR\r\n", ical() + ical(), b"PK\x03\x04zip"],
)
def test_what_is_no_ical_file(content: bytes) -> None:
    with pytest.raises(ValueError, match="not an iCal file"):
        holidays_of_ical(content, 2026, 2027)


def test_a_huge_file_is_not_read() -> None:
    with pytest.raises(ValueError, match="at most 4,000,000 are read"):
        holidays_of_ical(b" " * (ICAL_BYTES_MAX + 1), 2026, 2027)


def test_an_empty_calendar_has_no_holidays() -> None:
    assert holidays_of_ical(ical(), 2026, 2027) == ()


def test_a_whole_day_is_a_date() -> None:
    ((day, _name),) = holidays_of_ical(ical("DTSTART;VALUE=DATE:20260501"), 2026, 2026)
    assert type(day) is date
