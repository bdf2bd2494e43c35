"""Service level: one set of counts, every formula in use, each under its name.

The same queue is 81 % by one formula and 86 % by another, so the variant is stored with the number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from streams.core.statistics.proportion import mean_ms, percent
from streams.core.statistics.sums import Sums


@dataclass(frozen=True, slots=True)
class QueueSums(Sums):
    """Contacts of a queue that ended in an interval. `…_within`: within the threshold of the definition;
    `short_abandoned`: gave up sooner than anybody could have answered; waits are of answered ones."""

    queued: int = 0
    answered: int = 0
    answered_within: int = 0
    abandoned: int = 0
    abandoned_within: int = 0
    short_abandoned: int = 0
    callbacks_within: int = 0
    wait_sum_ms: int = 0

    @property
    def average_speed_of_answer_ms(self) -> int | None:
        return mean_ms(self.wait_sum_ms, self.answered)

    @property
    def abandonment_percent(self) -> float | None:
        """Abandoned, short ones included, of those queued."""
        return percent(self.abandoned, self.queued)


Ratio = tuple[int, int]

# id → hits and whole. Ids are stored with numbers: they never change their meaning.
VARIANTS: Mapping[str, Callable[[QueueSums], Ratio]] = {
    "sl.answered_or_abandoned_within": lambda q: (
        q.answered_within + q.abandoned_within,
        q.answered + q.abandoned,
    ),
    "sl.answered_only": lambda q: (q.answered_within, q.answered),
    "sl.offered": lambda q: (q.answered_within, q.answered + q.abandoned),
    "sl.excluding_abandoned_within": lambda q: (
        q.answered_within,
        q.answered + q.abandoned - q.abandoned_within,
    ),
    "sl.short_abandon_credit": lambda q: (
        q.answered_within + q.short_abandoned,
        q.answered + q.abandoned,
    ),
    # abandons and short abandons in, flow-outs out
    "sl.genesys_default": lambda q: (q.answered_within, q.answered + q.abandoned),
    "sl.genesys_excluding_short_abandoned": lambda q: (
        q.answered_within,
        q.answered + q.abandoned - q.short_abandoned,
    ),
    "sl.connect": lambda q: (
        q.answered_within + q.abandoned_within + q.callbacks_within,
        q.queued,
    ),
}


def service_level_percent(sums: QueueSums, variant: str) -> float | None:
    """Of one variant (KeyError: there is no such); None when nothing was counted."""
    hits, whole = VARIANTS[variant](sums)
    return percent(hits, whole)


def service_levels(sums: QueueSums) -> dict[str, float | None]:
    """Every variant side by side."""
    return {variant: service_level_percent(sums, variant) for variant in VARIANTS}
