"""A reader and a publisher that answer from memory, and a running dashboard around them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp

from schemas.instants import from_ms
from sinks.clickhouse.queries import read_query
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Publisher, Row
from streams.dashboard.server import Dashboard, dashboard_role
from streams.runtime.clock import ManualClock

NAMES = (
    "progress",
    "open_tickets",
    "clocks",
    "breaches_over_time",
    "open_by_team",
    "latest_breaches",
    "next_due",
    "dead_letters",
    "ticket",
    "ticket_clocks",
    "complaint_number",
)
NAME_OF_SQL = {read_query("streams.dashboard.queries", name): name for name in NAMES}

WALL_MS = 1_764_000_000_000
PIPELINE_MS = 1_310_668_500_000
MINUTE_MS = 60_000


def progress_row(partition: int = 0, **changes: object) -> Row:
    """A partition that spoke just now."""
    row: Row = {
        "topic": "tickets",
        "partition": partition,
        "clock_ms": PIPELINE_MS,
        "recorded_ms": WALL_MS,
        "events_total": 10,
        "rejected_total": 1,
    }
    return {**row, **changes}


class FakeReader:
    """Answers each query file with the rows set for it; remembers what was asked."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in NAMES}
        self.rows["progress"] = [progress_row()]
        self.rows["open_tickets"] = [{"open_tickets": 7}]
        self.rows["clocks"] = [
            {
                "at_risk_tickets": 3,
                "due_soon_tickets": 2,
                "overdue_tickets": 1,
                "breached_today": 4,
                "breached_total": 9,
            }
        ]
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        self.error: Exception | None = None
        self.gate = threading.Event()  # clear: no answer comes
        self.gate.set()

    def query_rows(self, sql: str, params: Mapping[str, object]) -> list[Row]:
        name = NAME_OF_SQL[sql]
        self.asked.append((name, dict(params)))
        self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.rows[name]

    def times_asked(self, name: str) -> int:
        return sum(asked == name for asked, _ in self.asked)


class FakePublisher:
    """Keeps what it was given; fails, or waits, on demand."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes, bytes]] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def publish(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.published += [(topic, key, value) for key, value in records]


class Running:
    """A dashboard that listens, with its fakes and a client."""

    def __init__(
        self,
        role: Dashboard,
        client: aiohttp.ClientSession,
        reader: FakeReader,
        wall: ManualClock,
    ) -> None:
        self.role = role
        self.client = client
        self.reader = reader
        self.wall = wall

    def url(self, path: str) -> str:
        return self.role.url + path.lstrip("/")


@asynccontextmanager
async def running(
    config: DashboardConfig | None = None, publisher: Publisher | None = None
) -> AsyncIterator[Running]:
    """Start on a free port, stop at the end."""
    reader, wall = FakeReader(), ManualClock(WALL_MS)
    role = dashboard_role(
        config or DashboardConfig(port=0), reader, ManualClock(PIPELINE_MS), publisher, wall
    )
    await role.start()
    task = asyncio.create_task(role.run())
    try:
        jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address, too
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            yield Running(role, client, reader, wall)
    finally:
        await role.stop()
        await task


def later(wall: ManualClock, seconds: float) -> None:
    """Move the wall clock."""
    wall.move_to(wall.now_ms() + int(seconds * 1000))


def iso(ms: int) -> str:
    """An instant as it stands in an event."""
    return from_ms(ms).isoformat()
