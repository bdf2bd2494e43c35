"""Rules from a mapping: what is read, and every mistake at once."""

from datetime import UTC, date, datetime

import pytest

from schemas.problems import ProblemsError
from streams.core.business_time import CalendarSpec, Closure, Interval, spec_from_mapping
from tests.unit.core.business_time.rules import ms


def test_everything_a_calendar_can_say() -> None:
    spec = spec_from_mapping(
        {
            "tz": "Asia/Shanghai",
            "weekly": {
                "mon": [["09:00", "12:00"], ["13:30", "24:00"]],
                "tue": [["22:00", "06:00"]],
            },
            "holidays": ["2026-10-02", date(2026, 10, 3), {"date": "2026-10-01", "name": "国庆节"}],
            "overrides": {"2026-02-16": [], date(2026, 2, 17): [["09:00", "12:00"]]},
            "moved_workdays": {"2026-10-10": "wed"},
            "closures": [
                {
                    "from": "2026-01-16T10:00:00+08:00",
                    "to": "2026-01-16T03:00:00Z",
                    "reason": "停电",
                },
                {
                    "from": datetime(2026, 1, 17, tzinfo=UTC),
                    "to": datetime(2026, 1, 18, tzinfo=UTC),
                },
            ],
        },
        "desk",
    )
    assert spec == CalendarSpec(
        "desk",
        tz="Asia/Shanghai",
        weekly=((Interval(540, 720), Interval(810, 1_440)), (Interval(1_320, 360),), *[()] * 5),
        holidays=((date(2026, 10, 1), "国庆节"), (date(2026, 10, 2), ""), (date(2026, 10, 3), "")),
        overrides=((date(2026, 2, 16), ()), (date(2026, 2, 17), (Interval(540, 720),))),
        moved_workdays=((date(2026, 10, 10), 2),),
        closures=(
            Closure(ms("2026-01-16T02:00Z"), ms("2026-01-16T03:00Z"), "停电"),
            Closure(ms("2026-01-17T00:00Z"), ms("2026-01-18T00:00Z")),
        ),
    )


def test_a_union_has_members_by_name_or_in_place() -> None:
    known = {"east": CalendarSpec("east")}
    spec = spec_from_mapping({"union": ["east", {"tz": "UTC"}]}, "sun", known.__getitem__)
    assert [member.id for member in spec.union] == ["east", "sun/1"]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"tz": "UTC", "holydays": []}, ["x.holydays: unknown key 'holydays' (did you mean holidays?)"]),
        ({}, ["x.tz: missing (write an IANA zone such as Asia/Shanghai)"]),
        ({"always": True, "tz": "UTC"}, ["x: always and hours of its own: a calendar is only one of them"]),
        ({"union": []}, ["x.union: a union of nothing is never open (name its members)"]),
        ({"union": ["east", 5]}, ["x.union[0]: 'east' is not a calendar", "x.union[1]: 5 is not a calendar"]),
        ({"union": [{"tz": "Mars"}]}, ["x.union[0].tz: unknown zone 'Mars'; write e.g. Asia/Shanghai"]),
        (
            {"tz": "UTC", "weekly": {"mo": [], "tue": [["9:00", "17:00"], ["24:00", "02:00"], 3], "wed": 4}},
            [
                "x.weekly.mo: unknown weekday 'mo' (use mon, tue, wed, thu, fri, sat, sun)",
                "x.weekly.tue[0]: '9:00' is not a time of day such as 09:30 (24:00 ends a day)",
                "x.weekly.tue[1]: ['24:00', '02:00'] starts at 24:00; write 00:00 of the next day",
                "x.weekly.tue[2]: 3 is not a pair [from, to]",
                "x.weekly.wed: 4 is not a list",
            ],
        ),
        ({"tz": "UTC", "weekly": {"mon": [["09:00", "24:30"]]}}, ["x.weekly.mon[0]: '24:30' is not a time of day such as 09:30 (24:00 ends a day)"]),
        (
            {"tz": "UTC", "holidays": ["2026-02-30"], "overrides": {"soon": []}, "moved_workdays": {"2026-10-10": "Mi"}},
            [
                "x.holidays[0]: 2026-02-30 is not a date such as 2026-10-01",
                "x.overrides.soon: soon is not a date such as 2026-10-01",
                "x.moved_workdays.2026-10-10: unknown weekday 'Mi'; use mon, tue, wed, thu, fri, sat, sun",
            ],
        ),
        (
            {"always": True, "closures": [5, {"from": "2026-01-01"}, {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}]},
            [
                "x.closures[0]: 5 is not a mapping {from, to, reason}",
                "x.closures[1]: 2026-01-01 is not an instant with its zone such as 2026-10-01T08:00:00Z",
                "x.closures[2]: ends before it starts",
            ],
        ),
        ({"tz": "UTC", "weekly": []}, ["x.weekly: [] is not a mapping"]),
    ],
)  # fmt: skip
def test_every_mistake_is_told_with_its_place(rules: dict[str, object], told: list[str]) -> None:
    with pytest.raises(ProblemsError) as error:
        spec_from_mapping(rules, "x")
    assert [str(problem) for problem in error.value.problems] == told
