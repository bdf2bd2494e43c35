"""The escalation ladder (逾期反应): who hears of one clock cycle, when, and what an acknowledgement changes.

The whole ladder of a cycle follows from a few instants, so a notifier that was started anew finds the same
pages, and a change of any instant (late truth moved the due one) gives the ladder as it is now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Anchor = Literal["at_risk", "breach"]
Reason = Literal["schedule", "acknowledgement_expired"]


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: so long after the warning or the due instant. `unless_acknowledged`: an acknowledgement holds
    it back until it expires."""

    on: Anchor
    after_ms: int
    to: str
    severity: str
    unless_acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """A step with its instant. `step` is its place in the ladder: a page's name, together with the key."""

    at_ms: int
    step: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Cycle:
    """What the ladder must know of a clock cycle. None: that has not happened, and is not due."""

    at_risk_ms: int | None
    due_ms: int | None
    stopped_ms: int | None = None
    acknowledged_ms: tuple[int, ...] = ()


def rungs(steps: Sequence[Step], cycle: Cycle, acknowledgement_ms: int) -> list[Rung]:
    """Every page of the cycle, past and to come, as far as is known: by instant, then place in the ladder.

    A stop at the instant of a page comes first: nothing is said at or after it. An acknowledgement holds for
    `acknowledgement_ms`, and one at the very instant of a page holds it back.
    """
    found = []
    for number, step in enumerate(steps):
        anchor_ms = cycle.at_risk_ms if step.on == "at_risk" else cycle.due_ms
        if anchor_ms is None:
            continue
        planned_ms = anchor_ms + step.after_ms
        at_ms = planned_ms
        if step.unless_acknowledged:
            at_ms = _held_until(planned_ms, cycle.acknowledged_ms, acknowledgement_ms)
        if cycle.stopped_ms is not None and at_ms >= cycle.stopped_ms:
            continue
        reason: Reason = "schedule" if at_ms == planned_ms else "acknowledgement_expired"
        found.append(Rung(at_ms, number, reason))
    return sorted(found, key=lambda rung: (rung.at_ms, rung.step))


def _held_until(planned_ms: int, acknowledged_ms: Sequence[int], lasts_ms: int) -> int:
    """The first instant from then on at which no acknowledgement holds."""
    at_ms = planned_ms
    for given_ms in sorted(acknowledged_ms):
        if given_ms <= at_ms < given_ms + lasts_ms:
            at_ms = given_ms + lasts_ms
    return at_ms
