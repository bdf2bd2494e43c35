"""Alert rules: every metric they ask for exists, every alert is tested both ways and has its section."""

import re
from pathlib import Path
from typing import Any

import yaml

from streams.shell.metrics import BY_NAME

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/rules.yml").read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
TESTS = yaml.safe_load((DEPLOY / "prometheus/rules_test.yml").read_text())["tests"]


def asked_for(text: str) -> set[str]:
    return set(re.findall(r"\bticketpulse[_:][a-z0-9_:]+", text))


def test_rules_ask_for_metrics_that_exist() -> None:
    assert len(ALERTS) >= 15
    for rule in RULES:
        assert asked_for(rule["expr"]) <= set(BY_NAME) | RECORDED, rule


def test_what_is_recorded_is_used() -> None:
    assert {name for rule in RULES for name in asked_for(rule["expr"])} >= RECORDED


def test_every_alert_is_seen_to_fire_and_to_be_silent() -> None:
    outcomes: dict[str, set[bool]] = {name: set() for name in ALERTS}
    for test in TESTS:
        for case in test["alert_rule_test"]:
            outcomes[case["alertname"]].add(bool(case["exp_alerts"]))
    outcomes.pop("TicketpulseDeadMan")  # it is never silent
    assert {name: seen for name, seen in outcomes.items() if seen != {True, False}} == {}


def test_tests_feed_series_that_exist() -> None:
    for test in TESTS:
        for series in test["input_series"]:
            name = series["series"].split("{")[0]
            assert name == "up" or name in BY_NAME, name


def test_every_alert_has_its_section_and_speaks_two_languages() -> None:
    sections = re.findall(r"^## (\S+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE)
    for name, rule in ALERTS.items():
        assert name in sections
        assert rule["annotations"]["runbook"] == f"RUNBOOK.md#{name.lower()}"
        assert rule["annotations"]["summary"].isascii()
        assert not rule["annotations"]["summary_zh"].isascii()
        assert rule["labels"]["severity"] in ("critical", "warning", "none")


def test_the_dead_man_has_its_way_out() -> None:
    config = yaml.safe_load((DEPLOY / "alertmanager/alertmanager.yml").read_text())
    (route,) = [one for one in config["route"]["routes"] if one["receiver"] == "dead-man"]
    assert route["matchers"] == ['alertname = "TicketpulseDeadMan"']
