"""What goes wrong, when and for how long: a pure function of a seed."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FIRST_SECONDS = 3.0  # everything has begun to flow
Lane = str


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble of one lane. Faults of a lane never overlap; lanes know nothing of each other."""

    at_seconds: float
    lane: Lane
    kind: str
    lasts_seconds: float


@dataclass(frozen=True, slots=True)
class Kind:
    """How often, relative to the lane's other kinds, and how long."""

    weight: int
    shortest_seconds: float
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class LaneSpec:
    """Seconds of peace between two faults, on average, and what may happen."""

    peace_seconds: float
    kinds: Mapping[str, Kind]


def lanes_of(workers: int, session_seconds: float) -> dict[Lane, LaneSpec]:
    """Every lane: each worker, writer, notifier and who it tells, broker, ClickHouse, the clock."""
    worker = LaneSpec(
        14.0,
        {
            "kill": Kind(4, 0.2, 4.0),
            "restart": Kind(2, 0.2, 2.0),
            # Beyond the session time-out: others take over, and the frozen one comes back as a zombie.
            "freeze": Kind(3, session_seconds + 2.0, session_seconds + 8.0),
        },
    )
    writer = LaneSpec(12.0, {"kill": Kind(3, 0.2, 5.0), "freeze": Kind(1, 2.0, 8.0)})
    notifier = LaneSpec(10.0, {"kill": Kind(4, 0.2, 4.0), "freeze": Kind(1, 2.0, 8.0)})
    receiver = LaneSpec(
        8.0,
        {
            "drops what it is sent": Kind(2, 0.5, 5.0),
            "is busy": Kind(2, 0.5, 4.0),
            "is broken": Kind(2, 0.5, 4.0),
            "drops its answers": Kind(3, 0.2, 3.0),
        },
    )
    broker = LaneSpec(45.0, {"kill": Kind(2, 0.5, 4.0), "restart": Kind(1, 0.5, 4.0)})
    clickhouse = LaneSpec(
        6.0,
        {
            "refuses": Kind(2, 1.0, 8.0),
            "unavailable": Kind(2, 0.1, 0.1),
            "too busy": Kind(1, 0.1, 0.1),
            "disk full": Kind(2, 0.1, 0.1),
            "drops before the commit": Kind(3, 0.1, 0.1),
            "drops after the commit": Kind(3, 0.1, 0.1),
            "times out after the commit": Kind(1, 0.1, 0.1),
            "slow": Kind(2, 1.0, 4.0),
        },
    )
    clock = LaneSpec(20.0, {"ahead": Kind(2, 1.0, 5.0), "behind": Kind(1, 1.0, 5.0)})
    return {
        **{f"worker {number}": worker for number in range(workers)},
        "writer": writer,
        "notifier": notifier,
        "receiver": receiver,
        "broker": broker,
        "clickhouse": clickhouse,
        "clock": clock,
    }


def schedule(seed: int, seconds: float, lanes: Mapping[Lane, LaneSpec]) -> list[Fault]:
    """Faults by time. The first of every lane comes early, so that a short run has each."""
    faults: list[Fault] = []
    for lane, spec in lanes.items():
        rng = random.Random(f"{seed} {lane}")
        at_seconds = FIRST_SECONDS + rng.uniform(0.0, min(spec.peace_seconds, seconds / 3))
        names = list(spec.kinds)
        weights = [kind.weight for kind in spec.kinds.values()]
        while at_seconds < seconds:
            name = rng.choices(names, weights)[0]
            kind = spec.kinds[name]
            lasts_seconds = rng.uniform(kind.shortest_seconds, kind.longest_seconds)
            faults.append(Fault(round(at_seconds, 2), lane, name, round(lasts_seconds, 2)))
            at_seconds += lasts_seconds + rng.expovariate(1 / spec.peace_seconds)
    return sorted(faults, key=lambda fault: (fault.at_seconds, fault.lane))


def by_kind(faults: Sequence[Fault]) -> Counter[str]:
    """How many of each; the workers are one kind of lane."""
    return Counter(f"{fault.lane.split()[0]} {fault.kind}" for fault in faults)
