"""Clocks by example: met, breached, paused, reopened, changed, merged, cancelled, excluded."""

import pytest

from streams.core.business_time import ALWAYS
from tests.unit.core.tickets.stories import (
    HOUR_MS,
    QUESTION,
    REPLY,
    at,
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
    weekdays,
)

DAY_MS = at("00:00")


@pytest.mark.parametrize(
    ("stopped", "expected"),
    [
        ("11:59:59.999", ("met", "12:00", None, None)),
        ("12:00:00", ("met", "12:00", None, None)),
        ("12:00:00.001", ("breached", "12:00", "12:00", "deadline")),
    ],
)
def test_rule_d_a_stop_is_in_time_up_to_the_due_instant(
    stopped: str, expected: tuple[str, ...]
) -> None:
    #  08:00 created -------- 4 h --------> 12:00 due
    assert verdict_of(only([begun(), ev("e2", stopped, "solved")], "14:00")) == expected


@pytest.mark.parametrize(("as_of", "breached"), [("12:00:00", False), ("12:00:00.001", True)])
def test_a_breach_is_true_only_after_its_due_instant(as_of: str, breached: bool) -> None:
    cycle = only([begun()], as_of)
    assert (cycle.state, cycle.breached, told(cycle.due_ms)) == ("running", breached, "12:00")


@pytest.mark.parametrize(
    "last",
    [
        status("e2", "12:00", "pending"),
        ev("e2", "12:00", "priority_changed", priority="P3"),
        ev("e2", "12:00", "assigned", team="L2"),
    ],
    ids=["pause", "downgrade", "hand-over"],
)
def test_nothing_but_a_stop_saves_a_clock_at_its_due_instant(last: object) -> None:
    rules = policy(by_priority={"P3": 24})
    events = [begun(team="L1"), last]
    cycle = only(events, "13:00", rules)  # type: ignore[arg-type]  # parametrized
    assert verdict_of(cycle)[1:] == ("12:00", "12:00", "deadline")
    assert cycle.breach_team == "L1"
    stopped = [*events, ev("e3", "12:00", "solved")]
    assert only(stopped, "13:00", rules).state == "met"  # type: ignore[arg-type]  # parametrized


def test_a_late_stop_takes_the_breach_back_and_a_late_pause_undoes_it() -> None:
    #  08:00 ................ 12:00 due      truth known at 13:00: solved 11:00
    late = ev("e2", "11:00", "solved", known="13:00")
    assert only([begun(), late], "12:30").breached
    assert verdict_of(only([begun(), late], "13:00")) == ("met", "12:00", None, None)
    #  and the other way: solved 12:30 seemed in time thanks to a pause that had ended earlier
    story = [
        begun(),
        status("e2", "09:00", "pending"),
        status("e4", "11:00", "open"),
        ev("e5", "13:30", "solved"),
        status("e3", "09:10", "open", known="14:00"),
    ]
    assert verdict_of(only(story, "13:59")) == ("met", "14:00", None, None)
    assert verdict_of(only(story, "14:00")) == ("breached", "12:10", "12:10", "deadline")


def test_working_hours_only() -> None:
    #  Mon 15:00 created, 2 h until 17:00, 2 h from Tue 09:00
    cycle = only([begun("15:00")], "20 10:00", policy(calendar=weekdays()))
    assert (hours(cycle.elapsed_ms), told(cycle.due_ms)) == (3, "2026-01-20T11:00:00Z")


def test_stopped_in_a_pause_the_due_instant_is_as_if_it_ran_on() -> None:
    cycle = only([begun(), status("e2", "09:00", "pending"), ev("e3", "15:00", "solved")], "16:00")
    assert (cycle.state, told(cycle.due_ms), hours(cycle.elapsed_ms)) == ("met", "18:00", 1)


