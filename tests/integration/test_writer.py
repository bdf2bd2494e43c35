"""The writer between a real broker and real ClickHouse: nothing lost, whatever fails in between."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.problems import ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from sinks.batching import Limits
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.sink import ClickHouseSink
from sinks.contract import Batch, Sink, SinkError, SinkUnreachable
from sinks.memory import MemorySink
from sinks.retry import Backoff
from streams.runtime.clock import ManualClock
from streams.shell import writer as writer_module
from streams.shell.settings import Settings, load_settings
from streams.shell.writer import Writer, writer_role
from tests.integration.broker import broker_address
from tests.outcome_rows import (
    alert_intent,
    as_json,
    partition_progress,
    ticket,
    ticket_clock,
)

pytestmark = pytest.mark.kafka

PARTITIONS = 2
_prefixes = itertools.count(1)
Rows = dict[str, list[bytes]]


class UnwellSink:
    """A sink in front of another: fails while `error` is set, waits while `gate` is closed."""

    def __init__(self, behind: Sink) -> None:
        self.behind = behind
        self.error: SinkError | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.tries = 0

    def write(self, batch: Batch) -> None:
        self.tries += 1
        self.gate.wait(30)
        if self.error is not None:
            raise self.error
        self.behind.write(batch)

    def close(self) -> None:
        self.behind.close()


@pytest.fixture
async def settings() -> Settings:
    """Settings with topics of their own, which exist."""
    settings = load_settings(
        broker_url=broker_address(),
        topic_prefix=f"w{next(_prefixes)}-",
        session_timeout_seconds=2,
        writer_flush_seconds=0.2,
    )
    await create_topics(settings)
    return settings


async def create_topics(settings: Settings) -> None:
    """Every outcome topic, empty."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker_url)
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(settings.topic_prefix + topic, PARTITIONS, 1)
                for topic in OUTCOME_TOPIC_OF_TABLE.values()
            ]
        )
    finally:
        await admin.close()


async def publish(settings: Settings, table: str, rows: Iterable[bytes]) -> None:
    """Put rows on the table's topic, alternating between its partitions."""
    topic = settings.topic_prefix + OUTCOME_TOPIC_OF_TABLE[table]
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker_url, linger_ms=5)
    await producer.start()
    try:
        sent = [
            await producer.send(topic, row, key=b"key", partition=at % PARTITIONS)
            for at, row in enumerate(rows)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def committed(settings: Settings, table: str) -> int:
    """Rows of the table's topic whose offsets the writers' group has committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker_url, group_id=f"{settings.topic_prefix}ticketpulse-writer"
    )
    await consumer.start()
    try:
        topic = settings.topic_prefix + OUTCOME_TOPIC_OF_TABLE[table]
        found = [await consumer.committed(TopicPartition(topic, p)) for p in range(PARTITIONS)]
        return sum(offset or 0 for offset in found)
    finally:
        await consumer.stop()


def writer_of(settings: Settings, sink: Sink, limits: Limits | None = None) -> Writer:
    backoff = Backoff(first_seconds=0.05, most_seconds=0.1)
    return Writer(settings, sink, ManualClock(1_800_000_000_000), limits, backoff)


@asynccontextmanager
async def running(writer: Writer) -> AsyncIterator["asyncio.Task[None]"]:
    """The role as the process runs it: started, run in a task, stopped."""
    await writer.start()
    task = asyncio.create_task(writer.run())
    try:
        yield task
    finally:
        await writer.stop()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition, at most 30 s."""
    async with asyncio.timeout(30):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.05)


def tickets(count: int, first: int = 0) -> list[bytes]:
    return [as_json(ticket(first + number)) for number in range(count)]


