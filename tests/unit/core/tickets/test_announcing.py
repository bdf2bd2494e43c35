"""What a live ticket says: warnings, breaches, pages, retractions; each once."""

import pytest

from streams.core.effects import Intent
from streams.core.policy import AtRiskMark
from tests.unit.core.tickets.stories import (
    MINUTE_MS,
    QUESTION,
    REPLY,
    at,
    begun,
    clock,
    ev,
    levels,
    live,
    only,
    play,
    policy,
    said,
    status,
    told,
    weekdays,
)

LATE_STOP = ev("e2", "11:58", "solved", known="12:03")


def test_breach_and_page_at_the_due_instant_and_both_taken_back() -> None:
    ticket = play(live(), begun(), LATE_STOP)
    assert said(ticket) == [
        ("12:00", "breach"),
        ("12:00", "page"),
        ("12:03", "retraction"),
        ("12:03", "resolve"),
    ]
    assert {emission.key for emission in ticket.emissions} == {"sla:default/desk/T1:resolution:e1"}


def test_grace_holds_back_the_page_and_not_the_record() -> None:
    graceful = policy(clock(grace_ms=10 * MINUTE_MS))
    assert said(play(live(graceful), begun(), until="13:00")) == [
        ("12:00", "breach"),
        ("12:10", "page"),
    ]
    assert said(play(live(graceful), begun(), LATE_STOP)) == [
        ("12:00", "breach"),
        ("12:03", "retraction"),
    ]
    assert said(play(live(graceful), begun(), ev("e2", "12:10", "solved"), until="13:00")) == [
        ("12:00", "breach")
    ]


def test_reopened_within_the_grace_it_is_paged_reopened_later_it_is_not_again() -> None:
    graceful = policy(clock(grace_ms=30 * MINUTE_MS))
    story = [begun(), ev("e2", "12:10", "solved"), ev("e3", "12:20", "reopened")]
    assert said(play(live(graceful), *story, until="13:00")) == [
        ("12:00", "breach"),
        ("12:30", "page"),
    ]
    story = [begun(), ev("e2", "13:00", "solved"), ev("e3", "14:00", "reopened")]
    ticket = play(live(graceful), *story, ev("e4", "15:00", "solved"), until="16:00")
    assert said(ticket) == [("12:00", "breach"), ("12:30", "page"), ("13:00", "resolve")]
    assert levels(ticket) == [
        ("12:00", "breach"),
        ("13:00", "resolved"),
        ("14:00", "breach"),  # stands again, open, under its old page instant
        ("15:00", "resolved"),
    ]
    assert told(ticket.intents[2].page_ms) == "12:30"


def test_lag_alone_breaches_nothing() -> None:
    #  the log is read at 15:00; the stop of 11:00 is still in it
    ticket = live()
    ticket.deliver(begun(), at("15:00"))
    assert ticket.intents == []
    ticket.deliver(ev("e2", "11:00", "solved"), at("15:00"))
    ticket.settle(at("15:00"))
    assert ticket.emissions == []


def test_a_later_event_of_the_ticket_proves_a_breach_before_its_timer_does() -> None:
    ticket = live()
    ticket.deliver(begun(), at("15:00"))
    ticket.deliver(ev("e2", "13:00", "assigned", team="L2"), at("15:00"))
    assert levels(ticket) == [("15:00", "breach")]
    assert told(ticket.intents[0].breach_ms) == "12:00"


def test_a_breach_that_is_over_when_it_becomes_known_is_recorded_and_never_paged() -> None:
    ticket = live()
    ticket.deliver(begun(), at("15:00"))
    ticket.deliver(ev("e2", "13:00", "solved"), at("15:00"))
    ticket.settle(at("15:00"))
    play(ticket, until="16:00")
    assert said(ticket) == [("15:00", "breach")]
    assert (ticket.intents[0].open, ticket.intents[0].page_ms) == (False, None)


def test_a_breach_at_a_corrected_instant_is_no_second_breach() -> None:
    #  12:00 breach; 13:00: it had been paused 09:00-09:30, so it was 12:30
    story = [
        begun(),
        status("e2", "09:00", "pending", known="13:00"),
        status("e3", "09:30", "open", known="13:01"),
    ]
    ticket = play(live(), *story, until="14:00")
    assert said(ticket) == [
        ("12:00", "breach"),
        ("12:00", "page"),
        ("13:00", "retraction"),  # as far as known then, it was still paused
        ("13:00", "resolve"),
        ("13:01", "breach"),
        ("13:01", "page"),
    ]
    ticket = play(live(), story[0])
    ticket.pass_to(at("13:00"))
    for event in story[1:]:
        ticket.deliver(event, at("13:01"))
    ticket.settle(at("13:01"))
    assert said(ticket) == [("12:00", "breach"), ("12:00", "page")]
    assert told(ticket.intents[-1].breach_ms) == "12:30"


LONGER = policy(clock(grace_ms=30 * MINUTE_MS), hours=4, by_priority={"P2": 4.25})
CORRECTED = ev("e2", "09:00", "priority_changed", priority="P2", known="12:30")


