"""The compute role: source partitions in, outcomes out, by the pure core.

One `Hold` per partition that the group gives us: an engine, and a task that fires its timers and makes
its checkpoints. Trouble with the broker makes the hold claim the partition anew and restore; a newer
owner, or a log that can't be trusted, breaks the role.
"""

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from schemas.customers import CustomerIds
from schemas.decode import decode
from schemas.events import EntityKind, Event, Rejected
from schemas.problems import Problem, ProblemsError
from schemas.topics import BY_NAME, changelog_of
from sinks.retry import Backoff
from streams.core.policy import PolicyBook
from streams.core.tickets.state import TicketState
from streams.explaining import Explanation, explain_entries
from streams.runtime.clock import Clock, SystemClock
from streams.runtime.kafka_log import KafkaChangelog, KafkaLog
from streams.runtime.partition import Limits, PartitionEngine, SourceRecord, Surroundings
from streams.runtime.portions import portions
from streams.runtime.producer import (
    AppendDoubtfulError,
    BatchTooLargeError,
    LoudProducer,
    PublishError,
    partition_of,
)
from streams.runtime.stop_rule import StopLimits
from streams.runtime.worker import TP, BatchWorker, RecordBatch
from streams.shell.customers import customer_ids_of
from streams.shell.kafka_security import security_of
from streams.shell.policy_feed import PolicyFeed
from streams.shell.sealing import sealer_of
from streams.shell.settings import Settings
from streams.shell.sources import SOURCES, TICKETS, Learns, Source

log = logging.getLogger(__name__)

SLICE_RECORDS = 250
BACKLOG_RECORDS = 500  # in one fetch of one partition
BACKLOG_CHECKPOINTS = 4  # usual intervals between checkpoints then
HELD_TIMER_POLL_SECONDS = 0.05
WAIT_SECONDS_MAX = 1.0
STALE_CHECKPOINTS_MAX = 4  # a checkpoint this many idle periods late is a sign of trouble
_PASSING_TROUBLE = (AppendDoubtfulError, PublishError, KafkaError, OSError, TimeoutError)

Engine = PartitionEngine[Any]  # of tickets, calls, surveys or shifts
Open = Callable[[TP], Awaitable[Engine]]


@dataclass(frozen=True, slots=True)
class PartitionCounters:
    """Where one partition stands. Ages of event time are by the pipeline's clock; totals are those of
    the last checkpoint."""

    position: int
    acknowledged: int
    lag_events: int  # to the end of the source, as far as it has been heard of
    entities: int
    events_total: int
    rejected_total: int
    watermark_ms: int | None
    watermark_age_ms: int | None
    timers: int
    failed_timers: int
    timer_overdue_ms: int
    checkpoint_age_seconds: float
    checkpoints_total: int
    claims_total: int
    restore_seconds: float
    repaired_keys_total: int
    source_partitions: int
    windows: int
    windows_late_total: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A source topic as this process reads it. `source`: its name without prefix."""

    source: str
    logic: Learns
    around: Surroundings


def compute_role(
    settings: Settings,
    book: PolicyBook,
    clock: Clock,
    producer: LoudProducer,
    limits: Limits | None = None,
) -> "Compute":
    """The role. `producer` must be started first and stays open; `clock` is the pipeline's."""
    if settings.broker_url == "embedded":
        what = "compute needs the address of a running broker"
        raise ProblemsError(Problem("broker_url", what, "set TICKETPULSE_BROKER_URL=host:port"))
    return Compute(settings, book, clock, producer, limits)


