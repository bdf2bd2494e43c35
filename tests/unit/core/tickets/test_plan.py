"""Policies made ready: matches, marks, and what becomes of versions and calendars that are gone."""

from dataclasses import replace

import pytest

from streams.core.business_time import ALWAYS
from streams.core.policy import AtRiskMark, PolicyBook
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.plan import PlannedBook, calendar_key, mark_used_ms
from tests.unit.core.tickets.stories import at, begun, live, play, policy, told, weekdays


@pytest.mark.parametrize(
    ("mark", "used_ms"),
    [
        (AtRiskMark(share=0.9), 900),
        (AtRiskMark(share=0.29), 290),  # 0.29 * 1000 is 289.99… in floating point
        (AtRiskMark(share=1), 1_000),
        (AtRiskMark(share=0.3333), 333),
        (AtRiskMark(before_ms=250), 750),
        (AtRiskMark(before_ms=5_000), 0),
    ],
)
def test_a_mark_lies_at_an_exact_millisecond(mark: AtRiskMark, used_ms: int) -> None:
    assert mark_used_ms(mark, 1_000) == used_ms


def test_the_first_rule_that_matches_wins_and_a_missing_target_does_not_fall_back() -> None:
    rules = policy(by_priority={"P1": 1})
    silent = replace(
        rules.rules[0], id="silent", match=(("tier", frozenset(("free",))),), targets={}
    )
    book = PlannedBook(PolicyBook((replace(rules, rules=(silent, *rules.rules)),)))
    ticket = play(live(), begun(tier="free", priority="P1"))
    assert ticket.state is not None
    match = book.as_of(0).match(ticket.state.facts)
    assert (match.rule, dict(match.targets)) == ("silent", {})


def test_a_state_outlives_the_version_and_the_calendar_it_was_judged_by() -> None:
    #  08:00 created under desk@1 and its hours; the process starts again with desk@2 only
    ticket = play(live(policy(calendar=weekdays(opens="08:00"))), begun())
    assert ticket.state is not None
    later = weekdays(opens="08:00", closes="16:00")  # the same calendar's id, another content
    assert calendar_key(later) != ticket.state.last[0].calendar
    logic = TicketLogic(PolicyBook((replace(policy(calendar=later), version="desk@2"),)))
    state = logic.load(logic.dump(ticket.state), logic.snapshot_version)
    (cycle,) = logic.view(state, at("10:00")).cycles
    assert (told(cycle.due_ms), cycle.policy_version) == ("12:00", "desk@1")
    assert cycle.elapsed_ms == 2 * 3_600_000


def test_a_calendar_of_which_nothing_is_known_yields_to_the_newest_policys() -> None:
    book = PlannedBook(PolicyBook((policy(),)))
    assert book.calendar("gone@123") is ALWAYS
