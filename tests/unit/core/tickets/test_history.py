"""What counts and in which order: duplicates, clamps, partial histories, overlong logs."""

from typing import Any

import pytest
from msgspec import structs

from schemas.instants import rfc3339
from streams.core.effects import Stamp
from streams.core.policy import PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.log import Flag
from tests.unit.core.tickets.stories import (
    HOUR_MS,
    QUESTION,
    REPLY,
    at,
    begun,
    clock,
    ev,
    hours,
    live,
    only,
    play,
    policy,
    status,
    told,
)

BOOK = PolicyBook((policy(),))


def test_a_partial_history_is_kept_and_judged_once_its_beginning_arrives() -> None:
    pause, resume = status("e2", "09:00", "pending"), status("e3", "10:00", "open")
    beginning = ev("e1", "08:00", "created", known="10:30", status="open")
    partial = evaluate([pause, resume], BOOK, at("10:15"))
    assert partial.cycles == ()
    assert partial.flags == (Flag("partial_history"),)
    whole = evaluate([pause, resume, beginning], BOOK, at("11:00"))
    assert whole.flags == ()
    assert told(whole.cycles[0].due_ms) == "13:00"


def test_stamps_before_the_beginning_and_from_the_future_are_clamped_and_flagged() -> None:
    story = [
        begun(),
        ev("e2", "07:59", "message", known="08:00", author="agent"),
        ev("e3", "12:30", "solved", known="11:30"),
    ]
    view = evaluate(story, BOOK, at("13:00"))
    assert view.flags == (
        Flag("before_start_clamped", "e2", -60_000),
        Flag("future_clamped", "e3", HOUR_MS),
    )
    assert told(view.cycles[0].stopped_ms) == "11:30"


def test_a_stamp_within_the_skew_waits_for_its_instant() -> None:
    #  arrives 11:59:30, happens 12:00:20: until then the clock runs, and breaches at 12:00
    ahead = ev("e2", "12:00:20", "solved", known="11:59:30")
    assert only([begun(), ahead], "12:00:10").state == "running"
    ticket = play(live(), begun(), ahead)
    assert ticket.state is not None
    assert [entry.event_id for entry in ticket.state.waiting] == ["e2"]
    play(ticket, until="12:01")
    assert [(rfc3339(e.at_ms)[11:19], e.type) for e in ticket.emissions] == [
        ("12:00:00", "breach"),
        ("12:00:00", "page"),
        ("12:00:20", "resolve"),
    ]
    assert ticket.state.waiting == ()


def test_the_same_event_again_is_the_same_state() -> None:
    ticket = play(live(), begun(), status("e2", "09:00", "pending"))
    before = ticket.state
    play(ticket, status("e2", "09:00", "pending", known="10:00"), begun())
    assert ticket.state is before


@pytest.mark.parametrize("first_read", [0, 1])
def test_of_two_contents_the_earlier_arrival_counts(first_read: int) -> None:
    copies = [
        ev("e2", "11:50", "solved", known="11:51", digest="bb" * 32),
        ev("e2", "12:10", "solved", known="12:11", digest="aa" * 32),
    ]
    story = [begun(), copies[first_read], copies[1 - first_read]]
    view = evaluate(story, BOOK, at("13:00"))
    assert view.cycles[0].state == "met"
    assert view.flags == (Flag("conflicting_duplicate", "e2"),)
    assert evaluate(story, BOOK, at("12:00")).flags == ()  # the other copy is not known yet


def test_a_third_content_does_not_move_the_flag() -> None:
    copies = [
        ev("e2", "11:50", "solved", known="11:51", digest="bb" * 32),
        ev("e2", "12:10", "solved", known="12:11", digest="aa" * 32),
        ev("e2", "12:20", "solved", known="12:40", digest="cc" * 32),
    ]
    for story in (copies, copies[::-1]):
        flags = evaluate([begun(), *story], BOOK, at("12:30")).flags
        assert flags == (Flag("conflicting_duplicate", "e2"),)


def test_of_two_contents_with_one_arrival_the_smaller_digest_counts() -> None:
    story = [
        begun(),
        ev("e2", "11:00", "solved", known="12:30", digest="bb" * 32),
        ev("e2", "12:20", "solved", known="12:30", digest="aa" * 32),
    ]
    assert only(story, "13:00").state == "breached"


def test_contents_without_a_digest_are_told_apart_too() -> None:
    story = [begun(), ev("e2", "11:00", "solved"), ev("e2", "12:20", "solved")]
    assert evaluate(story, BOOK, at("13:00")).flags == (Flag("conflicting_duplicate", "e2"),)


def test_at_one_instant_sequence_decides_before_stops_and_ids() -> None:
    pause = ev("e9", "09:00", "status_changed", sequence=1, status="pending")
    resume = ev("e2", "09:00", "status_changed", sequence=2, status="open")
    assert only([begun(), resume, pause], "10:00").state == "running"


