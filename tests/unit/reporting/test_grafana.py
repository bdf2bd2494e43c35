"""Grafana's files: up to date, and every query of theirs is one that ClickHouse answers with the page's numbers."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sinks.clickhouse.client import ClickHouse
from streams.measuring.catalogue import BY_ID
from streams.policies import load_book
from streams.reporting.grafana import BOARDS, RULES, alert_rules, dashboard, main
from tests.engine_room import EngineRoom
from tests.unit.measuring.story import HOUR_MS, POLICY, START_MS, day

pytestmark = pytest.mark.clickhouse
DEPLOY = Path(__file__).parents[3] / "deploy"
DAY_MS = 24 * HOUR_MS


async def fill(database: ClickHouse, folder: Path) -> None:
    path = folder / "story.yaml"
    path.write_text(POLICY, encoding="utf-8")
    room = EngineRoom(load_book(path), database, START_MS + DAY_MS)
    await room.open()
    for topic in room.engines:
        await room.feed(topic, [(key, value) for of, key, value in day() if of == topic])
    await room.settle(START_MS + DAY_MS)


def asked(database: ClickHouse, sql: str) -> list[dict[str, Any]]:
    """As Grafana fills it in."""
    for name, value in (("__from", START_MS), ("__to", START_MS + DAY_MS)):
        sql = sql.replace(f"${{{name}}}", str(value))
    sql = sql.replace("${tenant}", "default").replace("${zone}", "UTC")
    assert "${" not in sql
    return database.query_rows(sql)


def test_the_files_are_those_that_the_catalogue_makes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


async def test_every_panel_is_answered(clickhouse: ClickHouse, tmp_path: Path) -> None:
    await fill(clickhouse, tmp_path)
    values: dict[str, object] = {}
    for board in BOARDS:
        made: Any = dashboard(board)
        assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
        for panel in made["panels"]:
            (target,) = panel["targets"]
            rows = asked(clickhouse, target["rawSql"])
            assert rows, panel["title"]
            assert "time" in rows[0]
            if panel["type"] == "stat":
                (row,) = rows
                values[panel["title"]] = next(v for k, v in row.items() if k != "time")
    csat = BY_ID["csat"]
    assert values[f"{csat.label} · {csat.label_zh}"] == pytest.approx(200 / 3)


async def test_alert_rules_ask_for_enough_and_name_their_section(
    clickhouse: ClickHouse, tmp_path: Path
) -> None:
    await fill(clickhouse, tmp_path)
    made: Any = alert_rules()
    runbook = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")
    (group,) = made["groups"]
    assert len(group["rules"]) == len(RULES)
    for rule, given in zip(group["rules"], RULES, strict=True):
        section = rule["annotations"]["runbook_url"].partition("#")[2]
        assert re.search(rf"^## {section}$", runbook, re.MULTILINE)
        sql = rule["data"][0]["model"]["rawSql"]
        now = f"toDateTime64({(START_MS + DAY_MS) / 1000}, 3)"
        enough = sql.replace("now64(3)", now).replace(
            f"sample_0 >= {given.sample_min}", "sample_0 >= 1"
        )
        enough = enough.replace(str(given.window_minutes * 60_000), str(DAY_MS))
        assert len(clickhouse.query_rows(enough)) == 1, rule["title"]
        assert clickhouse.query_rows(sql.replace("now64(3)", now)) == []  # too few is no data


def test_provisioning_is_yaml_and_has_no_secret() -> None:
    for path in (DEPLOY / "grafana/provisioning").rglob("*.yaml"):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["apiVersion"] == 1
    datasource = (DEPLOY / "grafana/provisioning/datasources/ticketpulse.yaml").read_text()
    assert "password: $TICKETPULSE_CLICKHOUSE_PASSWORD" in datasource
