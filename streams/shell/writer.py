"""The writer: outcome topics into ClickHouse, as bytes, at least once.

A plain consumer instead of a Faust agent: the writer keeps no state, has no timers, joins nothing, and
must decide itself when an offset may be committed (after the insert) and when a partition must pause
(ClickHouse is slow or down). Faust would only add acknowledgements to work around.

Rows are absolute and versioned, so writing one twice is harmless; losing one is not. Hence: insert,
then commit; a row stays in its buffer until ClickHouse has it.
"""

import asyncio
import logging
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from schemas.instants import from_ms
from schemas.outcomes import DeadLetterRow
from schemas.problems import Problem, ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from sinks.batching import Limits, SourceRow, TableBuffer, spans_of
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.sink import ClickHouseSink
from sinks.contract import Batch, Sink, SinkError
from sinks.isolating import RefusedRow, write_isolating
from sinks.retry import Backoff
from streams.runtime.clock import Clock, SystemClock
from streams.runtime.stopping import stop_consumer
from streams.shell.kafka_security import security_of
from streams.shell.sealing import Sealer, sealer_of
from streams.shell.settings import Settings

log = logging.getLogger(__name__)

POLL_MS = 200
POLL_RECORDS_MAX = 20_000
# Per partition, fetched ahead; the broker gives a larger record all the same.
FETCH_BYTES_MAX = 1024 * 1024
FETCH_WAIT_MS = 100  # the embedded broker answers an empty fetch only when its time is over
LAST_FLUSH_SECONDS_MAX = 10.0
REVOKED_FLUSH_SECONDS_MAX = 5.0
UNHEALTHY_AFTER_SECONDS = 15.0
THREADS = 2  # one slow table must not hold up the others; more would only queue inside ClickHouse
REFUSED = "refused_by_database"


@dataclass(frozen=True, slots=True)
class TableCounters:
    """What has been done for one table, and what waits for it."""

    rows_total: int
    held_rows: int
    held_bytes: int
    oldest_unwritten_ms: int | None  # the broker's instant of the row that has waited longest


@dataclass(frozen=True, slots=True)
class WriterCounters:
    """What the writer has done since it started, and where it stands."""

    rows_total: dict[str, int]  # stored, per table
    inserts_total: int
    refused_total: int  # rows that ClickHouse refused: they are in dead_letters
    failures_total: int  # inserts that had to be repeated
    held_rows: int
    lag_rows: int  # in the topics, not yet in ClickHouse
    seconds_since_insert: float | None
    tables: dict[str, TableCounters]


def writer_role(
    settings: Settings, database: ClickHouse | Sink, clock: Clock | None = None
) -> "Writer":
    """The writer as a role: alone in a process, or beside others in one loop.

    `settings.broker_url` must be an address by now. The database stays open when the role stops.
    """
    if settings.broker_url == "embedded":
        what = "the writer needs the address of a running broker"
        raise ProblemsError(Problem("broker_url", what, "set TICKETPULSE_BROKER_URL=host:port"))
    sink = ClickHouseSink(database) if isinstance(database, ClickHouse) else database
    return Writer(settings, sink, clock or SystemClock())


@dataclass(slots=True)
class _Table:
    """One table's buffer and the means to write it."""

    buffer: TableBuffer
    flushing: asyncio.Lock = field(default_factory=asyncio.Lock)
    filled: asyncio.Event = field(default_factory=asyncio.Event)
    rows_total: int = 0

    def counters(self) -> TableCounters:
        buffer = self.buffer
        return TableCounters(
            self.rows_total, len(buffer), buffer.held_bytes, buffer.oldest_timestamp_ms
        )


