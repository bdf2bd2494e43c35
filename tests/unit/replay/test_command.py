"""`ticketpulse replay` as a person uses it: files, summary, messages."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from streams.cli.app import app
from tests.unit.replay.stories import DAY, event, line

POLICY = Path(__file__).parents[3] / "deploy/policies/boston311.yaml"

LINES = [
    line(event("1", "created", "09:00", data={"targets": {"resolution": f"{DAY}T12:00:00Z"}})),
    line(event("2", "created", "09:00", data={"targets": {"resolution": f"{DAY}T12:00:00Z"}})),
    line(event("1", "closed", "11:30")),
    line(event("1", "external_verdict", "11:30", data={"clock": "resolution", "verdict": "met"})),
    line(event("3", "created", "13:00")),
]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"".join([*LINES, b"not json\n"]))
    return path


def replay(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def told(result: Result) -> list[str]:
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_rows_tickets_dead_letters_and_a_summary(tmp_path: Path, events: Path) -> None:
    rows, tickets, dead = (tmp_path / name for name in ("rows", "tickets", "dead"))
    result = replay(
        events, "--policy", POLICY, "--out", rows, "--tickets-out", tickets, "--dead-letters", dead
    )
    assert result.exit_code == 0, result.output
    found = [orjson.loads(text) for text in rows.read_bytes().splitlines()]
    assert {row["ticket_id"]: row["verdict"] for row in found if row["clock"] == "resolution"} == {
        "1": "met",
        "2": "breached",
        "3": "no_target",
    }
    (late,) = [row for row in found if row["ticket_id"] == "2" and row["clock"] == "resolution"]
    assert late["due_at"] == late["breach_at"] == f"{DAY}T12:00:00Z"
    assert {"tenant", "source", "cycle_id", "target_ms", "stopped_at", "elapsed_ms"} <= set(late)
    assert {"policy_version", "version", "breached", "external_verdict"} <= set(late)
    assert len(tickets.read_bytes().splitlines()) == 3
    letter = orjson.loads(dead.read_bytes())
    assert (letter["line"], letter["reason"], letter["original"]) == (6, "not_json", "not json")
    lines = told(result)
    assert "tickets 3" in lines
    assert "breaches 1 resolution" in lines
    assert f"rejected 1 1 not_json → {dead}" in lines
    assert "source's 1 verdicts: 1 equal, 0 different, 0 without one of ours" in lines


def test_the_end_may_be_given(tmp_path: Path, events: Path) -> None:
    rows = tmp_path / "rows"
    result = replay(events, "--policy", POLICY, "--out", rows, "--until", f"{DAY}T10:00:00Z")
    assert result.exit_code == 0, result.output
    found = [orjson.loads(text) for text in rows.read_bytes().splitlines()]
    assert {row["ticket_id"]: row["verdict"] for row in found if row["clock"] == "resolution"} == {
        "1": "pending",
        "2": "pending",
    }
    assert "later 3 events known only after that instant, left out" in told(result)


def test_the_history_can_be_written_too(tmp_path: Path, events: Path) -> None:
    rows = tmp_path / "rows"
    assert replay(events, "--policy", POLICY, "--out", rows, "--history").exit_code == 0
    found = [orjson.loads(text) for text in rows.read_bytes().splitlines()]
    second = [row for row in found if row["ticket_id"] == "2" and row["clock"] == "resolution"]
    # opened, two warnings, breached, closed
    assert [row["verdict"] for row in second] == ["pending"] * 3 + ["breached"] * 2
    assert [row["at_risk_at"] is None for row in second] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--until", "tomorrow"), "--until: "),
        (("--until", f"{DAY}T10:00:00"), "has no zone"),
        (("--out", "no/such/folder/rows.jsonl"), "no folder no/such/folder"),
        (("--out", "x.jsonl", "--tickets-out", "./x.jsonl"), "is that of --out"),
        (("--policy", "no-such-policy.yaml"), "no-such-policy.yaml"),
    ],
)
def test_each_mistake_of_the_command_is_told(
    events: Path, options: tuple[str, ...], said: str
) -> None:
    result = replay(events, "--policy", POLICY, *options)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(("content", "said"), [(b"", "there are no events in it"), (None, "No such file")])  # fmt: skip
def test_a_file_of_nothing_is_told_and_writes_nothing(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "events.jsonl"
    if content is not None:
        path.write_bytes(content)
    result = replay(path, "--policy", POLICY, "--out", tmp_path / "rows")
    assert result.exit_code == 2
    assert said in result.output
    assert not (tmp_path / "rows").exists()


def test_the_events_themselves_are_never_overwritten(events: Path) -> None:
    before = events.read_bytes()
    result = replay(events, "--policy", POLICY, "--out", events)
    assert result.exit_code == 2
    assert "is the file that is read" in result.output
    assert events.read_bytes() == before
