"""Laws of the ticket core: what holds for every history, whatever order it arrives in."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import event as note, given, settings, strategies as st
from msgspec import structs

from schemas.events import CustomerErased, Event
from schemas.instants import to_ms
from streams.core.effects import Stamp
from streams.core.policy import AtRiskMark, PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from streams.core.tickets.view import CycleView
from tests.conformance.live import LiveTicket, run_live
from tests.laws.slow_clock import SlowClock, SlowEngine
from tests.laws.ticket_histories import (
    CITY,
    CUSTOMER_ID,
    GRID_MS,
    Promise,
    as_ofs,
    books,
    clocks,
    histories,
    promises,
)

MARKS = (AtRiskMark(share=0.5), AtRiskMark(before_ms=GRID_MS // 3))


def as_the_oracle_says(cycle: CycleView) -> dict[str, object]:
    at_breach = [(agent.team, agent.agent) for agent in cycle.agents if agent.held_at_breach]
    return {
        "cycle_id": cycle.cycle_id,
        "state": cycle.state,
        "target": cycle.target_ms,
        "elapsed": cycle.elapsed_ms,
        "due": cycle.due_ms,
        "breach_at": cycle.breach_ms,
        "reason": cycle.breach_reason,
        "stopped": cycle.stopped_ms,
        "withdrawn": cycle.withdrawn_ms,
        "held": {(agent.team, agent.agent): agent.held_ms for agent in cycle.agents},
        "holder_at_breach": at_breach[0] if at_breach else None,
    }


@pytest.mark.timeout(600)
@settings(max_examples=3 * settings().max_examples)  # the widest law, and cheap
@given(promises(), histories(), as_ofs)
def test_the_core_agrees_with_the_slow_oracle(
    promise: Promise, events: list[Event], as_of: int
) -> None:
    slow = SlowClock(promise.slow, promise.clock, events, as_of)
    view = evaluate(events, PolicyBook((promise.fast,)), as_of)
    assert [as_the_oracle_says(cycle) for cycle in view.cycles] == slow.judged()
    flags = [(flag.flag, flag.event_id, flag.skew_ms) for flag in view.flags]
    assert flags == slow.flags
    for cycle in view.cycles:
        note(f"{cycle.state}, {cycle.breach_reason}")


@given(promises(), histories(), as_ofs, st.randoms(use_true_random=False))
def test_live_emissions_agree_with_judging_anew_at_every_instant(
    promise: Promise, events: list[Event], as_of: int, random: object
) -> None:
    # what waits for as_of itself would wake the timers of that instant with it
    events = [event for event in events if not event.ingested_ms < event.occurred_ms == as_of]
    slow = SlowEngine(promise.slow, promise.clock, events, as_of)
    logic = TicketLogic(PolicyBook((promise.fast,)))
    wanted = Counter(slow.said)
    for _ in range(2):
        ticket = run_live(logic, events, as_of)
        said = [
            (
                emission.at_ms,
                str(emission.type),
                emission.key.rpartition(":")[2],
                emission.breach_ms,
            )
            for emission in ticket.emissions
        ]
        assert Counter(said) == wanted
        assert [emission[0] for emission in said] == sorted(emission[0] for emission in said)
        random.shuffle(events)  # type: ignore[attr-defined]  # Hypothesis' own random
    for _, type_, _, _ in slow.said:
        note(type_)


@given(promises(), histories(), as_ofs)
def test_emissions_never_double(promise: Promise, events: list[Event], as_of: int) -> None:
    ticket = run_live(TicketLogic(PolicyBook((promise.fast,))), events, as_of)
    by_key: dict[str, list[str]] = {}
    for emission in ticket.emissions:
        by_key.setdefault(emission.key, ["nothing"]).append(emission.type)
    may_follow = {
        "nothing": {"breach"},
        "breach": {"page", "retraction"},
        "page": {"resolve", "retraction"},
        "retraction": {"resolve", "breach"},
        "resolve": {"breach", "retraction"},
    }
    for types in by_key.values():
        assert all(later in may_follow[earlier] for earlier, later in pairwise(types)), types
        assert types.count("breach") - types.count("retraction") in (0, 1)


@given(promises(), histories(), as_ofs)
def test_a_breach_is_never_before_its_due_instant(
    promise: Promise, events: list[Event], as_of: int
) -> None:
    book = PolicyBook((promise.fast,))
    for cycle in evaluate(events, book, as_of).cycles:
        if cycle.breached:
            assert cycle.due_ms is not None
            assert cycle.breach_ms is not None
            assert cycle.due_ms <= cycle.breach_ms <= as_of
            assert cycle.due_ms < as_of
            assert (cycle.breach_reason == "deadline") == (cycle.breach_ms == cycle.due_ms)
    for intent in run_live(TicketLogic(book), events, as_of).intents:
        if intent.level == "breach":
            assert intent.breach_ms is not None
            assert intent.due_ms is not None
            assert intent.due_ms <= intent.breach_ms <= intent.recorded_ms
            assert intent.page_ms is None or intent.page_ms >= intent.breach_ms


@given(promises(), histories(), as_ofs)
def test_rule_d(promise: Promise, events: list[Event], as_of: int) -> None:
    for cycle in evaluate(events, PolicyBook((promise.fast,)), as_of).cycles:
        if cycle.state in ("met", "breached") and cycle.stopped_ms is not None:
            in_time = cycle.due_ms is None or cycle.stopped_ms <= cycle.due_ms
            assert (cycle.state == "met") == (in_time and not cycle.breached)
            assert in_time or cycle.breached


@given(promises(), histories(), as_ofs)
def test_stretches_and_holders_add_up_to_the_time_elapsed(
    promise: Promise, events: list[Event], as_of: int
) -> None:
    for cycle in evaluate(events, PolicyBook((promise.fast,)), as_of).cycles:
        assert sum(stretch.used_ms for stretch in cycle.stretches) == cycle.elapsed_ms
        assert sum(holder.held_ms for holder in cycle.holders) == cycle.elapsed_ms
        assert sum(agent.held_ms for agent in cycle.agents) == cycle.elapsed_ms
        assert sum(holder.held_at_breach for holder in cycle.holders) == cycle.breached
        assert all(stretch.from_ms <= stretch.to_ms <= as_of for stretch in cycle.stretches)


# --- the live path: any order, any number of times, timers whenever they like ---


@st.composite
def deliveries(draw: st.DrawFn) -> list[tuple[Event | None, int]]:
    """Events in any order at ever later instants; None: time for a timer. Some come twice."""
    events = draw(histories())
    events = draw(st.permutations([*events, *draw(st.lists(st.sampled_from(events), max_size=2))]))
    now = min(event.ingested_ms for event in events)
    steps: list[tuple[Event | None, int]] = []
    for event in events:
        now += draw(st.sampled_from((0, 0, 1, 7, 30))) * GRID_MS // 2
        if draw(st.booleans()):
            steps.append((None, now))
        steps.append((event, now))
    return steps


def delivered(logic: TicketLogic, steps: Sequence[tuple[Event | None, int]]) -> list[TicketState]:
    """The states passed through; a timer never comes before the instant it was asked for."""
    states: list[TicketState] = []
    state: TicketState | None = None
    for event, now in steps:
        if event is not None:
            state, effects = logic.advance(state, event, now)
            assert not [effect for effect in effects if not hasattr(effect, "level")]
        elif state is not None:
            wake = logic.wake_ms(state)
            if wake is not None and wake <= now:
                state, _ = logic.on_timer(state, now)
        if state is not None:
            states.append(state)
    return states


def everything(steps: Sequence[tuple[Event | None, int]]) -> list[Event]:
    return [event for event, _ in steps if event is not None]


policies = st.builds(
    lambda promise, others, two: PolicyBook(tuple(books(promise, others, MARKS)[: 1 + two])),
    promises(),
    st.tuples(clocks("other"), clocks("third")).map(list),
    st.booleans(),
)


@given(policies, deliveries(), st.integers(0, 8))
def test_one_event_at_a_time_equals_the_whole_log_at_once(
    book: PolicyBook, steps: list[tuple[Event | None, int]], later: int
) -> None:
    logic = TicketLogic(book)
    state = delivered(logic, steps)[-1]
    as_of = steps[-1][1] + later * GRID_MS
    assert logic.view(state, as_of) == evaluate(everything(steps), book, as_of)


@given(policies, histories(), as_ofs, st.randoms(use_true_random=False))
def test_order_and_duplication_change_nothing(
    book: PolicyBook, events: list[Event], as_of: int, random: object
) -> None:
    truth = evaluate(events, book, as_of)
    again = events * 2
    random.shuffle(again)  # type: ignore[attr-defined]  # Hypothesis' own random
    assert evaluate(again, book, as_of) == truth


@given(policies, histories(), as_ofs)
def test_forgetting_the_customer_changes_no_verdict(
    book: PolicyBook, events: list[Event], as_of: int
) -> None:
    last = max(events, key=lambda event: event.ingested_ms)
    asked = {"event_id": "erased", "type": "customer_erased", "data": CustomerErased()}
    erased = [*events, structs.replace(last, **asked, sequence=None, digest="")]
    assert evaluate(erased, book, as_of).cycles == evaluate(events, book, as_of).cycles


@given(policies, deliveries())
def test_an_erased_state_never_knows_its_customer(
    book: PolicyBook, steps: list[tuple[Event | None, int]]
) -> None:
    logic = TicketLogic(book)
    for state in delivered(logic, steps):
        if state.erased:
            dumped = logic.dump(state)
            assert CUSTOMER_ID.encode() not in dumped
            assert CITY.encode() not in dumped


@given(policies, deliveries())
def test_a_state_survives_its_snapshot(
    book: PolicyBook, steps: list[tuple[Event | None, int]]
) -> None:
    logic, restored = TicketLogic(book), TicketLogic(book)
    for state in delivered(logic, steps):
        data = logic.dump(state)
        assert restored.load(data, logic.snapshot_version) == state
    half = len(steps) // 2
    states = delivered(logic, steps[:half])
    if states:
        resumed: TicketState | None = restored.load(logic.dump(states[-1]), logic.snapshot_version)
        for event, now in steps[half:]:
            if event is not None:
                resumed, _ = restored.advance(resumed, event, now)
        kept = states[-1]
        for event, now in steps[half:]:
            if event is not None:
                kept, _ = logic.advance(kept, event, now)
        assert resumed == kept


@given(policies, deliveries())
def test_no_state_changes_under_its_holder(
    book: PolicyBook, steps: list[tuple[Event | None, int]]
) -> None:
    logic = TicketLogic(book)
    dumps: list[tuple[TicketState, bytes]] = []
    state: TicketState | None = None
    for event, now in steps:
        if event is None:
            continue
        state, _ = logic.advance(state, event, now)
        assert state is not None
        dumps.append((state, logic.dump(state)))
    assert all(logic.dump(state) == data for state, data in dumps)


@given(policies, deliveries())
def test_what_stands_announced_is_what_is_true(
    book: PolicyBook, steps: list[tuple[Event | None, int]]
) -> None:
    """Late truth retracts and creates: after it, and after the timers, exactly the breaches stand."""
    logic = TicketLogic(book)
    ticket = LiveTicket(logic)
    for event, now in steps:
        if event is not None:
            ticket.deliver(event, now)
        else:
            ticket.settle(now)
    now = steps[-1][1]
    ticket.settle(now)
    assert ticket.state is not None
    view = logic.view(ticket.state, now)
    excluded = view.facts.excluded
    true = {
        (cycle.clock, cycle.cycle_id): cycle.breach_ms
        for cycle in logic.view(without_waiting(logic, ticket.state), now + 1).cycles
        if cycle.breached and cycle.clock not in excluded
    }
    told = {
        (told.clock, told.cycle_id): told.breach_ms
        for told in ticket.state.told
        if told.breach_ms is not None
    }
    assert told == true
    wake = logic.wake_ms(ticket.state)
    assert wake is None or wake > now


def without_waiting(logic: TicketLogic, state: TicketState) -> TicketState:
    """So that a moment later, when what is due now has passed, nothing else has happened."""
    state = logic.load(logic.dump(state), logic.snapshot_version)
    state.waiting, state.waiting_ms = (), None
    return state


@given(promises(), histories())
def test_a_log_that_was_cut_gives_the_same_clocks(promise: Promise, events: list[Event]) -> None:
    book = PolicyBook((promise.fast,))
    logic = TicketLogic(book, log_max=4)
    created = [event for event in events if event.type == "created"]
    if not created:
        return
    first = created[0]
    later = {event.event_id: event for event in events if event.occurred_ms > first.occurred_ms}
    ordered = [
        first,
        *sorted(later.values(), key=lambda event: (event.occurred_ms, event.event_id)),
    ]
    ordered = [at_once(event) for event in ordered]
    as_of = ordered[-1].occurred_ms + GRID_MS
    state: TicketState | None = None
    for event in ordered:
        state, _ = logic.advance(state, event, event.ingested_ms)
    assert state is not None
    assert len(state.log) <= 4
    whole = evaluate(ordered, book, as_of)
    view = logic.view(state, as_of)
    assert view.cycles == whole.cycles
    assert view.facts == whole.facts


def at_once(event: Event) -> Event:
    """The same event, arriving when it happens."""
    return structs.replace(event, ingested_ms=event.occurred_ms, sequence=None)


@given(policies, deliveries())
def test_rows_say_what_the_view_says(
    book: PolicyBook, steps: list[tuple[Event | None, int]]
) -> None:
    logic = TicketLogic(book)
    ticket = LiveTicket(logic)
    for event, now in steps:
        if event is not None:
            ticket.deliver(event, now)
    now = steps[-1][1]
    ticket.settle(now)
    assert ticket.state is not None
    state, now = without_waiting(logic, ticket.state), now + 1
    rows: list[Any] = [
        row
        for table, row in logic.rows(None, state, (), Stamp(0, 1, now))
        if table == "ticket_clocks"
    ]
    views = {(cycle.clock, cycle.cycle_id): cycle for cycle in logic.view(state, now).cycles}
    assert {(row["clock"], row["cycle_id"]) for row in rows} == set(views)
    for row in rows:
        view = views[row["clock"], row["cycle_id"]]
        due, breach = row["due_at"], row["breach_at"]
        assert (
            row["state"],
            row["verdict"],
            row["elapsed_ms"],
            None if due is None else to_ms(due),
            None if breach is None else to_ms(breach),
            row["breach_reason"],
            row["largest_team"],
            row["breach_team"],
            row["breach_agent"],
            row["team"],
            row["target_ms"],
        ) == (
            view.state,
            view.verdict,
            view.elapsed_ms,
            view.due_ms,
            view.breach_ms,
            view.breach_reason,
            view.largest_team,
            view.breach_team,
            view.breach_agent,
            view.team,
            view.target_ms,
        )
