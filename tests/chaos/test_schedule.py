"""The schedule is a pure function of its seed, and fair to every lane."""

import itertools

from tests.chaos.schedule import by_kind, lanes_of, schedule

LANES = lanes_of(workers=3, session_seconds=6.0)


def test_a_seed_names_one_schedule() -> None:
    assert schedule(7, 300.0, LANES) == schedule(7, 300.0, LANES)
    assert schedule(7, 300.0, LANES) != schedule(8, 300.0, LANES)


def test_faults_of_a_lane_never_overlap() -> None:
    for seed in range(20):
        faults = schedule(seed, 300.0, LANES)
        for lane in LANES:
            mine = [fault for fault in faults if fault.lane == lane]
            for one, other in itertools.pairwise(mine):
                assert one.at_seconds + one.lasts_seconds <= other.at_seconds + 0.02


def test_a_run_of_five_minutes_has_every_kind_of_every_lane() -> None:
    wanted = {f"{lane.split()[0]} {kind}" for lane, spec in LANES.items() for kind in spec.kinds}
    found = {kind for seed in range(3) for kind in by_kind(schedule(seed, 300.0, LANES))}
    assert found == wanted


def test_a_short_run_has_every_lane() -> None:
    for seed in range(20):
        assert {fault.lane for fault in schedule(seed, 30.0, LANES)} == set(LANES)