class Writer:
    """See `writer_role`. Several writers of one group share the partitions."""

    name = "writer"

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        clock: Clock,
        limits: Limits | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._sealer = sealer_of(settings)
        self._clock = clock
        self._backoff = backoff or Backoff()
        limits = limits or Limits(age_seconds=settings.writer_flush_seconds)
        self._tables = {
            settings.topic_prefix + topic: _Table(TableBuffer(table, limits))
            for table, topic in OUTCOME_TOPIC_OF_TABLE.items()
        }
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="writer")
        self._offsets: _Offsets | None = None
        self._stopping = asyncio.Event()
        self._finished = asyncio.Event()
        self._finished.set()
        # Counts assignments: what was read under an older one is no longer ours to commit.
        self._assignment = 0
        self._assigned = False
        self._inserts_total = 0
        self._refused_total = 0
        self._failures_total = 0
        self._last_insert_at: float | None = None
        self._trouble: tuple[float, str] | None = None

    async def start(self) -> None:
        """Join the consumer group; ProblemsError when the broker can't be reached."""
        settings = self._settings
        session_ms = round(settings.session_timeout_seconds * 1000)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker_url,
            **security_of(settings).options(),
            group_id=f"{settings.topic_prefix}{settings.group}-writer",
            group_instance_id=settings.worker_id or None,
            client_id=f"{settings.group}-writer",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 5,
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            await consumer.stop()
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(settings.broker_url, what, hint)) from error
        self._offsets = _Offsets(consumer)
        consumer.subscribe(
            topics=list(self._tables), listener=_Rebalances(self._on_revoked, self._on_assigned)
        )

    async def run(self) -> None:
        """Move rows until `stop`. Outlasts any outage; raises when the database refuses for good."""
        assert self._offsets is not None, "start comes first"
        self._finished.clear()
        work = {asyncio.ensure_future(self._read(self._offsets))}
        work |= {asyncio.ensure_future(self._write(table)) for table in self._tables.values()}
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what broke it
        finally:
            for task in (*work, stopping):
                task.cancel()
            await asyncio.gather(*work, stopping, return_exceptions=True)
            self._finished.set()

    async def stop(self) -> None:
        """Insert and commit what is held, leave the group. What can't be inserted is read again."""
        self._stopping.set()
        await self._finished.wait()
        if self._offsets is not None:
            try:
                await self._flush_all(LAST_FLUSH_SECONDS_MAX)
            finally:
                offsets, self._offsets = self._offsets, None
                await stop_consumer(offsets.consumer)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def healthy(self) -> str | None:
        """None, or what ClickHouse has been answering for longer than a hiccup."""
        if self._trouble is None:
            return None
        since, message = self._trouble
        lasting_seconds = time.monotonic() - since
        if lasting_seconds < UNHEALTHY_AFTER_SECONDS:
            return None
        return f"ClickHouse has not taken rows for {lasting_seconds:.0f} s: {message}"

    def ready(self) -> str | None:
        """None once the group has given out its partitions; that may be none at all."""
        return None if self._assigned else "the group has not given out its partitions yet"

    def counters(self) -> WriterCounters:
        """A snapshot of the counters."""
        last = self._last_insert_at
        return WriterCounters(
            rows_total={table.buffer.table: table.rows_total for table in self._tables.values()},
            inserts_total=self._inserts_total,
            refused_total=self._refused_total,
            failures_total=self._failures_total,
            held_rows=sum(len(table.buffer) for table in self._tables.values()),
            lag_rows=0 if self._offsets is None else self._offsets.lag_rows(),
            seconds_since_insert=None if last is None else time.monotonic() - last,
            tables={table.buffer.table: table.counters() for table in self._tables.values()},
        )

    async def _read(self, offsets: "_Offsets") -> None:
        """Topics into buffers. A full buffer pauses its topic, so memory stays bounded."""
        while True:
            offsets.pause({name for name, table in self._tables.items() if table.buffer.is_full()})
            offsets.resume(
                {name for name, table in self._tables.items() if table.buffer.is_roomy()}
            )
            records = await offsets.consumer.getmany(
                timeout_ms=POLL_MS, max_records=POLL_RECORDS_MAX
            )
            # Between assignments everything is dropped: the next one starts at committed offsets.
            if self._assigned:
                for where, found in records.items():
                    offsets.seen(where, found[0].offset)
                    self._take(self._tables[where.topic], found)
            await asyncio.sleep(0)  # getmany returns prefetched records without yielding

    def _take(self, table: _Table, records: Sequence[ConsumerRecord]) -> None:
        now = time.monotonic()
        was_empty = len(table.buffer) == 0
        table.buffer.add(map(_source_row, records), now)
        if was_empty or table.buffer.due_in_seconds(now) == 0.0:
            table.filled.set()

    async def _write(self, table: _Table) -> None:
        """One table's buffer into ClickHouse, a batch when it is due, for ever."""
        failures = 0
        while True:
            await _until_due(table)
            try:
                await self._flush(table)
                failures = 0
            except SinkError as error:
                if not error.retriable:
                    raise _refused_for_good(table.buffer.table, error) from error
                failures += 1
                self._note_failure(table, error)
                await asyncio.sleep(self._backoff.wait_seconds(failures, error))

    async def _flush(self, table: _Table) -> None:
        """Store one batch and commit it. Cancelled or failed, the rows stay where they are."""
        async with table.flushing:
            assignment = self._assignment
            rows = table.buffer.peek()
            if not rows:
                return
            loop = asyncio.get_running_loop()
            refused = await loop.run_in_executor(
                self._threads, self._store, table.buffer.table, rows
            )
            self._note_success(table, len(rows) - len(refused), len(refused))
            if assignment != self._assignment or self._offsets is None:
                return  # stored, but the buffer is no longer that one: others may store them again
            table.buffer.drop(len(rows), time.monotonic())
            self._offsets.stored(rows)
            await self._offsets.commit()

    async def _flush_all(self, seconds_max: float) -> None:
        """Try once, within a bound, to store everything held."""
        try:
            async with asyncio.timeout(seconds_max):
                for table in self._tables.values():
                    while len(table.buffer):
                        await self._flush(table)
        except (SinkError, TimeoutError) as error:
            held = sum(len(table.buffer) for table in self._tables.values())
            log.warning("%d rows are not stored and will be read again: %r", held, error)

    def _store(self, table: str, rows: Sequence[SourceRow]) -> list[RefusedRow]:
        """Runs in a thread. Returns when every row is in its table or in dead_letters."""
        refused = write_isolating(self._sink, table, rows)
        if refused:
            recorded_ms = self._clock.now_ms()
            letters = [_dead_letter(item, recorded_ms, self._sealer) for item in refused]
            self._sink.write(Batch("dead_letters", letters))
        return refused

    def _note_success(self, table: _Table, stored: int, refused: int) -> None:
        self._trouble = None
        self._last_insert_at = time.monotonic()
        self._inserts_total += 1
        self._refused_total += refused
        table.rows_total += stored
        if refused:
            name = table.buffer.table
            log.error("ClickHouse refused %d rows of %s: see dead_letters", refused, name)

    def _note_failure(self, table: _Table, error: SinkError) -> None:
        self._failures_total += 1
        since = time.monotonic() if self._trouble is None else self._trouble[0]
        if self._trouble is None:
            log.warning("%s: not stored, will be repeated: %s", table.buffer.table, error)
        self._trouble = (since, str(error))

    async def _on_revoked(self) -> None:
        """The partitions go to somebody else: give what is held a last chance, then forget it."""
        self._assigned = False
        await self._flush_all(REVOKED_FLUSH_SECONDS_MAX)
        self._forget()

    def _on_assigned(self) -> None:
        # Also here: rows may have come in while the old assignment was being given up.
        self._forget()
        self._assigned = True

    def _forget(self) -> None:
        self._assignment += 1
        for table in self._tables.values():
            table.buffer.clear()
        if self._offsets is not None:
            self._offsets.forget()


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(
        self, on_revoked: Callable[[], Awaitable[None]], on_assigned: Callable[[], None]
    ) -> None:
        self._on_revoked = on_revoked
        self._on_assigned = on_assigned

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        if revoked:
            await self._on_revoked()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._on_assigned()


