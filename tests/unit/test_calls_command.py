"""`ticketpulse calls` on a handful of calls."""

from pathlib import Path

import orjson
from typer.testing import CliRunner

from schemas.encode import encode
from schemas.events import Abandoned, Answered, Data, Ended, Queued
from streams.cli.app import app
from tests.unit.core.calls.test_calls import at

HOUR = 3_600


def call(number: int, began: float, wait: float, outcome: Data) -> list[bytes]:
    events = [
        at(began, Queued("sales"), entity_id=f"C{number}"),
        at(began + wait, outcome, entity_id=f"C{number}"),
        at(began + wait + 60, Ended(), entity_id=f"C{number}"),
    ]
    return [encode(event) for event in events]


def written(folder: Path) -> Path:
    """Answered after 10 s and 40 s, given up after 3 s at 00 UTC; answered after 5 s at 01 UTC."""
    lines = [
        *call(1, 100, 10, Answered()),
        *call(2, 200, 40, Answered()),
        *call(3, 300, 3, Abandoned()),
        *call(4, HOUR + 100, 5, Answered()),
        b'{"no": "event"}',
    ]
    path = folder / "calls.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def test_hours_queues_and_every_variant(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["calls", str(written(tmp_path)), "--json"])
    assert result.exit_code == 0, result.output
    first, second, total, everything = map(orjson.loads, result.stdout.splitlines())
    assert (first["hour"], first["queue"], first["queued"]) == (0, "sales", 3)
    assert (first["answered"], first["abandoned"], first["short_abandoned"]) == (2, 1, 1)
    assert first["average_speed_of_answer_ms"] == 25_000
    assert first["sl.answered_only"] == 50.0
    assert first["sl.answered_or_abandoned_within"] == 200 / 3
    assert (second["hour"], second["abandonment_percent"]) == (1, 0.0)
    assert (total["hour"], total["queued"], everything["queue"]) == (None, 4, "all queues")
    assert "4 calls, 0 without an end" in result.stderr
    assert "1 lines are no events" in result.stderr


def test_the_table_is_for_people_and_the_zone_moves_the_hours(tmp_path: Path) -> None:
    path = str(written(tmp_path))
    result = CliRunner().invoke(app, ["calls", path, "--zone", "Asia/Shanghai"])
    assert result.exit_code == 0, result.output
    assert "sl.offered" in result.stdout
    lines = [line for line in result.stdout.splitlines() if "sales" in line]
    assert [line.split()[:3] for line in lines[:2]] == [["08", "sales", "3"], ["09", "sales", "1"]]
    wrong = CliRunner().invoke(app, ["calls", path, "--zone", "Mars"])
    assert (wrong.exit_code, "IANA" in wrong.stderr) == (2, True)


def test_a_file_without_calls_is_told(tmp_path: Path) -> None:
    path = tmp_path / "none.jsonl"
    path.write_bytes(b"\n")
    result = CliRunner().invoke(app, ["calls", str(path)])
    assert (result.exit_code, "no event of a call" in result.stderr) == (2, True)
