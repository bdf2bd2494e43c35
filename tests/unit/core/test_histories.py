"""Calls, surveys and shifts as the engine drives them: any order, any number; the customer forgotten; stubs; snapshots."""

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from schemas.decode import decode
from schemas.events import CustomerErased, EntityKind, Event
from streams.core.business_time import ALWAYS
from streams.core.calls.kind import CallKind
from streams.core.effects import CoreRejected, Stamp
from streams.core.histories import History, HistoryLogic
from streams.core.policy import ClockSpec, Matcher, Policy, PolicyBook, Rule
from streams.core.shifts.kind import ShiftKind
from streams.core.surveys.kind import SurveyKind
from tests.unit.measuring.story import HOUR_MS, START_MS, calls, shifts, surveys

DAY_MS = 24 * HOUR_MS
BOOK = PolicyBook(
    (
        Policy(
            id="p", version="p@1", effective_from_ms=0, calendar=ALWAYS,
            clocks=(ClockSpec("c", start=(Matcher("created"),), stop=()),),
            rules=(Rule("r", (), {}),),
        ),
    )
)  # fmt: skip
LOGICS: dict[str, HistoryLogic[Any]] = {
    "calls": HistoryLogic(CallKind(), BOOK),
    "surveys": HistoryLogic(SurveyKind(), BOOK),
    "shifts": HistoryLogic(ShiftKind(), BOOK),
}
KINDS: dict[str, EntityKind] = {"calls": "call", "surveys": "survey", "shifts": "shift"}
TOLD = {"calls": calls, "surveys": surveys, "shifts": shifts}
STAMP = Stamp(0, 1, START_MS + 30 * DAY_MS)


def events_of(topic: str) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for _, key, value in TOLD[topic]():
        event = decode(value, key=key, received_ms=0, kind=KINDS[topic])
        assert isinstance(event, Event)
        found.setdefault(event.entity_id, []).append(event)
    return found


def play(topic: str, events: list[Event]) -> History:
    logic, state = LOGICS[topic], None
    for event in events:
        state, effects = logic.advance(state, event, event.ingested_ms)
        assert effects == ()
    assert state is not None
    return state


def rows_of(topic: str, state: History) -> list[Any]:
    rows = LOGICS[topic].rows(None, state, (), STAMP)
    return orjson.loads(orjson.dumps(sorted(rows, key=str)))  # type: ignore[no-any-return]  # plain data


@pytest.mark.parametrize("topic", ["calls", "surveys", "shifts"])
@given(seed=st.integers(0, 2**32))
def test_order_and_copies_change_nothing(topic: str, seed: int) -> None:
    rng = random.Random(seed)
    logic = LOGICS[topic]
    for events in events_of(topic).values():
        truth = play(topic, events)
        mixed = [*events, *rng.sample(events, len(events) // 2)]
        rng.shuffle(mixed)
        state = play(topic, mixed)
        assert rows_of(topic, state) == rows_of(topic, truth)
        assert sorted(logic.parts(state)) == sorted(logic.parts(truth))
        assert logic.wake_ms(state) == logic.wake_ms(truth)


@pytest.mark.parametrize("topic", ["calls", "surveys", "shifts"])
def test_a_snapshot_gives_the_state_back(topic: str) -> None:
    logic = LOGICS[topic]
    for events in events_of(topic).values():
        state = play(topic, events)
        assert logic.load(logic.dump(state), logic.snapshot_version) == state
    with pytest.raises(ValueError, match="update ticketpulse"):
        logic.load(b"", logic.snapshot_version + 1)


def test_a_known_event_with_other_content_is_flagged_and_the_first_known_counts() -> None:
    (first, *rest) = events_of("calls")["c1-a"]
    other = Event(**{**as_dict(rest[0]), "ingested_ms": rest[0].ingested_ms + 1, "occurred_ms": rest[0].occurred_ms + 9_000})  # fmt: skip
    state = play("calls", [first, *rest, other])
    assert state.conflicting == (other.event_id,)
    assert rows_of("calls", state)[-1][1]["flags"] == ["conflicting_duplicate"]
    assert play("calls", [first, other, *rest]).events != ()
    truth = rows_of("calls", play("calls", [first, *rest]))
    assert rows_of("calls", state)[0] == truth[0], "its legs are those of the first"


def as_dict(event: Event) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


@pytest.mark.parametrize("topic", ["calls", "surveys"])
def test_the_customer_is_forgotten_before_and_after(topic: str) -> None:
    logic = LOGICS[topic]
    name, events = next(iter(events_of(topic).items()))
    marked = [with_customer(event) for event in events]
    asked = Event(**{**as_dict(events[0]), "event_id": "erase", "type": "customer_erased", "data": CustomerErased()})  # fmt: skip
    state = play(topic, marked[:-1])
    before = logic.parts(state)
    erased, _ = logic.advance(state, asked, 0)
    assert erased is not None
    assert logic.parts(erased) == before, "what it counts for stays"
    assert b"somebody" not in logic.dump(erased)
    for event in marked:  # late ones and copies, too
        erased, _ = logic.advance(erased, event, 0)
        assert erased is not None
    assert b"somebody" not in logic.dump(erased)
    assert erased.conflicting == (), name
    again, _ = logic.advance(erased, asked, 0)
    assert again is erased
    assert logic.advance(None, asked, 0) == (None, ())


def with_customer(event: Event) -> Event:
    if not hasattr(event.data, "customer_id"):
        return event
    data = type(event.data)(**{**{n: getattr(event.data, n) for n in event.data.__struct_fields__}, "customer_id": "somebody"})  # fmt: skip
    return Event(**{**as_dict(event), "data": data})


def test_a_call_goes_on_by_itself_then_shrinks_and_refuses_what_is_too_late() -> None:
    logic = LOGICS["calls"]
    (_, queued, *_) = events_of("calls")["c1-a"]
    state: History | None = play("calls", [queued])
    assert state is not None
    due_ms = queued.occurred_ms + 20_000
    assert logic.wake_ms(state) == due_ms + 1
    state, _ = logic.on_timer(state, due_ms + 1)
    assert state is not None
    (leg,) = (row for table, row in rows_of("calls", state) if table == "call_legs")
    assert (leg["answer_verdict"], leg["outcome"]) == ("breached", "open")
    seen = []
    while (wake_ms := logic.wake_ms(state)) is not None and state.stub_ms is None:
        seen.append(wake_ms - queued.occurred_ms)
        before = state
        after, _ = logic.on_timer(state, wake_ms)
        assert after is not None
        if logic.shrank(before, after):
            (call,) = (row for table, row in rows_of("calls", before) if table == "calls")
            assert call["flags"] == ["never_ended"]
        state = after
    assert seen == [4 * HOUR_MS, 7 * DAY_MS]
    late, effects = logic.advance(state, queued, 0)
    assert late is state
    assert isinstance(effects[0], CoreRejected)
    assert effects[0].reason == "too_late"
    assert logic.on_timer(state, (logic.wake_ms(state) or 0)) == (None, ())
