"""Changelog partitions and source ranges on Kafka: the engine's view of the broker."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.problems import Problem, ProblemsError
from streams.runtime.changelog import LogRecord, epoch_header, epoch_of
from streams.runtime.partition import SourceRange
from streams.runtime.producer import LoudProducer
from streams.runtime.security import PLAINTEXT, KafkaSecurity
from streams.runtime.stopping import stop_consumer

CHUNK_RECORDS_MAX = 5_000
FETCH_BYTES_MAX = 8 * 1024 * 1024
POLL_MS = 500
READ_IDLE_SECONDS_MAX = 30.0


class KafkaLog:
    """Reads changelogs and asks for offsets, outside of any consumer group.

    One reader serves all partitions of a process, one after the other; offsets are asked over a
    connection of their own, so that timers never wait for a restore.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        topic_prefix: str = "",
        security: KafkaSecurity = PLAINTEXT,
    ) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._prefix = topic_prefix
        self._security = security
        self._reader: AIOKafkaConsumer | None = None
        self._asker: AIOKafkaConsumer | None = None
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        """Connect; ProblemsError when no broker answers."""
        try:
            self._reader = await self._started("reader")
            self._asker = await self._started("asker")
        except (KafkaError, OSError) as error:
            await self.stop()
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(self._bootstrap, what, hint)) from error

    async def stop(self) -> None:
        """Disconnect."""
        for consumer in (self._reader, self._asker):
            if consumer is not None:
                await stop_consumer(consumer)
        self._reader = self._asker = None

    async def source_range(
        self, topic: str, partition: int, partitions: int, at_least: int
    ) -> SourceRange:
        """What one of so many source partitions holds now.

        An end below `at_least` is looked at twice: the embedded broker names the offset after the
        first record of the last batch, which may be short of the end.
        """
        where = TopicPartition(self._prefix + topic, partition)
        asker = self._connected(self._asker)
        begins = await asker.beginning_offsets([where])
        end = (await asker.end_offsets([where]))[where]
        if end < at_least:
            end = max(end, await self._fetched_end(where, end))
        return SourceRange(begins[where], end, partitions)

    async def _fetched_end(self, where: TopicPartition, start: int) -> int:
        """The end of a partition as a fetch tells it."""
        async with self._reading:
            reader = self._connected(self._reader)
            reader.assign([where])
            reader.seek(where, start)
            await reader.getmany(where, timeout_ms=POLL_MS, max_records=1)
            end: int = reader.highwater(where) or start
            reader.assign([])
            return end

    async def end_offsets(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Where source partitions end, as of a moment after the call began."""
        wheres = [TopicPartition(self._prefix + topic, partition) for partition in partitions]
        ends = await self._connected(self._asker).end_offsets(wheres)
        return {where.partition: end for where, end in ends.items()}

    async def begin_offset(self, topic: str, partition: int) -> int:
        """First offset that is left."""
        where = TopicPartition(self._prefix + topic, partition)
        begins = await self._connected(self._asker).beginning_offsets([where])
        offset: int = begins[where]
        return offset

    async def read(
        self, topic: str, partition: int, start: int, end: int
    ) -> AsyncIterator[Sequence[LogRecord]]:
        """The records that are left in [start, end), in chunks. Compaction leaves holes."""
        where = TopicPartition(self._prefix + topic, partition)
        async with self._reading:
            reader = self._connected(self._reader)
            reader.assign([where])
            reader.seek(where, start)
            while (position := await reader.position(where)) < end:
                async with asyncio.timeout(READ_IDLE_SECONDS_MAX):
                    chunk = await self._chunk(reader, where, position)
                records = [
                    LogRecord(
                        record.offset,
                        record.key or b"",
                        record.value,
                        epoch_of(record.headers),
                        record.timestamp,
                    )
                    for record in chunk
                    if record.offset < end
                ]
                if records:
                    yield records
                await asyncio.sleep(0)
            reader.assign([])

    @staticmethod
    async def _chunk(
        reader: AIOKafkaConsumer, where: TopicPartition, position: int
    ) -> Sequence[Any]:
        """The next records; none when the position moved over a hole."""
        while True:
            found = await reader.getmany(where, timeout_ms=POLL_MS, max_records=CHUNK_RECORDS_MAX)
            if found.get(where) or await reader.position(where) > position:
                chunk: Sequence[Any] = found.get(where, [])
                return chunk

    async def _started(self, purpose: str) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=f"{self._client_id}-{purpose}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=FETCH_BYTES_MAX,
            fetch_max_wait_ms=100,
            **self._security.options(),
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    def _connected(self, consumer: AIOKafkaConsumer | None) -> AIOKafkaConsumer:
        assert consumer is not None, "start comes first"
        return consumer


class KafkaChangelog:
    """`ChangelogPartition` on Kafka."""

    def __init__(self, producer: LoudProducer, log: KafkaLog, topic: str, partition: int) -> None:
        self._producer = producer
        self._log = log
        self._topic = topic
        self._partition = partition

    async def append(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        """See `ChangelogPartition`."""
        headers = [] if epoch is None else epoch_header(epoch)
        return await self._producer.append(self._topic, self._partition, records, headers)

    def read(self, start: int, end: int) -> AsyncIterator[Sequence[LogRecord]]:
        """See `ChangelogPartition`."""
        return self._log.read(self._topic, self._partition, start, end)

    async def begin(self) -> int:
        """See `ChangelogPartition`."""
        return await self._log.begin_offset(self._topic, self._partition)
