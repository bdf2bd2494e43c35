"""Feeds recorded events into the source topics as the pipeline's clock reaches them (demo, load tests)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from streams.runtime.clock import Clock

PERIOD_SECONDS = 0.1
SLICE_RECORDS_MAX = 2_000

Publish = Callable[[str, list[tuple[bytes, bytes]]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message and the instant at which the source sent it."""

    instant_ms: int
    topic: str
    key: bytes
    value: bytes


class Feeder:
    """A role that publishes each recorded message when the clock reaches its instant.

    What lies before the clock's start goes out at once: the pipeline finds a past, as it would
    after a night. Messages must be in the order of `instant_ms`; that order is kept per topic.
    """

    name = "feeder"

    def __init__(self, recorded: Sequence[Recorded], clock: Clock, publish: Publish) -> None:
        self._recorded = recorded
        self._clock = clock
        self._publish = publish
        self._stopping = asyncio.Event()
        self.published = 0

    async def start(self) -> None:
        await self._publish_due()

    async def run(self) -> None:
        while not self._stopping.is_set():
            await self._publish_due()
            try:
                async with asyncio.timeout(PERIOD_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        self._stopping.set()

    def healthy(self) -> str | None:
        return None

    @property
    def finished(self) -> bool:
        """True when the last message has been sent."""
        return self.published == len(self._recorded)

    async def _publish_due(self) -> None:
        now_ms = self._clock.now_ms()
        while not self.finished and self._recorded[self.published].instant_ms <= now_ms:
            by_topic: dict[str, list[tuple[bytes, bytes]]] = {}
            end = self.published
            while end < len(self._recorded) and end - self.published < SLICE_RECORDS_MAX:
                item = self._recorded[end]
                if item.instant_ms > now_ms:
                    break
                by_topic.setdefault(item.topic, []).append((item.key, item.value))
                end += 1
            for topic, records in by_topic.items():
                await self._publish(topic, records)
            self.published = end
