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
from aiokafka.errors import IllegalStateError, KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.tables.recovery import RebalanceAgain
from faust.types import TP
from mode import CrashingSupervisor

from schemas.problems import Problem, ProblemsError
from streams.runtime.security import PLAINTEXT, KafkaSecurity
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

        Nothing is delivered until it returns, and it may take its time. `is_current` turns false when
        the next rebalance begins: then give up early, what is returned or raised counts no more.
        """
        ...

    async def revoked(self, partitions: frozenset[TP]) -> None:
        """Partitions are about to go: finish and acknowledge what was begun. Cut off when too slow.

        Never beside `assigned`. A `take` that has begun may still be running; no other begins.
        """
        ...

    async def take(self, batch: RecordBatch) -> None:
        """The next batch of a partition, in order. Blocking here stops fetching. Any exception
        crashes the worker."""
        ...


class _App(faust.App):  # type: ignore[misc]  # Faust is untyped
    mundane_level = "debug"  # of "starting" and "stopping"

    async def on_started(self) -> None:
        """Nothing: stock Faust waits here for the first assignment, so a start might never return."""


class _BatchSchema(faust.Schema):  # type: ignore[misc]  # Faust is untyped
    """Hands the batch through."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Any:
        return message.value


class BatchWorker:
    """One member of a consumer group. Several of them share the partitions.

    With a `worker_id` (static membership) it keeps its partitions over a restart, and gives them to others
    only after the session time-out; without one, when it stops.
    """

    def __init__(  # noqa: PLR0913  # by name, all but the first
        self,
        handler: BatchHandler,
        *,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        session_timeout_seconds: float,
        worker_id: str = "",
        security: KafkaSecurity = PLAINTEXT,
    ) -> None:
        self._handler = handler
        self._bootstrap = bootstrap
        self._group = group
        self._topics = tuple(topics)
        self._session_seconds = session_timeout_seconds
        self._worker_id = worker_id
        self._security = security
        self._app: Any = None
        self._consumer: Any = None
        self._failure: BaseException | None = None
        self._broken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._handing_over = asyncio.Lock()  # `assigned` and `revoked` never run beside each other
        self._datadir: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> None:
        """Join the group; partitions come later. ProblemsError when no broker answers."""
        self._datadir = tempfile.TemporaryDirectory(prefix="ticketpulse-")
        self._app = self._build(self._datadir.name)
        self._consumer = self._app.consumer
        self._consumer.on_revoked = self._on_revoked
        self._app.on_rebalance_complete.connect(self._on_rebalanced, weak=False)
        self._app.finalize()
        try:
            await self._app.start()
        except (KafkaError, OSError) as error:
            await self._end()
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(self._bootstrap, what, hint)) from error

    async def run(self) -> None:
        """Return after `stop`; raise what broke the handler or Faust."""
        while not self._stopping.is_set():
            if self._failure is not None:
                raise self._failure
            if self._app.crashed:
                reason = self._app.crash_reason
                message = f"the Kafka consumer failed: {reason!r}"
                raise WorkerCrashedError(message) from reason
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._broken.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Finish and commit what was begun, leave the group."""
        self._stopping.set()
        owned = self.assignment()
        if owned and self._failure is None and not self._app.crashed:
            self._consumer.close_partitions(owned)
            await self._on_revoked(owned)
            await self._consumer.commit_now()
        await self._end()

    async def _end(self) -> None:
        app, self._app = self._app, None
        if app is not None:
            try:
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await app.stop()
            except TimeoutError:
                log.warning("Faust did not stop within %s s", STOP_SECONDS_MAX)
        if self._datadir is not None:
            self._datadir.cleanup()

    def assignment(self) -> frozenset[TP]:
        """The partitions that the group gives us now."""
        if self._app is None:
            return frozenset()
        try:
            return frozenset(self._consumer.assignment())
        except ConsumerNotStarted:
            return frozenset()

    def acknowledge(self, where: TP, next_offset: int) -> None:
        """Everything before the offset is done; committed to the group within seconds."""
        self._consumer.acknowledge(where, next_offset)

    def go_to(self, where: TP, offset: int) -> None:
        """Read on from an offset; batches from before are not delivered any more."""
        self._consumer.go_to(where, offset)

    def known_end(self, where: TP) -> int:
        """The partition's end as of the last fetch; 0 when nothing has been fetched yet."""
        try:
            return int(self._consumer.highwater(where) or 0)
        except (ConsumerNotStarted, IllegalStateError):
            return 0

    def fail(self, error: BaseException) -> None:
        """`run` raises this."""
        if self._failure is None:
            self._failure = error
        self._broken.set()

    def _build(self, datadir: str) -> Any:
        session_seconds = self._session_seconds
        app = _App(
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
            table_standby_replicas=0,  # no tables: Kafka's plain assignor instead of Faust's
            broker_credentials=self._security.faust_credentials(),
            broker_client_id=self._group,
            consumer_group_instance_id=self._worker_id or None,
            broker_commit_interval=COMMIT_SECONDS,
            broker_session_timeout=session_seconds,
            broker_heartbeat_interval=session_seconds / 5,
            broker_rebalance_timeout=max(session_seconds, 2 * REVOKED_SECONDS_MAX),
            broker_request_timeout=max(40.0, session_seconds + 10.0),
            consumer_auto_offset_reset="none",  # we say where; out of range must be noticed
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
        if self._failure is None and not self._consumer.is_stale(batch):
            await self._handler.take(batch)

    async def _on_revoked(self, partitions: frozenset[TP]) -> None:
        """In time, or not at all: what isn't acknowledged is repeated by the next owner."""
        try:
            async with asyncio.timeout(REVOKED_SECONDS_MAX), self._handing_over:
                await self._handler.revoked(partitions)
        except TimeoutError:
            log.warning("giving up partitions took too long; they are repeated by their next owner")
        except Exception as error:
            log.exception("giving up partitions failed")
            self.fail(error)

    async def _on_rebalanced(self, *_args: Any, **_kwargs: Any) -> None:
        """Awaited by Faust in the rebalance, before streams resume.

        RebalanceAgain makes it wait for the next assignment, instead of resuming streams with one that
        is no longer in force.
        """
        async with self._handing_over:
            number = self._consumer.current_assignment()

            def is_current() -> bool:
                return (
                    number is not None
                    and not self._stopping.is_set()
                    and self._consumer.current_assignment() == number
                )

            if not is_current():
                raise RebalanceAgain
            try:
                positions = await self._positions(is_current)
            except Exception as error:
                if is_current():
                    self.fail(error)
                    raise
                log.warning("a restore was interrupted by a rebalance: %r", error)
                raise RebalanceAgain from error
            if not is_current():
                raise RebalanceAgain
            self._consumer.start_at(positions)

    async def _positions(self, is_current: Callable[[], bool]) -> Mapping[TP, int]:
        assigned = self.assignment()
        positions = await self._handler.assigned(assigned, is_current)
        if is_current() and positions.keys() != assigned:
            message = f"positions of {sorted(positions)} for {sorted(assigned)}"
            raise ValueError(message)
        return positions
