"""The clock is an object: real, virtual (demo) or moved by hand (tests, replay)."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Answers what time it is, in milliseconds since 1970 UTC, and sleeps in its own time."""

    def now_ms(self) -> int: ...

    async def sleep_until_ms(self, instant_ms: int, wall_seconds_max: float) -> None:
        """Return at `instant_ms` of this clock or after `wall_seconds_max`, whichever is first."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep_until_ms(self, instant_ms: int, wall_seconds_max: float) -> None:
        wait_seconds = (instant_ms - self.now_ms()) / 1000
        await asyncio.sleep(max(0.0, min(wait_seconds, wall_seconds_max)))


class VirtualClock:
    """Starts at `start_ms` when made and runs `speed` times as fast as the monotonic clock.

    `wall_start_ns` (a monotonic reading) lets several processes of one machine share one clock.
    """

    def __init__(self, start_ms: int, speed: float, wall_start_ns: int | None = None) -> None:
        assert speed > 0
        self.start_ms = start_ms
        self.speed = speed
        self.wall_start_ns = time.monotonic_ns() if wall_start_ns is None else wall_start_ns

    def now_ms(self) -> int:
        return self.start_ms + int((time.monotonic_ns() - self.wall_start_ns) / 1e6 * self.speed)

    async def sleep_until_ms(self, instant_ms: int, wall_seconds_max: float) -> None:
        wait_seconds = (instant_ms - self.now_ms()) / 1000 / self.speed
        await asyncio.sleep(max(0.0, min(wait_seconds, wall_seconds_max)))


class ManualClock:
    """Stands still until moved."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._moved = asyncio.Event()

    def now_ms(self) -> int:
        return self._now_ms

    def move_to(self, instant_ms: int) -> None:
        assert instant_ms >= self._now_ms, "time does not run backwards"
        self._now_ms = instant_ms
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until_ms(self, instant_ms: int, wall_seconds_max: float) -> None:
        if self._now_ms < instant_ms:
            try:
                async with asyncio.timeout(wall_seconds_max):
                    await self._moved.wait()
            except TimeoutError:
                return