def test_a_second_beginning_changes_nothing() -> None:
    story = [begun(), ev("e5", "10:00", "created", status="pending", team="L9")]
    cycle = only(story, "11:00")
    assert (cycle.cycle_id, cycle.state, hours(cycle.elapsed_ms)) == ("e1", "running", 3)


def test_an_earlier_beginning_that_arrives_late_is_the_beginning() -> None:
    story = [begun("09:00"), ev("e0", "08:00", "created", known="10:00", status="open")]
    cycle = only(story, "11:00")
    assert (cycle.cycle_id, told(cycle.due_ms)) == ("e0", "12:00")


def test_events_of_two_tickets_are_refused() -> None:
    other = structs.replace(ev("e2", "09:00", "solved"), entity_id="T2")
    with pytest.raises(AssertionError, match="several tickets"):
        evaluate([begun(), other], BOOK, 0)


# --- overlong logs ---


def chatter(count: int) -> list[object]:
    return [
        ev(f"m{n:04}", f"09:{n // 60:02}:{n % 60:02}", "message", author="bot")
        for n in range(count)
    ]


def test_an_overlong_log_is_folded_and_the_clocks_stay_the_same() -> None:
    story = [begun(), status("e2", "08:30", "pending"), status("e3", "08:45", "open"), *chatter(60)]
    ticket = play(live(log_max=20), *story)  # type: ignore[arg-type]  # events
    assert ticket.state is not None
    assert len(ticket.state.log) <= 20
    assert ticket.state.base is not None
    view = ticket.logic.view(ticket.state, at("10:00"))
    assert view == evaluate(story, BOOK, at("10:00"))  # type: ignore[arg-type]  # events


def test_late_truth_newer_than_what_was_folded_still_counts() -> None:
    story = [begun(), *chatter(60)]
    ticket = play(live(log_max=20), *story)  # type: ignore[arg-type]  # events
    play(ticket, ev("e2", "09:00:55", "solved", known="09:30"))
    assert ticket.state is not None
    (cycle,) = ticket.logic.view(ticket.state, at("10:00")).cycles
    assert (cycle.state, hours(cycle.elapsed_ms)) == ("met", 1 + 55 / 3600)


def test_late_truth_older_than_what_was_folded_is_flagged_and_changes_nothing() -> None:
    ticket = play(live(log_max=20), begun(), *chatter(60))  # type: ignore[arg-type]  # events
    late = ev("e2", "08:30", "solved", known="09:30")
    play(ticket, late)
    assert ticket.state is not None
    view = ticket.logic.view(ticket.state, at("10:00"))
    assert view.cycles[0].state == "running"
    assert view.flags == (Flag("log_capped", "e2"),)
    before = ticket.state
    play(ticket, late)
    assert ticket.state is before


@pytest.mark.parametrize("first_read", [0, 1])
def test_a_ticket_of_which_nothing_counts_yet_begins_where_its_oldest_event_does(
    first_read: int,
) -> None:
    ahead = [
        ev("e1", "08:00:30", "created", known="08:00"),
        ev("e2", "08:00:20", "assigned", known="08:00", team="L1"),
    ]
    ticket = play(live(), ahead[first_read], ahead[1 - first_read])
    assert ticket.state is not None
    assert ticket.state.facts.first_ms == at("08:00:20")
    play(ticket, until="08:01")
    assert ticket.state.facts.first_ms == at("08:00:30")


def test_an_endless_ticket_forgets_its_oldest_cycles_and_takes_nothing_back() -> None:
    replies = policy(clock(id="next_reply", start=(QUESTION,), stop=(REPLY,)), hours=0.001)
    story = [begun()]
    for n in range(60):  # a question, and an answer ten seconds later: each breached after 3.6 s
        story.append(ev(f"q{n:03}", f"09:{n:02}:00", "message", author="customer"))
        story.append(ev(f"r{n:03}", f"09:{n:02}:10", "message", author="agent"))
    ticket = live(replies, log_max=20, past_max=5)
    rows: dict[str, bool] = {}
    for event in story:
        before = ticket.state
        play(ticket, event)
        assert ticket.state is not None
        stamp = Stamp(0, 1, event.ingested_ms)
        for table, row in ticket.logic.rows(before, ticket.state, (), stamp):
            if table == "ticket_clocks":
                found: Any = row
                rows[found["cycle_id"]] = found["removed"] or not found["breached"]
    assert ticket.state is not None
    assert len(ticket.state.past) < 20
    assert len(ticket.state.told) < 20
    (last, *_) = ticket.state.last
    assert last.ordinal == 60
    assert len(rows) == 60
    assert not any(rows.values())
    assert {intent.level for intent in ticket.intents} == {"breach", "resolved"}
    play(ticket, ev("late", "09:59:05", "message", known="10:00", author="agent"))
    assert ticket.logic.view(ticket.state, at("10:01")).cycles[-1].stopped_ms == at("09:59:05")