class _Offsets:
    """What of the assigned partitions is stored, committed and paused."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self.consumer = consumer
        self._next: dict[TopicPartition, int] = {}  # first offset that is not stored
        self._uncommitted: dict[TopicPartition, int] = {}

    def seen(self, where: TopicPartition, offset: int) -> None:
        """Rows were read from there; counts for the lag until they are stored."""
        self._next.setdefault(where, offset)

    def stored(self, rows: Sequence[SourceRow]) -> None:
        """These rows are in ClickHouse."""
        for span in spans_of(rows):
            where = TopicPartition(span.topic, span.partition)
            self._next[where] = self._uncommitted[where] = span.last + 1

    async def commit(self) -> None:
        """Commit what is stored. A failure costs repeated rows at most, so it is only told."""
        assigned = self.consumer.assignment()
        offsets = {where: at for where, at in self._uncommitted.items() if where in assigned}
        self._uncommitted = {}
        if not offsets:
            return
        try:
            await self.consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            log.warning("offsets not committed, will be with the next rows: %r", error)
            self._uncommitted = offsets | self._uncommitted

    def forget(self) -> None:
        """Another assignment begins."""
        self._next.clear()
        self._uncommitted.clear()

    def pause(self, topics: set[str]) -> None:
        """Fetch no more of these topics."""
        paused = self.consumer.paused()
        new = [where for where in self._assigned_to(topics) if where not in paused]
        if new:
            self.consumer.pause(*new)

    def resume(self, topics: set[str]) -> None:
        """Fetch these topics again."""
        paused = [where for where in self.consumer.paused() if where.topic in topics]
        if paused:
            self.consumer.resume(*paused)

    def lag_rows(self) -> int:
        """Rows in the topics that are not stored yet, as far as the last fetch knew."""
        lag = 0
        for where, position in self._next.items():
            if where in self.consumer.assignment():
                lag += max(0, (self.consumer.highwater(where) or 0) - position)
        return lag

    def _assigned_to(self, topics: set[str]) -> list[TopicPartition]:
        return [where for where in self.consumer.assignment() if where.topic in topics]


def _source_row(record: ConsumerRecord) -> SourceRow:
    return SourceRow(
        record.topic,
        record.partition,
        record.offset,
        record.value or b"",
        record.key or b"",
        max(0, record.timestamp),
    )


async def _until_due(table: _Table) -> None:
    """Return when the table has a batch to write."""
    while (wait_seconds := table.buffer.due_in_seconds(time.monotonic())) != 0.0:
        table.filled.clear()
        try:
            async with asyncio.timeout(wait_seconds):
                await table.filled.wait()
        except TimeoutError:
            continue


def _refused_for_good(table: str, error: SinkError) -> ProblemsError:
    what = f"ClickHouse refuses the rows: {error}"
    hint = "run `ticketpulse migrate status`; check the user's rights; nothing has been lost"
    return ProblemsError(Problem(table, what, hint))


def _dead_letter(refused: RefusedRow, recorded_ms: int, sealer: Sealer) -> bytes:
    row = refused.row
    letter = DeadLetterRow(
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        reason=REFUSED,
        detail=refused.detail,
        key=b64encode(row.key).decode(),
        original=sealer.seal(row.value),
        original_bytes=len(row.value),
        event_time=from_ms(row.timestamp_ms),
        recorded_at=from_ms(recorded_ms),
        version=1,  # the same record is refused in the same way each time
    )
    return orjson.dumps(letter, option=orjson.OPT_UTC_Z)
