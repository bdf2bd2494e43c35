"""Ticket states as bytes."""

from pathlib import Path

import pytest

from streams.core.policy import AtRiskMark
from streams.core.tickets import snapshot
from streams.core.tickets.erasure import erased
from streams.core.tickets.state import TicketState
from tests.unit.core.tickets.stories import begun, clock, ev, live, play, policy, status


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
    one, other = (snapshot.load(snapshot.dump(state), snapshot.VERSION) for state in (one, other))
    assert one.last[0].clock is other.last[0].clock
    assert one.tenant is other.facts.tenant


def test_a_newer_snapshot_is_refused() -> None:
    with pytest.raises(ValueError, match="update ticketpulse"):
        snapshot.load(b"", snapshot.VERSION + 1)


GOLDEN = Path(__file__).with_name("snapshot_v1.hex")
GOLDEN_2 = Path(__file__).with_name("snapshot_v2.hex")


def golden_state() -> TicketState:
    """A ticket with everything that a snapshot of version 1 can hold in one story."""
    marked = clock(at_risk=(AtRiskMark(share=0.5),))
    story = [
        begun(team="L1", priority="P1", attributes={"region": "north"}),
        status("e2", "09:00", "pending"),
        status("e3", "10:00", "open"),
        ev("e4", "11:00", "assigned", team="L2", agent="ann"),
        ev("e5", "15:00", "solved"),
        ev("e6", "16:00", "reopened"),
    ]
    ticket = play(live(policy(marked)), *story, until="23:00")
    assert ticket.state is not None
    return ticket.state


def test_states_of_the_first_version_are_understood_for_ever() -> None:
    """The bytes were written when version 1 was new. If this fails, a running system's state would not be
    restored: raise VERSION, and make `load` understand both."""
    state = snapshot.load(bytes.fromhex(GOLDEN.read_text()), 1)
    assert state == golden_state()
    assert snapshot.load(snapshot.dump(state), snapshot.VERSION) == state


def test_states_of_the_second_version_are_understood_for_ever() -> None:
    """The same ticket with its customer erased, which version 2 brought."""
    state = snapshot.load(bytes.fromhex(GOLDEN_2.read_text()), 2)
    assert state == erased(golden_state(), frozenset())
    assert state.erased
    assert snapshot.load(snapshot.dump(state), snapshot.VERSION) == state
