"""How long rows are kept: by setting, not by migration. 0: for ever.

What is still going on is never deleted, however old: an open ticket, a running clock, an open alert. Rows go when
ClickHouse merges; until then a query may still see them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.ddl import Dialect


@dataclass(frozen=True, slots=True)
class Keeping:
    """Days. `facts`: tickets, clocks, calls, questionnaires, alerts; `windows`: sums per minute; `letters`: dead
    letters, which hold what people wrote."""

    facts: int = 0
    windows: int = 0
    letters: int = 0


# table → which of the settings, the instant that counts, and what may go
_RULES: dict[str, tuple[str, str, str]] = {
    "tickets": ("facts", "last_event_at", "NOT open"),
    "ticket_clocks": ("facts", "event_time", "state NOT IN ('running', 'paused')"),
    "alert_intents": ("facts", "recorded_at", "NOT open"),
    "alert_actions": ("facts", "event_time", ""),
    "calls": ("facts", "event_time", ""),
    "call_legs": ("facts", "event_time", ""),
    "surveys": ("facts", "event_time", ""),
    "survey_answers": ("facts", "event_time", ""),
    "shifts": ("facts", "event_time", ""),
    "call_windows": ("windows", "window_start", ""),
    "survey_windows": ("windows", "window_start", ""),
    "shift_windows": ("windows", "window_start", ""),
    "clock_windows": ("windows", "window_start", ""),
    "ticket_windows": ("windows", "window_start", ""),
    "dead_letters": ("letters", "recorded_at", ""),
}


def apply_retention(
    database: ClickHouse, keeping: Keeping, dialect: Dialect | None = None
) -> list[str]:
    """Make the tables keep rows for so long; the tables that were changed. Twice changes nothing."""
    changed = []
    for table, wanted in _wanted(keeping):
        found = _ttl_of(database, table)
        if found == wanted:
            continue
        change = f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL"
        on_cluster = (dialect or Dialect()).render("${on_cluster}")
        database.command(f"ALTER TABLE {table}{on_cluster} {change}")
        changed.append(table)
    return changed


def _wanted(keeping: Keeping) -> Iterator[tuple[str, str]]:
    for table, (kind, column, may_go) in _RULES.items():
        days: int = getattr(keeping, kind)
        condition = f" WHERE {may_go}" if may_go else ""
        yield table, f"toDateTime({column}) + toIntervalDay({days}){condition}" if days else ""


def _ttl_of(database: ClickHouse, table: str) -> str:
    """As the server writes it; empty: none."""
    (row,) = database.query_rows(
        "SELECT extract(engine_full, 'TTL (.*?)(?: SETTINGS|$)') AS ttl FROM system.tables"
        " WHERE database = {database:String} AND name = {table:String}",
        {"database": database.database, "table": table},
    )
    return str(row["ttl"]).strip()
