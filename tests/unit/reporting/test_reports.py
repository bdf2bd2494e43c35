"""Reports: the numbers of a day that can be worked out by hand, in every form and both languages."""

import csv
import io
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from sinks.clickhouse.client import ClickHouse
from streams.cli.app import app
from streams.core.measures import CustomerMeasures
from streams.measuring.catalogue import CATALOGUE
from streams.policies import load_book
from streams.reporting.html import page_of
from streams.reporting.periods import instants_of, span_of
from streams.reporting.report import Asked, Cell, Change, Report, make_report
from streams.reporting.sheets import csv_of, write_workbook
from streams.reporting.texts import WORDS, Language
from streams.reporting.wording import duration
from tests.engine_room import EngineRoom
from tests.unit.measuring.story import HOUR_MS, POLICY, START_MS, Message, day, event

pytestmark = pytest.mark.clickhouse
DAY_MS = 24 * HOUR_MS
UTC = ZoneInfo("UTC")
THE_DAY = date(2026, 3, 2)


async def fill(database: ClickHouse, folder: Path, *more: Message) -> None:
    path = folder / "story.yaml"
    path.write_text(POLICY, encoding="utf-8")
    room = EngineRoom(load_book(path), database, START_MS + DAY_MS)
    await room.open()
    told = [*day(), *more]
    for topic in room.engines:
        await room.feed(topic, [(key, value) for of, key, value in told if of == topic])
    await room.settle(START_MS + 2 * DAY_MS)


@pytest.fixture
async def report(clickhouse: ClickHouse, tmp_path: Path) -> Report:
    await fill(clickhouse, tmp_path)
    asked = Asked("daily", span_of("daily", THE_DAY, UTC), UTC, START_MS + 2 * DAY_MS)
    return make_report(clickhouse, asked)


def numbers(made: Report) -> dict[str, Cell]:
    return {
        str(row[0].value): row[1]
        for section in made.sections
        for row in section.rows
        if section.columns[0].name == "metric"
    }


def test_periods_are_those_of_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    short = span_of("daily", date(2026, 3, 29), berlin)
    assert short.to_ms - short.from_ms == 23 * HOUR_MS
    assert len(instants_of(short, berlin)) == 23
    assert short.from_ms - short.before_ms == DAY_MS
    week = span_of("weekly", date(2026, 11, 25), berlin)
    assert (week.first, week.last) == (date(2026, 11, 23), date(2026, 11, 29))
    month = span_of("monthly", date(2026, 3, 31), berlin)
    assert (month.first, month.last) == (date(2026, 3, 1), date(2026, 3, 31))
    assert month.to_ms - month.from_ms == (31 * 24 - 1) * HOUR_MS
    assert month.from_ms - month.before_ms == 28 * DAY_MS
    assert len(instants_of(month, berlin)) == 31


async def test_a_daily_log_has_the_numbers_of_the_day(report: Report) -> None:
    found = numbers(report)
    assert found["csat"].value == pytest.approx(200 / 3)
    assert found["calls.asa"].value == 21_000
    assert found["sl.offered"].value == 50.0
    # What has no data stands in no line; what was asked is in a section.
    assert {name for name in found if name.startswith("sl.")} == {
        one.id for one in CATALOGUE if one.id.startswith("sl.")
    }
    (people,) = (one for one in report.sections if one.title == "people")
    (ann,) = (row for row in people.rows if row[0].value == "ann")
    assert [cell.value for cell in ann[1:4]] == ["blue", 4, 230_000]
    (classes,) = (one for one in report.sections if one.title == "classes")
    assert [cell.value for cell in classes.rows[0][:3]] == ["not_recorded", "", 2]


