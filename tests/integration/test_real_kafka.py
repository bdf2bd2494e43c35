"""On a real Apache Kafka: what comes out is what one thread makes of the same events, row by row."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from streams.runtime.clock import ManualClock
from streams.runtime.producer import PublishError
from streams.shell.settings import Settings
from tests.integration.computing import (
    ComputeProcess,
    acknowledged,
    in_slices,
    new_settings,
    records_of,
    running_compute,
    started_producer,
    until,
)
from tests.integration.oracle import Messages, check, history
from tests.integration.real_kafka import RealKafka
from tests.integration.test_compute import HOUR_MS, START_MS, bad_message

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

END_MS = START_MS + 10 * HOUR_MS


async def on(kafka: RealKafka, **overrides: object) -> Settings:
    """Settings with topics of their own on the real broker."""
    defaults: dict[str, object] = {"broker_url": kafka.address, "session_timeout_seconds": 3.0}
    return await new_settings(**(defaults | overrides))


async def publish(settings: Settings, messages: Messages) -> None:
    async with started_producer(settings) as producer:
        await producer.publish("tickets", messages)


@asynccontextmanager
async def stream(
    settings: Settings, messages: Messages, seconds: float = 3.0
) -> AsyncIterator["asyncio.Task[None]"]:
    """Messages that come in during so many seconds, and again where it is not known whether they did:
    a message that is doubled so is one event all the same."""

    async def trickle() -> None:
        async with started_producer(settings) as producer:
            for part in in_slices(messages, max(1, len(messages) // 100)):
                while True:
                    try:
                        await producer.reconnect()
                        await producer.publish("tickets", part)
                        break
                    except PublishError:
                        await asyncio.sleep(0.1)
                await asyncio.sleep(seconds / 100)

    task = asyncio.create_task(trickle())
    try:
        yield task
        await task
    finally:
        task.cancel()


@contextmanager
def process_of(settings: Settings, clock: ManualClock) -> Iterator[ComputeProcess]:
    """Compute in a process of its own; killed in the end."""
    process = ComputeProcess(settings, clock)
    try:
        yield process
    finally:
        process.kill()


async def test_good_and_bad_messages_and_three_kills(real_kafka: RealKafka) -> None:
    """Kill -9 three times while events and malformed messages come in."""
    settings = await on(real_kafka)
    good = history(1_500, seed=1)
    rng = random.Random(1)
    mixed = list(good)
    for number in range(200):
        mixed.insert(rng.randrange(len(mixed)), bad_message(rng, number))
    clock = ManualClock(END_MS)
    async with stream(settings, mixed):
        for count in (1, len(mixed) // 4, len(mixed) // 2):
            with process_of(settings, clock) as process:
                await asyncio.to_thread(process.wait_for, count)
    with process_of(settings, clock) as last:
        await asyncio.to_thread(last.wait_for, len(mixed))
        assert await asyncio.to_thread(last.finish) == "end"

    await check(settings, good, END_MS)
    letters = [row for _key, row in await records_of(settings, "dead_letters")]
    assert len({(row["partition"], row["offset"]) for row in letters}) == 200


async def test_the_broker_is_killed_and_restarted_in_the_middle_of_a_stream(
    real_kafka: RealKafka,
) -> None:
    settings = await on(real_kafka)
    messages = history(1_500, seed=2)
    async with running_compute(settings, ManualClock(END_MS)) as compute:
        async with stream(settings, messages) as streaming:
            await until(lambda: acknowledged(compute) > len(messages) // 4)
            await asyncio.to_thread(real_kafka.kill)
            assert not streaming.done()
            await asyncio.sleep(0.5)
            await asyncio.to_thread(real_kafka.start)
        await until(lambda: acknowledged(compute) >= len(messages))
        await until(lambda: compute.healthy() is None)

    await check(settings, messages, END_MS)


async def test_a_named_worker_that_was_killed_goes_on_at_once(real_kafka: RealKafka) -> None:
    """Static membership: nobody waits for its session to time out."""
    settings = await on(real_kafka, worker_id="w1", session_timeout_seconds=60.0)
    messages = history(300, seed=4)
    clock = ManualClock(END_MS)
    with process_of(settings, clock) as process:
        await publish(settings, messages[:200])
        await asyncio.to_thread(process.wait_for, 200)
        process.kill()
    await publish(settings, messages[200:])
    with process_of(settings, clock) as process:
        async with asyncio.timeout(30.0):
            await asyncio.to_thread(process.wait_for, len(messages))
        assert process.finish() == "end"

    await check(settings, messages, END_MS)


async def test_three_workers_rebalance_under_load(real_kafka: RealKafka) -> None:
    """They join one by one while events come in; then one is killed and one leaves."""
    settings = await on(real_kafka)
    messages = history(3_000, seed=3)
    clock = ManualClock(END_MS)
    async with running_compute(settings, clock) as first:
        await until(lambda: len(first.counters()) == 4)
        async with stream(settings, messages, 15.0) as streaming:
            async with running_compute(settings, clock) as second:
                await until(lambda: len(second.counters()) == 2)
                with process_of(settings, clock) as third:
                    await asyncio.to_thread(third.wait_for, 1)
                    assert len(first.counters()) + len(second.counters()) < 4
                await until(lambda: len(first.counters()) + len(second.counters()) == 4)
            assert not streaming.done()
        await until(lambda: acknowledged(first) == len(messages))

    await check(settings, messages, END_MS)
