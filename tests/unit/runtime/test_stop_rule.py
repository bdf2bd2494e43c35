"""A bad deploy stops; a source with a few bad records doesn't."""

import random

from hypothesis import given, strategies as st

from streams.runtime.stop_rule import StopCounts, StopLimits, StopRule, counts

LIMITS = StopLimits(share=0.5, sample=1_000, consecutive=500)


def fed(rule: StopRule, records: list[bool]) -> int | None:
    """Number of the record at which it trips."""
    for number, rejected in enumerate(records, 1):
        rule.note(rejected=rejected)
        if rule.tripped is not None:
            return number
    return None


def test_so_many_in_a_row_trip_it() -> None:
    rule = StopRule(LIMITS._replace(share=0.0))
    assert fed(rule, [False] * 10_000) is None
    assert fed(rule, [True] * 499) is None
    assert fed(rule, [False]) is None
    assert fed(rule, [True] * 500) == 500
    assert rule.tripped == "500 records in a row can't be processed"


def test_a_share_of_the_sample_trips_it() -> None:
    rng = random.Random(1)
    records = [rng.random() < 0.6 for _ in range(10_000)]
    number = fed(StopRule(LIMITS), records)
    assert number is not None
    assert 500 < number < 1_200


def test_a_source_with_a_few_bad_records_goes_on() -> None:
    rng = random.Random(2)
    records = [rng.random() < 0.4 for _ in range(100_000)]
    assert fed(StopRule(LIMITS), records) is None


def test_a_restart_goes_on_counting_and_lets_no_more_through() -> None:
    before = StopRule(LIMITS)
    fed(before, [True] * 499)
    again = StopRule(LIMITS, before.counts())
    assert again.tripped is None
    assert fed(again, [True]) == 1
    assert StopRule(LIMITS, StopCounts(consecutive=500)).tripped is not None


def test_zero_turns_it_off() -> None:
    assert fed(StopRule(StopLimits()), [True] * 5_000) is None


def test_what_is_one_tickets_own_affair_does_not_count() -> None:
    assert counts("core_error")
    assert counts("not_json")
    assert counts("misrouted")
    assert not counts("too_late")
    assert not counts("state_too_large")
    assert not counts(None)


@given(st.lists(st.booleans(), max_size=200), st.data())
def test_restarts_make_no_difference(records: list[bool], data: st.DataObject) -> None:
    limits = StopLimits(share=0.5, sample=20, consecutive=8)
    one, other = StopRule(limits), StopRule(limits)
    for rejected in records:
        one.note(rejected=rejected)
        other.note(rejected=rejected)
        if data.draw(st.booleans()):
            other = StopRule(limits, other.counts())
        assert (one.tripped is None) == (other.tripped is None)
        if one.tripped is not None:
            return