@pytest.mark.clickhouse
async def test_rows_of_every_topic_reach_their_table(
    settings: Settings, clickhouse: ClickHouse
) -> None:
    rows = {
        "ticket_clocks": [as_json(ticket_clock(n)) for n in range(300)],
        "tickets": tickets(200),
        "alert_intents": [as_json(alert_intent(n)) for n in range(100)],
        "partition_progress": [as_json(partition_progress(n)) for n in range(4)],
    }
    for table, values in rows.items():
        await publish(settings, table, values)
    writer = writer_role(settings, clickhouse)
    async with running(writer):
        await until(lambda: sum(writer.counters().rows_total.values()) == 604)
        counters = writer.counters()

    assert counters.rows_total == {name: len(rows.get(name, [])) for name in counters.rows_total}
    assert (counters.lag_rows, counters.held_rows, counters.refused_total) == (0, 0, 0)
    assert counters.seconds_since_insert is not None
    assert writer.healthy() is None
    for table, values in rows.items():
        (found,) = clickhouse.query_rows(f"SELECT count() AS rows FROM v_{table}")
        assert found["rows"] == len(values)
        assert await committed(settings, table) == len(values)


async def test_rows_are_gathered_into_about_one_insert_per_flush(settings: Settings) -> None:
    sink = UnwellSink(MemorySink())
    writer = writer_of(settings, sink, Limits(age_seconds=1.0))
    async with running(writer):
        for first in range(0, 200, 20):
            await publish(settings, "tickets", tickets(20, first))
        await until(lambda: writer.counters().rows_total["tickets"] == 200)

    assert sink.tries <= 6


async def test_an_outage_loses_nothing_and_commits_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = MemorySink()
    sink = UnwellSink(memory)
    sink.error = SinkUnreachable("connection refused")
    monkeypatch.setattr(writer_module, "UNHEALTHY_AFTER_SECONDS", 0.3)
    await publish(settings, "tickets", tickets(100))
    writer = writer_of(settings, sink)
    async with running(writer):
        await until(lambda: writer.healthy() is not None)
        assert "connection refused" in str(writer.healthy())
        assert writer.counters().failures_total >= 2
        assert writer.counters().lag_rows == 100
        assert await committed(settings, "tickets") == 0

        sink.error = None
        await until(lambda: writer.counters().rows_total["tickets"] == 100)
        assert writer.healthy() is None
        assert writer.counters().lag_rows == 0

    assert len(memory.rows("tickets")) == 100
    assert await committed(settings, "tickets") == 100


async def test_a_stop_inserts_what_is_held(settings: Settings) -> None:
    memory = MemorySink()
    writer = writer_of(settings, memory, Limits(age_seconds=3_600))
    await publish(settings, "tickets", tickets(50))
    async with running(writer):
        await until(lambda: writer.counters().held_rows == 50)
        assert memory.rows("tickets") == []

    assert len(memory.rows("tickets")) == 50
    assert await committed(settings, "tickets") == 50
    await writer.stop()  # again: nothing happens


async def test_a_stop_survives_the_cancelling_of_its_run(settings: Settings) -> None:
    memory = MemorySink()
    sink = UnwellSink(memory)
    sink.gate.clear()
    writer = writer_of(settings, sink)
    await publish(settings, "tickets", tickets(50))
    async with running(writer) as task:
        await until(lambda: sink.tries == 1)
        task.cancel()  # in the middle of an insert
        sink.gate.set()

    assert len(memory.rows("tickets")) == 50
    assert await committed(settings, "tickets") == 50


async def test_what_a_dying_writer_held_is_written_by_the_next(settings: Settings) -> None:
    memory = MemorySink()
    sink = UnwellSink(memory)
    await publish(settings, "tickets", tickets(60))
    async with running(writer_of(settings, sink)) as task:
        await until(lambda: len(memory.rows("tickets")) == 60)
        sink.error = SinkUnreachable("gone")
        await publish(settings, "tickets", tickets(40, first=60))
        tries = sink.tries
        await until(lambda: sink.tries > tries)
        task.cancel()
    assert await committed(settings, "tickets") == 60

    sink.error = None
    async with running(writer_of(settings, sink)):
        await until(lambda: len(memory.rows("tickets")) == 100)
    assert await committed(settings, "tickets") == 100