REOPENED = [begun(), ev("e2", "10:00", "solved"), ev("e3", "13:00", "reopened")]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("resume", [("e1", "running", 3, "15:00", None)]),
        ("count_closed", [("e1", "running", 6, "12:00", "12:00")]),
        ("reset", [("e1", "met", 2, "12:00", None), ("e3", "running", 1, "17:00", None)]),
    ],
)
def test_reopen_modes(mode: str, expected: list[tuple[object, ...]]) -> None:
    #  08:00 created   10:00 solved   13:00 reopened   14:00 now
    cycles = judged(REOPENED, "14:00", policy(clock(on_reopen=mode)))
    assert [
        (
            cycle.cycle_id,
            cycle.state,
            hours(cycle.elapsed_ms),
            told(cycle.due_ms),
            told(cycle.breach_ms),
        )
        for cycle in cycles
    ] == expected
    assert [cycle.ordinal for cycle in cycles] == list(range(1, len(cycles) + 1))


def test_the_gap_of_a_reopened_clock_counts_for_who_held_it_then() -> None:
    story = [
        begun(team="L1"),
        ev("e2", "10:00", "solved"),
        ev("e3", "11:00", "assigned", team="L2"),
        ev("e4", "13:00", "reopened"),
    ]
    cycle = only(story, "14:00", policy(clock(on_reopen="count_closed")))
    assert {holder.team: hours(holder.held_ms) for holder in cycle.holders} == {"L1": 3, "L2": 3}
    assert cycle.breach_team == "L2"  # 12:00


def test_what_changed_while_it_was_solved_applies_from_the_reopening() -> None:
    #  08:00 created P3 (24 h)  10:00 solved  11:00 P1 (1 h)  12:00 absorbs  13:00 reopened
    change = ev("e4", "11:00", "priority_changed", priority="P1")
    reopened = ev("e3", "13:00", "reopened")
    rules = policy(by_priority={"P1": 1, "P3": 24}, merge_start="earliest")
    story = [begun(priority="P3"), ev("e2", "10:00", "solved"), change, reopened]
    assert only(story, "12:00", rules).state == "met"
    assert verdict_of(only(story, "13:30", rules)) == (
        "running",
        "09:00",
        "13:00",
        "target_shortened",
    )
    earlier = ev("e4", "12:00", "absorbed", ticket_id="T0", started_ms=DAY_MS + 6 * HOUR_MS)
    cycle = only([*story[:2], earlier, reopened], "13:30", rules)
    assert (hours(cycle.elapsed_ms), told(cycle.start_ms)) == (4.5, "06:00")


UPGRADED = [begun(priority="P3"), ev("e2", "11:00", "priority_changed", priority="P1")]


@pytest.mark.parametrize(
    ("mode", "due", "elapsed"),
    [("retroactive", "12:00", 3.5), ("restart", "15:00", 0.5), ("proportional", "14:30", 1.0)],
)
def test_target_change_modes(mode: str, due: str, elapsed: float) -> None:
    #  24 h from 08:00; at 11:00 the target becomes 4 h; 11:30 now
    rules = policy(clock(on_target_change=mode), by_priority={"P1": 4, "P3": 24})
    cycle = only(UPGRADED, "11:30", rules)
    assert (told(cycle.due_ms), hours(cycle.elapsed_ms)) == (due, elapsed)
    assert cycle.target_ms == 4 * HOUR_MS
    assert sum(stretch.used_ms for stretch in cycle.stretches) == cycle.elapsed_ms


@pytest.mark.parametrize(
    ("mode", "elapsed", "breach"),
    [("segmented", 2.0, None), ("whole_history", 4.0, "12:30")],
)
def test_tier_change_modes(mode: str, elapsed: float, breach: str | None) -> None:
    #  08:00 created, desk opens 10:00; 11:30 gold: round the clock; 12:00 now
    calendars = {"iron": weekdays(opens="10:00"), "gold": ALWAYS}
    rules = policy(clock(on_tier_change=mode), calendars=calendars, hours=4)
    cycle = only(
        [begun(tier="iron"), ev("e2", "11:30", "customer_changed", tier="gold")], "12:00", rules
    )
    assert hours(cycle.elapsed_ms) == elapsed
    assert told(cycle.due_ms) == ("14:00" if breach is None else "12:00")


