"""Who owns a partition, on a real Apache Kafka: zombies, races, compaction, checkpoints cut by size.

The engines are driven by hand, so that each does its part at a chosen moment; log, claims, appends and
publishing are the real ones.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from schemas.decode import decode
from schemas.events import Event, Rejected
from schemas.topics import changelog_of
from streams.core.tickets.logic import TicketLogic
from streams.policies import load_book
from streams.runtime.changelog import FencedError, LogRecord, Message, Restoration
from streams.runtime.clock import ManualClock, SystemClock
from streams.runtime.kafka_log import KafkaChangelog, KafkaLog
from streams.runtime.partition import Limits, PartitionEngine, SourceRecord, Surroundings
from streams.runtime.producer import (
    APPEND_BYTES_MAX,
    LoudProducer,
    partition_of,
)
from streams.shell.compute import Engine
from streams.shell.settings import Settings
from tests.integration.computing import new_settings, started_producer
from tests.integration.oracle import Messages, check, history
from tests.integration.real_kafka import RealKafka
from tests.integration.test_compute import HOUR_MS, START_MS

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SOURCE, CHANGELOG = "tickets", changelog_of("tickets")
END_MS = START_MS + 10 * HOUR_MS
COMPACTION_SECONDS_MAX = 30.0
SEGMENT_MS = 100
FETCH_RECORDS = 50  # of such size: about what one fetch brings


@dataclass(slots=True)
class Outlet:
    """Publishes, and remembers how much."""

    producer: LoudProducer
    published: int = 0

    async def publish(self, messages: Sequence[Message]) -> None:
        await self.producer.publish_messages(messages)
        self.published += len(messages)


@dataclass(slots=True)
class Worker:
    """One process, as the broker sees it: connections of its own. Opens engines."""

    settings: Settings
    name: str
    producer: LoudProducer
    log: KafkaLog
    limits: Limits = field(default_factory=Limits)
    outlet: Outlet = field(init=False)
    _claims: int = 0

    def __post_init__(self) -> None:
        self.outlet = Outlet(self.producer)

    async def open(self, partition: int = 0) -> Engine:
        """Claim and restore."""
        around = Surroundings(
            self.outlet, _decode, ManualClock(END_MS), SystemClock(), partition_of, self.limits
        )
        partitions = self.settings.partitions
        store = KafkaChangelog(self.producer, self.log, CHANGELOG, partition)
        logic = TicketLogic(load_book(self.settings.policy))
        topic = self.settings.topic_prefix + SOURCE
        engine: Engine = PartitionEngine(topic, partition, logic, store, around)
        self._claims += 1
        await engine.open(
            lambda at_least: self.log.source_range(SOURCE, partition, partitions, at_least),
            f"{self.name}-{self._claims}",
        )
        return engine

    async def records(self, partition: int = 0) -> list[LogRecord]:
        """Everything that is left in the changelog."""
        begin = await self.log.begin_offset(CHANGELOG, partition)
        end = (await self.log.end_offsets(CHANGELOG, [partition]))[partition]
        return [
            record
            async for chunk in self.log.read(CHANGELOG, partition, begin, end)
            for record in chunk
        ]


def _decode(record: SourceRecord) -> Event | Rejected:
    return decode(record.value, key=record.key or b"", kind="ticket", received_ms=0)


def doubled(records: Sequence[LogRecord]) -> int:
    """How many records compaction may take: a newer one has the same key."""
    return len(records) - len({record.key for record in records})


@asynccontextmanager
async def workers(settings: Settings, *names: str) -> AsyncIterator[list[Worker]]:
    async with AsyncExitStack() as stack:
        found = []
        for name in names:
            producer = await stack.enter_async_context(started_producer(settings))
            log = KafkaLog(settings.broker_url, client_id=name, topic_prefix=settings.topic_prefix)
            await log.start()
            stack.push_async_callback(log.stop)
            found.append(Worker(settings, name, producer, log))
        yield found


async def on(kafka: RealKafka, messages: Messages, partitions: int = 1) -> Settings:
    """Settings with topics of their own, the messages in them."""
    settings = await new_settings(broker_url=kafka.address, partitions=partitions)
    await published_to(settings, messages)
    return settings


async def published_to(settings: Settings, messages: Messages) -> None:
    async with started_producer(settings) as producer:
        await producer.publish(SOURCE, messages)


def sources(messages: Messages, partition: int = 0, partitions: int = 1) -> list[SourceRecord]:
    """The messages of a partition as they are fetched from it."""
    own = [(key, value) for key, value in messages if partition_of(key, partitions) == partition]
    return [SourceRecord(offset, 0, key, value) for offset, (key, value) in enumerate(own)]


def take(engine: Engine, records: Sequence[SourceRecord], end: int | None = None) -> None:
    """Apply what comes from the engine's position on, up to an offset; when that was all, fire what is
    due."""
    end = len(records) if end is None else end
    engine.apply(records[engine.position : end], end)
    while end == len(records) and engine.fire_timers(END_MS):
        pass


def to_repair(records: Sequence[LogRecord]) -> frozenset[bytes]:
    """Keys of which compaction would keep what a fenced owner wrote, and lose what counts."""
    restoration = Restoration()
    for record in records:
        restoration.add(record)
    return restoration.finish(0, 0).reput


async def test_a_zombie_is_fenced_and_what_it_wrote_is_repaired(real_kafka: RealKafka) -> None:
    """A second claim while the first owner goes on: what the first appends lands in the log, counts
    for nothing, is not published, and is overwritten."""
    messages = history(600, seed=11)
    settings = await on(real_kafka, messages)
    records = sources(messages)
    third = len(records) // 3
    async with workers(settings, "first", "second", "third") as (one, two, three):
        zombie = await one.open()
        take(zombie, records, third)
        await zombie.checkpoint()
        said = one.outlet.published

        owner = await two.open()
        assert owner.position == third
        take(zombie, records, 2 * third)
        with pytest.raises(FencedError):
            await zombie.checkpoint()
        assert one.outlet.published == said
        assert len(to_repair(await two.records())) > 100

        # The owner has written nothing yet, so what the zombie wrote is what stands last.
        heir = await three.open()
        assert heir.position == third
        await heir.checkpoint()  # no input taken: what is repaired here is what the restore found
        assert not to_repair(await three.records())

        take(owner, records)
        with pytest.raises(FencedError):
            await owner.checkpoint()
        assert two.outlet.published == said - 1  # again what it inherited, but for the progress row
        assert len(to_repair(await three.records())) > 100
        await heir.checkpoint()  # sees what the owner wrote
        await heir.checkpoint()  # and repairs it
        assert not to_repair(await three.records())
        take(heir, records)
        await heir.checkpoint()

    await check(settings, messages, END_MS)


async def test_of_two_workers_that_race_for_a_claim_one_wins(real_kafka: RealKafka) -> None:
    """Four partitions; both workers claim each at once, read everything, and make a checkpoint at
    once."""
    messages = history(800, seed=12)
    settings = await on(real_kafka, messages, partitions=4)
    async with workers(settings, "left", "right") as pair:

        async def race(partition: int) -> None:
            engines = await asyncio.gather(*(worker.open(partition) for worker in pair))
            for engine in engines:
                take(engine, sources(messages, partition, 4))
            ends = await asyncio.gather(
                *(engine.checkpoint() for engine in engines), return_exceptions=True
            )
            winner = max(engines, key=lambda engine: engine._epoch)
            for engine, end in zip(engines, ends, strict=True):
                assert end is None if engine is winner else isinstance(end, FencedError), end
            await winner.checkpoint()  # sees the loser's append, if it hasn't yet
            await winner.checkpoint()
            assert not to_repair(await pair[0].records(partition))

        await asyncio.gather(*map(race, range(4)))

    await check(settings, messages, END_MS)


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(Limits(input_bytes_max=4 * 1024 * 1024), id="4 MiB of input"),
        pytest.param(Limits(), id="as shipped"),
    ],
)
async def test_a_checkpoint_is_cut_by_size(real_kafka: RealKafka, limits: Limits) -> None:
    """More state than one record batch holds: several checkpoints, each of which the broker takes.

    40 kB of attributes are in a ticket's state twice (facts, log) and in its row.
    """
    messages = history(1_000, seed=13, notes_bytes=40_000)
    settings = await on(real_kafka, messages)
    records = sources(messages)
    async with workers(settings, "one", "heir") as (one, two):
        one.limits = limits
        engine = await one.open()
        checkpoints = 0
        while engine.position < len(records):
            while engine.has_room and engine.position < len(records):
                end = min(len(records), engine.position + FETCH_RECORDS)
                engine.apply(records[engine.position : end], end)
            await engine.checkpoint()
            checkpoints += 1
        while engine.fire_timers(END_MS):  # as many as one checkpoint may hold
            await engine.checkpoint()
        written = await one.records()
        heir = await two.open()
        assert (heir.position, heir.entities) == (len(records), 1_000)

    assert checkpoints > 1
    assert sum(len(record.value or b"") for record in written) > APPEND_BYTES_MAX
    await check(settings, messages, END_MS)


def compact_soon(settings: Settings) -> None:
    """Make the log cleaner take from the changelog what it may, at once."""
    with closing(KafkaAdminClient(bootstrap_servers=[settings.broker_url])) as admin:
        eager = {
            "min.compaction.lag.ms": "0",
            "min.cleanable.dirty.ratio": "0.001",
            "segment.ms": str(SEGMENT_MS),
            "delete.retention.ms": "0",
        }
        topic = settings.topic_prefix + CHANGELOG
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=eager)])


async def test_compaction_before_a_restore_takes_nothing_that_counts(
    real_kafka: RealKafka,
) -> None:
    """Many checkpoints and a zombie's repaired writes, then the log is compacted, then restored."""
    messages = history(600, seed=14)
    settings = await new_settings(broker_url=real_kafka.address, partitions=1)
    await asyncio.to_thread(compact_soon, settings)
    await published_to(settings, messages)
    records = sources(messages)
    async with workers(settings, "zombie", "owner", "heir") as (one, two, three):
        zombie = await one.open()
        take(zombie, records, len(records) // 4)
        await zombie.checkpoint()
        owner = await two.open()
        take(zombie, records)
        with pytest.raises(FencedError):
            await zombie.checkpoint()
        for end in range(len(records) // 4, len(records) - 50, 50):
            take(owner, records, end)
            await owner.checkpoint()
        assert not to_repair(await two.records())

        assert doubled(await two.records()) > 500

        await asyncio.sleep(2 * SEGMENT_MS / 1_000)
        await three.open()  # the next append ends the segment; this claimant dies at once
        async with asyncio.timeout(COMPACTION_SECONDS_MAX):
            while doubled(await three.records()):  # noqa: ASYNC110  # has no event
                await asyncio.sleep(0.3)

        heir = await three.open()
        assert heir.position == owner.position
        assert heir.entities == owner.entities
        take(heir, records)
        await heir.checkpoint()

    await check(settings, messages, END_MS)
