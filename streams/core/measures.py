"""What numbers about calls and answers mean: thresholds and periods, as the policy in force says.

Everything here has a default of the rule-books; a policy's `measures` section overrides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class QueueMeasures:
    """What "within" and "short" mean in a queue."""

    answer_within_ms: int = 20 * SECOND_MS
    short_abandon_ms: int = 5 * SECOND_MS


@dataclass(frozen=True, slots=True)
class CallMeasures:
    """Of calls. `queues`: those that differ, and, with `known_only`, all there are."""

    usual: QueueMeasures = QueueMeasures()
    queues: Mapping[str, QueueMeasures] = field(default_factory=dict)
    known_only: bool = False  # a queue that is not named is a mistake of the source, and flagged
    handle_aim_ms: int = 3 * MINUTE_MS
    handle_limit_ms: int = 5 * MINUTE_MS
    callback_within_ms: int = 4 * HOUR_MS
    never_ended_after_ms: int = 4 * HOUR_MS
    horizon_ms: int = 7 * DAY_MS

    def of_queue(self, queue: str | None) -> QueueMeasures:
        """Of one queue."""
        return self.usual if queue is None else self.queues.get(queue, self.usual)


@dataclass(frozen=True, slots=True)
class SurveyMeasures:
    """From which score on an answer is satisfied, promotes, detracts or is in the top box; the defaults are
    those of the usual scales (1–5, 0–10, 1–7)."""

    satisfied_min: float = 4
    promoter_min: float = 9
    detractor_max: float = 6
    top_box_min: float = 6
    horizon_ms: int = 90 * DAY_MS


@dataclass(frozen=True, slots=True)
class ShiftMeasures:
    """Of agents' presence. Somebody who says nothing for so long has forgotten to sign out."""

    never_ended_after_ms: int = 16 * HOUR_MS
    horizon_ms: int = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class CustomerMeasures:
    """Of customers: what makes them loyal or lost, and how long the first contact is on trial. Asked of stored
    history, so a changed rule holds for all of it."""

    lost_after_ms: int = 180 * DAY_MS
    loyal_contacts: int = 3
    loyal_complaints_max: int | None = None  # None: any number
    first_contact_within_ms: int = 7 * DAY_MS
    contribution_attribute: str = ""  # of tickets, a number; empty: none


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one policy version."""

    calls: CallMeasures = CallMeasures()
    surveys: SurveyMeasures = SurveyMeasures()
    shifts: ShiftMeasures = ShiftMeasures()
    customers: CustomerMeasures = CustomerMeasures()


USUAL = Measures()
