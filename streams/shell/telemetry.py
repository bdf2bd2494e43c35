"""Metrics of a process, as Prometheus reads them.

Nothing is counted for their sake: a scrape reads the counters that the roles keep anyway, so an event
costs nothing more.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from streams.dashboard.server import Dashboard
from streams.runtime.clock import Clock, SystemClock
from streams.runtime.role import Readies, Role
from streams.shell.compute import Compute, PartitionCounters
from streams.shell.metrics import BY_NAME, METRICS, Metric
from streams.shell.notifier import Notifier
from streams.shell.sources import SOURCES
from streams.shell.watchdog import Heartbeat
from streams.shell.writer import Writer


class Sample(NamedTuple):
    """One value of a declared metric, with its labels in the declared order."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


Source = Callable[[], Iterable[Sample]]


class Telemetry:
    """What /metrics says. Call from the event loop: the roles' counters belong to it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Declared(sources))
        ProcessCollector(registry=self._registry)

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """The metrics in the form that the client likes best, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


def telemetry_of(
    roles: Sequence[Role], heartbeat: Heartbeat, wall_clock: Clock | None = None
) -> Telemetry:
    """Of a process with these roles."""
    clock = wall_clock or SystemClock()
    return Telemetry(
        [
            lambda: _of_process(heartbeat),
            *(partial(_of_role, role) for role in roles),
            *(partial(_of_compute, role) for role in roles if isinstance(role, Compute)),
            *(partial(_of_writer, role, clock) for role in roles if isinstance(role, Writer)),
            *(partial(_of_notifier, role) for role in roles if isinstance(role, Notifier)),
            *(partial(_of_dashboard, role) for role in roles if isinstance(role, Dashboard)),
        ]
    )


class _Declared(Collector):
    """Samples as families. One that isn't declared is a mistake of ours, and breaks the scrape."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Family]:
        families = {metric.name: _family(metric) for metric in METRICS}
        for source in self._sources:
            for sample in source():
                assert len(sample.labels) == len(BY_NAME[sample.name].labels), sample
                families[sample.name].add_metric(sample.labels, sample.value)
        yield from (family for family in families.values() if family.samples)


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    if metric.kind == "counter":
        return CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)


def _of_process(heartbeat: Heartbeat) -> Iterator[Sample]:
    yield Sample("ticketpulse_build_info", 1, (version("ticketpulse"),))
    yield Sample("ticketpulse_loop_blocked_seconds_total", heartbeat.blocked_seconds_total)


def _of_role(role: Role) -> Iterator[Sample]:
    ready = not isinstance(role, Readies) or role.ready() is None
    yield Sample("ticketpulse_role_healthy", role.healthy() is None, (role.name,))
    yield Sample("ticketpulse_role_ready", ready, (role.name,))


def _of_compute(compute: Compute) -> Iterator[Sample]:
    for where in compute.waiting():
        labels = (where.topic, str(where.partition))
        yield Sample("ticketpulse_partition_ready", 0, labels)
    for source in SOURCES:
        topic, partitions = compute.topic(source), 0
        for partition, counters in compute.counters(source).items():
            partitions = counters.source_partitions
            yield from _of_partition((topic, str(partition)), counters)
        if partitions:
            yield Sample("ticketpulse_source_partitions", partitions, (topic,))


def _of_partition(labels: tuple[str, ...], counters: PartitionCounters) -> Iterator[Sample]:
    values: dict[str, float] = {
        "ready": 1,
        "lag_events": counters.lag_events,
        "checkpoint_age_seconds": counters.checkpoint_age_seconds,
        "checkpoints_total": counters.checkpoints_total,
        "events_total": counters.events_total,
        "rejected_total": counters.rejected_total,
        "entities": counters.entities,
        "timers": counters.timers,
        "timer_overdue_seconds": counters.timer_overdue_ms / 1000,
        "failed_timers": counters.failed_timers,
        "restore_seconds": counters.restore_seconds,
        "claims_total": counters.claims_total,
        "changelog_repairs_total": counters.repaired_keys_total,
        "windows": counters.windows,
        "windows_late_total": counters.windows_late_total,
    }
    if counters.watermark_ms is not None and counters.watermark_age_ms is not None:
        values["watermark_timestamp_seconds"] = counters.watermark_ms / 1000
        values["watermark_age_seconds"] = counters.watermark_age_ms / 1000
    for name, value in values.items():
        yield Sample(f"ticketpulse_partition_{name}", value, labels)


def _of_writer(writer: Writer, wall_clock: Clock) -> Iterator[Sample]:
    counters = writer.counters()
    now_ms = wall_clock.now_ms()
    yield Sample("ticketpulse_writer_inserts_total", counters.inserts_total)
    yield Sample("ticketpulse_writer_retries_total", counters.failures_total)
    yield Sample("ticketpulse_writer_refused_rows_total", counters.refused_total)
    yield Sample("ticketpulse_writer_lag_rows", counters.lag_rows)
    for name, table in counters.tables.items():
        since_ms = table.oldest_unwritten_ms
        age_ms = 0 if since_ms is None else max(0, now_ms - since_ms)
        yield Sample("ticketpulse_writer_rows_total", table.rows_total, (name,))
        yield Sample("ticketpulse_writer_queued_rows", table.held_rows, (name,))
        yield Sample("ticketpulse_writer_queued_bytes", table.held_bytes, (name,))
        yield Sample("ticketpulse_writer_oldest_unwritten_seconds", age_ms / 1000, (name,))


def _of_notifier(notifier: Notifier) -> Iterator[Sample]:
    counters = notifier.counters()
    yield Sample("ticketpulse_notifier_keys", counters.keys)
    for name in counters.waiting:
        labels = (name,)
        delivered = counters.delivered_total[name]
        yield Sample("ticketpulse_notifier_delivered_total", delivered, labels)
        yield Sample("ticketpulse_notifier_failures_total", counters.failures_total[name], labels)
        yield Sample("ticketpulse_notifier_waiting", counters.waiting[name], labels)
        yield Sample("ticketpulse_notifier_failing_seconds", counters.failing_seconds[name], labels)


def _of_dashboard(dashboard: Dashboard) -> Iterator[Sample]:
    counters = dashboard.counters()
    yield Sample("ticketpulse_dashboard_clients", counters.readers)
    yield Sample("ticketpulse_dashboard_queries_total", counters.queries_total)
    yield Sample("ticketpulse_dashboard_query_failures_total", counters.query_failures_total)
    yield Sample("ticketpulse_dashboard_query_seconds_total", counters.query_seconds_total)
    found = dashboard.watched()
    for one in found.measured:
        yield Sample("ticketpulse_measure_sample", one.sample, (one.metric,))
        for bound, value in (("value", one.value), ("low", one.low), ("high", one.high)):
            if value is not None:
                yield Sample("ticketpulse_measure_percent", value, (one.metric, bound))
    if found.backlog_age_ms is not None:
        yield Sample("ticketpulse_backlog_age_seconds", found.backlog_age_ms / 1_000)
    yield Sample("ticketpulse_ingest_accepted_total", counters.events_accepted_total)
    yield Sample("ticketpulse_ingest_rejected_total", counters.events_rejected_total)
    yield Sample("ticketpulse_ingest_unacknowledged_total", counters.events_unacknowledged_total)
