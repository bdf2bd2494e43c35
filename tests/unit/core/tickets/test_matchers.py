"""What a policy may ask for beyond statuses: pause, resume, reset and cancel matchers, applicability."""

from streams.core.policy import Matcher
from tests.unit.core.tickets.stories import (
    CREATED,
    QUESTION,
    REPLY,
    SOLVED,
    begun,
    clock,
    ev,
    hours,
    judged,
    only,
    policy,
    status,
    told,
    verdict_of,
)

STAGE = Matcher("stage_changed", (("stage", frozenset(("investigated",))),))


def test_pause_and_resume_matchers_hold_the_clock() -> None:
    #  08:00 created  09:00 asked back (pause)  12:00 answered (resume)  12:30 now
    rules = policy(clock(pause=(REPLY,), resume=(QUESTION,)))
    story = [
        begun(),
        ev("e2", "09:00", "message", author="agent"),
        ev("e3", "10:00", "message", author="agent"),
        ev("e4", "12:00", "message", author="customer"),
    ]
    assert only(story[:3], "11:00", rules).state == "paused"
    cycle = only(story, "12:30", rules)
    assert (cycle.state, hours(cycle.elapsed_ms), told(cycle.due_ms)) == ("running", 1.5, "15:00")


def test_a_held_clock_stays_held_whatever_the_status() -> None:
    rules = policy(clock(pause=(REPLY,), resume=(QUESTION,)))
    story = [
        begun(),
        ev("e2", "09:00", "message", author="agent"),
        status("e3", "10:00", "pending"),
        status("e4", "11:00", "open"),
    ]
    assert hours(only(story, "12:00", rules).elapsed_ms) == 1


def test_an_event_that_resumes_and_pauses_pauses() -> None:
    rules = policy(clock(pause=(REPLY,), resume=(REPLY,)))
    story = [begun(), ev("e2", "09:00", "message", author="agent")]
    assert only(story, "12:00", rules).state == "paused"


def test_reset_begins_again_in_the_same_cycle() -> None:
    #  08:00 created  11:00 update (reset): due 15:00 instead of 12:00
    rules = policy(clock(stop=(SOLVED,), reset=(REPLY,)))
    cycle = only([begun(), ev("e2", "11:00", "message", author="agent")], "12:30", rules)
    assert (cycle.cycle_id, told(cycle.due_ms), hours(cycle.elapsed_ms)) == ("e1", "15:00", 1.5)


def test_a_reset_at_the_due_instant_is_in_time_and_later_is_not() -> None:
    rules = policy(clock(stop=(SOLVED,), reset=(REPLY,)))
    in_time = only([begun(), ev("e2", "12:00", "message", author="agent")], "13:00", rules)
    assert verdict_of(in_time) == ("running", "16:00", None, None)
    late = only([begun(), ev("e2", "12:01", "message", author="agent")], "13:00", rules)
    assert verdict_of(late) == ("running", "12:00", "12:00", "deadline")


def test_cancel_withdraws_an_open_cycle_and_a_start_may_follow() -> None:
    rules = policy(clock(start=(CREATED, QUESTION), cancel=(STAGE,)))
    story = [
        begun(),
        ev("e2", "09:00", "stage_changed", stage="investigated"),
        ev("e3", "10:00", "message", author="customer"),
    ]
    first, second = judged(story, "11:00", rules)
    assert (first.state, told(first.withdrawn_ms)) == ("void", "09:00")
    assert (second.cycle_id, second.state, second.ordinal) == ("e3", "running", 2)


def test_an_event_that_stops_and_starts_does_both() -> None:
    rules = policy(clock(start=(CREATED, REPLY), stop=(REPLY, SOLVED)), hours=2)
    story = [begun(), ev("e2", "09:00", "message", author="agent")]
    first, second = judged(story, "09:30", rules)
    assert (first.state, second.state, told(second.due_ms)) == ("met", "running", "11:00")


def test_a_clock_applies_to_the_tickets_it_names() -> None:
    vip = clock(id="vip", applies=(("tier", frozenset(("vip",))),))
    assert judged([begun(tier="iron")], "09:00", policy(vip)) == []
    cycle = only([begun(tier="vip")], "09:00", policy(vip))
    assert cycle.clock == "vip"


def test_a_ticket_that_a_clock_no_longer_applies_to_is_withdrawn_from_it() -> None:
    vip = clock(id="vip", applies=(("tier", frozenset(("vip",))),))
    story = [begun(tier="vip"), ev("e2", "10:00", "customer_changed", tier="iron")]
    cycle = only(story, "11:00", policy(vip))
    assert (cycle.state, told(cycle.withdrawn_ms)) == ("void", "10:00")


def test_rules_ask_attributes_of_the_source_too() -> None:
    rules = policy(by_priority={"P1": 1})
    region = rules.rules[0].__class__(
        "north", (("region", frozenset(("north",))),), {"resolution": 7_200_000}
    )
    rules = policy(rules=(region, *rules.rules))
    cycle = only([begun(attributes={"region": "north"}, priority="P1")], "09:00", rules)
    assert (cycle.rule, told(cycle.due_ms)) == ("north", "10:00")


def test_a_reset_forgets_what_a_proportional_change_carried_over() -> None:
    rules = policy(
        clock(stop=(SOLVED,), reset=(REPLY,), on_target_change="proportional"),
        by_priority={"P1": 4, "P3": 24},
    )
    story = [
        begun(priority="P3"),
        ev("e2", "11:00", "priority_changed", priority="P1"),
        ev("e3", "12:00", "message", author="agent"),
    ]
    cycle = only(story, "12:30", rules)
    assert (hours(cycle.elapsed_ms), told(cycle.due_ms)) == (0.5, "16:00")


def test_a_reopened_clock_is_no_longer_held() -> None:
    rules = policy(clock(pause=(REPLY,), resume=(QUESTION,)))
    story = [
        begun(),
        ev("e2", "09:00", "message", author="agent"),
        ev("e3", "10:00", "solved"),
        ev("e4", "11:00", "reopened"),
    ]
    cycle = only(story, "12:00", rules)
    assert (cycle.state, hours(cycle.elapsed_ms)) == ("running", 2)