async def test_both_languages_say_the_same_without_a_script_or_a_request(report: Report) -> None:
    pages: dict[Language, str] = {
        "en": page_of(report, "en"),
        "zh-CN": page_of(report, "zh-CN"),
    }
    assert "Daily log · 2026-03-02" in pages["en"]
    assert "日志 · 2026-03-02" in pages["zh-CN"]
    assert "客户满意度" in pages["zh-CN"]
    for page in pages.values():
        assert "<script" not in page
        urls = set(re.findall(r"(?:src|href)=\"([^\"]+)\"", page))
        assert all(url.startswith("#") for url in urls), urls
        assert page.count("<svg") >= 3
        assert "66.7 %" in page
    cells = [re.sub(r"[^0-9.%–]", "", page.split("<h2>")[4]) for page in pages.values()]
    assert cells[0] == cells[1]


async def test_a_table_for_machines(report: Report) -> None:
    rows = list(csv.reader(io.StringIO(csv_of(report, "en"))))
    assert rows[0] == ["section", "line", "column", "value"]
    (asa,) = (row for row in rows if row[:3] == ["calls", "Average speed of answer", "value"])
    assert asa[3] == "21000"


async def test_a_workbook_has_a_sheet_per_section(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    write_workbook(report, "zh-CN", path)
    with zipfile.ZipFile(path) as book:
        names = book.read("xl/workbook.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
        charts = [name for name in book.namelist() if name.startswith("xl/charts/")]
    assert "服务时限" in names
    assert names.count("<sheet ") == len(report.sections)
    assert "时限达标率" in texts
    assert len(charts) >= 3


def test_text_that_a_spreadsheet_would_run_stays_text() -> None:
    from streams.reporting.report import Column, Section  # only here

    section = Section(
        "people",
        (Column("agent", "text"), Column("team", "code")),
        ((Cell("=HYPERLINK(1)"), Cell("@cmd")), (Cell("ann"), Cell(-5))),
    )
    asked = Asked("daily", span_of("daily", THE_DAY, UTC), UTC, START_MS)
    text = csv_of(Report(asked, [section]), "en")
    assert "'=HYPERLINK(1)" in text
    assert "'@cmd" in text
    assert ",-5\n" in text


async def test_a_scope_leaves_out_what_has_no_such_dimension(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    await fill(clickhouse, tmp_path)
    span = span_of("daily", THE_DAY, UTC)
    vip = make_report(
        clickhouse, Asked("daily", span, UTC, START_MS + DAY_MS, scope=("queue", "vip"))
    )
    found = numbers(vip)
    assert found["calls.asa"].value == 32_500
    assert "csat" not in found
    team = make_report(
        clickhouse, Asked("daily", span, UTC, START_MS + DAY_MS, scope=("team", "red"))
    )
    (people,) = (one for one in team.sections if one.title == "people")
    assert {row[0].value for row in people.rows} == {"bob", "eve"}


async def test_changes_are_against_the_period_before(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    await fill(clickhouse, tmp_path)
    span = span_of("daily", date(2026, 3, 3), UTC)
    made = make_report(clickhouse, Asked("daily", span, UTC, START_MS + 2 * DAY_MS))
    rows = {
        str(row[0].value): row
        for section in made.sections
        for row in section.rows
        if section.columns[0].name == "metric"
    }
    csat = rows["csat"]
    assert [csat[at].value for at in (1, 3)] == [None, 0]  # no data is not 0 %
    assert csat[4].value == pytest.approx(200 / 3)
    assert csat[5].value is None
    classes = next(one for one in made.sections if one.title == "classes")
    assert classes.rows[0][5].value == Change(-2, "count", good=True)


async def test_classes_of_customers_follow_the_rules_of_the_policy(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    """Contacts: c1 called twice, q complained twice, the others (c2 to c7, p, r) came once."""
    said = [
        event("surveys", f"X{who}", 24_000, "answered",
              metric="csat", question="all", score=score, customer_id=who)
        for who, score in (("c1", 5), ("q", 4), ("c2", 5), ("c3", 1))
    ]  # fmt: skip
    await fill(clickhouse, tmp_path, *said)

    def classes(**rules: Any) -> dict[str, int]:
        found = relationships(clickhouse, CustomerMeasures(**rules))
        return {name: int(str(row[0])) for name, row in found.items()}

    # p answered about its ticket T1.
    assert classes() == {"satisfied": 4, "ordinary": 6}
    assert classes(loyal_contacts=2) == {"loyal": 2, "satisfied": 2, "ordinary": 6}
    strict = classes(loyal_contacts=2, loyal_complaints_max=1)
    assert strict == {"loyal": 1, "satisfied": 3, "ordinary": 6}
    # At the end of the day c1 has been silent for 21 hours less 3 minutes, the others for longer.
    assert classes(lost_after_ms=21 * HOUR_MS) == {"satisfied": 1, "lost": 9}


async def test_what_each_class_of_customers_brings_and_says(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    said = [
        event("surveys", f"X{who}", 24_000, "answered",
              metric="csat", question="all", score=score, customer_id=who)
        for who, score in (("c1", 5), ("q", 4), ("c2", 5), ("c3", 1))
    ]  # fmt: skip
    orders = [
        event("tickets", f"O{who}", 24_000, "created", ticket_type="order", customer_id=who,
              attributes={"order_value": value})
        for who, value in (("c1", "250.50"), ("c2", "49.50"), ("p", "100"), ("r", "none"))
    ]  # fmt: skip
    await fill(clickhouse, tmp_path, *said, *orders)
    found = relationships(clickhouse, CustomerMeasures(contribution_attribute="order_value"))
    # customers, contacts, complaints, complaint rate, complained again, CSAT, contribution
    assert found == {
        "loyal": (1, 3, 0, 0.0, 0, 100.0, 62.625),  # c1
        # c2, p and q, who answered 4, 4 and 1
        "satisfied": (3, 6, 2, pytest.approx(100 / 3), 1, 80.0, 37.375),
        "ordinary": (6, 7, 0, 0.0, 0, 0.0, 0.0),
    }
    unnamed = relationships(clickhouse, CustomerMeasures())
    assert {row[-1] for row in unnamed.values()} == {None}, (
        "no attribute is named: nothing is guessed"
    )


def relationships(database: ClickHouse, rules: CustomerMeasures) -> dict[str, tuple[object, ...]]:
    """Class → the columns from the customers to the contribution."""
    span = span_of("daily", THE_DAY, UTC)
    made = make_report(database, Asked("daily", span, UTC, START_MS + 2 * DAY_MS, customers=rules))
    (section,) = (one for one in made.sections if one.title == "relationships")
    return {str(row[1].value): tuple(cell.value for cell in row[2:9]) for row in section.rows}


async def test_how_long_the_first_contact_is_on_trial_is_the_policys(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    """The customer of c1 called again after two hours."""
    await fill(clickhouse, tmp_path)
    span = span_of("daily", THE_DAY, UTC)
    for window_ms, expected in ((7 * DAY_MS, 0.0), (HOUR_MS, 100.0), (3 * HOUR_MS, 75.0)):
        rules = CustomerMeasures(first_contact_within_ms=window_ms)
        made = make_report(
            clickhouse, Asked("daily", span, UTC, START_MS + 2 * DAY_MS, customers=rules)
        )
        found = numbers(made)["calls.first_contact_resolution"]
        assert found.value == expected, "within the week only the repeat is certain yet"


def test_durations_are_told_in_units_that_a_person_reads() -> None:
    assert [duration(ms) for ms in (9_500, 119_000, 120_000, 3_599_000, 3_600_000, 90_000_000)] == [
        "9.5 s", "119.0 s", "2:00 min", "59:59 min", "1:00 h", "25:00 h",
    ]  # fmt: skip


def test_every_word_has_both_languages() -> None:
    for name, (english, chinese) in WORDS.items():
        assert english, name
        assert re.search(r"[\u4e00-\u9fff]|95%", chinese), name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["daily", "--date", "yesterday"], "'yesterday' is no day"),
        (["daily", "--scope", "colour=red"], "'colour=red' is no scope"),
        (["daily", "--zone", "Mars/Base"], "Mars/Base"),
        (["weekly", "--format", "xlsx"], "a workbook needs a file"),
        (["monthly"], "it lacks the tables"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    environment = {"TICKETPULSE_DATA_DIR": str(tmp_path)}
    result = CliRunner().invoke(app, ["report", *arguments], env=environment)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
