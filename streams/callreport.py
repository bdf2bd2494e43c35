"""Recorded calls as one table: what each queue did in each hour of the day, every service level side by side."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

from schemas.events import Event
from schemas.instants import from_ms
from streams.core.calls.call import call_of
from streams.core.calls.sums import queue_sums
from streams.core.measures import CallMeasures
from streams.core.statistics.service_level import QueueSums, service_levels


@dataclass(frozen=True, slots=True)
class QueueHour:
    """One line: a queue in an hour of the day (None: all of it). Percent, milliseconds; None is no data."""

    hour: int | None
    queue: str
    sums: QueueSums

    def document(self) -> dict[str, object]:
        """For a table or JSON."""
        sums = self.sums
        return {
            "hour": self.hour,
            "queue": self.queue,
            "queued": sums.queued,
            "answered": sums.answered,
            "abandoned": sums.abandoned,
            "short_abandoned": sums.short_abandoned,
            "abandonment_percent": sums.abandonment_percent,
            "average_speed_of_answer_ms": sums.average_speed_of_answer_ms,
            **service_levels(sums),
        }


@dataclass(slots=True)
class CallReport:
    """What came of the calls."""

    calls: int = 0
    undecided: int = 0  # no end is known yet
    oddities: Counter[str] = field(default_factory=Counter)
    lines: list[QueueHour] = field(default_factory=list)


def report_of(events: Iterable[Event], measures: CallMeasures, zone: tzinfo) -> CallReport:
    """By the hour (wall clock of the zone) in which each leg was queued; sums over all hours come last."""
    calls: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        calls[event.key].append(event)
    report = CallReport(len(calls))
    hours: dict[tuple[int, str], QueueSums] = defaultdict(QueueSums)
    for told in calls.values():
        call = call_of(told)
        report.undecided += call.ended_ms is None
        report.oddities.update(call.oddities)
        for leg, sums in queue_sums(call, measures):
            assert leg.queued_ms is not None, "only legs that waited have sums"
            hour = from_ms(leg.queued_ms).astimezone(zone).hour
            hours[hour, leg.queue or ""] += sums
    report.lines = [*_lines(hours)]
    return report


def _lines(hours: dict[tuple[int, str], QueueSums]) -> Iterator[QueueHour]:
    totals: dict[str, QueueSums] = defaultdict(QueueSums)
    for (hour, queue), sums in sorted(hours.items()):
        yield QueueHour(hour, queue, sums)
        totals[queue] += sums
    for queue, sums in sorted(totals.items()):
        yield QueueHour(None, queue, sums)
    if totals:
        yield QueueHour(None, "all queues", sum(totals.values(), QueueSums()))