class Compute:
    """See `compute_role`. Several of one group share the partitions."""

    name = "compute"

    def __init__(
        self,
        settings: Settings,
        book: PolicyBook,
        clock: Clock,
        producer: LoudProducer,
        limits: Limits | None,
    ) -> None:
        lag_ms = BY_NAME[changelog_of(TICKETS.topic)].min_compaction_lag_ms
        stop = StopLimits(settings.stop_share, settings.stop_sample, settings.stop_consecutive)
        self._settings = settings
        self._producer = producer
        security = security_of(settings)
        self._log = KafkaLog(
            settings.broker_url,
            client_id=settings.group,
            topic_prefix=settings.topic_prefix,
            security=security,
        )
        customers = customer_ids_of(settings)
        self._policies_known = book.policies
        self._policies = PolicyFeed(settings, book, self._learn)
        self._around = Surroundings(
            outlet=_Outlet(producer),
            decode=_decoder(customers, TICKETS.kind),
            clock=clock,
            wall_clock=SystemClock(),
            partition_of=partition_of,
            limits=limits or Limits(compaction_lag_ms=lag_ms, stop=stop),
            seal=sealer_of(settings).seal,
        )
        self._reads = {
            self.topic(source): _Read(
                source.topic,
                source.logic(book),
                replace(self._around, decode=_decoder(customers, source.kind)),
            )
            for source in SOURCES
        }
        self._worker = BatchWorker(
            self,
            bootstrap=settings.broker_url,
            group=f"{settings.topic_prefix}{settings.group}-compute",
            topics=list(self._reads),
            session_timeout_seconds=settings.session_timeout_seconds,
            worker_id=settings.worker_id,
            security=security,
        )
        self._holds: dict[TP, _Hold] = {}
        self._settled = False  # the group has said what is ours, and we hold it
        self._restoring = False

    async def start(self) -> None:
        """Connect and join the group; partitions come later. ProblemsError when that can't be."""
        await self._log.start()
        await self._policies.start()  # before any state: it may name what only the topic knows
        await self._worker.start()

    async def run(self) -> None:
        """Return after `stop`; raise what broke the role."""
        await self._worker.run()

    async def stop(self) -> None:
        """A last checkpoint of every partition, then leave the group."""
        await self._worker.stop()
        for hold in self._holds.values():
            await hold.abandon()
        self._holds.clear()
        await self._policies.stop()
        await self._log.stop()

    def healthy(self) -> str | None:
        """None, or the first thing that is wrong."""
        for where, hold in self._holds.items():
            trouble = hold.trouble()
            if trouble is not None:
                return f"{where.topic}/{where.partition}: {trouble}"
        return self._policies.trouble()

    def ready(self) -> str | None:
        """None when every partition that the group gives us is restored; that may be none at all."""
        for where, why in self.waiting().items():
            return f"{where.topic}/{where.partition}: {why}"
        return None if self._settled else "the group has not given out its partitions yet"

    def waiting(self) -> dict[TP, str]:
        """What each partition waits for that is ours, but not restored."""
        return {
            where: why
            for where, hold in self._holds.items()
            if (why := hold.waits_for()) is not None
        }

    def warnings(self) -> list[str]:
        """Timers that failed: told until a mended version restores them."""
        return [
            f"{where.topic}/{where.partition}: {failed}"
            for where, hold in self._holds.items()
            if (failed := hold.failed_timers()) is not None
        ]

    @property
    def restoring(self) -> bool:
        """See `Restores`."""
        return self._restoring

    def stuck_seconds(self) -> float:
        """The longest time that a partition has been worked on without a checkpoint."""
        return max((hold.stuck_seconds() for hold in self._holds.values()), default=0.0)

    def topic(self, source: Source) -> str:
        """A source topic, with its prefix."""
        return self._settings.topic_prefix + source.topic

    def counters(self, source: Source = TICKETS) -> dict[int, PartitionCounters]:
        """Where each partition of a source stands that is ours and restored."""
        topic = self.topic(source)
        return {
            where.partition: counters
            for where, hold in self._holds.items()
            if where.topic == topic and (counters := hold.counters()) is not None
        }

    def state_of(self, entity: str) -> TicketState | None:
        """The live state of one ticket (`tenant/source/id`), when its partition is ours."""
        topic = self.topic(TICKETS)
        for where, hold in self._holds.items():
            if where.topic == topic and hold.engine is not None:
                state: TicketState | None = hold.engine.state_of(entity)
                if state is not None:
                    return state
        return None

    def explain(self, tenant: str, source: str, ticket_id: str) -> Explanation | None:
        """Why the clocks of a live ticket say what they say, as of the pipeline's now."""
        state = self.state_of(f"{tenant}/{source}/{ticket_id}")
        if state is None or state.stub_ms is not None:
            return None
        book = PolicyBook(self._policies_known)
        entries = (*state.log, *state.waiting)
        now_ms = self._around.clock.now_ms()
        names = (tenant, source, ticket_id)
        return explain_entries(names, entries, book, now_ms, complete=state.base is None)

    def _learn(self, book: PolicyBook) -> None:
        """The topic of policies has said something new; what a rejudgement asks for is due at once."""
        self._policies_known = book.policies
        for read in self._reads.values():
            read.logic.learn(book)
        if book.rejudgements:
            for hold in self._holds.values():
                hold.ask_timers_again()

    def policy_versions(self) -> tuple[str, ...]:
        """Every version that it judges by, by the instant from which each is in force."""
        return tuple(policy.version for policy in self._policies_known)

    # -- BatchHandler -------------------------------------------------------------------------

    async def assigned(
        self, partitions: frozenset[TP], is_current: Callable[[], bool]
    ) -> Mapping[TP, int]:
        """Claim and restore each partition; see `BatchHandler`."""
        self._settled = False
        for hold in self._holds.values():
            await hold.abandon()
        self._holds.clear()
        positions: dict[TP, int] = {}
        for where in sorted(partitions):
            hold = _Hold(where, self._settings, self._around, self._log, self._worker, self._open)
            self._holds[where] = hold  # before it is open: its trouble is ours
            await hold.open(is_current)
            if not is_current():
                del self._holds[where]
                break
            assert hold.engine is not None
            positions[where] = hold.engine.position
        for hold in self._holds.values():
            hold.begin()
        self._settled = is_current()
        return positions

    async def revoked(self, partitions: frozenset[TP]) -> None:
        """A last checkpoint of each, side by side."""
        self._settled = False
        going = [hold for where in partitions if (hold := self._holds.pop(where, None)) is not None]
        try:
            await asyncio.gather(*(hold.finish() for hold in going))
        finally:
            for hold in going:
                await hold.abandon()

    async def take(self, batch: RecordBatch) -> None:
        """Apply a batch. Of a partition that is no longer ours it is dropped: others read it."""
        hold = self._holds.get(TP(batch.topic, batch.partition))
        if hold is not None:
            await hold.take(batch)

    async def _open(self, where: TP) -> Engine:
        """A new engine: new claim, restored state."""
        read, (topic, partition) = self._reads[where.topic], where
        await self._producer.reconnect()
        partitions = await self._producer.partitions(read.source)
        store = KafkaChangelog(self._producer, self._log, changelog_of(read.source), partition)
        engine: Engine = PartitionEngine(topic, partition, read.logic, store, read.around)
        started = time.monotonic()
        self._restoring = True
        try:
            with _without_gc():
                await engine.open(
                    lambda at_least: self._log.source_range(
                        read.source, partition, partitions, at_least
                    ),
                    f"{os.getpid()}-{secrets.token_hex(8)}",
                )
        finally:
            self._restoring = False
        log.info(
            "%s/%d: %d entities restored in %.2f s, reading from %d",
            topic,
            partition,
            engine.entities,
            time.monotonic() - started,
            engine.position,
        )
        return engine


