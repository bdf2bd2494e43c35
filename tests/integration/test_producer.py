"""The loud producer on a real broker: acknowledged and whole, or an error within a bound."""

import asyncio
import itertools
import os
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas.problems import ProblemsError
from streams.runtime import producer as producer_module
from streams.runtime.producer import (
    AppendDoubtfulError,
    BatchTooLargeError,
    LoudProducer,
    PublishError,
    partition_of,
)
from streams.shell.embedded_broker import EmbeddedBroker
from tests.integration.broker import broker_address

pytestmark = pytest.mark.kafka

PARTITIONS = 3
PREFIX = "loud-"
_topics = itertools.count(1)


async def create_topic(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(PREFIX + topic, PARTITIONS, 1)])
    finally:
        await admin.close()


async def read(address: str, topic: str) -> dict[int, list[ConsumerRecord]]:
    """All records of the topic by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address)
    await consumer.start()
    try:
        wheres = [TopicPartition(PREFIX + topic, p) for p in range(PARTITIONS)]
        consumer.assign(wheres)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(wheres)
        found: dict[int, list[ConsumerRecord]] = defaultdict(list)
        for where in wheres:
            while await consumer.position(where) < ends[where]:
                for records in (await consumer.getmany(where, timeout_ms=200)).values():
                    found[where.partition] += records
        return found
    finally:
        await consumer.stop()


@pytest.fixture
async def topic() -> str:
    topic = f"topic-{next(_topics)}"
    await create_topic(broker_address(), topic)
    return topic


@pytest.fixture
async def producer() -> AsyncIterator[LoudProducer]:
    producer = LoudProducer(
        broker_address(), client_id="test", topic_prefix=PREFIX, idempotent=False
    )
    await producer.start()
    yield producer
    await producer.stop()


async def test_everything_published_is_there_in_its_keys_partition_and_order(
    producer: LoudProducer, topic: str
) -> None:
    records = [(b"key-%d" % (n % 50), b"%d" % n) for n in range(20_000)]

    await producer.publish(topic, records)

    found = await read(broker_address(), topic)
    assert sum(map(len, found.values())) == 20_000
    for partition, there in found.items():
        assert [(record.key, record.value) for record in there] == [
            record for record in records if partition_of(record[0], PARTITIONS) == partition
        ]


async def test_more_than_a_batch_may_hold_goes_in_several(
    producer: LoudProducer, topic: str
) -> None:
    records = [(b"key", bytes(100_000)) for _ in range(30)]

    await producer.publish(topic, records)

    found = await read(broker_address(), topic)
    assert sum(map(len, found.values())) == 30


async def test_an_append_tells_its_first_offset_and_keeps_tombstones_and_headers(
    producer: LoudProducer, topic: str
) -> None:
    first = await producer.append(topic, 1, [(b"a", b"1"), (b"b", None)], [("epoch", b"7")])
    second = await producer.append(topic, 1, [(b"c", b"3")])

    assert (first, second) == (0, 2)
    there = (await read(broker_address(), topic))[1]
    assert [(record.key, record.value, record.headers) for record in there] == [
        (b"a", b"1", (("epoch", b"7"),)),
        (b"b", None, (("epoch", b"7"),)),
        (b"c", b"3", ()),
    ]


async def test_too_large_an_append_sends_nothing(
    producer: LoudProducer, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer_module, "APPEND_BYTES_MAX", 10_000)

    with pytest.raises(BatchTooLargeError, match=r"3 records.*at most 10,000"):
        await producer.append(topic, 0, [(b"key", bytes(5_000))] * 3)

    assert await producer.append(topic, 0, [(b"key", b"value")]) == 0


async def test_an_unreachable_broker_is_told_clearly() -> None:
    with pytest.raises(ProblemsError, match=r"127.0.0.1:1: Kafka can't be reached.*BROKER_URL"):
        await LoudProducer("127.0.0.1:1", client_id="test").start()


async def test_a_frozen_broker_makes_errors_in_time_and_is_used_again_when_it_thaws() -> None:
    #  broker  ----|frozen         |------
    #  us          publish append   both
    broker = EmbeddedBroker()
    address = await broker.start()
    await create_topic(address, "topic")
    producer = LoudProducer(
        address, client_id="test", topic_prefix=PREFIX, idempotent=False, delivery_seconds_max=1.0
    )
    await producer.start()
    assert broker._process is not None
    process_id = broker._process.pid
    try:
        await producer.publish("topic", [(b"key", b"before")])
        os.kill(process_id, signal.SIGSTOP)
        while psutil.Process(process_id).status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        started = time.monotonic()
        with pytest.raises(AppendDoubtfulError):
            await producer.append("topic", 0, [(b"key", b"doubtful")])
        assert not await producer.reconnect()
        with pytest.raises(PublishError):
            await producer.publish("topic", [(b"key", b"lost")])
        assert time.monotonic() - started < 10.0
        os.kill(process_id, signal.SIGCONT)

        assert await producer.reconnect()
        await producer.publish("topic", [(b"key", b"after")])

        values = [
            record.value
            for records in (await read(address, "topic")).values()
            for record in records
        ]
        assert {b"before", b"after"} <= set(values) <= {b"before", b"after", b"doubtful"}
    finally:
        os.kill(process_id, signal.SIGCONT)
        await producer.stop()
        await broker.stop()
