"""A file's version: of what it says, however it is written; and what becomes of its calendars."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.instants import parse_rfc3339
from streams.core.business_time import CompiledCalendar
from streams.core.policy import Policy
from streams.policies import load_policy, parse_policy
from tests.unit.policies.shop import SHOP

HOUR_MS = 3_600_000


def shop(changes: Mapping[str, str] | None = None) -> Policy:
    text = SHOP
    for old, new in (changes or {}).items():
        assert old in text
        text = text.replace(old, new, 1)
    return parse_policy(text, "p.yaml")


def office(holidays: str) -> CompiledCalendar:
    calendar = shop({"[2026-12-25]": holidays}).calendar
    assert isinstance(calendar, CompiledCalendar)
    return calendar


def test_the_version_names_the_policy_and_a_hash_of_its_content() -> None:
    assert shop().version == shop().version
    name, _, digest = shop().version.partition("@")
    assert name == "shop"
    assert len(digest) == 12
    assert int(digest, 16) >= 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("calendar: office\n", "calendar: office   # a comment\n"),
        ("pause_statuses: pending", "pause_statuses: [pending]"),
        ("start: created", "start: [{type: created}]"),
        ("start: created", "start: created\n    kind: sla\n    on_reopen: resume"),
        ("holidays: [2026-12-25]", "holidays: [{date: 2026-12-25}]"),
    ],
)
def test_how_it_is_written_makes_no_other_version(old: str, new: str) -> None:
    assert shop({old: new}).version == shop().version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("reply: 4h", "reply: 5h"),
        ("2026-01-01", "2026-01-02"),
        ("[2026-12-25]", "[2026-12-26]"),
        ("[2026-12-25]", "[{country: DE}]"),
        ("Europe/Berlin", "Europe/Paris"),
        ("solved, closed", "closed, solved"),
    ],
)
def test_what_it_says_makes_another_version(old: str, new: str) -> None:
    assert shop({old: new}).version != shop().version


def test_holidays_of_a_country_and_its_part() -> None:
    berlin = dict(office("[{country: DE, subdivision: BE}]").spec.holidays)
    assert "Christmas" in berlin[min(day for day in berlin if (day.month, day.day) == (12, 25))]
    assert any((day.month, day.day) == (3, 8) for day in berlin)  # Women's Day: Berlin's own
    assert {day.year for day in berlin} == set(range(2021, 2067))


def test_working_days_that_china_moves_to_weekends() -> None:
    spec = office("[{country: CN, moved_workdays: true}]").spec
    moved = {day.isoformat(): weekday for day, weekday in spec.moved_workdays}
    assert "2026-02-14" in moved  # a Saturday, worked for the Spring Festival
    assert "2026-02-16" in {day.isoformat() for day, _ in spec.holidays}
    assert office("[{country: CN}]").spec.moved_workdays == ()


def test_holidays_from_an_ical_file_beside_the_policy(tmp_path: Path) -> None:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:x",
        "BEGIN:VEVENT",
        "UID:1",
        "DTSTAMP:20260101T000000Z",
    ]
    lines += [
        "DTSTART;VALUE=DATE:20260317",
        "SUMMARY:Company day",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    (tmp_path / "days.ics").write_bytes("\r\n".join(lines).encode())
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP.replace("[2026-12-25]", "[{ical: days.ics}]"))
    calendar = load_policy(path).calendar
    assert isinstance(calendar, CompiledCalendar)
    assert [(day.isoformat(), name) for day, name in calendar.spec.holidays] == [
        ("2026-03-17", "Company day")
    ]


def test_a_closure_shuts_the_calendar_while_it_lasts() -> None:
    closure = (
        "closures: [{from: 2026-03-02T10:00:00+01:00, to: 2026-03-02T11:00:00+01:00, reason: fire}]"
    )
    calendar = shop({"    holidays:": f"    {closure}\n    holidays:"}).calendar
    day = parse_rfc3339("2026-03-02T00:00:00+01:00")
    assert calendar.measure(day, day + 24 * HOUR_MS) == 7 * HOUR_MS


def test_unions_may_stand_before_their_members() -> None:
    union = {"calendars:\n": "calendars:\n  all: {union: [office, always]}\n"}
    by_date = {"{working_days: 2, cut_off: 17:00}": "1h"}
    policy = shop({**union, **by_date, "calendar: office": "calendar: all"})
    assert policy.calendar.measure(0, HOUR_MS) == HOUR_MS


def test_a_promise_by_date_counts_the_days_of_the_calendar_of_its_clock() -> None:
    (others,) = [rule for rule in shop().rules if rule.id == "others"]
    due_rule = others.due_rules["resolution"]
    #  The office works on Mondays and Tuesdays only.
    opened = parse_rfc3339("2026-03-02T10:00:00+01:00")
    assert due_rule.due_ms(opened) == parse_rfc3339("2026-03-09T10:00:00+01:00")
