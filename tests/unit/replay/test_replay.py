"""Replay: the core, a file and a clock moved by hand."""

import random
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from schemas.instants import parse_rfc3339, rfc3339
from schemas.problems import ProblemsError
from streams.replay import ReplaySinks, replay_file
from tests.unit.replay.stories import BOOK, DAY, Replayed, event, line


def at(text: str) -> int:
    return parse_rfc3339(f"{DAY}T{text}Z")


STORY = [
    line(event("1", "created", "09:00", data={"targets": {"resolution": f"{DAY}T12:00:00Z"}})),
    line(event("2", "created", "09:30")),
    line(event("1", "message", "09:40", data={"author": "agent"})),
    line(event("2", "message", "11:00", data={"author": "agent"})),
    line(event("1", "closed", "11:30")),
    line(event("1", "external_verdict", "11:30", data={"clock": "resolution", "verdict": "met"})),
    line(event("2", "external_verdict", "11:31", data={"clock": "reply", "verdict": "met"})),
    line(event("2", "external_verdict", "11:32", data={"clock": "resolution", "verdict": "met"})),
]


def test_clocks_are_judged_and_compared(tmp_path: Path) -> None:
    #  ticket 1  09:00 created  09:40 reply (due 10:00)   11:30 closed (due 12:00)
    #  ticket 2  09:30 created  10:30 due X  11:00 reply                  still open, no target
    replayed = Replayed(tmp_path / "e.jsonl", STORY)
    summary = replayed.summary
    assert {key: row["verdict"] for key, row in replayed.clocks().items()} == {
        ("1", "reply"): "met",
        ("1", "resolution"): "met",
        ("2", "reply"): "breached",
        ("2", "resolution"): "no_target",
    }
    assert (summary.events, summary.tickets, summary.until_ms) == (8, 2, at("11:32:00"))
    assert summary.verdicts == {
        "reply": {"met": 1, "breached": 1},
        "resolution": {"met": 1, "no_target": 1},
    }
    assert summary.breaches == {"reply": 1, "resolution": 0}
    assert summary.agreement == {"equal": 1, "different": 1, "no verdict": 1}
    (difference,) = summary.differences
    assert (difference.ticket_id, difference.ours, difference.theirs) == ("2", "breached", "met")


def test_a_breach_happens_at_its_due_instant_also_without_any_later_event(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path / "e.jsonl", STORY[:1], at("23:00:00"))
    reply = replayed.clocks()["1", "reply"]
    assert (reply["verdict"], reply["breached"], reply["state"]) == ("breached", True, "running")
    assert rfc3339(int(reply["breach_at"].timestamp() * 1000)) == f"{DAY}T10:00:00Z"  # type: ignore[union-attr]  # breached
    assert reply["elapsed_ms"] == 14 * 3_600_000


@pytest.mark.parametrize(
    ("until", "verdict"), [("10:00:00", "pending"), ("10:00:00.001", "breached")]
)
def test_a_due_instant_that_equals_the_end_has_not_passed(
    tmp_path: Path, until: str, verdict: str
) -> None:
    replayed = Replayed(tmp_path / "e.jsonl", STORY[:1], at(until))
    assert replayed.clocks()["1", "reply"]["verdict"] == verdict


def test_a_stop_known_at_the_due_instant_is_read_before_the_timer(tmp_path: Path) -> None:
    lines = [STORY[0], line(event("1", "message", "10:00", data={"author": "agent"}))]
    replayed = Replayed(tmp_path / "e.jsonl", lines, at("23:00:00"))
    assert replayed.clocks()["1", "reply"]["verdict"] == "met"
    assert replayed.summary.intents["breach"] == 1  # the resolution, due at 12:00


def test_late_truth_takes_a_breach_back(tmp_path: Path) -> None:
    #  09:00 created   09:50 reply ......... known at 10:30
    #                        10:00 due X breach, retracted
    late = line(event("1", "message", "09:50", known="10:30", data={"author": "agent"}))
    replayed = Replayed(tmp_path / "e.jsonl", [STORY[0], late], at("11:00:00"), history=True)
    reply = [row for row in replayed.clock_rows if row["clock"] == "reply"]
    assert [row["verdict"] for row in reply] == ["pending", "breached", "met", "met"]
    versions = [row["version"] for row in reply]
    assert versions == sorted(set(versions))
    assert replayed.summary.intents == {"breach": 1, "retracted": 1}


