"""Calls told by their events; times by hand."""

from itertools import permutations
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.events import (
    Abandoned,
    AfterCallEnded,
    Answered,
    CallbackMade,
    CallbackRequested,
    Data,
    Ended,
    Event,
    Held,
    IvrEntered,
    Offered,
    Queued,
    Retrieved,
    Transferred,
)
from streams.core.calls.call import Call, call_of
from streams.core.calls.sums import queue_sums
from streams.core.measures import CallMeasures, QueueMeasures
from streams.core.statistics.service_level import QueueSums


def at(seconds: float, data: Data, **more: Any) -> Event:
    type_ = str(type(data).__struct_config__.tag)
    event = Event(
        tenant="default",
        source="pbx",
        kind="call",
        entity_id="C1",
        event_id=f"{type_}-{seconds}",
        type=type_,
        occurred_ms=round(seconds * 1_000),
        ingested_ms=round(seconds * 1_000),
        data=data,
    )
    return replace(event, **more)


def sums(call: Call, **definition: int) -> list[QueueSums]:
    return [one for _leg, one in queue_sums(call, CallMeasures(QueueMeasures(**definition)))]


STORY = [
    at(0, IvrEntered(line="800", call_type="loan")),
    at(12, Queued("sales", priority="2")),
    at(30, Offered(agent="ann")),
    at(33.5, Answered(agent="ann", team="L1")),
    at(60, Held()),
    at(75, Retrieved()),
    at(100, Ended("customer")),
    at(140, AfterCallEnded(agent="ann")),
]


def test_an_ordinary_call() -> None:
    call = call_of(STORY)
    (leg,) = call.legs
    assert (call.ivr_ms, leg.wait_ms, leg.hold_ms, leg.talk_ms) == (12_000, 21_500, 15_000, 51_500)
    assert call.after_call_ms == 40_000
    assert (leg.queue, leg.agent, leg.team, leg.outcome) == ("sales", "ann", "L1", "answered")
    assert (call.line, call.call_type, call.priority) == ("800", "loan", "2")
    assert not call.oddities
    assert sums(call) == [QueueSums(queued=1, answered=1, wait_sum_ms=21_500)]
    assert sums(call, answer_within_ms=21_500)[0].answered_within == 1, "at the threshold is within"


def test_order_of_arrival_and_copies_change_nothing() -> None:
    truth = call_of(STORY)
    for order in list(permutations(STORY))[::997]:
        assert call_of([*order, *order[:3]]) == truth


def test_a_conflicting_copy_the_first_known_counts() -> None:
    wrong = replace(STORY[1], data=Queued("wrong"), ingested_ms=STORY[1].ingested_ms + 1)
    assert call_of([*STORY, wrong]) == call_of([wrong, *STORY]) == call_of(STORY)


def test_a_transfer_is_a_leg_of_its_own() -> None:
    call = call_of(
        [
            at(0, Queued("sales")),
            at(10, Answered(agent="ann")),
            at(40, Held()),
            at(50, Transferred(to_queue="loans")),
            at(50, Queued("loans")),
            at(80, Answered(agent="bo")),
            at(200, Ended()),
        ]
    )
    first, second = call.legs
    assert (first.wait_ms, first.talk_ms, first.hold_ms) == (10_000, 30_000, 10_000)
    assert (second.queue, second.wait_ms, second.talk_ms, second.agent) == (
        "loans", 30_000, 120_000, "bo",
    )  # fmt: skip
    assert call.transfers == 1
    assert sum(sums(call), QueueSums()) == QueueSums(
        queued=2, answered=2, answered_within=1, wait_sum_ms=40_000
    )


def test_giving_up_soon_late_and_in_the_menu() -> None:
    soon = call_of([at(0, Queued("q")), at(5, Abandoned()), at(5, Ended())])
    late = call_of([at(0, Queued("q")), at(90, Abandoned()), at(90, Ended())])
    menu = call_of([at(0, IvrEntered()), at(7, Abandoned("ivr")), at(7, Ended())])
    assert sums(soon) == [QueueSums(queued=1, abandoned=1, abandoned_within=1, short_abandoned=1)]
    assert sums(late) == [QueueSums(queued=1, abandoned=1)]
    assert (sums(menu), menu.ivr_ms, menu.abandoned_where) == ([], 7_000, "ivr")


def test_a_callback_instead_of_waiting() -> None:
    call = call_of(
        [at(0, Queued("q")), at(15, CallbackRequested()), at(16, Ended()), at(900, CallbackMade())]
    )
    assert (call.legs[0].outcome, call.legs[0].wait_ms) == ("callback", 15_000)
    assert [one.made_ms is not None for one in call.callbacks] == [True]
    assert sums(call) == [QueueSums(queued=1, callbacks_within=1)]


def test_moved_on_to_another_queue_without_an_answer() -> None:
    call = call_of([at(0, Queued("a")), at(20, Queued("b")), at(30, Answered()), at(40, Ended())])
    assert [leg.outcome for leg in call.legs] == ["transferred", "answered"]
    assert sum(sums(call), QueueSums()).queued == 2


def test_a_call_that_still_waits_is_not_decided() -> None:
    call = call_of([at(0, Queued("q"))])
    assert (call.legs[0].outcome, call.legs[0].wait_ms, sums(call)) == ("open", None, [])


def test_answered_without_a_queue() -> None:
    call = call_of([at(0, IvrEntered()), at(8, Answered(agent="ann")), at(20, Ended())])
    assert (call.ivr_ms, call.legs[0].wait_ms, call.legs[0].talk_ms) == (8_000, None, 12_000)
    assert sums(call) == []


@pytest.mark.parametrize(
    ("events", "oddity"),
    [
        ([at(0, Ended())], "end_without_beginning"),
        ([at(0, Queued("q")), at(5, Ended()), at(9, Answered())], "event_after_end"),
        ([at(0, Queued("q")), at(1, Held())], "held_unanswered"),
        ([at(0, Queued("q")), at(1, Transferred())], "transferred_unanswered"),
        ([at(0, Queued("q")), at(1, Answered()), at(2, Abandoned())], "abandoned_after_answer"),
        ([at(0, Queued("q")), at(1, AfterCallEnded())], "after_call_before_end"),
    ],
)
def test_what_can_not_be_is_named_and_counts_nowhere(events: list[Event], oddity: str) -> None:
    call = call_of(events)
    assert call.oddities == {oddity}
    assert sums(call) == []


def test_a_stamp_from_the_future_counts_as_its_arrival() -> None:
    future = at(10_000, Answered(), ingested_ms=30_000)
    assert call_of([at(0, Queued("q")), future]).legs[0].wait_ms == 30_000
