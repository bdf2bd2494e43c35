"""Ends aiokafka consumers, whatever they are at."""

import asyncio
import logging

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

SETTLE_SECONDS = 0.05
STOP_SECONDS_MAX = 5.0

log = logging.getLogger(__name__)


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Leave the group and disconnect, within a bound.

    aiokafka's fetcher, told to end at the moment it notices a lost assignment, forgets that it was
    told, and stop waits for it for ever.
    """
    await asyncio.sleep(SETTLE_SECONDS)
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await consumer.stop()
    except (TimeoutError, KafkaError) as error:
        log.warning("a Kafka consumer did not end cleanly: %r", error)
        await consumer._client.close()  # noqa: SLF001  # what stop had yet to do
