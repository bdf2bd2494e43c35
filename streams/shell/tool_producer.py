"""A producer for a command that says a few things and ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streams.runtime.producer import LoudProducer
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings


@asynccontextmanager
async def tool_producer(
    settings: Settings, client_id: str, topic_prefix: str | None = None
) -> AsyncIterator[LoudProducer]:
    """Started, and stopped at the end. Not idempotent: what commands say may come twice. `topic_prefix`: else
    that of the settings."""
    producer = LoudProducer(
        settings.broker_url,
        client_id=client_id,
        topic_prefix=settings.topic_prefix if topic_prefix is None else topic_prefix,
        idempotent=False,
        security=security_of(settings),
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
