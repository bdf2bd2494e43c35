"""deploy/compose.yaml: every role is there, with settings that exist and secrets that somebody must choose."""

import re
from pathlib import Path
from typing import Any

import yaml

from streams.shell.application import ROLES
from streams.shell.settings import PREFIX, Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (DEPLOY / ".env.example").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def test_every_role_runs_and_is_watched() -> None:
    assert set(ROLES) <= set(SERVICES)
    prometheus = (DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    for role in ROLES:
        service = SERVICES[role]
        assert service["command"] == [role]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert "memory" in service["deploy"]["resources"]["limits"]
        assert re.search(rf"names: \[.*\b{role}\b.*\]", prometheus), role


def test_every_variable_is_a_setting() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for name, service in SERVICES.items():
        if name in ("kafka", "clickhouse", "grafana"):
            continue
        given = {key for key in service.get("environment", {}) if key.startswith(PREFIX)}
        assert given <= known, name


def test_what_is_asked_of_the_environment_stands_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+)[:}]", TEXT))
    assert asked == set(EXAMPLE)
    must = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert {name for name in must if EXAMPLE[name]} == set(), "an example must hold no secret"


def test_images_are_pinned_and_none_is_latest() -> None:
    images = [service["image"] for service in SERVICES.values()]
    for image in images:
        _, _, tag = image.rpartition(":")
        assert tag, image
        assert tag != "latest", image
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", image), image
    assert "USER 10001" in dockerfile


def test_everything_long_lived_has_a_health_check_or_inherits_the_image() -> None:
    ours = {*ROLES, "setup", "feed"}
    for name, service in SERVICES.items():
        assert "healthcheck" in service or name in ours, name


def test_the_image_installs_no_development_tool() -> None:
    locked = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9._-]+)==", locked, re.MULTILINE))
    assert {"faust-streaming", "clickhouse-connect", "pydantic"} <= names
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "chdb", "playwright"}
