"""Every role as its own process with the environment of deploy/compose.yaml, on a real Kafka, ClickHouse over HTTP and a
real Alertmanager: what is fed comes out on the page, in the metrics and as alerts. No container engine runs here:
what the compose file says beside the environment is linted only."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from streams.shell.application import ROLES
from tests.clickhouse_facade import Facade
from tests.clickhouse_fixtures import engine_path, fresh_database_name
from tests.integration.alertmanager import People, RealAlertmanager
from tests.integration.real_kafka import RealKafka
from tests.serving import serving

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.clickhouse,
    pytest.mark.slow,
    pytest.mark.timeout(300),
]
ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))
CHOSEN = {
    "TICKETPULSE_CLICKHOUSE_PASSWORD": "p4ss",
    "TICKETPULSE_HEALTH_TOKEN": "h-token",
    "TICKETPULSE_HTTP_TOKEN": "a-token",
    "TICKETPULSE_HTTP_VIEWER_TOKEN": "v-token",
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def environment_of(role: str) -> dict[str, str]:
    """As compose fills it in."""

    def chosen(found: re.Match[str]) -> str:
        name, default = found[1], found[2]
        return CHOSEN.get(name, default.removeprefix("-") if default.startswith("-") else "")

    given = COMPOSE["services"][role]["environment"]
    return {
        name: re.sub(r"\$\{(\w+):?((?:-|\?)[^}]*)\}", chosen, str(value))
        for name, value in given.items()
    }


class Running:
    """One role and where it answers."""

    def __init__(self, process: "subprocess.Popen[bytes]", health_port: int, log: Path) -> None:
        self.process = process
        self.health = f"http://127.0.0.1:{health_port}"
        self.log = log


def get(url: str, token: str = "") -> bytes:
    request = urllib.request.Request(
        url, headers={"Authorization": f"Bearer {token}"} if token else {}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def until(holds: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except (OSError, urllib.error.URLError):
            pass
        assert time.monotonic() < end, what
        time.sleep(0.3)


async def holds_soon(holds: Callable[[], bool], what: str) -> None:
    """In a thread: somebody in this loop answers Alertmanager."""
    await asyncio.to_thread(until, holds, what)


def feed(overrides: dict[str, str], first: str) -> None:
    """Two days of a centre that never was."""
    size = ("--days", "2", "--calls", "600", "--tickets", "200")
    subprocess.run(
        [sys.executable, "-m", "streams", "generate", "--to", "kafka", "--from", first, *size],
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | overrides,
        timeout=60,
    )


@contextmanager
def roles(overrides: dict[str, str], folder: Path) -> Iterator[dict[str, Running]]:
    started: dict[str, Running] = {}
    compute_port = free_port()
    try:
        for role in ROLES:
            port = compute_port if role == "compute" else free_port()
            environment = environment_of(role) | overrides | {
                "TICKETPULSE_HEALTH_PORT": str(port),
                "TICKETPULSE_POLICY": str(ROOT / "deploy/policies/call-centre.yaml"),
            }  # fmt: skip
            if role == "dashboard":
                environment["TICKETPULSE_HTTP_PORT"] = str(free_port())
                compute = f"127.0.0.1:{compute_port}"
                environment["TICKETPULSE_COMPUTE_URLS"] = environment[
                    "TICKETPULSE_COMPUTE_URLS"
                ].replace("compute:8312", compute)
            log = folder / f"{role}.log"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "streams", *COMPOSE["services"][role]["command"]],
                    cwd=folder,
                    env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            started[role] = Running(process, port, log)
        yield started
    finally:
        for one in started.values():
            one.process.send_signal(signal.SIGTERM)
        for one in started.values():
            one.process.wait(45)


async def test_what_is_fed_reaches_the_page_the_metrics_and_alertmanager(
    real_kafka: RealKafka, tmp_path: Path
) -> None:
    database = fresh_database_name()
    async with serving() as behind:
        with (
            Facade(engine_path(), user="ticketpulse", password="p4ss") as facade,
            RealAlertmanager(tmp_path, People(behind).url) as alertmanager,
        ):
            overrides = {
                "TICKETPULSE_BROKER_URL": real_kafka.address,
                "TICKETPULSE_TOPIC_PREFIX": f"{database}-",
                "TICKETPULSE_CLICKHOUSE_URL": facade.url,
                "TICKETPULSE_CLICKHOUSE_DATABASE": database,
                "TICKETPULSE_ALERTMANAGER_URL": alertmanager.url,
            }
            with roles(overrides, tmp_path) as started:
                for role, one in started.items():
                    await holds_soon(lambda one=one: b"ready" in get(f"{one.health}/readyz"), role)  # type: ignore[misc]  # bound now
                first = (datetime.now(UTC) - timedelta(days=6)).date().isoformat()
                await asyncio.to_thread(feed, overrides, first)
                page = re.search(r"live page: (\S+)", started["dashboard"].log.read_text())
                assert page is not None
                await reached(page[1], started, alertmanager)
            codes = {role: one.process.returncode for role, one in started.items()}
    assert codes == dict.fromkeys(ROLES, 0)


async def reached(url: str, started: dict[str, Running], alertmanager: RealAlertmanager) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(f"{url}api/live")
    assert orjson.loads(get(f"{url}api/me", "v-token"))["role"] == "viewer"

    def numbers() -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(get(f"{url}api/live", "v-token"))["content"][
            "headline"
        ]
        return found

    await holds_soon(lambda: numbers()["breached_total"] > 20, "breaches on the page")

    def calls() -> bool:
        found = orjson.loads(get(f"{url}api/views/calls?range=30d", "v-token"))
        rows = {row[0]["text"]: row[1]["value"] for row in found["sections"][0]["rows"]}
        return rows.get("Calls") == 600

    await holds_soon(calls, "all calls in the windows")
    breaches = orjson.loads(get(f"{url}api/live", "v-token"))["content"]["latest_breaches"]
    ticket = "/".join(breaches[0][part] for part in ("tenant", "source", "ticket_id"))
    why = orjson.loads(get(f"{url}api/explain/{ticket}", "v-token"))
    assert why["clocks"], "the worker's explanation, through the dashboard"
    metrics = get(f"{started['compute'].health}/metrics", "h-token").decode()
    assert 'ticketpulse_partition_ready{partition="0",topic=' in metrics
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(f"{started['compute'].health}/metrics")
    for one in started.values():
        assert b"alive" in get(f"{one.health}/healthz")
    end = time.monotonic() + 60
    while len(await alertmanager.active()) < 10:
        assert time.monotonic() < end, "alerts at Alertmanager"
        await asyncio.sleep(0.5)
