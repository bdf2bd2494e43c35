"""A Faust transport that hands over one batch per partition and fetch, and commits what it is told.

Faust's price per event (about 200 µs) is paid once per batch. Its acknowledgements are not used at all:
the position of a partition stands in its checkpoint marker, and what is committed to the group only
mirrors it (`acknowledge`). So none of stock Faust's commit defects can matter: a gap counted one too
far, a commit past an unacknowledged head, acks dropped on revocation.

Registered under the entry point `faust.transports` as `kafka+batch://`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP
from faust.types.tuples import ConsumerMessage, Message

BATCH_RECORDS_MAX = 2_000
BATCH_BYTES_MAX = 1024 * 1024

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


class BatchConsumer(Consumer):  # type: ignore[misc]  # Faust is untyped
    """See the module's text. `on_revoked` is awaited before Faust forgets anything."""

    on_revoked: OnRevoked | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fetch_from: dict[TP, int] = {}  # where the next fetch of a partition begins
        self._wanted: dict[TP, int] = {}  # seeks to do before the next fetch
        self._seeks: dict[TP, int] = {}
        self._start_at: Mapping[TP, int] = {}
        self._acknowledged: dict[TP, int] = {}

    # -- reading ------------------------------------------------------------------------------

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109  # Faust's
        """Batches instead of messages.

        Seeks are done here, between two fetches, so that it is certain from where the records of a
        fetch were asked. Records that can't be handed over are sought again or missed by the next
        `fetch_start`, never dropped without notice.
        """
        await self._seek_wanted()
        records, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        for raw, fetched in (records or {}).items():
            where = TP(raw.topic, raw.partition)
            for part in _parts(fetched):
                if not self._may_go_on(where, generation):
                    self._fetch_from.pop(where, None)
                    break
                yield where, self._message(where, part, generation)

    async def _seek_wanted(self) -> None:
        while self._wanted:
            where, offset = self._wanted.popitem()
            if where not in self.assignment():
                continue
            await self.seek_wait({where: offset})
            self._fetch_from[where] = offset
            self._read_offset[where] = None

    def _may_go_on(self, where: TP, generation: int) -> bool:
        return (
            self.flow_active
            and not self.should_stop
            and self.app.consumer_generation_id == generation
            and where not in self._wanted
            and where not in self._paused_partitions
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
        """Whether the batch was fetched before the partition's latest seek."""
        return batch.seeks != self._seeks.get(TP(batch.topic, batch.partition), 0)

    # -- positions ----------------------------------------------------------------------------

    def go_to(self, where: TP, offset: int) -> None:
        """Read on from an offset; whatever was fetched before is stale from now on."""
        self._seeks[where] = self._seeks.get(where, 0) + 1
        self._wanted[where] = offset

    def start_at(self, positions: Mapping[TP, int]) -> None:
        """Where `perform_seek`, which Faust calls next when streams resume, will go."""
        self._start_at = positions

    async def perform_seek(self) -> None:
        """Go where the checkpoint markers say, not to the group's offsets."""
        for where, offset in self._start_at.items():
            self.go_to(where, offset)

    # -- commits ------------------------------------------------------------------------------

    def acknowledge(self, where: TP, next_offset: int) -> None:
        """Everything before the offset is durable and published; the next commit may say so."""
        self._acknowledged[where] = next_offset

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for where in tuple(self._acknowledged):
            if topics is None or where in topics or where.topic in topics:
                yield where

    def _new_offset(self, tp: TP) -> int | None:
        return self._acknowledged.get(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """A batch is one message, so all but its last offset would look like a gap."""

    def ack(self, message: Message) -> bool:
        """Nothing: see `acknowledge`."""
        return False

    def track_message(self, message: Message) -> None:
        """Nothing waits for acknowledgements of messages."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Checkpoint and commit first, then let Faust forget."""
        if self.on_revoked is not None and revoked:
            await self.on_revoked(frozenset(revoked))
            await self.commit()
        for where in revoked:
            self._fetch_from.pop(where, None)
            self._acknowledged.pop(where, None)
        await super().on_partitions_revoked(revoked)


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
