"""Grafana's dashboards and alert rules, made of the same catalogue and queries as the page and the reports.

python -m streams.reporting.grafana           # writes deploy/grafana
python -m streams.reporting.grafana --check   # complains when what lies there differs
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from streams.measuring.asking import Period, Question, query_of
from streams.measuring.catalogue import BY_ID, SOURCES, Definition

FOLDER = Path(__file__).parents[2] / "deploy/grafana"
PLUGIN = "grafana-clickhouse-datasource"
DATASOURCE = {"type": PLUGIN, "uid": "ticketpulse-clickhouse"}
_UNITS: Mapping[str, str] = {
    "percent": "percent", "ms": "ms", "count": "short", "score": "short", "points": "short"
}  # fmt: skip
_WIDTH, _STAT_HEIGHT, _HEIGHT, _COLUMNS = 24, 4, 8, 3


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: headline numbers, then each over time; `by` splits what follows by a dimension."""

    name: str
    title: str
    headline: tuple[str, ...]
    over_time: tuple[str, ...]
    by: tuple[tuple[str, str], ...] = ()  # metric, dimension


BOARDS = (
    Board(
        "service",
        "Service · 服务时限",
        ("sla.compliance", "sla.breached", "tickets.created", "tickets.solved", "tickets.time_to_solve"),
        ("sla.compliance", "sla.breached", "sla.elapsed_p90", "tickets.created", "tickets.solved", "tickets.time_to_solve_p90"),
        (("sla.compliance", "team"), ("sla.breached", "team"), ("sla.compliance", "tier")),
    ),
    Board(
        "calls",
        "Calls · 话务",
        ("sl.offered", "calls.answered", "calls.abandonment", "calls.asa", "calls.aht"),
        ("calls.queued", "sl.offered", "calls.abandonment", "calls.asa", "calls.wait_p90", "calls.aht", "calls.over_limit_share", "calls.transfers_share", "calls.callbacks_late", "agents.occupancy"),
        (("sl.offered", "queue"), ("calls.abandonment", "queue"), ("calls.queued", "queue")),
    ),
    Board(
        "satisfaction",
        "Satisfaction · 满意度",
        ("csat", "nps", "ces.top_box", "surveys.response_rate", "csat.given_breached"),
        ("csat", "nps", "ces.mean", "surveys.response_rate"),
        (("csat", "team"), ("csat.mean", "team")),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule on a number of the last while. `bound`: `point`, or the end of the interval that lies nearer to
    the target (`interval`), so that it fires only when the whole interval is beyond it."""

    uid: str
    title: str
    metric: str
    below: bool
    target: float
    bound: str
    sample_min: int
    window_minutes: int
    for_: str
    severity: str
    runbook: str


RULES = (
    AlertRule("service-level-low", "Service level below 80 %", "sl.offered", True, 80, "point", 50, 60, "10m", "warning", "service-level-low"),
    AlertRule("abandonment-high", "Abandonment above 10 %", "calls.abandonment", False, 10, "point", 50, 60, "10m", "warning", "abandonment-high"),
    AlertRule("compliance-low", "SLA compliance below 90 %", "sla.compliance", True, 90, "point", 30, 1_440, "15m", "warning", "compliance-low"),
    AlertRule("csat-low", "CSAT below 75 %, the whole interval", "csat", True, 75, "interval", 30, 10_080, "30m", "warning", "csat-low"),
)  # fmt: skip


def sql_of(
    definition: Definition, period: Period, by: tuple[str, ...] = (), column: str = "value"
) -> str:
    """A query for Grafana: one number, by period and dimension, over the time shown."""
    question = Question(0, 0, 0, period=period, by=by)
    sql = query_of(SOURCES[definition.source], [definition], question)
    values = {
        "from_ms": "toInt64(${__from})",
        "to_ms": "toInt64(${__to})",
        "now_ms": "toInt64(${__to})",
        "window_ms": f"toInt64({question.customers.first_contact_within_ms})",
        "tenant": "'${tenant}'",
        "zone": "'${zone}'",
    }
    sql = re.sub(r"\{(\w+):\w+\}", lambda found: values[found[1]], sql)
    names = [f"by_{name}" for name in by]
    shown = "".join(f", {name}" for name in names)
    return (
        f"SELECT fromUnixTimestamp64Milli(period_ms) AS time{shown}, {column}_0 AS {_field(definition)}\n"
        f"FROM (\n{sql}\n)\nORDER BY time"
    )


def _field(definition: Definition) -> str:
    return "`" + definition.label.replace("`", "") + "`"


def dashboard(board: Board) -> dict[str, object]:
    """As Grafana reads it from a file."""
    panels: list[dict[str, object]] = []
    width = _WIDTH // len(board.headline)
    for at, name in enumerate(board.headline):
        panels.append(_stat(BY_ID[name], {"x": at * width, "y": 0, "w": width, "h": _STAT_HEIGHT}))
    charts = [(BY_ID[name], "") for name in board.over_time]
    charts += [(BY_ID[name], dimension) for name, dimension in board.by]
    width = _WIDTH // _COLUMNS
    for at, (definition, dimension) in enumerate(charts):
        place = {
            "x": at % _COLUMNS * width,
            "y": _STAT_HEIGHT + at // _COLUMNS * _HEIGHT,
            "w": width,
            "h": _HEIGHT,
        }
        panels.append(_chart(definition, dimension, place))
    for number, panel in enumerate(panels, start=1):
        panel["id"] = number
    return {
        "uid": f"ticketpulse-{board.name}",
        "title": f"ticketpulse · {board.title}",
        "tags": ["ticketpulse"],
        "timezone": "browser",
        "schemaVersion": 41,
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [
                _variable("tenant", "Tenant", ""),
                _variable("zone", "Zone", "UTC"),
            ]
        },
        "panels": panels,
    }


def _variable(name: str, label: str, value: str) -> dict[str, object]:
    return {
        "name": name,
        "label": label,
        "type": "textbox",
        "query": value,
        "current": {"text": value, "value": value},
    }


def _panel(
    kind: str,
    definition: Definition,
    title: str,
    place: Mapping[str, int],
    target: dict[str, object],
) -> dict[str, object]:
    about = f"{definition.formula}. {definition.attribution}. {definition.interval}".strip(" .")
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": DATASOURCE,
        "gridPos": dict(place),
        "fieldConfig": {
            "defaults": {"unit": _UNITS[definition.unit], "noValue": "no data"},
            "overrides": [],
        },
        "targets": [{"refId": "A", "datasource": DATASOURCE, "editorType": "sql", **target}],
    }


def _stat(definition: Definition, place: Mapping[str, int]) -> dict[str, object]:
    target: dict[str, object] = {
        "queryType": "table", "format": 1, "rawSql": sql_of(definition, "all")
    }  # fmt: skip
    made = _panel("stat", definition, f"{definition.label} · {definition.label_zh}", place, target)
    made["options"] = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return made


def _chart(definition: Definition, dimension: str, place: Mapping[str, int]) -> dict[str, object]:
    by = (dimension,) if dimension else ()
    title = definition.label + (f" by {dimension.replace('_', ' ')}" if dimension else "")
    target: dict[str, object] = {
        "queryType": "timeseries", "format": 0, "rawSql": sql_of(definition, "hour", by)
    }  # fmt: skip
    return _panel("timeseries", definition, title, place, target)


def alert_rules() -> dict[str, object]:
    """An alternative to the rules of Prometheus: the same numbers, asked of ClickHouse by Grafana."""
    return {
        "apiVersion": 1,
        "groups": [
            {
                "orgId": 1,
                "name": "ticketpulse",
                "folder": "ticketpulse",
                "interval": "1m",
                "rules": [_alert(rule) for rule in RULES],
            }
        ],
    }


def _alert(rule: AlertRule) -> dict[str, object]:
    definition = BY_ID[rule.metric]
    bound = "value" if rule.bound == "point" else ("high" if rule.below else "low")
    value = sql_of(definition, "all", column=bound)
    sql = re.sub(
        r"FROM \(\n", "FROM (SELECT * FROM (\n", value, count=1
    ).replace("\n)\nORDER BY time", f"\n) WHERE sample_0 >= {rule.sample_min})\nORDER BY time")  # fmt: skip
    sql = sql.replace("'${tenant}'", "''").replace("'${zone}'", "'UTC'")
    sql = sql.replace(
        "toInt64(${__from})", f"toUnixTimestamp64Milli(now64(3)) - {rule.window_minutes * 60_000}"
    )
    sql = sql.replace("toInt64(${__to})", "toUnixTimestamp64Milli(now64(3))")
    span = {"from": rule.window_minutes * 60, "to": 0}
    return {
        "uid": f"ticketpulse-{rule.uid}",
        "title": rule.title,
        "condition": "B",
        "for": rule.for_,
        "noDataState": "OK",  # too few is no data, and no data is no alert
        "execErrState": "Error",
        "labels": {"severity": rule.severity},
        "annotations": {
            "summary": rule.title,
            "runbook_url": f"deploy/RUNBOOK.md#{rule.runbook}",
        },
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": span,
                "datasourceUid": DATASOURCE["uid"],
                "model": {
                    "refId": "A", "editorType": "sql", "queryType": "table", "format": 1, "rawSql": sql
                },
            },
            {
                "refId": "B",
                "relativeTimeRange": span,
                "datasourceUid": "__expr__",
                "model": {
                    "refId": "B",
                    "type": "threshold",
                    "expression": "A",
                    "conditions": [
                        {
                            "evaluator": {"type": "lt" if rule.below else "gt", "params": [rule.target]}
                        }
                    ],
                },
            },
        ],
    }  # fmt: skip


def written() -> Iterator[tuple[Path, str]]:
    """Every file and what stands in it."""
    for board in BOARDS:
        text = json.dumps(dashboard(board), indent=2, ensure_ascii=False)
        yield FOLDER / f"dashboards/{board.name}.json", text + "\n"
    rules = yaml.safe_dump(alert_rules(), sort_keys=False, allow_unicode=True, width=120)
    head = "# Made by `python -m streams.reporting.grafana`.\n"
    yield FOLDER / "provisioning/alerting/rules.yaml", head + rules


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, or complain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, complain")
    check = parser.parse_args(arguments).check
    differing = [
        path
        for path, text in written()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in written():
        if path in differing and not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in differing:
        name = path.relative_to(FOLDER.parents[1])
        sys.stdout.write(f"{'differs' if check else 'written'}: {name}\n")
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
