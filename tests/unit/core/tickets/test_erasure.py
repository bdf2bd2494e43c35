"""A customer is forgotten; what happened to the ticket is not."""

from dataclasses import replace
from typing import Any

from msgspec import structs

from schemas.events import Event
from streams.core.effects import CoreRejected, Stamp
from streams.core.policy import Policy, PolicyBook, Rule
from streams.core.tickets import snapshot
from streams.core.tickets.evaluate import evaluate
from tests.conformance.live import LiveTicket
from tests.unit.core.tickets.stories import (
    CLOCK,
    HOUR_MS,
    at,
    begun,
    ev,
    live,
    play,
    policy,
    status,
)

WHO = "c1.0badcafe.aaaabbbbccccddddeeeeffff22"


def customer(**more: Any) -> Event:
    return begun(customer_id=WHO, attributes={"city": "Ghent", "region": "north"}, **more)


def regional() -> Policy:
    """Two hours in the north, four elsewhere: the region is asked for, the city is not."""
    usual = policy()
    north = Rule("north", (("region", frozenset(("north",))),), {CLOCK: 2 * HOUR_MS})
    return replace(usual, rules=(north, *usual.rules))


def rows(ticket: LiveTicket, before: Any = None) -> dict[str, list[dict[str, Any]]]:
    assert ticket.state is not None
    found: dict[str, list[dict[str, Any]]] = {}
    stamp = Stamp(source_partition=0, version=7, now_ms=at("12:00"))
    for table, row in ticket.logic.rows(before, ticket.state, (), stamp):
        found.setdefault(table, []).append(dict(row))
    return found


def test_nothing_of_the_customer_is_left_in_the_state() -> None:
    ticket = play(live(), customer(), status("e2", "09:00", "pending"))
    play(ticket, ev("e3", "09:30", "customer_changed", tier="gold", customer_id=WHO))
    assert ticket.state is not None
    assert WHO.encode() in ticket.logic.dump(ticket.state)

    play(ticket, ev("e4", "10:00", "customer_erased"))

    dumped = ticket.logic.dump(ticket.state)
    assert WHO.encode() not in dumped
    assert b"Ghent" not in dumped
    (row,) = rows(ticket)["tickets"]
    assert (row["customer_id"], row["attributes"], row["tier"]) == (None, {}, "gold")
    assert row["event_count"] == 4


def test_the_row_is_said_anew_and_no_page_comes_of_it() -> None:
    ticket = play(live(), customer(), until="13:00")
    before, intents = ticket.state, len(ticket.intents)
    assert intents == 1, "it is late"

    play(ticket, ev("e2", "13:30", "customer_erased"))

    assert len(ticket.intents) == intents
    found = rows(ticket, before)
    assert list(found) == ["tickets"], "its clocks have not changed"
    assert found["tickets"][0]["customer_id"] is None


def test_what_a_policy_asks_for_stays_so_that_the_past_stays() -> None:
    book = PolicyBook((regional(),))
    story = [customer(), status("e2", "09:00", "pending"), status("e3", "10:00", "open")]
    erased = [*story, ev("e4", "10:30", "customer_erased")]

    without, with_ = (evaluate(events, book, at("13:00")) for events in (story, erased))

    assert without.cycles == with_.cycles
    assert with_.cycles[0].target_ms == 2 * HOUR_MS
    ticket = play(live(regional()), *erased, until="13:00")
    assert ticket.state is not None
    assert ticket.state.facts.attributes == {"region": "north"}


def test_what_comes_later_is_scrubbed_on_its_way_in() -> None:
    ticket = play(live(), ev("e0", "09:00", "customer_erased"), customer(known="10:00"))
    play(ticket, ev("e3", "11:00", "customer_changed", customer_id=WHO))
    assert ticket.state is not None
    assert WHO.encode() not in ticket.logic.dump(ticket.state)
    assert len(ticket.state.last) == 1, "the clock runs all the same"


def test_a_copy_of_an_erased_event_is_still_a_copy() -> None:
    ticket = play(live(), customer(), ev("e2", "09:00", "customer_erased"))
    before = ticket.state
    play(ticket, structs.replace(customer(), ingested_ms=at("10:00")))
    assert ticket.state is before
    play(ticket, structs.replace(customer(), ingested_ms=at("07:00")))
    assert ticket.state is not None
    assert WHO.encode() not in ticket.logic.dump(ticket.state)
    assert all(entry.conflict_ms is None for entry in ticket.state.log)


def test_a_log_that_was_folded_forgets_too() -> None:
    ticket = live(log_max=4)
    play(ticket, customer(), *(status(f"s{n}", f"09:{n:02}", "open") for n in range(9)))
    assert ticket.state is not None
    assert ticket.state.base is not None
    assert WHO.encode() in ticket.logic.dump(ticket.state)

    play(ticket, ev("e9", "10:00", "customer_erased"))

    assert WHO.encode() not in ticket.logic.dump(ticket.state)


def test_it_is_never_too_late_to_be_forgotten() -> None:
    day_ms = 24 * HOUR_MS
    ticket = live(policy(horizon_ms=day_ms))
    play(ticket, customer(), ev("e2", "09:00", "closed"))
    before = ticket.state
    late = ev("e3", "21 09:00", "customer_erased")
    after, effects = ticket.logic.advance(before, late, at("21 09:00"))
    assert not any(isinstance(effect, CoreRejected) for effect in effects)
    assert WHO.encode() not in ticket.logic.dump(after)

    play(ticket, until="23 09:00")
    assert ticket.state is not None
    assert ticket.state.stub_ms is not None, "a stub has no customer"
    again, effects = ticket.logic.advance(ticket.state, late, at("23 09:00"))
    assert (again, effects) == (ticket.state, ())


def test_an_erased_ticket_survives_its_snapshot() -> None:
    ticket = play(live(), customer(), ev("e2", "09:00", "customer_erased"))
    assert ticket.state is not None
    state = snapshot.load(snapshot.dump(ticket.state), snapshot.VERSION)
    assert state == ticket.state
    assert state.erased
