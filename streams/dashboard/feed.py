"""One shared snapshot for everybody: however many look, the database is asked once a second."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson

from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Reader
from streams.dashboard.snapshot import Progress, take_snapshot
from streams.runtime.clock import Clock

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
# A slow database is asked less often: it is kept busy at most a quarter of the time.
REST_PER_QUERY_SECOND = 3.0
SILENT_SECONDS_MAX = 10.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A snapshot as it is sent. `number` grows by one whenever the content changed."""

    number: int
    content_json: bytes
    progress: Progress | None

    @property
    def event_id(self) -> str:
        """Names the content itself: good across connections, restarts and several dashboards."""
        return hashlib.blake2b(self.content_json, digest_size=9).hexdigest()


class LiveFeed:
    """Takes snapshots while somebody looks, and tells everyone who waits.

    `clock` is the pipeline's (used until a partition has spoken), `wall_clock` measures age.
    """

    def __init__(
        self, config: DashboardConfig, reader: Reader, clock: Clock, wall_clock: Clock
    ) -> None:
        self._config = config
        self._reader = reader
        self._clock = clock
        self._wall_clock = wall_clock
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="dashboard-feed")
        self._asking = asyncio.Lock()
        self._changed = asyncio.Condition()
        self._wanted = asyncio.Event()
        self._listeners = 0
        self._frame: Frame | None = None
        self._taken_at = float("-inf")
        self._took_seconds = 0.0
        self._asked_at: float | None = None  # while a question is open
        self._trouble: str | None = None
        self.queries_total = 0
        self.failures_total = 0
        self.query_seconds_total = 0.0
        self._closed = False

    @property
    def frame(self) -> Frame | None:
        """The latest snapshot; None before the first that succeeded."""
        return self._frame

    @property
    def trouble(self) -> str | None:
        """What keeps the numbers from being read, else None."""
        if self._asked_at is not None:
            waiting_seconds = asyncio.get_running_loop().time() - self._asked_at
            if waiting_seconds > SILENT_SECONDS_MAX:
                return f"no answer for {waiting_seconds:.0f} s"
        return self._trouble

    @property
    def readers(self) -> int:
        """How many look."""
        return self._listeners

    @property
    def closed(self) -> bool:
        return self._closed

    async def current(self, seconds_max: float) -> Frame | None:
        """A snapshot not older than a second, taking one if needed; in trouble, or when that takes
        longer than `seconds_max`, the last good one."""
        await asyncio.wait({asyncio.ensure_future(self._refresh())}, timeout=seconds_max)
        return self._frame

    async def next_frame(self, seen_number: int, seconds_max: float) -> Frame | None:
        """The next content after `seen_number`, or None after `seconds_max` or at the end."""
        try:
            async with asyncio.timeout(seconds_max), self._changed:
                await self._changed.wait_for(lambda: self._closed or self._is_new(seen_number))
        except TimeoutError:
            return None
        return None if self._closed else self._frame

    def listen(self) -> "_Listening":
        """Snapshots are taken every second inside this context."""
        return _Listening(self._join, self._leave)

    async def run(self) -> None:
        """Take snapshots until cancelled or closed. Outlasts any trouble of the database."""
        while not self._closed:
            await self._wanted.wait()
            await self._refresh()
            await asyncio.sleep(self._pause_seconds())

    async def close(self) -> None:
        """Let everyone go who waits. May be called twice."""
        self._closed = True
        self._wanted.set()
        async with self._changed:
            self._changed.notify_all()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def now_ms(self) -> int:
        """The pipeline's now, as far as it is known here."""
        progress = self._frame.progress if self._frame else None
        if progress is None:
            return self._clock.now_ms()
        return progress.pipeline_now_ms(self._wall_clock.now_ms(), self._config.speed)

    def pulse(self) -> dict[str, object]:
        """The clock and the freshness of right now: small, sent between snapshots too."""
        wall_ms = self._wall_clock.now_ms()
        progress = self._frame.progress if self._frame else None
        config = self._config
        return {
            "clock": {
                "now_ms": self.now_ms(),
                "speed": config.speed,
                "virtual": config.demo is not None,
            },
            "fresh": freshness(progress, wall_ms, config.stale_after_seconds, self.trouble),
        }

    def _is_new(self, seen_number: int) -> bool:
        return self._frame is not None and self._frame.number != seen_number

    def _pause_seconds(self) -> float:
        return max(INTERVAL_SECONDS, REST_PER_QUERY_SECOND * self._took_seconds)

    async def _refresh(self) -> None:
        async with self._asking:
            loop = asyncio.get_running_loop()
            started = loop.time()
            # A tenth less, so that the loop's own rhythm always finds the last one too old.
            if self._closed or started - self._taken_at < 0.9 * self._pause_seconds():
                return
            self._asked_at = started
            try:
                await self._take(loop)
            except Exception as error:
                if self._trouble is None:
                    log.warning("the page's numbers can't be read: %s", error)
                self._trouble = str(error) or type(error).__name__
                self.failures_total += 1
            finally:
                self._asked_at = None
                self._taken_at = loop.time()
                self._took_seconds = self._taken_at - started
                self.queries_total += 1
                self.query_seconds_total += self._took_seconds

    async def _take(self, loop: asyncio.AbstractEventLoop) -> None:
        snapshot = await loop.run_in_executor(
            self._threads,
            take_snapshot,
            self._reader,
            self._config,
            self._wall_clock.now_ms(),
            self._clock.now_ms(),
        )
        self._trouble = None
        content_json = orjson.dumps(snapshot.content)
        before = self._frame
        same = before is not None and before.content_json == content_json
        number = (before.number if before else 0) + (0 if same else 1)
        self._frame = Frame(number, content_json, snapshot.progress)
        if not same:
            async with self._changed:
                self._changed.notify_all()

    def _join(self) -> None:
        self._listeners += 1
        self._wanted.set()

    def _leave(self) -> None:
        self._listeners -= 1
        if self._listeners == 0 and not self._closed:
            self._wanted.clear()


class _Listening:
    def __init__(self, join: Callable[[], None], leave: Callable[[], None]) -> None:
        self._join, self._leave = join, leave

    def __enter__(self) -> None:
        self._join()

    def __exit__(self, *_error: object) -> None:
        self._leave()


def freshness(
    progress: Progress | None, wall_ms: int, stale_after_seconds: float, trouble: str | None
) -> dict[str, object]:
    """How old the numbers are, judged by the partition heard of last longest ago.

    `state`: `live`, `stale`, or `waiting` (nothing has ever been heard).
    """
    if progress is None:
        state = "waiting" if trouble is None else "stale"
        return {"state": state, "trouble": trouble is not None, "as_of_ms": None, "age_ms": None}
    limit_ms = stale_after_seconds * 1000
    ages_ms = [max(0, wall_ms - recorded_ms) for recorded_ms in progress.recorded_by_partition]
    behind = sum(age_ms > limit_ms for age_ms in ages_ms)
    return {
        "state": "stale" if behind else "live",
        "trouble": trouble is not None,
        "as_of_ms": progress.as_of_ms,
        "age_ms": max(ages_ms),
        "partitions": len(ages_ms),
        "partitions_behind": behind,
    }
