"""Numbers that alerting rules watch, over all partitions together: asked of ClickHouse twice a minute, scraped by
Prometheus (`deploy/prometheus/rules.yml`)."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sinks.clickhouse.queries import read_query
from streams.dashboard.contract import Reader
from streams.measuring.asking import Measured, Question, measure

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 30.0
HOUR_MS = 3_600_000
# Metric → the span it is taken over: calls come by the minute, answers by the day.
WATCHED: Mapping[str, int] = {
    "sl.offered": HOUR_MS,
    "calls.abandonment": HOUR_MS,
    "sla.compliance": 24 * HOUR_MS,
    "csat": 7 * 24 * HOUR_MS,
}


@dataclass(frozen=True, slots=True)
class Found:
    """What was found last. A metric without data is not among them."""

    measured: tuple[Measured, ...] = ()
    backlog_age_ms: int | None = None


class Watched:
    """Asks while it runs; `found` is what was found last, and nothing while the database does not answer: an old
    number would look like a good one."""

    def __init__(self, reader: Reader, tenant: str, now_ms: Callable[[], int]) -> None:
        self.found = Found()
        self._reader = reader
        self._tenant = tenant
        self._now_ms = now_ms
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="dashboard-watched")

    async def run(self) -> None:
        """Until cancelled; outlasts any trouble of the database."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.found = await loop.run_in_executor(self._threads, self.look)
            except Exception as error:
                log.warning("watched numbers can't be read: %s", error)
                self.found = Found()
            await asyncio.sleep(INTERVAL_SECONDS)

    def close(self) -> None:
        """Let go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def look(self) -> Found:
        """Ask once. Blocking."""
        now_ms = self._now_ms()
        by_span: dict[int, list[str]] = defaultdict(list)
        for name, span_ms in WATCHED.items():
            by_span[span_ms].append(name)
        measured: list[Measured] = []
        for span_ms, names in by_span.items():
            question = Question(now_ms - span_ms, now_ms, now_ms, self._tenant)
            measured += measure(self._reader, names, question)
        (row,) = self._reader.query_rows(
            read_query("streams.dashboard.queries", "backlog_age"),
            {"tenant": self._tenant, "now_ms": now_ms},
        )
        age_ms = row["age_ms"]
        return Found(
            tuple(one for one in measured if one.value is not None),
            None if age_ms is None else int(str(age_ms)),
        )
