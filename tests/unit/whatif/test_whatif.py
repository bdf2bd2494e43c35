"""Two policies, one history: every number worked out by hand."""

from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from typer.testing import CliRunner

from schemas.problems import ProblemsError
from streams.cli.app import app
from streams.core.policy import PolicyBook
from streams.policies import parse_policy
from streams.whatif import Comparison, compare
from tests.unit.replay.stories import event, line

POLICY = """\
policy: desk
effective_from: 2020-01-01T00:00:00Z
calendars: {{always: {{always: true}}}}
calendar: always
clocks:
  resolution: {{start: created, stop: [solved, closed]}}
  {extra}
rules:
  - {{id: all, targets: {{resolution: {target}{more}}}}}
"""
HOUR = POLICY.format(target="1h", extra="", more="")
TWO_HOURS = POLICY.format(target="2h", extra="", more="")
WITH_REPLY = POLICY.format(
    target="2h", extra="reply: {start: created, stop: message}", more=", reply: 30m"
)


def book(text: str) -> PolicyBook:
    return PolicyBook((parse_policy(text, "policy"),))


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A: solved after 30 min. B: after 90 min, by L2. C: after 3 h. D: still open at the end."""
    path = tmp_path / "events.jsonl"

    def created(ticket: str, at: str, team: str, tier: str) -> dict[str, object]:
        return event(ticket, "created", at, data={"team": team, "tier": tier})

    path.write_bytes(
        b"".join(
            map(
                line,
                [
                    created("A", "08:00", "L1", "gold"),
                    event("A", "solved", "08:30"),
                    created("B", "08:00", "L1", "gold"),
                    event("B", "assigned", "08:45", data={"team": "L2"}),
                    event("B", "solved", "09:30"),
                    created("C", "09:00", "L1", "small"),
                    event("C", "solved", "12:00"),
                    created("D", "10:30", "L3", "small"),
                    event("E", "created", "12:01"),
                ],
            )
        )
    )
    return path


def judged(events: Path, old: str, new: str) -> Comparison:
    return compare(events, book(old), book(new), ZoneInfo("Asia/Shanghai"))


def test_breaches_that_a_longer_target_takes_away(events: Path) -> None:
    #  1h: B at 09:00 (L2), C at 10:00, D at 11:30.   2h: C at 11:00 only
    result = judged(events, HOUR, TWO_HOURS)

    old, new = result.old["resolution"], result.new["resolution"]
    assert (old.cycles, old.met, old.breached) == (5, 1, 3)
    assert (new.cycles, new.met, new.breached) == (5, 2, 1)
    assert old.compliance == pytest.approx(1 / 4)
    assert new.compliance == pytest.approx(2 / 3)
    assert (result.total("added"), result.total("removed")) == (0, 2)
    assert result.by_team["removed"] == {"L2": 1, "L3": 1}
    assert result.by_tier["removed"] == {"gold": 1, "small": 1}
    # a Monday; 09:00Z is 17:00 in Shanghai
    assert result.by_hour["removed"] == {(0, 17): 1, (0, 19): 1}
    assert [(example.ticket_id, example.change) for example in result.examples] == [
        ("B", "removed"),
        ("D", "removed"),
    ]


def test_the_other_way_round_they_are_added(events: Path) -> None:
    result = judged(events, TWO_HOURS, HOUR)

    assert (result.total("added"), result.total("removed")) == (2, 0)
    assert result.by_team["added"] == {"L2": 1, "L3": 1}


def test_the_same_policy_changes_nothing(events: Path) -> None:
    result = judged(events, HOUR, HOUR)

    assert (result.total("added"), result.total("removed"), result.examples) == (0, 0, [])
    assert result.old == result.new


def test_a_clock_that_only_one_policy_has(events: Path) -> None:
    added = judged(events, TWO_HOURS, WITH_REPLY)
    removed = judged(events, WITH_REPLY, TWO_HOURS)

    assert added.by_clock["added"] == {"reply": 4}  # nobody replied; E has time until 12:31
    assert removed.by_clock["removed"] == {"reply": 4}
    assert "reply" not in added.old


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["whatif", *map(str, arguments)])
    return done.exit_code, done.output


def test_the_command_prints_tables_and_json(tmp_path: Path, events: Path) -> None:
    (tmp_path / "old.yaml").write_text(HOUR)
    (tmp_path / "new.yaml").write_text(TWO_HOURS)
    options = ("--policy", tmp_path / "new.yaml", "--against", tmp_path / "old.yaml", events)
    code, said = run(*options, "--json", tmp_path / "out.json")
    assert code == 0, said
    assert "9 events, 5 tickets" in said
    assert "25.0% → 66.7%" in said
    document = orjson.loads((tmp_path / "out.json").read_bytes())
    assert document["breaches"] == {"added": 0, "removed": 2}
    assert document["clocks"]["resolution"]["new"]["compliance"] == pytest.approx(2 / 3)
    assert document["hours_of_week"]["removed"][0][9] == 1

    code, said = run(*options, "--lang", "zh-CN")
    assert code == 0, said
    assert "新策略会带来的变化" in said
    assert "周一" in said


def test_mistakes_are_told(tmp_path: Path, events: Path) -> None:
    (tmp_path / "old.yaml").write_text(HOUR)
    options = ("--policy", tmp_path / "old.yaml", "--against", tmp_path / "old.yaml")
    code, said = run(*options, events, "--zone", "Asia/Shangai")
    assert (code, "Asia/Shangai" in said) == (2, True)
    code, said = run("--policy", tmp_path / "no.yaml", "--against", tmp_path / "old.yaml", events)
    assert (code, "no.yaml" in said) == (2, True)
    (tmp_path / "empty.jsonl").write_text("")
    code, said = run(*options, tmp_path / "empty.jsonl")
    assert (code, "there are no events in it" in said) == (2, True)
    with pytest.raises(ProblemsError):
        judged(tmp_path / "missing.jsonl", HOUR, HOUR)
