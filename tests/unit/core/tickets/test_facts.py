"""What is known of a ticket apart from its clocks."""

from streams.core.policy import PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.facts import Facts, attribute_of
from tests.unit.core.tickets.stories import at, begun, ev, policy, status

BOOK = PolicyBook((policy(),))


def facts(*events: object) -> Facts:
    return evaluate(events, BOOK, at("20:00")).facts  # type: ignore[arg-type]  # events


def test_who_took_it_first_and_who_holds_it_now() -> None:
    found = facts(
        begun(team="L1"),
        ev("e2", "09:00", "assigned", agent="ann"),  # within the team
        ev("e3", "10:00", "assigned", team="L2", agent="bob"),
        ev("e4", "11:00", "assigned", team="L2", agent="bob"),  # says it again
    )
    assert (found.first_agent, found.team, found.agent) == ("ann", "L2", "bob")
    assert found.reassignment_count == 2


def test_status_follows_the_life_of_the_ticket() -> None:
    story = [begun(status="new"), status("e2", "09:00", "pending"), ev("e3", "10:00", "solved")]
    assert (facts(*story).status, facts(*story).solved_ms) == ("solved", at("10:00"))
    story += [ev("e4", "11:00", "closed"), ev("e5", "12:00", "reopened")]
    found = facts(*story)
    assert (found.status, found.solved_ms, found.closed_ms, found.reopen_count) == (
        "open",
        None,
        None,
        1,
    )


def test_an_end_names_what_goes_on() -> None:
    found = facts(begun(), ev("e2", "09:00", "merged", into="T2"))
    assert (found.ended, found.merged_into, found.closed_ms) == (True, "T2", at("09:00"))
    assert facts(begun(), ev("e2", "09:00", "cancelled")).ended


def test_the_last_word_of_the_source_per_clock_is_kept() -> None:
    found = facts(
        begun(),
        ev("e2", "09:00", "external_verdict", clock="reply", verdict="met"),
        ev("e3", "10:00", "external_verdict", clock="resolution", verdict="met"),
        ev("e4", "11:00", "external_verdict", clock="reply", verdict="breached"),
    )
    assert dict(found.external) == {"reply": "breached", "resolution": "met"}


def test_a_change_of_the_customer_keeps_what_it_does_not_name() -> None:
    found = facts(
        begun(tier="vip", customer_id="c1"),
        ev("e2", "09:00", "customer_changed", customer_id="c2"),
        ev("e3", "10:00", "stage_changed", stage="judged"),
    )
    assert (found.tier, found.customer_id, found.stage) == ("vip", "c2", "judged")


def test_a_policy_may_ask_for_fields_and_for_the_sources_own_attributes() -> None:
    found = facts(begun(tier="vip", attributes={"region": "north"}))
    assert attribute_of(found, "tier") == "vip"
    assert attribute_of(found, "source") == "desk"
    assert attribute_of(found, "region") == "north"
    assert attribute_of(found, "status") is None  # no attribute of a rule
