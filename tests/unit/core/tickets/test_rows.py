"""Rows of a checkpoint: what changed since the last one, absolute; nothing else."""

from typing import Any

from streams.core.effects import Effect, Intent, Stamp
from streams.core.policy import AtRiskMark
from streams.core.tickets.state import TicketState
from tests.conformance.live import LiveTicket
from tests.unit.core.tickets.stories import (
    QUESTION,
    REPLY,
    at,
    begun,
    clock,
    ev,
    live,
    play,
    policy,
    status,
)

REPLIES = policy(clock(id="next_reply", start=(QUESTION,), stop=(REPLY,)), hours=1)


def rows(
    ticket: LiveTicket,
    before: TicketState | None,
    now: str,
    effects: tuple[Effect, ...] = (),
) -> dict[str, list[Any]]:
    assert ticket.state is not None
    found: dict[str, list[Any]] = {}
    for table, row in ticket.logic.rows(before, ticket.state, effects, Stamp(3, 7, at(now))):
        found.setdefault(table, []).append(row)
    return found


def test_a_new_ticket_says_everything() -> None:
    ticket = play(live(), begun(team="L1", priority="P1", tier="vip"))
    found = rows(ticket, None, "09:00")
    (clock_row,), (ticket_row,) = found["ticket_clocks"], found["tickets"]
    assert (clock_row["state"], clock_row["verdict"]) == ("running", "pending")
    assert clock_row["elapsed_ms"] == 3_600_000
    assert (clock_row["version"], clock_row["source_partition"]) == (7, 3)
    assert (ticket_row["open"], ticket_row["team"], ticket_row["event_count"]) == (True, "L1", 1)


def test_what_did_not_change_is_not_said_again() -> None:
    ticket = play(live(), begun())
    assert rows(ticket, ticket.state, "10:00") == {}


def test_only_what_changed_is_said() -> None:
    ticket = play(live(policy(clock(), *REPLIES.clocks)), begun())
    before = ticket.state
    play(ticket, ev("e2", "09:00", "message", author="customer"))
    found = rows(ticket, before, "09:00")
    assert [row["clock"] for row in found["ticket_clocks"]] == ["next_reply"]
    assert [row["event_count"] for row in found["tickets"]] == [2]


def test_a_breach_by_timer_is_said_without_an_event() -> None:
    ticket = play(live(), begun())
    before = ticket.state
    play(ticket, until="12:00")
    found = rows(ticket, before, "12:00", tuple(ticket.intents))
    (row,) = found["ticket_clocks"]
    assert (row["breached"], row["breach_at"]) == (True, row["due_at"])
    assert row["next_due_at"] is None
    assert [intent["level"] for intent in found["alert_intents"]] == ["breach"]
    assert "tickets" not in found


def test_of_several_intents_of_one_key_the_last_is_said() -> None:
    ticket = play(live(), begun(), ev("e2", "11:58", "solved", known="12:03"))
    found = rows(ticket, None, "12:03", tuple(ticket.intents))
    assert [row["level"] for row in found["alert_intents"]] == ["retracted"]
    assert isinstance(ticket.intents[0], Intent)


def test_a_cycle_that_late_truth_took_away_is_removed() -> None:
    ticket = play(live(REPLIES), begun(), ev("e3", "10:00", "message", author="customer"))
    before = ticket.state
    play(ticket, ev("e2", "09:50", "message", known="10:10", author="customer"))
    found = rows(ticket, before, "10:10")
    assert {
        row["cycle_id"]: (row["removed"], row["verdict"]) for row in found["ticket_clocks"]
    } == {"e2": (False, "pending"), "e3": (True, "void")}


def test_what_every_clock_repeats_is_said_by_every_clock() -> None:
    ticket = play(live(policy(clock(), *REPLIES.clocks)), begun())
    play(ticket, ev("e2", "09:00", "message", author="customer"))
    before = ticket.state
    play(ticket, ev("e3", "10:00", "external_verdict", clock="resolution", verdict="met"))
    found = rows(ticket, before, "10:00")
    assert {row["clock"]: row["external_verdict"] for row in found["ticket_clocks"]} == {
        "resolution": "met",
        "next_reply": None,
    }


def test_a_partial_history_says_so() -> None:
    ticket = play(live(), status("e2", "09:00", "pending"))
    found = rows(ticket, None, "09:00")
    assert [row["flags"] for row in found["tickets"]] == [["partial_history"]]
    assert "ticket_clocks" not in found


def test_a_stub_has_said_everything() -> None:
    ticket = play(live(policy(horizon_ms=600_000)), begun(), ev("e2", "10:00", "closed"))
    before = ticket.state
    play(ticket, until="11:00")
    assert ticket.state is not None
    assert ticket.state.stub_ms is not None
    assert rows(ticket, before, "11:00") == {}


def test_flags_are_said_by_every_clock() -> None:
    ticket = play(live(policy(clock(), *REPLIES.clocks)), begun())
    play(ticket, ev("e2", "09:00", "message", author="customer"))
    before = ticket.state
    play(ticket, ev("e3", "12:00", "message", known="10:00", author="bot"))
    found = rows(ticket, before, "10:00")
    assert {row["clock"]: row["flags"] for row in found["ticket_clocks"]} == {
        "resolution": ["future_clamped"],
        "next_reply": ["future_clamped"],
    }


def test_a_warning_that_was_given_by_a_clock_ahead_of_its_time_stands_when_it_is_right_again() -> (
    None
):
    """No timer fires a second time, so a later row would deny for ever what was announced."""
    ticket = play(live(policy(clock(at_risk=(AtRiskMark(share=0.5),)))), begun())
    play(ticket, until="10:30")  # by a clock that is ahead; it is 09:00
    (row,) = rows(ticket, None, "09:00")["ticket_clocks"]
    assert row["at_risk_at"] is not None
