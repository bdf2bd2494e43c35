"""A producer that fails loudly: what it returns from is on the broker, whole, or it raises.

Idempotent, `acks=all`, whole record batches instead of single records (one acknowledgement per batch,
and the broker appends a batch as a whole or not at all).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed

from schemas.problems import Problem, ProblemsError
from streams.runtime.changelog import Message
from streams.runtime.murmur2 import murmur2
from streams.runtime.security import PLAINTEXT, KafkaSecurity

log = logging.getLogger(__name__)

BATCH_BYTES_MAX = 900 * 1024  # below the default max.message.bytes of a broker
APPEND_BYTES_MAX = 32 * 1024 * 1024  # max.message.bytes of changelog topics
DELIVERY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0
_RECORD_OVERHEAD_BYTES = 64  # lengths, deltas and headers of one record, rounded up

Headers = list[tuple[str, bytes]]


class PublishError(Exception):
    """Not everything was acknowledged. Some of it may be on the broker: repeating must be harmless."""


class AppendDoubtfulError(Exception):
    """Nobody knows whether the append happened, or whether it still will. This producer is spent."""


class BatchTooLargeError(Exception):
    """More than one record batch may hold; nothing was sent."""


class LoudProducer:
    """One connection to the broker. Topic names are given without the prefix.

    `idempotent` is off for the embedded broker only, which refuses aiokafka's InitProducerId: it keeps
    nothing beyond its own life anyway.

    After an error the idempotent producer's place in its sequence is unknown, so a new one is used
    from then on. The old one is ended at once; what was on its way may land (see AppendDoubtfulError).
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        topic_prefix: str = "",
        idempotent: bool = True,
        delivery_seconds_max: float = DELIVERY_SECONDS_MAX,
        security: KafkaSecurity = PLAINTEXT,
    ) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._prefix = topic_prefix
        self._idempotent = idempotent
        self._delivery_seconds_max = delivery_seconds_max
        self._security = security
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        """Connect; ProblemsError when no broker answers."""
        try:
            self._producer = await self._started()
        except (KafkaError, OSError) as error:
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(self._bootstrap, what, hint)) from error

    async def stop(self) -> None:
        """Disconnect. What is under way is given up: its caller has not been told that it is safe."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end(producer)

    async def publish(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Return when every (key, value) is acknowledged; PublishError otherwise."""
        await self._publish((topic, key, value) for key, value in records)

    async def publish_messages(self, messages: Sequence[Message]) -> None:
        """The same for messages of several topics. Order is kept per topic and key."""
        await self._publish((message.topic, message.key, message.value) for message in messages)

    async def append(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[bytes, bytes | None]],
        headers: Headers | None = None,
    ) -> int:
        """Append all records as ONE record batch, each with the headers; returns the first offset.

        BatchTooLargeError before anything is sent; AppendDoubtfulError for any other failure.
        """
        headers = headers or []
        per_record = sum(len(name) + len(value) for name, value in headers)
        size = sum(map(_size, records)) + len(records) * per_record
        if size > APPEND_BYTES_MAX:
            message = f"{len(records)} records, {size:,} bytes; at most {APPEND_BYTES_MAX:,}"
            raise BatchTooLargeError(message)
        producer = self._producer
        if producer is None:
            message = "the producer is not connected"
            raise AppendDoubtfulError(message)
        try:
            async with asyncio.timeout(self._delivery_seconds_max):
                delivered = await _send(producer, self._prefix + topic, partition, records, headers)
                offset: int = (await delivered).offset
        except (KafkaError, OSError, TimeoutError) as error:
            await self._renew(producer)
            message = f"{topic}/{partition}: {error!r}"
            raise AppendDoubtfulError(message) from error
        if offset < 0:  # a duplicate of which the broker no longer knows where it stands
            await self._renew(producer)
            message = f"{topic}/{partition}: acknowledged without an offset"
            raise AppendDoubtfulError(message)
        return offset

    async def _publish(self, records: Iterable[tuple[str, bytes, bytes]]) -> None:
        producer = self._producer
        if producer is None:
            message = "the producer is not connected"
            raise PublishError(message)
        try:
            async with asyncio.timeout(self._delivery_seconds_max):
                partitions: dict[str, int] = {}
                sorted_out: dict[tuple[str, int], list[tuple[bytes, bytes | None]]] = defaultdict(
                    list
                )
                for topic, key, value in records:
                    count = partitions.get(topic)
                    if count is None:
                        count = partitions[topic] = await self._partitions(producer, topic)
                    sorted_out[topic, partition_of(key, count)].append((key, value))
                deliveries = [
                    await _send(producer, self._prefix + topic, partition, part, [])
                    for (topic, partition), found in sorted_out.items()
                    for part in _parts(found)
                ]
                if deliveries:
                    await asyncio.gather(*deliveries)
        except (KafkaError, OSError, TimeoutError) as error:
            await self._renew(producer)
            message = f"not acknowledged: {error!r}"
            raise PublishError(message) from error

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; PublishError when there is no such topic, or no broker."""
        if self._producer is None:
            message = "the producer is not connected"
            raise PublishError(message)
        return await self._partitions(self._producer, topic)

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> int:
        found = await producer.partitions_for(self._prefix + topic)
        if not found:
            message = f"no topic {self._prefix + topic}"
            raise PublishError(message)
        return len(found)

    async def _started(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_idempotence=self._idempotent,
            acks="all",
            max_batch_size=APPEND_BYTES_MAX + BATCH_BYTES_MAX,
            max_request_size=APPEND_BYTES_MAX + BATCH_BYTES_MAX,
            request_timeout_ms=round(self._delivery_seconds_max * 1000),
            **self._security.options(),
        )
        try:
            async with asyncio.timeout(self._delivery_seconds_max):
                await producer.start()
        except BaseException:
            await _end(producer)
            raise
        return producer

    async def _renew(self, spent: AIOKafkaProducer) -> None:
        """Put a new producer in the place of a spent one; without a broker, none is there for now."""
        async with self._renewing:
            if self._producer is not spent and self._producer is not None:
                return
            self._producer = None
            await _end(spent)
            try:
                self._producer = await self._started()
            except (KafkaError, OSError) as error:
                log.warning("no broker answers: %r", error)

    async def reconnect(self) -> bool:
        """Connect again after a failure that left no connection; False when no broker answers."""
        async with self._renewing:
            if self._producer is None:
                try:
                    self._producer = await self._started()
                except (KafkaError, OSError):
                    return False
            return True


async def _send(
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    records: Iterable[tuple[bytes, bytes | None]],
    headers: Headers,
) -> "asyncio.Future[Any]":
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
            message = "the records do not fit one record batch"
            raise BatchTooLargeError(message)
    delivery: asyncio.Future[Any] = await producer.send_batch(batch, topic, partition=partition)
    return delivery


async def _end(producer: AIOKafkaProducer) -> None:
    """Stop sending, at once. aiokafka's own stop goes on trying, when idempotent for ever: an append
    that was given up would land at some later time."""
    producer._closed = True  # noqa: SLF001  # no public way, see above
    sending = producer._sender.sender_task  # noqa: SLF001
    if sending is not None:
        sending.cancel()  # it waits for its requests, which end with the connections
    try:
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await producer.client.close()
            if sending is not None:
                await asyncio.wait([sending])
    except (TimeoutError, KafkaError, OSError) as error:
        log.warning("a producer did not end cleanly: %r", error)
    producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001  # nobody waits in vain


def _size(record: tuple[bytes, bytes | None]) -> int:
    key, value = record
    return len(key) + (0 if value is None else len(value)) + _RECORD_OVERHEAD_BYTES


def _parts(
    records: Sequence[tuple[bytes, bytes | None]],
) -> Iterable[Sequence[tuple[bytes, bytes | None]]]:
    """Cut to what one batch may hold; a record larger than that stands alone."""
    start = size = 0
    for at, record in enumerate(records):
        record_size = _size(record)
        if size + record_size > BATCH_BYTES_MAX and at > start:
            yield records[start:at]
            start, size = at, 0
        size += record_size
    yield records[start:]


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's clients choose for a key: murmur2, positive, modulo."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
