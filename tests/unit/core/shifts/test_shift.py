"""What an agent did in a shift: spells by hand, minutes by overlap, and what its events can't say."""

import random

from hypothesis import given, strategies as st

from schemas.events import AgentState, AgentStateChanged, Data, Event, ShiftBegan, ShiftEnded
from streams.core.shifts.shift import DOING, SHIFT_MS_MAX, Shift, Spell, by_minute, shift_of

SECOND_MS, HOUR_MS = 1_000, 3_600_000
START_MS = 1_772_409_600_000
SILENCE_MS_MAX = 16 * HOUR_MS
TYPES = {ShiftBegan: "began", AgentStateChanged: "state_changed", ShiftEnded: "ended"}


def at(second: float, data: Data, sequence: int | None = None) -> Event:
    instant_ms = START_MS + round(second * SECOND_MS)
    type_ = TYPES[type(data)]
    name = f"{type_}-{second:g}-{sequence}"
    return Event(
        tenant="default", source="acd", kind="shift", entity_id="ann-1", event_id=name, type=type_,
        occurred_ms=instant_ms, ingested_ms=instant_ms, data=data, sequence=sequence,
    )  # fmt: skip


def told(*events: Event) -> Shift:
    return shift_of(events, SILENCE_MS_MAX)


def times(shift: Shift) -> tuple[int, int, int]:
    return shift.time_ms("busy"), shift.time_ms("idle"), shift.time_ms("away")


DAY = (
    at(0, ShiftBegan("ann", "blue")),
    at(10, AgentStateChanged("on_contact")),
    at(110, AgentStateChanged("after_contact")),
    at(140, AgentStateChanged("available")),
    at(200, AgentStateChanged("on_break")),
    at(500, AgentStateChanged("available")),
    at(600, ShiftEnded()),
)


def test_the_time_of_a_shift_is_that_of_its_spells() -> None:
    shift = told(*DAY)
    assert times(shift) == (130_000, 170_000, 300_000)
    assert (shift.agent, shift.team, shift.state) == ("ann", "blue", None)
    assert (shift.began_ms, shift.ended_ms) == (START_MS, START_MS + 600_000)
    assert shift.oddities == []


def test_a_shift_that_goes_on_is_known_up_to_its_last_event() -> None:
    shift = told(*DAY[:4])
    assert times(shift) == (130_000, 10_000, 0)
    assert (shift.state, shift.state_since_ms) == ("available", START_MS + 140_000)
    # The same state again proves that it went on, and is no new one.
    again = told(*DAY[:4], at(150, AgentStateChanged("available")))
    assert times(again) == (130_000, 20_000, 0)
    assert again.state_since_ms == START_MS + 140_000


def test_who_signs_in_on_a_break_is_not_idle() -> None:
    shift = told(at(0, ShiftBegan("ann", state="on_break")), at(60, ShiftEnded()))
    assert times(shift) == (0, 0, 60_000)


def test_nothing_counts_before_the_beginning_or_after_the_end() -> None:
    late = at(700, AgentStateChanged("on_contact"))
    assert told(*DAY[1:]).oddities == ["no_beginning"]
    assert times(told(*DAY[1:])) == (0, 0, 0)
    after = told(*DAY, late, at(800, ShiftEnded()))
    assert (times(after), after.oddities) == (times(told(*DAY)), ["event_after_end"])
    twice = told(*DAY, at(300, ShiftBegan("eve")))
    assert (twice.agent, twice.oddities, times(twice)) == (
        "ann",
        ["began_twice"],
        times(told(*DAY)),
    )


def test_a_silence_too_long_is_no_time_and_so_is_a_shift_without_end() -> None:
    hours = SILENCE_MS_MAX // HOUR_MS
    at_limit = told(DAY[0], at(hours * 3_600, ShiftEnded()))
    assert times(at_limit) == (0, SILENCE_MS_MAX, 0)
    beyond = told(DAY[0], at(hours * 3_600 + 0.001, ShiftEnded()))
    assert (times(beyond), beyond.oddities) == ((0, 0, 0), ["silent_too_long"])
    days = [at(hour * 3_600, AgentStateChanged("on_contact")) for hour in range(12, 80, 12)]
    long = told(DAY[0], *days)
    assert (sum(times(long)), long.oddities) == (SHIFT_MS_MAX, ["too_long"])


def test_at_one_instant_an_agent_signs_in_first_and_out_last() -> None:
    shift = told(at(0, ShiftEnded()), at(0, ShiftBegan("ann")))
    assert (shift.agent, shift.ended_ms, shift.spells) == ("ann", START_MS, [])


def test_minutes_get_what_passed_in_them() -> None:
    spell = Spell("on_contact", START_MS + 50_000, START_MS + 130_000)
    found = [(start_ms - START_MS, doing, ms) for start_ms, doing, ms in by_minute([spell])]
    assert found == [(0, "busy", 10_000), (60_000, "busy", 60_000), (120_000, "busy", 10_000)]
    assert [*by_minute([Spell("available", START_MS, START_MS + 60_000)])] == [
        (START_MS, "idle", 60_000)
    ]


states = st.sampled_from(sorted(DOING))


@given(st.lists(st.tuples(st.integers(1, 7_200), states), max_size=30), st.integers(0, 2**32))
def test_every_moment_is_counted_once_in_any_order(
    changes: list[tuple[int, AgentState]], seed: int
) -> None:
    events = [DAY[0], *(at(second, AgentStateChanged(state), n) for n, (second, state) in enumerate(changes))]  # fmt: skip
    last = max((second for second, _ in changes), default=0)
    mixed = [*events, *events[: len(events) // 2]]
    random.Random(seed).shuffle(mixed)
    shift = told(*mixed)
    assert shift.spells == told(*events).spells
    assert sum(times(shift)) == last * SECOND_MS
    # A slow oracle: ask each second what the agent was doing.
    doing = dict.fromkeys(("busy", "idle", "away"), 0)
    order = sorted(enumerate(changes), key=lambda one: (one[1][0], one[0]))
    for second in range(last):
        state: AgentState = "available"
        for _, (since, then) in order:
            if since <= second:
                state = then
        doing[DOING[state]] += SECOND_MS
    assert times(shift) == (doing["busy"], doing["idle"], doing["away"])
    minutes: dict[str, int] = {}
    for _, what, part_ms in by_minute(shift.spells):
        assert 0 < part_ms <= 60_000
        minutes[what] = minutes.get(what, 0) + part_ms
    assert minutes == {name: ms for name, ms in doing.items() if ms}
