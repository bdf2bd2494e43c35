"""The three partition engines of one process without a broker: messages in, rows in a database out.

Everything but the broker is real: decoding, the core, checkpoints with their batches, the rows as they stand
on the topics, ClickHouse. The changelog forgets what it is given: nothing is restored here.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from schemas.customers import CustomerIds
from schemas.decode import decode
from schemas.events import Event, Rejected
from schemas.topics import TOPICS
from sinks.clickhouse.client import ClickHouse
from streams.core.policy import PolicyBook
from streams.runtime.changelog import LogRecord, Message
from streams.runtime.clock import ManualClock
from streams.runtime.partition import (
    PartitionEngine,
    SourceRange,
    SourceRecord,
    Surroundings,
)
from streams.shell.sources import SOURCES, Source

_TABLE_OF = {spec.name: spec.table for spec in TOPICS if spec.table is not None}
INSERT_BYTES = 16 * 1024 * 1024
SLICE = 5_000


class ForgetfulLog:
    """A changelog that keeps nothing but its length."""

    def __init__(self) -> None:
        self.end = 0

    async def append(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        base, self.end = self.end, self.end + len(records)
        return base

    async def read(self, start: int, end: int) -> AsyncIterator[Sequence[LogRecord]]:
        return
        yield

    async def begin(self) -> int:
        return self.end


class Rows:
    """Rows as they stand on the outcome topics, on their way into the tables."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database
        self._waiting: dict[str, list[bytes]] = defaultdict(list)
        self._bytes: dict[str, int] = defaultdict(int)

    async def publish(self, messages: Sequence[Message]) -> None:
        for message in messages:
            table = _TABLE_OF[message.topic]
            self._waiting[table].append(message.value)
            self._bytes[table] += len(message.value)
            if self._bytes[table] > INSERT_BYTES:
                self._insert(table)

    def flush(self) -> None:
        for table in list(self._waiting):
            self._insert(table)

    def _insert(self, table: str) -> None:
        if self._waiting[table]:
            self._database.insert_raw(table, b"\n".join(self._waiting[table]))
        self._waiting[table], self._bytes[table] = [], 0


class EngineRoom:
    """Engines of one partition of each source. Feed in any order, then `settle`."""

    def __init__(self, book: PolicyBook, database: ClickHouse, now_ms: int) -> None:
        self.clock = ManualClock(now_ms)
        self._rows = Rows(database)
        self._customers = CustomerIds("clear")
        self.engines = {source.topic: self._engine(source, book) for source in SOURCES}
        self._ends = dict.fromkeys(self.engines, 0)

    def _engine(self, source: Source, book: PolicyBook) -> PartitionEngine[Any]:
        def decoded(record: SourceRecord) -> Event | Rejected:
            event = decode(
                record.value,
                key=record.key or b"",
                kind=source.kind,
                received_ms=record.timestamp_ms,
            )
            return event if isinstance(event, Rejected) else self._customers.inside(event)

        around = Surroundings(
            outlet=self._rows,
            decode=decoded,
            clock=self.clock,
            wall_clock=self.clock,
            partition_of=lambda _key, _partitions: 0,
        )
        return PartitionEngine(source.topic, 0, source.logic(book), ForgetfulLog(), around)

    async def open(self) -> None:
        async def source_now(_at_least: int) -> SourceRange:
            return SourceRange(0, 0, 1)

        for engine in self.engines.values():
            await engine.open(source_now, "test")

    async def feed(self, topic: str, messages: Iterable[tuple[bytes, bytes]]) -> None:
        """Records of one topic: key and value."""
        engine, now_ms = self.engines[topic], self.clock.now_ms()
        records = []
        for key, value in messages:
            records.append(SourceRecord(self._ends[topic], now_ms, key, value))
            self._ends[topic] += 1
        for at in range(0, len(records), SLICE):
            part = records[at : at + SLICE]
            while engine.position <= part[-1].offset:
                engine.apply(part, part[-1].offset + 1)
                await engine.checkpoint()

    async def settle(self, now_ms: int) -> None:
        """Let the time pass, and everything be in the tables."""
        self.clock.move_to(now_ms)
        for engine in self.engines.values():
            while engine.fire_timers(now_ms):
                await engine.checkpoint()
            await engine.checkpoint()
        self._rows.flush()
