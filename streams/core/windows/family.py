"""Families of windows, as data: what a window of each is about and what it counts.

Names of dimensions, counts and sketches are columns of the family's table. Order is part of the
snapshots: new ones go to the end of their list and nothing is ever taken out.
"""

from dataclasses import dataclass
from typing import NamedTuple

WINDOW_MS = 60_000

# family, start (ms), tenant, source, then the family's dimensions; "" stands for unknown.
WindowKey = tuple[str | int, ...]


class Part(NamedTuple):
    """What one entity adds to one window. `counts` in the family's order; `observed`: one duration (ms) per
    sketch, None where there is none."""

    key: WindowKey
    counts: tuple[int, ...]
    observed: tuple[int | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """One family. `table` is the ClickHouse table and names the family."""

    table: str
    dimensions: tuple[str, ...]
    counts: tuple[str, ...]
    sketches: tuple[str, ...] = ()

    def key(self, instant_ms: int, tenant: str, source: str, *dimensions: str | None) -> WindowKey:
        """The window that holds an instant."""
        assert len(dimensions) == len(self.dimensions), dimensions
        start_ms = instant_ms - instant_ms % WINDOW_MS
        return (self.table, start_ms, tenant, source, *((one or "") for one in dimensions))

    def part(self, key: WindowKey, *observed: int | None, **counts: int) -> Part:
        """What is added to a window, by the names of its counts."""
        assert not set(counts) - set(self.counts), counts
        return Part(key, tuple(counts.get(name, 0) for name in self.counts), observed)


CALLS = Family(
    "call_windows",
    ("queue", "team", "call_type"),
    (
        "entered",
        "menu_abandoned",
        "queued",
        "answered",
        "answered_within",
        "abandoned",
        "abandoned_within",
        "short_abandoned",
        "callbacks_within",
        "callbacks_requested",
        "callbacks_made",
        "callbacks_late",
        "flow_outs",
        "wait_sum_ms",
        "handled",
        "talk_sum_ms",
        "hold_sum_ms",
        "after_call_sum_ms",
        "over_aim",
        "over_limit",
        "transfers",
    ),
    ("wait_sketch", "handle_sketch"),
)

SURVEYS = Family(
    "survey_windows",
    ("metric", "dimension", "channel", "team"),
    (
        "sent",
        "sent_answered",
        "responses",
        "satisfied",
        "promoters",
        "detractors",
        "top_box",
        "yes",
        "score_sum_thousandths",
        "pairs",
        "perception_sum_thousandths",
        "expectation_sum_thousandths",
    ),
)

SHIFTS = Family(
    "shift_windows",
    ("team",),
    ("agents_began", "busy_sum_ms", "idle_sum_ms", "away_sum_ms"),
)

CLOCKS = Family(
    "clock_windows",
    ("clock", "team", "tier", "priority", "ticket_type"),
    ("met", "breached", "elapsed_sum_ms"),
    ("elapsed_sketch",),
)

TICKETS = Family(
    "ticket_windows",
    ("ticket_type", "team", "tier", "channel"),
    ("created", "solved", "closed", "reopened_solved", "lifetime_sum_ms"),
    ("lifetime_sketch",),
)

FAMILIES = (CALLS, SURVEYS, CLOCKS, TICKETS, SHIFTS)
BY_TABLE = {family.table: family for family in FAMILIES}
