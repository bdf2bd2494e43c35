"""Who is paged when nobody acts: ladders, rotas, absences, acknowledgements, silences, quiet hours."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from schemas import escalation as language
from schemas.instants import parse_rfc3339
from schemas.notifications import Notice, Notification, Wanted
from schemas.problems import ProblemsError
from streams.core.alerting.escalation import Action, Escalation
from streams.core.notices import Wait, decide, told
from streams.policies.escalating import load_escalation

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
NOON = parse_rfc3339("2026-03-02T04:00:00Z")  # a Monday, 12:00 in Shanghai
FILE: dict[str, Any] = {
    "acknowledgement": "30m",
    "quiet_hours": {"zone": "Asia/Shanghai", "from": "22:00", "to": "07:30"},
    "ladders": [
        {
            "match": {"tier": ["VIP"]},
            "steps": [{"to": "lead"}, {"after": "5m", "to": "manager", "unless_acknowledged": False}],
        },
        {
            "steps": [
                {"since": "at_risk", "severity": "warning"},
                {"to": "assignee"},
                {"after": "30m", "to": "lead"},
                {"after": "2h", "to": "manager"},
            ]
        },
    ],
    "rotas": {
        "L1": {
            "zone": "Asia/Shanghai",
            "duties": {
                "lead": [
                    {"who": "li", "days": ["mon", "tue"], "hours": "08:00-20:00"},
                    {"who": "wang", "hours": "20:00-08:00"},
                ],
                "manager": [{"who": "chen"}],
            },
        },
        "else": {"zone": "UTC", "duties": {"lead": [{"who": "zhao"}], "manager": [{"who": "chen"}]}},
    },
    "people": {
        "li": {
            "away": [
                {"from": "2026-03-03T00:00:00+08:00", "to": "2026-03-04T00:00:00+08:00", "substitute": "zhao"}
            ]
        },
        "wang": {}, "zhao": {}, "chen": {},
    },
}  # fmt: skip
LADDER = Escalation(language.Escalation.model_validate(FILE))


def breach(**changes: Any) -> Wanted:
    given: dict[str, Any] = {
        "version": 1, "level": "breach", "open": True, "ticket_id": "T", "clock": "c",
        "cycle_id": "y", "recorded_ms": NOON, "due_ms": NOON, "breach_ms": NOON,
        "team": "L1", "agent": "ann", **changes,
    }  # fmt: skip
    return Wanted(**given)


def at(minutes: float, *actions: Action, **changes: Any) -> tuple[int, float | None, str | None]:
    """Rung, minutes until the next, and who is asked."""
    standing = LADDER.standing(breach(**changes), actions, NOON + round(minutes * MINUTE_MS))
    ahead = None if standing.next_ms is None else (standing.next_ms - NOON) / MINUTE_MS
    return standing.step, ahead, standing.to


def done(minutes: float, action: str, until: float | None = None) -> Action:
    until_ms = None if until is None else NOON + round(until * MINUTE_MS)
    return Action(NOON + round(minutes * MINUTE_MS), action, until_ms)


def test_the_ladder_is_climbed() -> None:
    assert at(0) == (1, 30, "ann")
    assert at(29.9) == (1, 30, "ann")
    assert at(30) == (2, 120, "li")
    assert at(120) == (3, None, "chen")
    assert at(0, agent=None) == (1, 30, "L1")
    assert at(0, tier="VIP") == (1, 5, "li")


def test_an_acknowledgement_holds_the_next_rung_until_it_expires() -> None:
    assert at(30, done(20, "acknowledge")) == (1, 50, "ann")
    assert at(50, done(20, "acknowledge"))[0] == 2
    assert at(30, done(20, "acknowledge"), done(25, "release"))[0] == 2
    # For as long as was said, more or less than usual.
    assert at(30, done(20, "acknowledge", until=200)) == (1, 200, "ann")
    assert at(35, done(20, "acknowledge", until=34))[0] == 2
    assert at(30, done(20, "acknowledge", until=34)) == (1, 34, "ann")
    # A rung that is climbed in any case.
    assert at(5, done(1, "acknowledge"), tier="VIP") == (2, None, "chen")


def test_who_is_on_duty() -> None:
    night = NOON + 9 * HOUR_MS  # 21:00
    assert LADDER.on_duty("lead", breach(), night) == "wang"
    assert LADDER.on_duty("lead", breach(), NOON + 16 * HOUR_MS) == "wang"  # 04:00 of the next day
    assert LADDER.on_duty("lead", breach(), NOON + 24 * HOUR_MS) == "zhao"  # li is away
    assert LADDER.on_duty("lead", breach(), NOON + 48 * HOUR_MS) == "chen"  # nobody: the next duty
    assert LADDER.on_duty("lead", breach(team="elsewhere"), NOON) == "zhao"


def test_a_silence_holds_everything_and_quiet_hours_hold_warnings() -> None:
    silenced = LADDER.standing(breach(), [done(0, "silence", until=60)], NOON + MINUTE_MS)
    assert silenced.held_ms == NOON + 60 * MINUTE_MS
    over = [done(0, "silence", until=60), done(5, "unsilence")]
    assert LADDER.standing(breach(), over, NOON + 6 * MINUTE_MS).held_ms is None
    night = NOON + 12 * HOUR_MS  # midnight
    warning = breach(level="at_risk", breach_ms=None, recorded_ms=night)
    assert LADDER.standing(warning, [], night).held_ms == NOON + 19 * HOUR_MS + 30 * MINUTE_MS
    assert LADDER.standing(breach(breach_ms=night), [], night).held_ms is None


def test_the_shipped_file_is_in_order_and_mistakes_are_told(tmp_path: Path) -> None:
    load_escalation(Path(__file__).parents[3] / "deploy/escalation/service-desk.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_text("ladders: [{steps: [{to: king}]}]\nquiet: {}\n", encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        load_escalation(bad)
    assert "quiet" in str(caught.value)
    bad.write_text("ladders: [{steps: [{to: king}]}]\n", encoding="utf-8")
    with pytest.raises(ProblemsError, match="no rota has that duty"):
        load_escalation(bad)
    with pytest.raises(ProblemsError, match="No such file"):
        load_escalation(tmp_path / "none.yaml")


STEPS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sampled_from(("tick", "tick", "tick", "acknowledge", "release", "silence", "new version")),
    ),
    max_size=25,
)  # fmt: skip


@given(STEPS, st.integers(0, 200))
def test_no_rung_is_said_twice_none_after_the_end_and_every_breach_is_said(
    steps: list[tuple[int, str]], ends_after: int
) -> None:
    """A receiver's life with one key: time passes, somebody acts, the breach becomes known anew, it ends."""
    notice, actions, minutes = Notice(breach()), list[Action](), 0
    said: list[Notification] = []
    silent_minutes = 0

    def hear(now_ms: int) -> None:
        nonlocal notice
        while True:
            standing = LADDER.standing(notice.wanted, actions, now_ms)
            decision = decide("k", notice, "r", now_ms, HOUR_MS, standing)
            if not isinstance(decision, Notification):
                assert not isinstance(decision, Wait) or decision.until_ms > now_ms
                break
            said.append(decision)
            notice = told(notice, "r", decision)

    hear(NOON)
    for passed, what in steps:
        minutes = min(minutes + passed, ends_after)
        now_ms = NOON + minutes * MINUTE_MS
        if what == "silence":
            actions.append(Action(now_ms, "silence", now_ms + 10 * MINUTE_MS))
            silent_minutes += 10
        elif what in ("acknowledge", "release"):
            actions.append(Action(now_ms, what))
        elif what == "new version":
            version = notice.wanted.version + 1
            notice = Notice(breach(version=version), notice.heard)
        hear(now_ms)
    end_ms = NOON + (ends_after + silent_minutes) * MINUTE_MS
    hear(end_ms)
    firing = [one for one in said if one.status == "firing"]
    assert firing, "an open breach is said"
    rungs = [one.step for one in firing]
    assert rungs == sorted(set(rungs)), "each rung once, upwards"

    over = breach(version=notice.wanted.version + 1, open=False, level="resolved")
    notice = Notice(over, notice.heard)
    before = len(said)
    for later in (0, 1, 30, 200):
        now_ms = end_ms + later * MINUTE_MS
        decision = decide("k", notice, "r", now_ms, HOUR_MS)
        if isinstance(decision, Notification):
            said.append(decision)
            notice = told(notice, "r", decision)
    assert [one.status for one in said[before:]] == ["resolved"]