async def test_a_full_buffer_pauses_reading(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "POLL_RECORDS_MAX", 10)
    memory = MemorySink()
    sink = UnwellSink(memory)
    sink.gate.clear()
    limits = Limits(age_seconds=0.1, rows_max=20, held_rows_max=40)
    await publish(settings, "tickets", tickets(500))
    await publish(settings, "ticket_clocks", [as_json(ticket_clock(n)) for n in range(5)])
    writer = writer_of(settings, sink, limits)
    async with running(writer):
        await until(lambda: writer.counters().held_rows >= 40)
        await asyncio.sleep(0.5)
        assert writer.counters().held_rows <= 40 + 10 + 5

        sink.gate.set()
        await until(lambda: len(memory.rows("tickets")) == 500)
        await until(lambda: len(memory.rows("ticket_clocks")) == 5)
    assert await committed(settings, "tickets") == 500


@pytest.mark.clickhouse
async def test_a_refused_row_becomes_a_dead_letter_and_holds_nothing_up(
    settings: Settings, clickhouse: ClickHouse
) -> None:
    values = tickets(100)
    values[37] = b'{"ticket_id": "T", "version": "no number"}'
    await publish(settings, "tickets", values)
    writer = writer_of(settings, ClickHouseSink(clickhouse))
    async with running(writer):
        await until(lambda: writer.counters().rows_total["tickets"] == 99)
        await until(lambda: writer.counters().held_rows == 0)

    assert writer.counters().refused_total == 1
    assert await committed(settings, "tickets") == 100
    (letter,) = clickhouse.query_rows("SELECT * FROM v_dead_letters")
    assert letter["topic"] == f"{settings.topic_prefix}outcomes-tickets"
    assert (letter["partition"], letter["offset"]) == (1, 18)
    assert letter["reason"] == "refused_by_database"
    assert "version" in str(letter["detail"])
    (decoded,) = clickhouse.query_rows("SELECT base64Decode(original) AS text FROM v_dead_letters")
    assert decoded["text"] == values[37].decode()


@pytest.mark.clickhouse
async def test_a_missing_table_breaks_the_role_and_loses_nothing(
    settings: Settings, clickhouse: ClickHouse
) -> None:
    clickhouse.command("DROP TABLE tickets")
    await publish(settings, "tickets", tickets(10))
    async with running(writer_of(settings, ClickHouseSink(clickhouse))) as task:
        with pytest.raises(ProblemsError, match=r"tickets: ClickHouse refuses .*migrate status"):
            await asyncio.wait_for(task, 30)

    assert await committed(settings, "tickets") == 0
    assert clickhouse.query_rows("SELECT * FROM v_dead_letters") == []


@pytest.mark.slow
async def test_writers_share_the_partitions_and_lose_nothing_when_they_come_and_go(
    settings: Settings,
) -> None:
    #  first |-----------------------|
    #  second      |-----------------------|
    memory = MemorySink()
    first, second = writer_of(settings, memory), writer_of(settings, memory)
    async with running(second):
        async with running(first):
            for start in range(0, 1_000, 100):
                await publish(settings, "tickets", tickets(100, start))
            await until(lambda: len(memory.rows("tickets")) == 1_000)
        await publish(settings, "tickets", tickets(500, 1_000))
        await until(lambda: len(memory.rows("tickets")) == 1_500)
        await until(lambda: second.counters().lag_rows == 0)

    assert await committed(settings, "tickets") == 1_500


async def test_an_unreachable_broker_is_told_clearly() -> None:
    writer = writer_role(load_settings(broker_url="127.0.0.1:1"), MemorySink())

    with pytest.raises(ProblemsError, match=r"127.0.0.1:1: Kafka can't be reached.*BROKER_URL"):
        await writer.start()
    await writer.stop()


def test_the_broker_must_be_known_by_now() -> None:
    with pytest.raises(ProblemsError, match="needs the address of a running broker"):
        writer_role(load_settings(broker_url="embedded"), MemorySink())