def test_what_is_known_later_than_the_end_is_left_out(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path / "e.jsonl", STORY, at("09:35:00"))
    assert (replayed.summary.events, replayed.summary.after_until) == (2, 6)
    assert {row["verdict"] for row in replayed.clock_rows} == {"pending", "no_target"}


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_lines_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, shuffle: random.Random
) -> None:
    path = tmp_path_factory.getbasetemp() / "shuffled.jsonl"
    lines = [*STORY, STORY[0], STORY[3]]  # some twice
    shuffle.shuffle(lines)
    shuffled = Replayed(path, lines)
    assert _settled(shuffled) == _settled(Replayed(path, STORY))


def _settled(replayed: Replayed) -> list[tuple[object, ...]]:
    return sorted(
        tuple((name, repr(value)) for name, value in row.items() if name != "version")
        for _table, row in replayed.rows
    )


def test_the_history_ends_in_the_final_rows(tmp_path: Path) -> None:
    final = Replayed(tmp_path / "e.jsonl", STORY)
    history = Replayed(tmp_path / "e.jsonl", STORY, history=True)
    assert len(history.rows) > len(final.rows)
    assert history.clocks() == final.clocks()
    assert history.summary == final.summary


def test_a_ticket_that_is_over_leaves_memory_with_its_rows_given_out(tmp_path: Path) -> None:
    later = {"occurred_at": "2026-01-25T00:00:00Z", "ingested_at": "2026-01-25T00:00:00Z"}
    lines = [
        *STORY[:1],
        line(event("1", "closed", "11:30")),
        line(event("2", "created", "00:00", **later)),
        line({**event("1", "reopened", "00:01"), **later}),
    ]
    replayed = Replayed(tmp_path / "e.jsonl", lines)
    resolution = replayed.clocks()["1", "resolution"]
    assert resolution["verdict"] == "met"
    assert resolution["judged_at"].isoformat() == "2026-01-20T11:30:00+00:00"
    assert replayed.summary.rejected == {"too_late": 1}
    assert [letter.line for letter in replayed.letters] == [4]
    assert len([row for row in replayed.rows if row[0] == "tickets"]) == 2


def test_an_event_without_ingested_at_is_known_when_it_occurred(tmp_path: Path) -> None:
    bare = event("1", "created", "09:00")
    del bare["ingested_at"]
    replayed = Replayed(tmp_path / "e.jsonl", [STORY[1], line(bare)])
    assert set(replayed.clocks()) == {(ticket, clock) for ticket in "12" for clock in ("reply", "resolution")}  # fmt: skip
    assert replayed.summary.until_ms == at("09:30:00")


def test_bad_lines_are_kept_with_reasons_and_stop_nothing(tmp_path: Path) -> None:
    call = {**event("1", "ended", "09:00"), "call_id": "c"}
    del call["ticket_id"]
    lines = [
        b"\n",
        b"not json\n",
        b"\xff\xfe\n",
        line({**event("9", "created", "09:00"), "type": "creatd"}),
        b'"' + b"x" * 700_000 + b'"\n',
        line(call),
        *STORY,
    ]
    replayed = Replayed(tmp_path / "e.jsonl", lines)
    assert replayed.summary.events == len(STORY)
    assert replayed.summary.other_entities == 1
    letters = {letter.line: letter for letter in replayed.letters}
    assert {number: letter.reason for number, letter in letters.items()} == {
        2: "not_json",
        3: "invalid_utf8",
        4: "unknown_type",
        5: "too_large",
    }
    assert letters[2].document()["original"] == "not json"
    assert letters[3].document()["original_base64"] == "//4="


def test_a_file_that_cannot_be_read_is_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match=r"none\.jsonl: No such file"):
        replay_file(tmp_path / "none.jsonl", BOOK, ReplaySinks())


def test_a_file_without_a_line_gives_nothing(tmp_path: Path) -> None:
    replayed = Replayed(tmp_path / "e.jsonl", [])
    assert (replayed.summary.lines, replayed.summary.until_ms, replayed.rows) == (0, None, [])
