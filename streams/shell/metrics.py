"""Every metric, declared once. deploy/METRICS.md is checked against it, and so is what is served."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge"]
Part = Literal["every process", "compute", "writer", "notifier", "dashboard"]


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` as it is scraped; `help` goes on where name and unit end."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    help: str
    part: Part


ROLE = ("role",)
PARTITION = ("topic", "partition")
TABLE = ("table",)
RECEIVER = ("receiver",)

METRICS: tuple[Metric, ...] = (
    Metric(
        "ticketpulse_build_info",
        "gauge",
        "",
        ("version",),
        "1, with the version that runs",
        "every process",
    ),
    Metric(
        "ticketpulse_role_healthy",
        "gauge",
        "",
        ROLE,
        "1 when the role has no trouble (see /healthz)",
        "every process",
    ),
    Metric(
        "ticketpulse_role_ready",
        "gauge",
        "",
        ROLE,
        "1 when the role does its work (see /readyz)",
        "every process",
    ),
    Metric(
        "ticketpulse_loop_blocked_seconds_total",
        "counter",
        "seconds",
        (),
        "by which the event loop answered late, pauses of the process included",
        "every process",
    ),
    Metric("process_virtual_memory_bytes", "gauge", "bytes", (), "virtual memory", "every process"),
    Metric("process_resident_memory_bytes", "gauge", "bytes", (), "memory in use", "every process"),
    Metric(
        "process_start_time_seconds",
        "gauge",
        "seconds",
        (),
        "when the process started, since 1970",
        "every process",
    ),
    Metric(
        "process_cpu_seconds_total",
        "counter",
        "seconds",
        (),
        "processor time used",
        "every process",
    ),
    Metric("process_open_fds", "gauge", "files", (), "open file descriptors", "every process"),
    Metric(
        "process_max_fds",
        "gauge",
        "files",
        (),
        "most file descriptors that may be open",
        "every process",
    ),
    Metric(
        "ticketpulse_source_partitions",
        "gauge",
        "partitions",
        ("topic",),
        "that the source topic has",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_ready",
        "gauge",
        "",
        PARTITION,
        "1 when restored and worked on, 0 while it is claimed and restored",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_lag_events",
        "gauge",
        "events",
        PARTITION,
        "end of the source, as far as heard of, less the position",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_checkpoint_age_seconds",
        "gauge",
        "seconds",
        PARTITION,
        "since the last checkpoint",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_checkpoints_total",
        "counter",
        "checkpoints",
        PARTITION,
        "made by this process",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_watermark_timestamp_seconds",
        "gauge",
        "seconds",
        PARTITION,
        "latest event time seen, since 1970",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_watermark_age_seconds",
        "gauge",
        "seconds",
        PARTITION,
        "of the watermark, by the pipeline's clock; grows while nothing happens at the source",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_events_total",
        "counter",
        "events",
        PARTITION,
        "read, since the state began",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_rejected_total",
        "counter",
        "events",
        PARTITION,
        "of them sent to the dead letters",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_entities",
        "gauge",
        "tickets",
        PARTITION,
        "remembered: open ones, and closed ones until their horizon",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_timers",
        "gauge",
        "timers",
        PARTITION,
        "that wait for their instant",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_timer_overdue_seconds",
        "gauge",
        "seconds",
        PARTITION,
        "of the timer that is due longest",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_failed_timers",
        "gauge",
        "timers",
        PARTITION,
        "that the core tripped over and that were set aside",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_restore_seconds",
        "gauge",
        "seconds",
        PARTITION,
        "that the last claim and restore took",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_claims_total",
        "counter",
        "claims",
        PARTITION,
        "of the partition by this process",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_changelog_repairs_total",
        "counter",
        "keys",
        PARTITION,
        "put again because a fenced owner had written after a claim",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_windows",
        "gauge",
        "windows",
        PARTITION,
        "that may still change",
        "compute",
    ),
    Metric(
        "ticketpulse_partition_windows_late_total",
        "counter",
        "changes",
        PARTITION,
        "that came when their window was closed, and are in no window",
        "compute",
    ),
    Metric(
        "ticketpulse_writer_rows_total", "counter", "rows", TABLE, "stored in ClickHouse", "writer"
    ),
    Metric(
        "ticketpulse_writer_inserts_total", "counter", "inserts", (), "that succeeded", "writer"
    ),
    Metric(
        "ticketpulse_writer_retries_total",
        "counter",
        "inserts",
        (),
        "that failed and were repeated",
        "writer",
    ),
    Metric(
        "ticketpulse_writer_refused_rows_total",
        "counter",
        "rows",
        (),
        "that ClickHouse refused: in dead_letters",
        "writer",
    ),
    Metric(
        "ticketpulse_writer_lag_rows",
        "gauge",
        "rows",
        (),
        "on the topics, not yet in ClickHouse",
        "writer",
    ),
    Metric("ticketpulse_writer_queued_rows", "gauge", "rows", TABLE, "held in memory", "writer"),
    Metric("ticketpulse_writer_queued_bytes", "gauge", "bytes", TABLE, "held in memory", "writer"),
    Metric(
        "ticketpulse_writer_oldest_unwritten_seconds",
        "gauge",
        "seconds",
        TABLE,
        "since the broker got the row that has waited longest; 0 when none waits",
        "writer",
    ),
    Metric(
        "ticketpulse_notifier_delivered_total",
        "counter",
        "notifications",
        RECEIVER,
        "that a receiver has taken",
        "notifier",
    ),
    Metric(
        "ticketpulse_notifier_failures_total",
        "counter",
        "deliveries",
        RECEIVER,
        "that a receiver did not take, and that are repeated",
        "notifier",
    ),
    Metric(
        "ticketpulse_notifier_waiting",
        "gauge",
        "keys",
        RECEIVER,
        "of which a receiver has yet to hear something",
        "notifier",
    ),
    Metric(
        "ticketpulse_notifier_failing_seconds",
        "gauge",
        "seconds",
        RECEIVER,
        "since a receiver has taken nothing that it was given; 0 when all is well",
        "notifier",
    ),
    Metric("ticketpulse_notifier_keys", "gauge", "keys", (), "known of our partitions", "notifier"),
    Metric("ticketpulse_dashboard_clients", "gauge", "pages", (), "open live pages", "dashboard"),
    Metric(
        "ticketpulse_dashboard_queries_total",
        "counter",
        "queries",
        (),
        "sets of queries for the live page",
        "dashboard",
    ),
    Metric(
        "ticketpulse_dashboard_query_failures_total",
        "counter",
        "queries",
        (),
        "of them that failed",
        "dashboard",
    ),
    Metric(
        "ticketpulse_dashboard_query_seconds_total",
        "counter",
        "seconds",
        (),
        "that they took",
        "dashboard",
    ),
    Metric(
        "ticketpulse_measure_percent",
        "gauge",
        "percent",
        ("measure", "bound"),
        "a number that rules watch, and the ends of its 95 % interval; of the last hour (calls), day (SLA) or week"
        " (CSAT). Nothing counted: none",
        "dashboard",
    ),
    Metric(
        "ticketpulse_measure_sample",
        "gauge",
        "things",
        ("measure",),
        "what that number rests on",
        "dashboard",
    ),
    Metric(
        "ticketpulse_backlog_age_seconds",
        "gauge",
        "seconds",
        (),
        "90 % of the open tickets are younger",
        "dashboard",
    ),
    Metric(
        "ticketpulse_ingest_accepted_total",
        "counter",
        "events",
        (),
        "taken over HTTP and acknowledged",
        "dashboard",
    ),
    Metric(
        "ticketpulse_ingest_rejected_total",
        "counter",
        "events",
        (),
        "told to be malformed",
        "dashboard",
    ),
    Metric(
        "ticketpulse_ingest_unacknowledged_total",
        "counter",
        "events",
        (),
        "told to be sent again: no broker",
        "dashboard",
    ),
)

BY_NAME = {metric.name: metric for metric in METRICS}
