"""The topic of policies as a worker sees it: read whole at the start, followed from then on."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from schemas.policy_records import OrderedRejudgement, PublishedPolicy, record_bytes
from schemas.problems import Problem, ProblemsError
from schemas.topics import BY_NAME
from sinks.retry import Backoff
from streams.core.policy import PolicyBook
from streams.policies.publishing import PolicyShelf
from streams.runtime.clock import SystemClock
from streams.runtime.producer import PublishError
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings
from streams.shell.tool_producer import tool_producer

log = logging.getLogger(__name__)

TOPIC = BY_NAME["policies"]
POLL_MS = 1_000
WHOLE_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 5.0
SILENT_SECONDS_MAX = 30.0  # without an answer about the topic, which comes several times a second

Learn = Callable[[PolicyBook], None]


class PolicyFeed:
    """Keeps a book up to date. `learn` is called in the loop, with the whole book, when it changes."""

    def __init__(self, settings: Settings, base: PolicyBook, learn: Learn) -> None:
        self._reader = _Reader(settings)
        self._shelf = PolicyShelf(base)
        self._learn = learn
        self._backoff = Backoff()
        self._following: asyncio.Task[None] | None = None
        self._reason: str | None = None

    async def start(self) -> None:
        """Return when everything that is on the topic has been learned; ProblemsError when it can't be
        read: a worker that doesn't know its policies must not judge."""
        await self._reader.start()
        self._take(await self._reader.whole())
        for policy, instead in self._shelf.shadowed():
            log.warning("%s of the policy file does not come into force: %s does", policy, instead)
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """May be called twice, and without a start."""
        following, self._following = self._following, None
        if following is not None:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following
        await self._reader.stop()

    def trouble(self) -> str | None:
        """What keeps new versions from being learned, in one line."""
        if self._reason is None and self._reader.silent_seconds() > SILENT_SECONDS_MAX:
            return "no answer about the topic of policies"
        return self._reason

    async def _follow(self) -> None:
        failures = 0
        while True:
            try:
                self._take(await self._reader.next())
                failures = 0
                self._reason = None
            except KafkaError as error:
                failures += 1
                self._reason = f"the topic of policies can't be read: {error}"
                await asyncio.sleep(self._backoff.wait_seconds(failures, None))
            except Exception as error:
                log.exception("following the topic of policies failed")
                self._reason = f"policies are no longer followed: {error!r}"
                return

    def _take(self, records: Sequence[ConsumerRecord]) -> None:
        changed = False
        for record in records:
            known = len(self._shelf.problems)
            if self._shelf.take(record.value, _where(record)):
                changed = True
                log.info("learned %s", (record.key or b"").decode(errors="replace"))
            for problem in self._shelf.problems[known:]:
                log.error("policies: %s", problem)
        if changed:
            self._learn(self._shelf.book())


async def read_policies(settings: Settings, base: PolicyBook | None) -> PolicyShelf:
    """Everything that is on the topic now; ProblemsError when it can't be read."""
    reader = _Reader(settings)
    shelf = PolicyShelf(base)
    try:
        await reader.start()
        for record in await reader.whole():
            shelf.take(record.value, _where(record))
    finally:
        await reader.stop()
    return shelf


async def send_record(settings: Settings, record: PublishedPolicy | OrderedRejudgement) -> None:
    """Return when the broker has it; ProblemsError otherwise."""
    async with tool_producer(settings, f"{settings.group}-policies") as producer:
        try:
            await producer.publish(TOPIC.name, [(record.key.encode(), record_bytes(record))])
        except PublishError as error:
            hint = "try again: publishing twice changes nothing"
            raise ProblemsError(Problem(settings.broker_url, str(error), hint)) from error


class _Reader:
    """The topic's only partition, from its beginning, outside of any group."""

    def __init__(self, settings: Settings) -> None:
        self._bootstrap = settings.broker_url
        self._security = security_of(settings)
        self._client_id = f"{settings.group}-policies"
        self._where = TopicPartition(settings.topic_prefix + TOPIC.name, 0)
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=TOPIC.max_message_bytes,
            fetch_max_wait_ms=200,
            **self._security.options(),
        )
        try:
            await self._consumer.start()
            topics = await self._consumer.topics()
        except (KafkaError, OSError) as error:
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(self._bootstrap, what, hint)) from error
        if self._where.topic not in topics:
            hint = "create it: ticketpulse topics apply"
            raise ProblemsError(Problem(self._bootstrap, f"no topic {self._where.topic}", hint))
        self._consumer.assign([self._where])

    async def stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        # In a task: without a broker aiokafka's stop cancels its fetches, and itself with them.
        stopping = asyncio.ensure_future(consumer.stop())
        await asyncio.wait({stopping}, timeout=STOP_SECONDS_MAX)
        stopping.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        await consumer._client.close()  # noqa: SLF001  # what a stop that ended early leaves open

    async def whole(self) -> list[ConsumerRecord]:
        """Everything up to the end as of now."""
        consumer = self._connected()
        found: list[ConsumerRecord] = []
        try:
            async with asyncio.timeout(WHOLE_SECONDS_MAX):
                end = (await consumer.end_offsets([self._where]))[self._where]
                await consumer.seek_to_beginning(self._where)
                while await consumer.position(self._where) < end:
                    found += await self.next()
        except (KafkaError, TimeoutError) as error:
            what = f"{self._where.topic} can't be read to its end: {error!r}"
            raise ProblemsError(Problem(self._bootstrap, what, "try again")) from error
        return found

    def silent_seconds(self) -> float:
        """How long ago the broker last said something about the topic."""
        if self._consumer is None:
            return 0.0
        answered_ms: int | None = self._consumer.last_poll_timestamp(self._where)
        return 0.0 if answered_ms is None else (SystemClock().now_ms() - answered_ms) / 1_000

    async def next(self) -> Sequence[ConsumerRecord]:
        """What comes within a moment."""
        found = await self._connected().getmany(self._where, timeout_ms=POLL_MS)
        records: Sequence[ConsumerRecord] = found.get(self._where, ())
        return records

    def _connected(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "start comes first"
        return self._consumer


def _where(record: ConsumerRecord) -> str:
    return f"{record.topic}:{record.offset}"
