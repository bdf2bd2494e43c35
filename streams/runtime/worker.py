"""The Faust worker: consumer group, assignment and flow, around a handler of batches.

Faust runs as a service inside the loop it is started in: no command line, web server, tables, or
signal handlers of its own.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import faust
from faust.types import TP
from mode import CrashingSupervisor

from streams.runtime.transport import RecordBatch

log = logging.getLogger(__name__)

QUEUED_BATCHES_MAX = 8
REVOKED_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 10.0
WATCH_SECONDS = 0.25
COMMIT_SECONDS = 3.0

__all__ = ["TP", "BatchHandler", "BatchWorker", "RecordBatch", "WorkerCrashedError"]


class WorkerCrashedError(Exception):
    """Faust gave up; the cause says why."""


class BatchHandler(Protocol):
    """What is done with partitions and their batches."""

    async def assigned(
        self, partitions: frozenset[TP], is_current: Callable[[], bool]
    ) -> Mapping[TP, int]:
        """These partitions are ours, all of them and no others; returns where to read each from.

        Nothing is delivered until it returns. `is_current` turns false when another assignment has
        begun: then give up early.
        """
        ...

    async def revoked(self, partitions: frozenset[TP]) -> None:
        """Partitions are about to go: finish and acknowledge what was begun. Cut off when too slow."""
        ...

    async def take(self, batch: RecordBatch) -> None:
        """The next batch of a partition, in order. Blocking here stops fetching. Any exception
        crashes the worker."""
        ...


class _BatchSchema(faust.Schema):  # type: ignore[misc]  # Faust is untyped
    """Hands the batch through."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Any:
        return message.value


class BatchWorker:
    """One member of a consumer group. Several of them share the partitions."""

    def __init__(
        self,
        handler: BatchHandler,
        *,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        session_timeout_seconds: float,
    ) -> None:
        self._handler = handler
        self._bootstrap = bootstrap
        self._group = group
        self._topics = tuple(topics)
        self._session_seconds = session_timeout_seconds
        self._app: Any = None
        self._consumer: Any = None
        self._failure: BaseException | None = None
        self._broken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._datadir: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> None:
        """Join the group; returns at once, partitions come later."""
        self._datadir = tempfile.TemporaryDirectory(prefix="ticketpulse-")
        self._app = self._build(self._datadir.name)
        self._consumer = self._app.consumer
        self._consumer.on_revoked = self._on_revoked
        self._app.on_rebalance_complete.connect(self._on_rebalanced, weak=False)
        self._app.finalize()
        await self._app.start()

    async def run(self) -> None:
        """Return after `stop`; raise what broke the handler or Faust."""
        while not self._stopping.is_set():
            if self._failure is not None:
                raise self._failure
            if self._app.crashed:
                message = "the Kafka consumer failed"
                raise WorkerCrashedError(message) from self._app.crash_reason
            try:
                await asyncio.wait_for(self._broken.wait(), WATCH_SECONDS)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Finish and commit what was begun, leave the group."""
        self._stopping.set()
        app, self._app = self._app, None
        if app is None:
            return
        owned = self.assignment()
        if owned and self._failure is None:
            await self._on_revoked(owned)
            await self._consumer.commit()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await app.stop()
        except TimeoutError:
            log.warning("Faust did not stop within %s s", STOP_SECONDS_MAX)
        if self._datadir is not None:
            self._datadir.cleanup()

    def assignment(self) -> frozenset[TP]:
        """The partitions that the group gives us now."""
        try:
            return frozenset(
                TP(where.topic, where.partition) for where in self._consumer.assignment()
            )
        except Exception:  # Faust raises when its consumer has not started or is gone
            return frozenset()

    def acknowledge(self, where: TP, next_offset: int) -> None:
        """Everything before the offset is done; committed to the group within seconds."""
        self._consumer.acknowledge(where, next_offset)

    def go_to(self, where: TP, offset: int) -> None:
        """Read on from an offset; batches from before are not delivered any more."""
        self._consumer.go_to(where, offset)

    def fail(self, error: BaseException) -> None:
        """`run` raises this."""
        if self._failure is None:
            self._failure = error
        self._broken.set()

    def _build(self, datadir: str) -> Any:
        session_seconds = self._session_seconds
        app = faust.App(
            self._group,
            broker=f"kafka+batch://{self._bootstrap}",
            autodiscover=False,
            datadir=datadir,
            store="memory://",
            web_enabled=False,
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            topic_disable_leader=True,
            agent_supervisor=CrashingSupervisor,
            stream_wait_empty=False,  # nothing is acknowledged by message
            stream_buffer_maxsize=QUEUED_BATCHES_MAX,
            broker_commit_interval=COMMIT_SECONDS,
            broker_session_timeout=session_seconds,
            broker_heartbeat_interval=session_seconds / 5,
            broker_rebalance_timeout=max(session_seconds, 2 * REVOKED_SECONDS_MAX),
            broker_request_timeout=max(40.0, session_seconds + 10.0),
            consumer_auto_offset_reset="earliest",
        )
        topic = app.topic(*self._topics, schema=_BatchSchema())

        async def batches(stream: Any) -> None:
            try:
                async for event in stream.noack().events():
                    await self._deliver(event.value)
            except Exception as error:
                self.fail(error)
                raise

        app.agent(topic, name=f"{self._group}-batches", concurrency=1)(batches)
        return app

    async def _deliver(self, batch: RecordBatch) -> None:
        if not self._consumer.is_stale(batch):
            await self._handler.take(batch)

    async def _on_revoked(self, partitions: frozenset[TP]) -> None:
        """In time, or not at all: what isn't acknowledged is repeated by the next owner."""
        try:
            async with asyncio.timeout(REVOKED_SECONDS_MAX):
                await self._handler.revoked(partitions)
        except TimeoutError:
            log.warning("giving up partitions took too long; they are repeated by their next owner")
        except Exception as error:
            log.exception("giving up partitions failed")
            self.fail(error)

    async def _on_rebalanced(self, *_args: Any, **_kwargs: Any) -> None:
        """Awaited by Faust in the rebalance, before streams resume."""
        generation = self._app.consumer_generation_id

        def is_current() -> bool:
            app = self._app
            return app is not None and app.consumer_generation_id == generation

        try:
            positions = await self._handler.assigned(self.assignment(), is_current)
        except Exception as error:
            self.fail(error)
            raise
        self._consumer.start_at(positions)
