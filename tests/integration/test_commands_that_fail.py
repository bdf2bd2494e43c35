"""What a person is told when something can't be done: one clear line per mistake, exit code 2."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sinks.clickhouse.client import ClickHouse

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "deploy/policies/boston311.yaml"
BAD_POLICY = """\
policy: bad
effective_from: 2026-01-01T00:00:00Z
calendars:
  office: {zone: Europe/Berln, weekly: {mon: ["09:00-17:00"]}}
calendar: office
clocks:
  resolution:
    start: created
    stop: [solvd]
rules:
  - {id: all, targets: {resolution: -4h}}
"""


def run(*arguments: str | Path, folder: Path, **environment: str) -> tuple[int, list[str]]:
    """Exit code and what was said on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "streams", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "TICKETPULSE_POLICY": str(POLICY)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert "Traceback" not in done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said, done.stderr
    return done.returncode, said


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = run("up", "--port", str(port), folder=tmp_path)

    assert code == 2
    (line,) = said
    assert f"127.0.0.1:{port}: the port is in use by another program" in line
    assert "TICKETPULSE_HTTP_PORT" in line


def test_an_unreadable_file(tmp_path: Path) -> None:
    code, said = run("replay", tmp_path / "no.jsonl", "--policy", POLICY, folder=tmp_path)

    assert code == 2
    assert said == [f"error: {tmp_path / 'no.jsonl'}: No such file or directory"]


def test_an_unknown_mapping(tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("a,b\n1,2\n")
    code, said = run("import", "cases.csv", "--mapping", "boston31", folder=tmp_path)

    assert code == 2
    (line,) = said
    assert "unknown mapping 'boston31'" in line
    assert "did you mean 'boston311'?" in line


@pytest.mark.parametrize("command", ["up", "replay"])
def test_a_policy_with_three_mistakes(tmp_path: Path, command: str) -> None:
    (tmp_path / "bad.yaml").write_text(BAD_POLICY)
    (tmp_path / "events.jsonl").write_text("")
    arguments = ["events.jsonl", "--policy", "bad.yaml"] if command == "replay" else []
    code, said = run(command, *arguments, folder=tmp_path, TICKETPULSE_POLICY="bad.yaml")

    assert code == 2
    assert [line.split(": ")[1] for line in said] == ["bad.yaml:4", "bad.yaml:9", "bad.yaml:11"]
    zone, stop, target = said
    assert "did you mean 'Europe/Berlin'?" in zone
    assert "did you mean 'solved'?" in stop
    assert "a duration can't be negative" in target


def test_a_data_directory_owned_by_another_process(tmp_path: Path) -> None:
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")
    with ClickHouse.connect("embedded", database="x", path=tmp_path / "data"):
        code, said = run("up", "--port", "0", folder=tmp_path, TICKETPULSE_DATA_DIR="data")

    assert code == 2
    (line,) = said
    assert "data" in line
    assert f"is in use by process {os.getpid()}" in line


@pytest.mark.parametrize("command", [("compute",), ("deadletters", "list")], ids=" ".join)
def test_an_unreachable_broker(tmp_path: Path, command: tuple[str, ...]) -> None:
    code, said = run(*command, folder=tmp_path, TICKETPULSE_BROKER_URL="127.0.0.1:1")

    assert code == 2
    assert any(
        "Kafka can't be reached" in line and "TICKETPULSE_BROKER_URL" in line for line in said
    )


def test_every_wrong_setting_at_once(tmp_path: Path) -> None:
    code, said = run(
        "up",
        folder=tmp_path,
        TICKETPULSE_PARTITIONS="none",
        TICKETPULSE_HTTP_PORT="70000",
        TICKETPULSE_LOG_LEVEL="LOUD",
    )

    assert code == 2
    assert [line.split(": ")[1] for line in said] == [
        "TICKETPULSE_PARTITIONS",
        "TICKETPULSE_HTTP_PORT",
        "TICKETPULSE_LOG_LEVEL",
    ]


def test_a_role_alone_needs_servers_of_its_own(tmp_path: Path) -> None:
    code, said = run("writer", folder=tmp_path)

    assert code == 2
    assert [line.split(": ")[1] for line in said] == ["broker_url", "clickhouse_url"]
