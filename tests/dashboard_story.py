"""A day of a service centre as outcome rows: a few thousand tickets, the same on every run."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sinks.clickhouse.client import ClickHouse
from tests.outcome_rows import Row, as_json, partition_progress, ticket, ticket_clock

TEAMS = (
    "Public Works: Street Lighting",
    "Public Works: District 1B North Dorchester",
    "Public Works: District 3 North End",
    "Transportation: Signs and Signals",
    "Parks and Recreation: Tree Maintenance",
    "Inspectional Services: Housing",
    "Animal Control",
    "客户服务一组",
    "客户服务二组",
    "投诉处理中心",
    "Graffiti Removal",
    "Water and Sewer",
)
CLOCKS = (("first_reply", 4), ("resolution", 48))
PARTITIONS = 4


class Story:
    """Tickets opened over `days` before `now`; about a fifth of the promises is broken."""

    def __init__(self, now: datetime, tickets: int = 3_000, days: int = 7, seed: int = 311) -> None:
        self.now = now
        self.random = random.Random(seed)
        self.tickets = tickets
        self.days = days

    def rows(self) -> Iterator[tuple[str, Row]]:
        """(table, row) of everything."""
        for number in range(1, self.tickets + 1):
            yield from self._ticket(number)

    def _ticket(self, number: int) -> Iterator[tuple[str, Row]]:
        pick = self.random
        opened = self.now - timedelta(seconds=pick.triangular(60, self.days * 86_400, 86_400))
        team = pick.choices(TEAMS, weights=range(len(TEAMS) + 4, 4, -1))[0]
        worked = timedelta(hours=pick.lognormvariate(2.6, 1.1))
        solved_at = opened + worked if opened + worked <= self.now else None
        common: Row = {
            "team": team,
            "priority": pick.choice(("P1", "P2", "P3")),
            "ticket_id": str(101_000_310_000 + number),
            "source": "boston311",
        }
        yield (
            "tickets",
            {
                **ticket(number),
                **common,
                "event_time": opened,
                "open": solved_at is None,
                "status": "solved" if solved_at else "open",
                "solved_at": solved_at,
                "last_event_at": solved_at or opened,
                "judged_at": self.now,
            },
        )
        for clock, hours in CLOCKS:
            share = pick.uniform(0.02, 0.2) if clock == "first_reply" else 1.0
            ended = opened + worked * share
            yield "ticket_clocks", self._clock(number, clock, hours, opened, ended, common)

    def _clock(
        self,
        number: int,
        clock: str,
        hours: int,
        opened: datetime,
        ended: datetime,
        common: Row,
    ) -> Row:
        due = opened + timedelta(hours=hours)
        stopped = ended if ended <= self.now else None
        breached = (stopped or self.now) > due
        running = stopped is None
        at_risk = opened + timedelta(hours=0.8 * hours)
        state = "running" if running else ("breached" if breached else "met")
        return {
            **ticket_clock(number),
            **common,
            "clock": clock,
            "cycle_id": f"{common['ticket_id']}-created",
            "event_time": opened,
            "state": state,
            "verdict": "pending" if running else state,
            "target_ms": hours * 3_600_000,
            "due_at": due,
            "next_due_at": due if running and not breached else None,
            "stopped_at": stopped,
            "breached": breached,
            "breach_at": due if breached else None,
            "breach_reason": "deadline" if breached else None,
            "at_risk_at": at_risk if at_risk <= (stopped or self.now) else None,
            "breach_team": common["team"] if breached else None,
            "judged_at": self.now,
        }


def insert(database: ClickHouse, table: str, *rows: object) -> None:
    """Rows into their table."""
    database.insert_raw(table, b"\n".join(as_json(row) for row in rows))


def tell(database: ClickHouse, story: Story) -> None:
    """Everything of the story into the database."""
    by_table: dict[str, list[Row]] = {}
    for table, row in story.rows():
        by_table.setdefault(table, []).append(row)
    for table, rows in by_table.items():
        insert(database, table, *rows)


def report_progress(
    database: ClickHouse,
    clock_now: datetime,
    recorded_at: datetime,
    version: int = 1,
    partitions: int = PARTITIONS,
) -> None:
    """Every partition says how far it is."""
    rows = [
        {
            **partition_progress(partition, version=version),
            "clock_now": clock_now,
            "recorded_at": recorded_at,
            "events_total": 2_000,
        }
        for partition in range(partitions)
    ]
    insert(database, "partition_progress", *rows)


def at(text: str) -> datetime:
    """`2011-07-12 14:30` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