def test_a_correction_is_no_retraction_even_before_the_timers_have_fired() -> None:
    #  12:00 breach; 12:30: the target had been 4:15 h, so it was 12:15
    ticket = play(live(LONGER), begun(), until="12:29")
    ticket.deliver(CORRECTED, at("12:30"))
    assert levels(ticket) == [("12:00", "breach"), ("12:30", "breach")]
    assert told(ticket.intents[-1].breach_ms) == "12:15"


def test_a_correction_read_at_the_page_instant_still_moves_the_page() -> None:
    ticket = play(live(LONGER), begun(), CORRECTED, until="14:00")
    assert said(ticket) == [("12:00", "breach"), ("12:45", "page")]


def test_a_correction_after_the_page_changes_no_page() -> None:
    story = [begun(), ev("e2", "09:00", "priority_changed", priority="P2", known="12:31")]
    ticket = play(live(LONGER), *story, until="14:00")
    assert said(ticket) == [("12:00", "breach"), ("12:30", "page")]
    assert told(ticket.intents[-1].page_ms) == "12:30"


def test_a_breach_recorded_as_over_has_nothing_to_resolve() -> None:
    ticket = live()
    for event in (begun(), ev("e2", "12:30", "solved")):
        ticket.deliver(event, at("15:00"))
    play(ticket, ev("e3", "15:30", "message", author="customer"), until="16:00")
    assert levels(ticket) == [("15:00", "breach")]


def test_late_truth_that_names_the_cycle_anew_takes_the_old_name_back() -> None:
    replies = policy(clock(id="next_reply", start=(QUESTION,), stop=(REPLY,)), hours=1)
    story = [
        begun(),
        ev("e3", "10:00", "message", author="customer"),
        ev("e2", "09:00", "message", author="customer", known="12:00"),
    ]
    ticket = play(live(replies), *story)
    assert [(intent.level, intent.cycle_id) for intent in ticket.intents] == [
        ("breach", "e3"),
        ("retracted", "e3"),
        ("breach", "e2"),
    ]


def test_an_exclusion_takes_the_record_back() -> None:
    story = [begun(), ev("e2", "13:00", "excluded", clock="resolution", reason="storm")]
    assert said(play(live(), *story))[2:] == [("13:00", "retraction"), ("13:00", "resolve")]


# --- warnings ---

MARKED = clock(at_risk=(AtRiskMark(share=0.5), AtRiskMark(before_ms=30 * MINUTE_MS)))


def test_warnings_come_at_shares_and_before_the_due_instant() -> None:
    ticket = play(live(policy(MARKED)), begun(), until="13:00")
    assert levels(ticket) == [("10:00", "at_risk"), ("11:30", "at_risk"), ("12:00", "breach")]
    assert said(ticket) == [("12:00", "breach"), ("12:00", "page")]


def test_marks_lie_on_working_time() -> None:
    #  Mon 16:00, 4 h of 09-17: half of it at Tue 10:00
    ticket = play(live(policy(MARKED, calendar=weekdays())), begun("16:00"), until="20 10:00")
    assert levels(ticket) == [("2026-01-20T10:00:00Z", "at_risk")]


def test_a_warning_is_resolved_by_a_stop_and_retracted_by_late_truth() -> None:
    ticket = play(live(policy(MARKED)), begun(), ev("e2", "11:00", "solved"))
    assert levels(ticket) == [("10:00", "at_risk"), ("11:00", "resolved")]
    ticket = play(live(policy(MARKED)), begun(), status("e2", "09:00", "pending", known="11:00"))
    assert levels(ticket) == [("10:00", "at_risk"), ("11:00", "retracted")]


@pytest.mark.parametrize("given", ["12:00", "09:00"])
def test_marks_of_a_given_due_instant_stand_on_the_wall_clock(given: str) -> None:
    ticket = play(live(policy(MARKED)), begun(targets={"resolution": at(given)}), until="13:00")
    half = {"12:00": "10:00", "09:00": "08:30"}[given]
    assert levels(ticket)[0] == (half, "at_risk")
    assert levels(ticket)[-1] == (given, "breach")


def test_an_intent_names_its_ticket_and_its_instants() -> None:
    ticket = play(live(policy(clock(grace_ms=5 * MINUTE_MS))), begun(), until="12:30")
    assert ticket.intents == [
        Intent(
            key="sla:default/desk/T1:resolution:e1",
            level="breach",
            ticket_id="T1",
            clock="resolution",
            cycle_id="e1",
            recorded_ms=at("12:00"),
            event_ms=at("08:00"),
            due_ms=at("12:00"),
            breach_ms=at("12:00"),
            page_ms=at("12:05"),
            open=True,
        )
    ]


@pytest.mark.parametrize(
    ("stopped", "as_of", "mark"),
    [(None, "09:59", None), (None, "10:00", "10:00"), ("09:00", "13:00", None)],
)
def test_a_view_names_the_first_mark_reached(
    stopped: str | None, as_of: str, mark: str | None
) -> None:
    story = [begun()] if stopped is None else [begun(), ev("e2", stopped, "solved")]
    assert told(only(story, as_of, policy(MARKED)).at_risk_ms) == mark