@contextlib.contextmanager
def _without_gc() -> Iterator[None]:
    """No search for cycles while millions of objects are made that have none; nor, later, among these:
    it would stop everything for as long as a second, again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _Hold:
    """One partition in our hands. `engine` is None while it is being claimed again, or given up."""

    def __init__(
        self,
        where: TP,
        settings: Settings,
        around: Surroundings,
        kafka: KafkaLog,
        worker: BatchWorker,
        open_engine: Open,
    ) -> None:
        self.engine: Engine | None = None
        self._where = where
        self._source = where.topic.removeprefix(settings.topic_prefix)
        self._settings = settings
        self._clock = around.clock
        self._kafka = kafka
        self._worker = worker
        self._open_engine = open_engine
        self._limits = around.limits  # halved when a checkpoint did not fit into an append
        self._backoff = Backoff()
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._closing = False
        self._pump: asyncio.Task[None] | None = None
        self._checkpointed_at = self._opened_at = time.monotonic()
        self._checkpoints_total = 0
        self._claims_total = 0
        self._restore_seconds = 0.0
        self._repaired_keys_before = 0  # by engines before the present one
        self._sample: tuple[int, int] | None = None  # instant, end of the partition at or after it
        self._held_since: float | None = None
        self._reason: str | None = None
        self._behind = False  # a large batch, and not the last one: more of the past is to come

    # -- beginning and end --------------------------------------------------------------------

    async def open(self, is_current: Callable[[], bool]) -> None:
        """Claim and restore, again and again while the broker is in trouble and the partition ours."""
        failures = 0
        while is_current() and not self._closing:
            began = time.monotonic()
            try:
                engine = await self._open_engine(self._where)
            except _PASSING_TROUBLE as error:
                failures += 1
                self._note(error)
                await asyncio.sleep(self._backoff.wait_seconds(failures, None))
            else:
                engine.limits = self._limits
                self.engine = engine
                # The trouble is over only with the next checkpoint: a claim may well succeed before each
                # failure.
                self._opened_at = time.monotonic()
                self._restore_seconds = self._opened_at - began
                self._claims_total += 1
                self._sample = None
                return

    def begin(self) -> None:
        """Fire timers and make checkpoints from now on."""
        self._checkpointed_at = self._opened_at = time.monotonic()
        self._pump = asyncio.create_task(self._run())

    async def finish(self) -> None:
        """Take no more, and make durable what was taken."""
        self._closing = True
        self._wake.set()
        if self._pump is not None:
            await self._pump
        if self.engine is not None and self.engine.is_dirty:
            await self._checkpoint(self.engine)

    async def abandon(self) -> None:
        """Let go at once; what isn't durable is repeated."""
        self._closing = True
        self.engine = None
        self._room.set()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump

    # -- input --------------------------------------------------------------------------------

    async def take(self, batch: RecordBatch) -> None:
        """Apply a batch slice by slice; waits for a checkpoint where there is no room."""
        engine = self.engine
        if engine is None:
            return  # claimed again at this moment: it will be read again from the restored position
        if not engine.fits(batch.fetch_start):
            log.info("%s: a gap before %d, reading again", self._where, batch.fetch_start)
            self._worker.go_to(self._where, engine.position)
            return
        self._behind = len(batch.records) >= BACKLOG_RECORDS
        for records in portions(batch.records, SLICE_RECORDS):
            while engine.position <= records[-1].offset:
                if engine.has_room:
                    engine.apply(map(_source_record, records), records[-1].offset + 1)
                    self._wake.set()
                    await asyncio.sleep(0)
                else:
                    self._room.clear()
                    self._wake.set()
                    await self._room.wait()
                if self._present() is not engine:
                    return
        if engine.position >= self._worker.known_end(self._where):
            self._behind = False
            self._wake.set()

    def ask_timers_again(self) -> None:
        """See `PartitionEngine`; an engine that is being opened asks by itself."""
        if self.engine is not None:
            self.engine.ask_timers_again()
            self._wake.set()

    # -- timers and checkpoints ---------------------------------------------------------------

    async def _run(self) -> None:
        while not self._closing:
            engine = self.engine
            assert engine is not None
            try:
                await self._sleep(engine)
                await self._fire_timers(engine)
                if self._checkpoint_in_seconds(engine) <= 0.0:
                    await self._checkpoint(engine)
            except _PASSING_TROUBLE as error:
                self._note(error)
                await self._open_again()
            except BatchTooLargeError as error:
                self._limits = engine.limits.halved()
                if self._limits == engine.limits:  # one event of one entity: no cut helps
                    self._give_up(error)
                    return
                self._note(error)
                await self._open_again()
            except Exception as error:  # fenced, an untrustworthy log, or our own mistake
                self._give_up(error)
                return

    def _give_up(self, error: Exception) -> None:
        self.engine = None
        self._room.set()
        self._worker.fail(error)

    async def _open_again(self) -> None:
        """A new claim while the group still gives us the partition; else let go."""
        if self.engine is not None:
            self._repaired_keys_before += self.engine.repaired_keys_total
        self.engine = None
        self._room.set()
        await self.open(lambda: self._where in self._worker.assignment())
        engine = self._present()
        if engine is None:
            self._closing = True
            return
        self._worker.go_to(self._where, engine.position)

    def _present(self) -> Engine | None:
        """The engine as it is now; asked after an await."""
        return self.engine

    async def _checkpoint(self, engine: Engine) -> None:
        await engine.checkpoint()
        self._checkpointed_at = time.monotonic()
        self._checkpoints_total += 1
        self._reason = None
        self._worker.acknowledge(self._where, engine.acknowledged)
        self._room.set()

    def _checkpoint_in_seconds(self, engine: Engine) -> float:
        """At once for an alert. While a backlog is being read, few large ones: an entity that changes
        several times until then needs only one row."""
        if not engine.has_room or (engine.urgent and not self._behind):
            return 0.0
        settings = self._settings
        wait_seconds = settings.idle_checkpoint_seconds
        if engine.is_dirty or self._reason is not None:  # also to see whether trouble is over
            factor = BACKLOG_CHECKPOINTS if self._behind else 1
            wait_seconds = settings.checkpoint_seconds * factor
        return max(0.0, self._checkpointed_at + wait_seconds - time.monotonic())

    async def _sleep(self, engine: Engine) -> None:
        """Until a checkpoint or a timer is due, or input came."""
        wall_seconds = min(self._checkpoint_in_seconds(engine), WAIT_SECONDS_MAX)
        timer_ms = engine.next_timer_ms()
        if timer_ms is not None and timer_ms <= self._clock.now_ms():
            wall_seconds = 0.0 if self._held_since is None else HELD_TIMER_POLL_SECONDS
        self._wake.clear()
        if wall_seconds <= 0.0:
            await asyncio.sleep(0)
            return
        woken = asyncio.ensure_future(self._wake.wait())
        instant_ms = self._clock.now_ms() + 86_400_000 if timer_ms is None else timer_ms
        passed = asyncio.ensure_future(self._clock.sleep_until_ms(instant_ms, wall_seconds))
        try:
            await asyncio.wait({woken, passed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            passed.cancel()

    async def _fire_timers(self, engine: Engine) -> None:
        """Fire what is due, once everything that was in the log by then has been read.

        So lag alone never makes a false page. After the longest hold a page may be false, and is
        taken back when the log says so: better than no page.
        """
        due_ms = engine.next_timer_ms()
        if due_ms is None or due_ms > self._clock.now_ms():
            self._held_since = None
            return
        if self._sample is None or self._sample[0] < due_ms:
            sampled_ms = self._clock.now_ms()
            partition = self._where.partition
            ends = await self._kafka.end_offsets(self._source, [partition])
            # The embedded broker names ends that are too short; what was fetched knows better.
            end = max(ends[partition], self._worker.known_end(self._where))
            self._sample = sampled_ms, end
        sampled_ms, end = self._sample
        if engine.position >= end:
            self._held_since = None
            engine.fire_timers(sampled_ms)
            return
        now = time.monotonic()
        if self._held_since is None:
            self._held_since = now
        elif now - self._held_since > self._settings.timer_hold_seconds_max:
            log.warning("%s: timers fire although %d is not read", self._where, end)
            self._held_since = None
            engine.fire_timers(self._clock.now_ms())

    # -- looking ------------------------------------------------------------------------------

    def trouble(self) -> str | None:
        """What is wrong, in one line."""
        if self._reason is not None:
            return self._reason
        age_seconds = time.monotonic() - self._checkpointed_at
        stale_seconds = STALE_CHECKPOINTS_MAX * self._settings.idle_checkpoint_seconds
        if self._pump is not None and age_seconds > stale_seconds:
            return f"no checkpoint for {age_seconds:.0f} s"
        return None

    def failed_timers(self) -> str | None:
        """How many timers failed, in one line."""
        if self.engine is None or not self.engine.failed_timers:
            return None
        entity, error = next(iter(self.engine.failed_timers.items()))
        return f"{len(self.engine.failed_timers)} timers failed, e.g. of {entity}: {error}"

    def waits_for(self) -> str | None:
        """None when it does its work."""
        if self.engine is None:
            return self._reason or "being claimed and restored"
        return None if self._pump is not None else "restored, waits for the other partitions"

    def stuck_seconds(self) -> float:
        """How long there has been no checkpoint, though nothing keeps it from making one."""
        if self.engine is None or self._pump is None or self._closing:
            return 0.0
        return time.monotonic() - max(self._checkpointed_at, self._opened_at)

    def counters(self) -> PartitionCounters | None:
        """None until the partition is restored and worked on."""
        engine = self.engine
        if engine is None or self._pump is None:
            return None
        now_ms = self._clock.now_ms()
        timer_ms = engine.next_timer_ms()
        sampled_end = 0 if self._sample is None else self._sample[1]
        end = max(engine.source.end, self._worker.known_end(self._where), sampled_end)
        watermark_ms = engine.watermark_ms
        return PartitionCounters(
            position=engine.position,
            acknowledged=engine.acknowledged,
            lag_events=max(0, end - engine.position),
            entities=engine.entities,
            events_total=engine.durable.events_total,
            rejected_total=engine.durable.rejected_total,
            watermark_ms=watermark_ms,
            watermark_age_ms=None if watermark_ms is None else now_ms - watermark_ms,
            timers=engine.timers,
            failed_timers=len(engine.failed_timers),
            timer_overdue_ms=0 if timer_ms is None else max(0, now_ms - timer_ms),
            checkpoint_age_seconds=time.monotonic() - self._checkpointed_at,
            checkpoints_total=self._checkpoints_total,
            claims_total=self._claims_total,
            restore_seconds=self._restore_seconds,
            repaired_keys_total=self._repaired_keys_before + engine.repaired_keys_total,
            source_partitions=engine.source.partitions,
            windows=engine.windows,
            windows_late_total=engine.windows_late_total,
        )

    def _note(self, error: BaseException) -> None:
        if self._reason is None:
            log.warning("%s: will be claimed again: %s", self._where, error)
        self._reason = f"the broker is in trouble: {error}"


class _Outlet:
    """`Outlet` on the producer."""

    def __init__(self, producer: LoudProducer) -> None:
        self.publish = producer.publish_messages


def _decoder(
    customers: CustomerIds, kind: EntityKind
) -> Callable[[SourceRecord], Event | Rejected]:
    def decoded(record: SourceRecord) -> Event | Rejected:
        event = decode(
            record.value,
            key=record.key or b"",
            kind=kind,
            received_ms=max(0, record.timestamp_ms),
        )
        return event if isinstance(event, Rejected) else customers.inside(event)

    return decoded


def _source_record(record: ConsumerRecord) -> SourceRecord:
    return SourceRecord(record.offset, record.timestamp, record.key, record.value)
