"""Laws of the ladder, of quiet hours, storms and rate alerts."""

from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from streams.core.alerting.ladder import Cycle, Step, rungs
from streams.core.alerting.quiet_hours import QuietHours
from streams.core.alerting.rate_alert import RateAlert, RateRule
from streams.core.alerting.storm import StormGroup, Storms

MINUTES = st.integers(0, 60)
STEPS = st.lists(
    st.builds(
        Step,
        on=st.sampled_from(("at_risk", "breach")),
        after_ms=MINUTES,
        to=st.sampled_from(("assignee", "lead", "manager")),
        severity=st.sampled_from(("warning", "error", "critical")),
        unless_acknowledged=st.booleans(),
    ),
    max_size=5,
)
CYCLES = st.builds(
    Cycle,
    at_risk_ms=st.none() | MINUTES,
    due_ms=st.none() | MINUTES,
    stopped_ms=st.none() | st.integers(0, 120),
    acknowledged_ms=st.lists(st.integers(0, 120), max_size=4).map(tuple),
)
HOLDS = st.integers(0, 40)


@given(STEPS, CYCLES, HOLDS)
def test_nothing_is_said_after_the_end_and_nothing_twice(
    steps: list[Step], cycle: Cycle, holds: int
) -> None:
    found = rungs(steps, cycle, holds)
    assert len({rung.step for rung in found}) == len(found)
    assert found == sorted(found, key=lambda rung: rung.at_ms)
    if cycle.stopped_ms is not None:
        assert all(rung.at_ms < cycle.stopped_ms for rung in found)


@given(STEPS, CYCLES, HOLDS)
def test_every_step_of_an_open_cycle_is_said_in_the_end(
    steps: list[Step], cycle: Cycle, holds: int
) -> None:
    open_ = replace(cycle, stopped_ms=None)
    anchors = {"at_risk": open_.at_risk_ms, "breach": open_.due_ms}
    wanted = {number for number, step in enumerate(steps) if anchors[step.on] is not None}
    found = {rung.step: rung for rung in rungs(steps, open_, holds)}
    assert set(found) == wanted
    for number, rung in found.items():
        step, anchor_ms = steps[number], anchors[steps[number].on]
        assert anchor_ms is not None
        planned_ms = anchor_ms + step.after_ms
        assert rung.at_ms >= planned_ms
        assert (rung.reason == "schedule") == (rung.at_ms == planned_ms)
        if not step.unless_acknowledged:
            assert rung.at_ms == planned_ms
        else:
            held = [given for given in open_.acknowledged_ms if given <= rung.at_ms < given + holds]
            assert not held, "an acknowledgement holds"


@given(STEPS, CYCLES, HOLDS, st.integers(0, 120))
def test_what_was_said_is_not_changed_by_what_comes_later(
    steps: list[Step], cycle: Cycle, holds: int, now: int
) -> None:
    """So a notifier that starts anew, with fewer or more acknowledgements to come, finds the same past."""
    known = replace(
        cycle,
        acknowledged_ms=tuple(given for given in cycle.acknowledged_ms if given <= now),
        stopped_ms=cycle.stopped_ms
        if cycle.stopped_ms is not None and cycle.stopped_ms <= now
        else None,
    )
    before = [rung for rung in rungs(steps, known, holds) if rung.at_ms <= now]
    after = [rung for rung in rungs(steps, cycle, holds) if rung.at_ms <= now]
    assert before == after


DAY_MS = 86_400_000
CLOCKS = st.integers(0, 24 * 60 - 1)
ZONES = st.sampled_from(
    ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe")
)
AROUND_CHANGES = st.integers(1_774_000_000_000, 1_794_000_000_000)  # March to November 2026


@given(ZONES, CLOCKS, CLOCKS, AROUND_CHANGES, st.sampled_from(("warning", "critical")))
def test_quiet_hours_defer_warnings_to_their_end_and_nothing_else(
    zone: str, begins: int, ends: int, instant: int, severity: str
) -> None:
    hours = QuietHours(ZoneInfo(zone), begins, ends, {"warning"})
    told = hours.told_ms(instant, severity)
    assert instant <= told <= instant + DAY_MS + 3_600_000
    if severity == "critical":
        assert told == instant
    if told != instant:
        assert hours.ends_ms(instant) == told
        if begins != ends:
            assert hours.told_ms(told, severity) == told, "the end is not quiet"


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=40).map(sorted),
    st.integers(0, 20),
    st.integers(1, 50),
)
def test_a_storm_tells_every_breach_within_its_bounds(
    breaches: list[int], wait: int, interval: int
) -> None:
    group = StormGroup(wait, interval)
    told: list[tuple[int, int]] = []

    def pass_to(now: float) -> None:
        while group.due_ms is not None and group.due_ms < now:
            told.append((group.due_ms, group.notice()))

    for at in breaches:
        pass_to(at)
        group.add(at)
    pass_to(float("inf"))
    assert told[0][0] == breaches[0] + wait
    assert told[-1][1] == len(breaches)
    for (earlier, _), (later, _) in pairwise(told):
        assert (later - earlier) % interval == 0
        assert later > earlier
    for at, count in told:
        assert count == sum(breach <= at for breach in breaches)
    for breach in breaches:
        heard = min(at for at, _ in told if at >= breach)
        assert heard - breach <= max(wait, interval)


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=40, unique=True).map(sorted),
    st.integers(0, 20),
    st.integers(1, 50),
)
def test_a_storm_of_notices_is_told_at_ticks_and_what_stands_alone_at_once(
    arrivals: list[int], wait: int, interval: int
) -> None:
    storms = Storms(wait, interval)
    told = {at: storms.told_ms(str(at), "L1", at) for at in arrivals}
    for at, instant in told.items():
        assert at <= instant <= at + max(wait, interval)
        assert storms.told_ms(str(at), "L1", at + 1) == instant, "asking again changes nothing"
    ticks = sorted(set(told.values()))
    assert all(later - earlier >= interval for earlier, later in pairwise(ticks))
    assert told[arrivals[0]] == arrivals[0] + wait
    for earlier, later in pairwise(arrivals):
        if later >= told[earlier] + interval:
            assert told[later] == later + wait


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), max_size=30),
    st.integers(0, 3),
    st.integers(1, 5),
)
def test_a_rate_alert_fires_and_clears_in_turns(
    series: list[tuple[int, int]], hold: int, min_sample: int
) -> None:
    rule = RateRule("point", 50, 70, min_sample, hold)
    alert = RateAlert(rule)
    changes = []
    for at, (hits, more) in enumerate(series):
        change = alert.take(at, hits, hits + more)
        if change is not None:
            changes.append(change)
            value = 100 * hits / (hits + more)
            assert value < 50 if change == "fired" else value >= 70
            assert hits + more >= min_sample
    assert changes == [("fired", "cleared")[number % 2] for number in range(len(changes))]
