"""Rows are kept for as long as the settings say; what still goes on is kept however old."""

from datetime import timedelta
from typing import Any

import pytest

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.retention import _RULES, Keeping, apply_retention
from sinks.clickhouse.tables import BY_NAME
from tests import outcome_rows
from tests.dashboard_story import insert

pytestmark = pytest.mark.clickhouse
LONG_AGO = outcome_rows.OPENED - timedelta(days=4_000)
OLD: dict[str, Any] = {"event_time": LONG_AGO, "last_event_at": LONG_AGO}


def count(database: ClickHouse, table: str) -> int:
    (row,) = database.query_rows(f"SELECT count() AS n FROM {table} FINAL")
    return int(str(row["n"]))


def test_what_is_over_goes_and_what_goes_on_stays(clickhouse: ClickHouse) -> None:
    assert set(apply_retention(clickhouse, Keeping(facts=400, windows=800, letters=30))) == set(
        _RULES
    )
    assert apply_retention(clickhouse, Keeping(facts=400, windows=800, letters=30)) == []
    insert(
        clickhouse, "tickets",
        outcome_rows.ticket(1, **OLD), outcome_rows.ticket(2, open=False, **OLD), outcome_rows.ticket(3, open=False),
    )  # fmt: skip
    insert(clickhouse, "call_windows", outcome_rows.window("call_windows", window_start=LONG_AGO))
    insert(clickhouse, "calls", outcome_rows.call(1), outcome_rows.call(2, event_time=LONG_AGO))
    for table in ("tickets", "call_windows", "calls"):
        clickhouse.command(f"OPTIMIZE TABLE {table} FINAL")
    assert [row["ticket_id"] for row in clickhouse.query_rows("SELECT ticket_id FROM v_tickets ORDER BY ALL")] == ["T-000001", "T-000003"]  # fmt: skip
    assert count(clickhouse, "call_windows") == 0
    assert count(clickhouse, "calls") == 1


def test_for_ever_takes_the_limit_away_again(clickhouse: ClickHouse) -> None:
    assert apply_retention(clickhouse, Keeping()) == []
    assert apply_retention(clickhouse, Keeping(windows=10)) == [
        "call_windows", "survey_windows", "shift_windows", "clock_windows", "ticket_windows",
    ]  # fmt: skip
    assert len(apply_retention(clickhouse, Keeping(windows=20))) == 5
    assert len(apply_retention(clickhouse, Keeping())) == 5
    assert apply_retention(clickhouse, Keeping()) == []


def test_every_rule_is_about_columns_that_are_there() -> None:
    for table, (_, column, _) in _RULES.items():
        assert column in {one.name for one in BY_NAME[table].columns}
