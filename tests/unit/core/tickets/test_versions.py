"""Policy versions: judged by the one in force as of the event; history is never rewritten."""

from dataclasses import replace

from streams.core.policy import PolicyBook
from tests.unit.core.tickets.stories import (
    QUESTION,
    REPLY,
    SOLVED,
    at,
    begun,
    clock,
    ev,
    judged,
    only,
    policy,
    told,
)

OLD = policy(hours=4)
NEW = replace(policy(hours=1), version="desk@2", effective_from_ms=at("09:00"))


def test_before_the_first_version_the_first_one_holds() -> None:
    first = replace(OLD, effective_from_ms=at("08:00"))
    book = PolicyBook((NEW, first))
    assert [book.as_of(at(when)).version for when in ("07:00", "08:59", "09:00")] == [
        "desk@1",
        "desk@1",
        "desk@2",
    ]


def test_a_running_clock_keeps_the_version_it_was_matched_by() -> None:
    cycle = only([begun()], "11:00", OLD, NEW)
    assert (told(cycle.due_ms), cycle.policy_version, cycle.breached) == ("12:00", "desk@1", False)
    later = only([begun("09:30")], "10:00", OLD, NEW)
    assert (told(later.due_ms), later.policy_version) == ("10:30", "desk@2")


def test_a_changed_attribute_asks_the_version_in_force() -> None:
    story = [begun(), ev("e2", "09:30", "priority_changed", priority="P1")]
    cycle = only(story, "10:00", OLD, NEW)
    assert (cycle.policy_version, cycle.breach_reason) == ("desk@2", "target_shortened")
    assert told(cycle.due_ms) == "09:00"


def test_a_clock_that_the_new_version_dropped_runs_on_by_the_old_one() -> None:
    dropped = replace(policy(clock(id="other")), version="desk@2", effective_from_ms=at("09:00"))
    story = [begun(), ev("e2", "10:00", "solved")]
    (cycle,) = judged(story, "11:00", OLD, dropped)
    assert (cycle.clock, cycle.state) == ("resolution", "met")


def test_a_clock_that_the_new_version_stops_otherwise_obeys_its_own() -> None:
    rules = policy(clock(stop=(SOLVED,)))
    other = replace(policy(clock(stop=(REPLY,))), version="desk@2", effective_from_ms=at("09:00"))
    story = [begun(), ev("e2", "10:00", "message", author="agent"), ev("e3", "11:00", "solved")]
    assert told(only(story, "13:00", rules, other).stopped_ms) == "11:00"


def test_a_clock_at_rest_starts_again_by_the_version_in_force() -> None:
    rules = policy(clock(start=(QUESTION,), stop=(REPLY,)))
    other = replace(
        policy(clock(start=(SOLVED,), stop=(REPLY,))),
        version="desk@2",
        effective_from_ms=at("10:00"),
    )
    story = [
        begun(),
        ev("e2", "08:30", "message", author="customer"),
        ev("e3", "09:00", "message", author="agent"),
        ev("e4", "11:00", "message", author="customer"),
        ev("e5", "12:00", "solved"),
    ]
    assert [cycle.cycle_id for cycle in judged(story, "13:00", rules, other)] == ["e2", "e5"]
