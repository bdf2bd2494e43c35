"""The registrar: complaints get their numbers from a log of one partition.

Rows of tickets come in; a complaint that the log does not know yet is appended to it. The log is read from its
beginning, and what it hands out goes on as rows. Nothing is committed before it is acknowledged, so that a crash
repeats a request or a row, neither of which changes anything.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import tzinfo
from zoneinfo import ZoneInfo

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from schemas.complaints import NumberRequest
from schemas.instants import parse_rfc3339
from schemas.problems import Problem, ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from sinks.retry import Backoff
from streams.core.complaints import Numbering, month_of_number
from streams.runtime.clock import Clock
from streams.runtime.producer import LoudProducer, PublishError
from streams.runtime.stopping import stop_consumer
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings

log = logging.getLogger(__name__)

LOG = "complaint-requests"
TICKETS = OUTCOME_TOPIC_OF_TABLE["tickets"]
NUMBERS = OUTCOME_TOPIC_OF_TABLE["complaint_numbers"]
POLL_MS = 200
POLL_RECORDS_MAX = 2_000
_BACKOFF = Backoff(first_seconds=0.5, most_seconds=15.0)
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(NumberRequest)


class Registrar:
    """Several of one group share the tickets; each reads the whole log."""

    name = "registrar"

    def __init__(self, settings: Settings, clock: Clock, producer: LoudProducer) -> None:
        self.numbering = Numbering()
        self._settings = settings
        self._clock = clock
        self._producer = producer
        self._zone: tzinfo = ZoneInfo(settings.complaint_zone)
        self._asked: set[tuple[str, str, str]] = set()
        self._tickets: AIOKafkaConsumer | None = None
        self._log: AIOKafkaConsumer | None = None
        self._stopping = asyncio.Event()
        self._trouble: str | None = None

    async def start(self) -> None:
        """Connect, and read the log as far as it goes. ProblemsError when the broker can't be reached."""
        settings = self._settings
        try:
            self._log = await self._started(None)
            where = TopicPartition(settings.topic_prefix + LOG, 0)
            self._log.assign([where])
            await self._log.seek_to_beginning(where)
            self._tickets = await self._started(f"{settings.group}-registrar")
        except (KafkaError, OSError) as error:
            await self._disconnect()
            what = f"Kafka can't be reached: {error}"
            hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
            raise ProblemsError(Problem(settings.broker_url, what, hint)) from error
        self._tickets.subscribe([settings.topic_prefix + TICKETS])

    async def run(self) -> None:
        """Until `stop`; outlasts any outage of the broker."""
        work = [asyncio.create_task(self._hand_out()), asyncio.create_task(self._ask())]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({*work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what broke it
        finally:
            for task in (*work, stopping):
                task.cancel()
            await asyncio.gather(*work, stopping, return_exceptions=True)

    async def stop(self) -> None:
        """Leave the group."""
        self._stopping.set()
        await self._disconnect()

    def healthy(self) -> str | None:
        """None, or what Kafka says."""
        return self._trouble

    async def _disconnect(self) -> None:
        for consumer in (self._tickets, self._log):
            if consumer is not None:
                await stop_consumer(consumer)
        self._tickets = self._log = None

    async def _started(self, group: str | None) -> AIOKafkaConsumer:
        settings = self._settings
        session_ms = round(settings.session_timeout_seconds * 1_000)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker_url,
            **security_of(settings).options(),
            group_id=None if group is None else settings.topic_prefix + group,
            group_instance_id=None if group is None else settings.worker_id or None,
            client_id=f"{settings.group}-registrar",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 5,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        return consumer

    # -- the log ------------------------------------------------------------------------------

    async def _hand_out(self) -> None:
        """Every record of the log, from its beginning. Rows that were told before are told again: they are the
        same."""
        consumer = self._log
        assert consumer is not None, "start comes first"
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS_MAX)
            rows = []
            for records in found.values():
                for record in records:
                    row = self.numbering.take(_decoder.decode(record.value), record.offset)
                    if row is not None:
                        key = f"{row['tenant']}/{row['scope']}/{row['complaint_number']}"
                        rows.append((key.encode(), orjson.dumps(row, option=orjson.OPT_UTC_Z)))
            await self._published(NUMBERS, rows)

    # -- tickets ------------------------------------------------------------------------------

    async def _ask(self) -> None:
        consumer = self._tickets
        assert consumer is not None, "start comes first"
        while True:
            found = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS_MAX)
            if not found:
                continue
            requests = [
                one
                for records in found.values()
                for record in records
                if (one := self._request_of(record)) is not None
            ]
            await self._published(
                LOG,
                [
                    (f"{one.tenant}/{one.source}/{one.ticket_id}".encode(), _encoder.encode(one))
                    for one in requests
                ],
            )
            await self._commit(consumer, found)

    def _request_of(self, record: ConsumerRecord) -> NumberRequest | None:
        """A complaint of which the beginning is known, and which has not asked yet."""
        row = orjson.loads(record.value)
        if row["ticket_type"] != "complaint" or "partial_history" in row["flags"]:
            return None
        complaint = row["tenant"], row["source"], row["ticket_id"]
        if complaint in self._asked or self.numbering.number_of(complaint) is not None:
            return None
        self._asked.add(complaint)
        created_ms = parse_rfc3339(row["event_time"])
        by_source = self._settings.complaint_scope == "source"
        return NumberRequest(
            tenant=row["tenant"],
            source=row["source"],
            ticket_id=row["ticket_id"],
            scope=row["source"] if by_source else row["tenant"],
            month=month_of_number(created_ms, self._zone),
            created_ms=created_ms,
            asked_ms=self._clock.now_ms(),
        )

    async def _published(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Return when every one is acknowledged; repeats until the broker takes them."""
        failures = 0
        while records:
            try:
                await self._producer.publish(topic, records)
            except PublishError as error:
                failures += 1
                self._trouble = f"complaint numbers can't be written down: {error}"
                await asyncio.sleep(_BACKOFF.wait_seconds(failures))
                await self._producer.reconnect()
            else:
                break
        self._trouble = None

    @staticmethod
    async def _commit(
        consumer: AIOKafkaConsumer, found: dict[TopicPartition, Sequence[ConsumerRecord]]
    ) -> None:
        """A failure costs tickets that are read again, and ask for nothing."""
        ours = consumer.assignment()
        offsets = {
            where: records[-1].offset + 1 for where, records in found.items() if where in ours
        }
        try:
            await consumer.commit(offsets)
        except (KafkaError, IllegalStateError) as error:
            log.warning("offsets not committed, will be with the next tickets: %r", error)
