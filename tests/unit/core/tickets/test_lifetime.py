"""How long a ticket is remembered: horizon, stub, forgetting."""

from streams.core.effects import CoreRejected
from tests.conformance.live import LiveTicket
from tests.unit.core.tickets.stories import (
    HOUR_MS,
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
    told,
)

DAY_LONG = policy(horizon_ms=24 * HOUR_MS)


def over() -> LiveTicket:
    return play(live(DAY_LONG), begun(), ev("e2", "10:00", "closed"))


def test_the_horizon_begins_with_the_last_event() -> None:
    ticket = over()
    assert ticket.state is not None
    assert told(ticket.logic.wake_ms(ticket.state)) == "2026-01-20T10:00:00Z"


def test_late_truth_counts_until_the_horizon() -> None:
    ticket = play(over(), status("e3", "09:00", "pending", known="20 09:59"))
    assert ticket.rejected == []
    assert ticket.state is not None
    assert len(ticket.state.log) == 3


def test_beyond_the_horizon_an_event_is_too_late_and_changes_nothing() -> None:
    ticket = over()
    before = ticket.state
    ticket.deliver(ev("e3", "09:00", "solved", known="20 10:01"), at("20 10:01"))
    (rejected,) = ticket.rejected
    assert isinstance(rejected, CoreRejected)
    assert rejected.reason == "too_late"
    assert "e3" in rejected.detail
    assert ticket.state is before


def test_a_small_stub_goes_on_refusing_and_is_forgotten_at_last() -> None:
    ticket = play(over(), until="20 10:00")
    state = ticket.state
    assert state is not None
    assert state.stub_ms == at("20 10:00")
    assert (state.log, state.last, state.told) == ((), (), ())
    assert len(ticket.logic.dump(state)) < 150
    ticket.deliver(ev("e9", "20 11:00", "reopened"), at("20 11:00"))
    assert [type(effect) for effect in ticket.rejected] == [CoreRejected]
    assert ticket.state is state
    play(ticket, until="29 09:59")
    assert ticket.state is state
    play(ticket, until="29 10:00")
    assert ticket.state is None


def test_an_old_history_read_today_is_read_whole() -> None:
    #  all of it happened a week ago and arrives now, in any order
    story = [
        ev("e4", "13 12:00", "closed", known="12:00"),
        ev("e1", "13 08:00", "created", known="12:00", status="open"),
        ev("e2", "13 09:00", "solved", known="12:00"),
        ev("e3", "13 11:00", "reopened", known="12:00"),
    ]
    ticket = play(live(DAY_LONG), *story)
    assert ticket.rejected == []
    assert ticket.state is not None
    assert ticket.state.facts.event_count == 4
    assert told(ticket.logic.wake_ms(ticket.state)) == "2026-01-20T12:00:00Z"


def test_a_partial_history_does_not_wait_for_ever() -> None:
    ticket = play(live(DAY_LONG), ev("e2", "10:00", "message", author="agent"))
    assert ticket.state is not None
    assert told(ticket.logic.wake_ms(ticket.state)) == "2026-01-20T10:00:00Z"
    play(ticket, until="20 10:00")
    assert ticket.state.stub_ms is not None


def test_an_open_ticket_is_never_over() -> None:
    ticket = play(live(DAY_LONG), begun(), until="25 10:00")
    assert ticket.state is not None
    assert ticket.state.stub_ms is None
    assert ticket.logic.wake_ms(ticket.state) is None  # breached and said; nothing left to happen


def test_a_solved_ticket_with_an_open_promise_is_not_over() -> None:
    replies = clock(id="next_reply", start=(QUESTION,), stop=(REPLY,))
    story = [begun(), ev("e2", "09:00", "solved"), ev("e3", "10:00", "message", author="customer")]
    ticket = play(live(policy(clock(), replies, horizon_ms=24 * HOUR_MS)), *story, until="25 00:00")
    assert ticket.state is not None
    assert ticket.state.stub_ms is None


def test_a_ticket_waits_for_what_is_known_to_come() -> None:
    #  an edge whose clock is five days ahead
    ticket = play(live(DAY_LONG), begun())
    ticket.deliver(ev("e3", "11:00", "reopened", known="25 10:00"), at("09:00"))
    play(ticket, ev("e2", "10:00", "closed"))
    play(ticket, until="22 00:00")
    assert ticket.state is not None
    assert ticket.state.stub_ms is None
    play(ticket, until="25 10:00")
    assert ticket.state.facts.reopen_count == 1