def test_a_target_shortened_into_the_past_breaches_at_the_change_paused_or_not() -> None:
    rules = policy(by_priority={"P1": 1, "P3": 24})
    running = only(UPGRADED, "12:00", rules)
    assert verdict_of(running) == ("running", "09:00", "11:00", "target_shortened")
    paused = only([*UPGRADED, status("e3", "10:00", "pending")], "12:00", rules)
    assert verdict_of(paused) == ("paused", "09:00", "11:00", "target_shortened")


@pytest.mark.parametrize(
    "later",
    [
        status("e3", "13:00", "pending"),
        ev("e3", "13:00", "priority_changed", priority="P3"),
        ev("e3", "13:00", "cancelled"),
        ev("e3", "13:00", "merged", into="T2"),
        ev("e3", "13:00", "excluded", clock="resolution", reason="storm"),
    ],
    ids=["pause", "downgrade", "cancel", "merge", "exclusion"],
)
def test_a_breach_is_a_fact_that_nothing_later_erases(later: object) -> None:
    cycle = only([begun(), later], "14:00", policy(by_priority={"P3": 24}))  # type: ignore[list-item]  # parametrized
    assert verdict_of(cycle)[1:] == ("12:00", "12:00", "deadline")


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (ev("e2", "10:00", "cancelled"), "void"),
        (ev("e2", "10:00", "merged", into="T2"), "void"),
        (ev("e2", "10:00", "excluded", clock="resolution", reason="storm"), "void"),
    ],
    ids=["cancelled", "merged", "excluded"],
)
def test_withdrawn_before_the_due_instant_it_is_never_judged(end: object, state: str) -> None:
    cycle = only([begun(), end, ev("e3", "16:00", "solved")], "18:00")  # type: ignore[list-item]  # parametrized
    assert (cycle.state, cycle.breached, told(cycle.withdrawn_ms)) == (state, False, "10:00")
    assert (hours(cycle.elapsed_ms), cycle.due_ms, cycle.verdict) == (2, None, "void")


def test_a_cycle_opened_after_the_exclusion_is_not_judged_either() -> None:
    story = [
        begun(),
        ev("e2", "09:00", "excluded", clock="next_reply", reason="storm"),
        ev("e3", "10:00", "message", author="customer"),
    ]
    cycle = only(story, "12:00", policy(clock(id="next_reply", start=(QUESTION,)), hours=1))
    assert (cycle.cycle_id, cycle.state, cycle.breached, cycle.due_ms) == (
        "e3",
        "void",
        False,
        None,
    )


def test_after_a_cancel_nothing_opens_or_reopens() -> None:
    story = [
        begun(),
        ev("e2", "09:00", "solved"),
        ev("e3", "10:00", "cancelled"),
        ev("e4", "11:00", "reopened"),
        ev("e5", "12:00", "message", author="customer"),
    ]
    replies = clock(id="next_reply", start=(QUESTION,), stop=(REPLY,))
    cycles = judged(story, "14:00", policy(clock(on_reopen="reset"), replies))
    assert [(cycle.cycle_id, cycle.state) for cycle in cycles] == [("e1", "met")]


def test_an_absorbed_ticket_may_bring_its_beginning() -> None:
    #  T0 began 06:00; T1 began 08:00 and swallows T0 at 09:00; 4 h
    story = [
        begun(),
        ev("e2", "09:00", "absorbed", ticket_id="T0", started_ms=6 * HOUR_MS + DAY_MS),
    ]
    assert told(only(story, "09:30").due_ms) == "12:00"
    cycle = only(story, "09:30", policy(merge_start="earliest"))
    assert (told(cycle.due_ms), hours(cycle.elapsed_ms), cycle.cycle_id) == ("10:00", 3.5, "e1")
    late = only(story, "09:30", policy(merge_start="earliest", hours=2))
    assert verdict_of(late) == ("running", "08:00", "09:00", "target_shortened")


