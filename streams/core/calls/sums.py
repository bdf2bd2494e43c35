"""What one call adds to the sums of its queues. Calls whose events can't be true add nothing."""

from collections.abc import Iterator

from streams.core.calls.call import Call, Leg
from streams.core.measures import CallMeasures
from streams.core.statistics.service_level import QueueSums


def queue_sums(call: Call, measures: CallMeasures) -> Iterator[tuple[Leg, QueueSums]]:
    """Of each leg that waited in a queue and is decided. A wait exactly at the threshold is within."""
    if call.oddities:
        return
    for leg in call.legs:
        wait_ms = leg.wait_ms
        if wait_ms is None:
            continue
        queue = measures.of_queue(leg.queue)
        within = wait_ms <= queue.answer_within_ms
        if leg.outcome == "answered":
            yield (
                leg,
                QueueSums(queued=1, answered=1, answered_within=int(within), wait_sum_ms=wait_ms),
            )
        elif leg.outcome == "abandoned":
            short = wait_ms <= queue.short_abandon_ms
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
