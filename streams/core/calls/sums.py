"""What one call adds to the sums of its queues. Calls whose events can't be true add nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from streams.core.calls.call import Call, Leg
from streams.core.statistics.service_level import QueueSums


@dataclass(frozen=True, slots=True)
class QueueDefinition:
    """What "within" and "short" mean: stored with every number made by it."""

    threshold_ms: int = 20_000
    short_abandon_ms: int = 5_000


def queue_sums(call: Call, definition: QueueDefinition) -> Iterator[tuple[Leg, QueueSums]]:
    """Of each leg that waited in a queue and is decided. A wait exactly at the threshold is within."""
    if call.oddities:
        return
    for leg in call.legs:
        wait_ms = leg.wait_ms
        if wait_ms is None:
            continue
        within = wait_ms <= definition.threshold_ms
        if leg.outcome == "answered":
            yield (
                leg,
                QueueSums(queued=1, answered=1, answered_within=int(within), wait_sum_ms=wait_ms),
            )
        elif leg.outcome == "abandoned":
            short = wait_ms <= definition.short_abandon_ms
            yield (
                leg,
                QueueSums(
                    queued=1, abandoned=1, abandoned_within=int(within), short_abandoned=int(short)
                ),
            )
        elif leg.outcome == "callback":
            yield leg, QueueSums(queued=1, callbacks_within=int(within))
        else:
            yield leg, QueueSums(queued=1)
