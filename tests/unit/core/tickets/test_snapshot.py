"""Ticket states as bytes."""

import pytest

from streams.core.tickets import snapshot
from tests.unit.core.tickets.stories import begun, ev, live, play, status


def test_a_state_comes_back_equal() -> None:
    story = [
        begun(team="L1", attributes={"region": "north"}, targets={"other": 1}),
        status("e2", "09:00", "pending"),
        status("e3", "10:00", "open"),
        ev("e4", "11:00", "assigned", team="L2", agent="ann"),
    ]
    ticket = play(live(), *story, until="14:00")
    assert ticket.state is not None
    assert ticket.state.told
    assert snapshot.load(snapshot.dump(ticket.state), snapshot.VERSION) == ticket.state


def test_names_that_every_ticket_repeats_are_stored_once() -> None:
    one, other = (play(live(), begun()).state for _ in range(2))
    assert one is not None
    assert other is not None
    one, other = (snapshot.load(snapshot.dump(state), 1) for state in (one, other))
    assert one.last[0].clock is other.last[0].clock
    assert one.tenant is other.facts.tenant


def test_a_newer_snapshot_is_refused() -> None:
    with pytest.raises(ValueError, match="update ticketpulse"):
        snapshot.load(b"", snapshot.VERSION + 1)
