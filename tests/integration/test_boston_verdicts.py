"""Real cases of Boston: our verdicts against those the city published, through the two commands.

The published verdicts are computed here a second time, naively, straight from the CSV.
"""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from typer.testing import CliRunner

from schemas.instants import parse_rfc3339, to_ms
from streams.cli.app import app
from streams.importing import BOSTON_SAMPLE

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "deploy/policies/boston311.yaml"
WHOLE = ROOT.parent / "shared/data/boston311/2011-07_to_09.csv.gz"
BOSTON = ZoneInfo("America/New_York")

Case = dict[str, str]
Row = dict[str, object]


def cases_of(path: Path) -> list[Case]:
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def published(case: Case) -> str:
    """What the city says. Blank labels are late; a case without a promise can't be late or in time;
    an open case that isn't overdue has no verdict yet."""
    if not case["target_dt"]:
        return "no_target"
    if case["ontime"] in ("OVERDUE", ""):
        return "breached"
    return "met" if case["closed_dt"] else "pending"


def instant_of(text: str) -> int | None:
    if not text:
        return None
    local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BOSTON)
    return to_ms(local.astimezone(UTC))


def judged(path: Path, folder: Path, *options: str) -> tuple[dict[str, Row], str]:
    """Import and replay by the commands; the row of each case, and what the replay printed."""
    events, rows = folder / "events.jsonl", folder / "rows.jsonl"
    imported = CliRunner().invoke(
        app, ["import", str(path), "--mapping", "boston311", "--to", str(events)]
    )
    assert imported.exit_code == 0, imported.output
    replayed = CliRunner().invoke(
        app, ["replay", str(events), "--policy", str(POLICY), "--out", str(rows), *options]
    )
    assert replayed.exit_code == 0, replayed.output
    found = [orjson.loads(line) for line in rows.read_bytes().splitlines()]
    by_case = {str(row["ticket_id"]): row for row in found if row["clock"] == "resolution"}
    assert len(by_case) == sum(row["clock"] == "resolution" for row in found)
    return by_case, replayed.output


def check_verdicts(path: Path, folder: Path) -> Counter[str]:
    cases = cases_of(path)
    rows, told = judged(path, folder)
    assert set(rows) == {case["case_enquiry_id"] for case in cases}
    mismatches = [
        (case["case_enquiry_id"], published(case), rows[case["case_enquiry_id"]]["verdict"])
        for case in cases
        if rows[case["case_enquiry_id"]]["verdict"] != published(case)
    ]
    assert mismatches == []
    for case in cases:
        check_instants(case, rows[case["case_enquiry_id"]])
    assert "0 different, 0 without one of ours" in told
    return Counter(published(case) for case in cases)


def check_instants(case: Case, row: Row) -> None:
    """The row's instants are the case's own; a breach is at the promise, or at the opening when the
    promise lay before it."""
    opened, due, closed = (instant_of(case[name]) for name in ("open_dt", "target_dt", "closed_dt"))
    assert opened is not None
    assert _ms(row["event_time"]) == opened
    assert _ms(row["stopped_at"]) == closed
    assert _ms(row["due_at"]) == due
    late = due is not None and (closed is None or closed > due)
    assert row["breached"] is late
    assert _ms(row["breach_at"]) == (max(due, opened) if late and due is not None else None)
    if closed is not None:
        assert row["elapsed_ms"] == closed - opened


def _ms(value: object) -> int | None:
    return None if value is None else parse_rfc3339(str(value))


def test_the_shipped_sample(tmp_path: Path) -> None:
    counts = check_verdicts(BOSTON_SAMPLE, tmp_path)
    assert counts == {"met": 3_661, "breached": 1_251 + 28 + 320, "no_target": 676}


@pytest.mark.slow
@pytest.mark.skipif(not WHOLE.exists(), reason="the whole set is not beside this checkout")
def test_the_whole_set(tmp_path: Path) -> None:
    counts = check_verdicts(WHOLE, tmp_path)
    assert counts == {"met": 20_356, "breached": 4_745 + 82 + 1_632, "no_target": 5_013}


def test_before_their_promise_open_cases_are_pending(tmp_path: Path) -> None:
    """Nothing of the export is known early: as of an instant, only what had happened by then counts."""
    until = "2011-09-07T12:00:00Z"
    as_of = parse_rfc3339(until)
    rows, _told = judged(BOSTON_SAMPLE, tmp_path, "--until", until)
    for case in cases_of(BOSTON_SAMPLE):
        opened, due, closed = (
            instant_of(case[name]) for name in ("open_dt", "target_dt", "closed_dt")
        )
        assert opened is not None
        row = rows.get(case["case_enquiry_id"])
        assert (row is not None) is (opened <= as_of)
        if row is None:
            continue
        done = closed if closed is not None and closed <= as_of else None
        if due is None:
            expected = "no_target"
        elif done is not None:
            expected = "met" if done <= due else "breached"
        else:
            expected = "breached" if due < as_of else "pending"
        assert row["verdict"] == expected
        if done is None:
            assert row["external_verdict"] is None
