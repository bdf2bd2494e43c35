"""A Faust transport that hands over one batch per partition and fetch, and commits what it is told.

Faust's price per event (about 200 µs) is paid once per batch. Its acknowledgements are not used at all:
the position of a partition stands in its checkpoint marker, and what is committed to the group only
mirrors it (`acknowledge`). So none of stock Faust's commit defects can matter: a gap counted one too
far, a commit past an unacknowledged head, acks dropped on revocation.

A partition is open from the seek after its restore until its revocation begins, and only then is
anything of it handed over.

Registered under the entry point `faust.transports` as `kafka+batch://`.
"""

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.tables.recovery import RebalanceAgain
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

log = logging.getLogger(__name__)

BATCH_RECORDS_MAX = 2_000
BATCH_BYTES_MAX = 1024 * 1024
COMMIT_SECONDS_MAX = 2.0
STOP_SECONDS_MAX = 3.0
# Faust's 1,500 ms are too long: a seek waits for the fetch under way, and the embedded broker lets a
# fetch that finds nothing sleep for half of it, whatever comes in meanwhile.
FETCH_WAIT_MS_MAX = 100

OnRevoked = Callable[[frozenset[TP]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition.

    `fetch_start` is the offset they were asked from: when the first record's offset is larger, the
    offsets between hold nothing. `seeks` tells batches from before a seek from those after it.
    """

    topic: str
    partition: int
    fetch_start: int
    seeks: int
    records: Sequence[ConsumerRecord]

    @property
    def next_offset(self) -> int:
        """The offset after the last record."""
        offset: int = self.records[-1].offset
        return offset + 1


class _Thread(AIOKafkaConsumerThread):  # type: ignore[misc]  # Faust is untyped
    mundane_level = "debug"

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS_MAX  # noqa: SLF001  # Faust has no setting for it
        return consumer

    async def on_thread_stop(self) -> None:
        """Without a broker, aiokafka's stop waits long, or trips over a fetch that it cancelled itself;
        the thread must end all the same."""
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await super().on_thread_stop()
        except (asyncio.CancelledError, TimeoutError, KafkaError) as error:
            log.warning("the Kafka consumer did not end cleanly: %r", error)
            if self._consumer is not None:
                await self._consumer._client.close()  # noqa: SLF001  # what stop had yet to do


class BatchConsumer(Consumer):  # type: ignore[misc]  # Faust is untyped
    """See the module's text. `on_revoked` is awaited before Faust forgets anything."""

    mundane_level = "debug"
    on_revoked: OnRevoked | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: set[TP] = set()
        self._fetch_from: dict[TP, int] = {}  # where the next fetch of a partition begins
        self._wanted: dict[TP, int] = {}  # seeks to do before the next fetch
        self._seeks: dict[TP, int] = {}  # how often each was opened, sought or closed
        self._start_at: Mapping[TP, int] = {}
        self._acknowledged: dict[TP, int] = {}
        self._mirrored: dict[TP, int] = {}  # what the group has been told
        self._assignments = 0
        self._settled = False  # an assignment is in force: no rebalance has begun since

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    # -- reading ------------------------------------------------------------------------------

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109  # Faust's
        """Batches instead of messages.

        Seeks are done here, between two fetches, so that it is certain from where the records of a
        fetch were asked. Records that can't be handed over are sought again or missed by the next
        `fetch_start`, never dropped without notice.
        """
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        await self._seek_wanted()
        records = await self._fetch(timeout)
        generation = self.app.consumer_generation_id
        for raw, fetched in records.items():
            where = TP(raw.topic, raw.partition)
            for part in _parts(fetched):
                if not self._may_go_on(where, generation):
                    self._fetch_from.pop(where, None)
                    break
                yield where, self._message(where, part, generation)

    async def _fetch(self, timeout: float) -> Mapping[Any, Sequence[ConsumerRecord]]:  # noqa: ASYNC109
        try:
            records, _ = await self._wait_next_records(timeout)
        except NoOffsetForPartitionError:
            return {}  # of a partition that has yet to be sought: all are, before they are read
        except OffsetOutOfRangeError as error:
            for raw, offset in error.args[0].items():
                where = TP(raw.topic, raw.partition)
                wanted = self._wanted.get(where, self._fetch_from.get(where, offset))
                if where in self._open and wanted == offset:
                    raise
            return {}  # asked from where nobody wants to read any more
        return records or {}

    async def _seek_wanted(self) -> None:
        while self._wanted:
            where, offset = self._wanted.popitem()
            try:
                await self.seek_wait({where: offset})
            except IllegalStateError:  # no longer ours
                continue
            self._fetch_from[where] = offset
            self._read_offset[where] = None

    def _may_go_on(self, where: TP, generation: int) -> bool:
        return (
            where in self._open
            and where not in self._wanted
            and self.flow_active
            and not self.should_stop
            and self.app.consumer_generation_id == generation
        )

    def _message(
        self, where: TP, records: Sequence[ConsumerRecord], generation: int
    ) -> ConsumerMessage:
        first, last = records[0], records[-1]
        fetch_start = self._fetch_from.get(where, first.offset)
        self._fetch_from[where] = last.offset + 1
        batch = RecordBatch(
            where.topic, where.partition, fetch_start, self._seeks.get(where, 0), records
        )
        return ConsumerMessage(
            where.topic,
            where.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            batch,
            None,
            0,
            0,
            where,
            generation_id=generation,
        )

    def is_stale(self, batch: RecordBatch) -> bool:
        """Whether the partition was sought, or given up, after the batch was fetched."""
        return batch.seeks != self._seeks.get(TP(batch.topic, batch.partition), 0)

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: there is one queue, and a full one makes the fetch loop wait for room. Stock Faust
        stops asking for the partition instead, and sleeps a second when that leaves none."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Nothing: see `on_buffer_full`."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: Faust would warn about commits that it did not make itself."""

    # -- positions ----------------------------------------------------------------------------

    def go_to(self, where: TP, offset: int) -> None:
        """Read on from an offset; whatever was fetched before is stale from now on."""
        self._seeks[where] = self._seeks.get(where, 0) + 1
        self._wanted[where] = offset

    def start_at(self, positions: Mapping[TP, int]) -> None:
        """Where `perform_seek`, which Faust calls next when streams resume, will go."""
        self._start_at = dict(positions)

    async def perform_seek(self) -> None:
        """Open the partitions where their checkpoint markers say, not at the group's offsets."""
        if not self._settled:
            raise RebalanceAgain
        for where, offset in self._start_at.items():
            self.go_to(where, offset)
            self._open.add(where)

    def close_partitions(self, partitions: Iterable[TP]) -> None:
        """Hand over nothing more of them, queued batches included."""
        for where in partitions:
            self._open.discard(where)
            self._seeks[where] = self._seeks.get(where, 0) + 1
            self._wanted.pop(where, None)
            self._fetch_from.pop(where, None)

    # -- commits ------------------------------------------------------------------------------

    def acknowledge(self, where: TP, next_offset: int) -> None:
        """Everything before the offset is durable and published; the next commit may say so."""
        self._acknowledged[where] = next_offset

    async def commit_now(self) -> None:
        """Tell the group all that is acknowledged by now. A commit under way may not know all of it."""
        await self.maybe_wait_for_commit_to_finish()
        await self.commit()

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Tell the group how far we are; False when that failed, or wasn't needed.

        Offsets only mirror the markers, so a failure breaks nothing: the next commit says it again.
        """
        ours = self.assignment()
        due = {
            where: offset
            for where, offset in self._acknowledged.items()
            if where in ours and self._mirrored.get(where) != offset
        }
        if not due:
            return False
        try:
            await self._thread.call_thread(self._commit_in_thread, due)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            log.warning("the group was not told how far we are: %r", error)
            return False
        self._mirrored.update(due)
        return True

    async def on_stop(self) -> None:
        """No last commit, as stock Faust makes: the worker has made it, if one was due."""
        self.transport._topic_waiters.clear()  # noqa: SLF001  # the rest of stock Faust's

    async def _commit_in_thread(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._thread._ensure_consumer()  # noqa: SLF001  # Faust has no other way
        async with asyncio.timeout(COMMIT_SECONDS_MAX):
            await consumer.commit(
                {
                    TopicPartition(where.topic, where.partition): OffsetAndMetadata(offset, "")
                    for where, offset in offsets.items()
                }
            )

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A batch is one message, so all but its last offset would look like a gap."""

    def ack(self, message: Message) -> bool:
        """Nothing: see `acknowledge`."""
        return False

    def track_message(self, message: Message) -> None:
        """Nothing waits for acknowledgements of messages."""

    # -- rebalances ---------------------------------------------------------------------------

    def current_assignment(self) -> int | None:
        """Number of the assignment in force; None from the moment a rebalance begins to its end."""
        return self._assignments if self._settled else None

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand over nothing more, let the handler checkpoint, commit; only then let Faust forget."""
        self._settled = False
        self.stop_flow()
        self.close_partitions(tuple(self._open | revoked))
        if self.on_revoked is not None and revoked:
            await self.on_revoked(frozenset(revoked))
            await self.commit_now()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """From here on the assignment is in force, until the next rebalance begins."""
        self._acknowledged.clear()
        self._mirrored.clear()
        self._assignments += 1
        self._settled = True
        await super().on_partitions_assigned(assigned, generation_id)


class BatchTransport(Transport):  # type: ignore[misc]  # Faust is untyped
    """`kafka+batch://host:port`."""

    Consumer = BatchConsumer


def _parts(records: Sequence[ConsumerRecord]) -> Iterator[Sequence[ConsumerRecord]]:
    """Cut by count and bytes, so that one batch never blocks the loop for long."""
    start = size = 0
    for at, record in enumerate(records):
        if at - start >= BATCH_RECORDS_MAX or (size >= BATCH_BYTES_MAX and at > start):
            yield records[start:at]
            start, size = at, 0
        size += len(record.value or b"")
    if records:
        yield records[start:]
