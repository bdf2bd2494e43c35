"""One look at the database: everything the page shows, as plain data. Blocking; runs in a thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.instants import from_ms, to_ms
from schemas.reasons import REASONS
from sinks.clickhouse.queries import read_query
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Reader, Row

SOON_MS = 2 * 3_600_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
MINUTES_SHOWN_MS = 24 * HOUR_MS
HOURS_SHOWN_MS = 7 * 24 * HOUR_MS
BREACH_ROWS_MAX = 50
DUE_ROWS_MAX = 50
TEAM_ROWS_MAX = 100

_QUERIES = "streams.dashboard.queries"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the pipeline is. `clock_ms` is its own (maybe virtual) now, read at `recorded_ms` of the
    wall clock; `as_of_ms`: the wall instant up to which every partition has been heard of."""

    clock_ms: int
    recorded_ms: int
    as_of_ms: int
    recorded_by_partition: tuple[int, ...]
    events_total: int
    rejected_total: int

    def pipeline_now_ms(self, wall_ms: int, speed: float) -> int:
        """The pipeline's now: its last word, moved on at its speed. Never runs backwards from it."""
        return self.clock_ms + int(max(0, wall_ms - self.recorded_ms) * speed)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the page shows. `progress` is None until the pipeline has said anything."""

    progress: Progress | None
    content: Mapping[str, object]


def take_snapshot(
    reader: Reader, config: DashboardConfig, wall_ms: int, fallback_now_ms: int
) -> Snapshot:
    """Ask everything once. `fallback_now_ms`: the pipeline's now while no partition has spoken."""
    progress = read_progress(reader)
    if progress is None:
        now_ms = fallback_now_ms
    else:
        now_ms = progress.pipeline_now_ms(wall_ms, config.speed)
    question = _Question(reader, config.tenant, now_ms)
    content = {
        "headline": question.headline(day_start_ms(now_ms, config.zone)),
        "breaches_by_minute": question.over_time(MINUTE_MS, MINUTES_SHOWN_MS),
        "breaches_by_hour": question.over_time(HOUR_MS, HOURS_SHOWN_MS),
        "teams": question.rows("open_by_team", now_ms=now_ms, rows_max=TEAM_ROWS_MAX),
        "latest_breaches": question.rows("latest_breaches", rows_max=BREACH_ROWS_MAX),
        "next_due": question.rows("next_due", now_ms=now_ms, rows_max=DUE_ROWS_MAX),
        "dead_letters": [_with_meaning(row) for row in question.rows("dead_letters")],
        "events_total": progress.events_total if progress else 0,
        "rejected_total": progress.rejected_total if progress else 0,
    }
    return Snapshot(progress, content)


def read_progress(reader: Reader) -> Progress | None:
    """The pipeline's clock and the age of its word; None when there is none yet."""
    rows: list[dict[str, Any]] = reader.query_rows(read_query(_QUERIES, "progress"), {})
    if not rows:
        return None
    newest = max(rows, key=lambda row: (row["recorded_ms"], row["clock_ms"]))
    recorded = tuple(int(row["recorded_ms"]) for row in rows)
    return Progress(
        clock_ms=int(newest["clock_ms"]),
        recorded_ms=int(newest["recorded_ms"]),
        as_of_ms=min(recorded),
        recorded_by_partition=recorded,
        events_total=sum(int(row["events_total"]) for row in rows),
        rejected_total=sum(int(row["rejected_total"]) for row in rows),
    )


def read_ticket(reader: Reader, tenant: str, source: str, ticket_id: str) -> Row | None:
    """One ticket with all its clock cycles; None when the database knows neither."""
    key = {"tenant": tenant, "source": source, "ticket_id": ticket_id}
    tickets = reader.query_rows(read_query(_QUERIES, "ticket"), key)
    clocks = reader.query_rows(read_query(_QUERIES, "ticket_clocks"), key)
    if not tickets and not clocks:
        return None
    numbers = reader.query_rows(read_query(_QUERIES, "complaint_number"), key)
    return {
        "ticket": tickets[0] if tickets else None,
        "clocks": clocks,
        "complaint_number": numbers[0]["complaint_number"] if numbers else None,
    }


def day_start_ms(now_ms: int, zone: str) -> int:
    """The first instant of the day that `now_ms` lies in, there."""
    day = from_ms(now_ms).astimezone(ZoneInfo(zone)).date()
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


@dataclass(frozen=True, slots=True)
class _Question:
    """The queries of one snapshot: same tenant, same now."""

    reader: Reader
    tenant: str
    now_ms: int

    def rows(self, name: str, **params: object) -> list[Row]:
        sql = read_query(_QUERIES, name)
        asked = {"tenant": self.tenant, **params}
        # A server refuses parameters that the SQL doesn't name only in some versions; never send any.
        return self.reader.query_rows(
            sql, {key: value for key, value in asked.items() if f"{{{key}:" in sql}
        )

    def headline(self, day_start_ms: int) -> Row:
        soon_ms = self.now_ms + SOON_MS
        (tickets,) = self.rows("open_tickets")
        (clocks,) = self.rows(
            "clocks", now_ms=self.now_ms, soon_ms=soon_ms, day_start_ms=day_start_ms
        )
        return {**tickets, **clocks}

    def over_time(self, bucket_ms: int, shown_ms: int) -> list[list[object]]:
        since_ms = (self.now_ms - shown_ms) // bucket_ms * bucket_ms
        found = self.rows("breaches_over_time", bucket_ms=bucket_ms, since_ms=since_ms)
        return [[row["bucket_start_ms"], row["breaches"]] for row in found]


def _with_meaning(row: Row) -> Row:
    reason = REASONS.get(str(row["reason"]))
    if reason is None:
        return row
    return {**row, "labels": {"en": reason.en, "zh-CN": reason.zh_cn}}