def test_a_team_clock_counts_only_while_the_team_holds_the_ticket() -> None:
    #  L1 08-09, L2 09-11, L1 11-12:30 (2 h used at 12:00), L2 until solved
    story = [
        begun(team="L1"),
        ev("e2", "09:00", "assigned", team="L2"),
        ev("e3", "11:00", "assigned", team="L1"),
        ev("e4", "12:30", "assigned", team="L2"),
        ev("e5", "14:00", "solved"),
    ]
    first = clock(id="ola_l1", kind="ola", team="L1")
    second = clock(id="ola_l2", kind="ola", team="L2")
    one, other = judged(story, "15:00", policy(first, second, hours=2))
    assert verdict_of(one) == ("breached", "12:00", "12:00", "deadline")
    assert (one.cycle_id, hours(one.elapsed_ms), one.breach_team) == ("e1", 2.5, "L1")
    assert verdict_of(other) == ("breached", "11:00", "11:00", "deadline")
    assert (other.cycle_id, hours(other.elapsed_ms)) == ("e2", 3.5)


def test_a_team_clock_is_held_while_others_have_the_ticket() -> None:
    story = [begun(team="L1"), ev("e2", "09:00", "assigned", team="L2")]
    cycle = only(story, "15:00", policy(clock(kind="ola", team="L1"), hours=2))
    assert (cycle.state, cycle.due_ms, hours(cycle.elapsed_ms)) == ("paused", None, 1)


def test_a_due_instant_given_by_the_source_is_absolute() -> None:
    story = [
        begun(targets={"resolution": DAY_MS + 12 * HOUR_MS}, priority="P3"),
        status("e2", "09:00", "pending"),
        ev("e3", "10:00", "priority_changed", priority="P1"),
    ]
    rules = policy(by_priority={"P1": 1, "P3": 24})
    assert told(only(story, "11:00", rules).due_ms) == "12:00"
    cycle = only(story, "13:00", rules)
    assert verdict_of(cycle) == ("paused", "12:00", "12:00", "deadline")
    assert (cycle.target_ms, hours(cycle.elapsed_ms)) == (None, 1)


def test_a_due_instant_before_the_beginning_breaches_at_the_start() -> None:
    cycle = only([begun(targets={"resolution": DAY_MS + 7 * HOUR_MS})], "09:00")
    assert verdict_of(cycle) == ("running", "07:00", "08:00", "due_before_start")


def test_without_a_target_a_clock_is_measured_and_never_judged() -> None:
    cycle = only([begun(), ev("e2", "20:00", "solved")], "21:00", policy(hours=None))
    assert (cycle.state, cycle.verdict, hours(cycle.elapsed_ms)) == ("no_target", "no_target", 12)


def test_who_held_it_how_long_and_at_the_breach() -> None:
    #  L1/ann 08-10, L1/bob 10-11, L2 11-13 (12:00 breach), L1/ann again
    story = [
        begun(team="L1", agent="ann"),
        ev("e2", "10:00", "assigned", team="L1", agent="bob"),
        ev("e3", "11:00", "assigned", team="L2"),
        ev("e4", "13:00", "assigned", team="L1", agent="ann"),
    ]
    cycle = only(story, "14:00")
    assert [(a.team, a.agent, hours(a.held_ms)) for a in cycle.agents] == [
        ("L1", "ann", 3),
        ("L1", "bob", 1),
        ("L2", None, 2),
    ]
    assert [(h.team, hours(h.held_ms), h.share_of_target) for h in cycle.holders] == [
        ("L1", 4, 1.0),
        ("L2", 2, 0.5),
    ]
    assert (cycle.breach_team, cycle.largest_team, cycle.team, cycle.agent) == (
        "L2",
        "L1",
        "L1",
        "ann",
    )


def test_the_gap_of_a_team_clock_counts_while_the_team_held_the_ticket() -> None:
    story = [
        begun(team="L1"),
        ev("e2", "09:00", "solved"),
        ev("e3", "10:00", "assigned", team="L2"),
        ev("e4", "12:00", "assigned", team="L1"),
        ev("e5", "13:00", "reopened"),
    ]
    cycle = only(story, "14:00", policy(clock(kind="ola", team="L1", on_reopen="count_closed")))
    assert hours(cycle.elapsed_ms) == 1 + 1 + 1 + 1
