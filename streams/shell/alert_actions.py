"""What was done about alerts: the topic of acknowledgements and silences, read whole and followed.

There are few, and every notifier reads all of them: an alert's key and its actions need not lie in partitions of
one number.
"""

import asyncio
import itertools
import logging
from collections import defaultdict
from collections.abc import Callable

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.instants import parse_rfc3339
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from sinks.retry import Backoff
from streams.core.alerting.escalation import Action
from streams.runtime.stopping import stop_consumer
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings

log = logging.getLogger(__name__)

TOPIC = OUTCOME_TOPIC_OF_TABLE["alert_actions"]
POLL_MS = 200
_BACKOFF = Backoff(first_seconds=0.5, most_seconds=15.0)


class AlertActions:
    """By alert key. `on_news` is told each key about which something was done."""

    def __init__(self, settings: Settings, on_news: Callable[[str], None]) -> None:
        self._settings = settings
        self._on_news = on_news
        self._consumer: AIOKafkaConsumer | None = None
        self._of_key: dict[str, dict[str, Action]] = defaultdict(dict)  # action id → action
        self._ends: dict[TopicPartition, int] = {}

    def of(self, key: str) -> list[Action]:
        """Everything that was done about an alert."""
        return list(self._of_key[key].values()) if key in self._of_key else []

    async def start(self) -> None:
        """Connect, and read what there is: an alert that somebody has taken care of must not page again."""
        settings = self._settings
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker_url,
            **security_of(settings).options(),
            client_id=f"{settings.group}-alert-actions",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._consumer = consumer
        await consumer.start()
        topic = settings.topic_prefix + TOPIC
        numbers = consumer.partitions_for_topic(topic) or range(settings.partitions)
        wheres = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(wheres)
        await consumer.seek_to_beginning(*wheres)
        ends = await consumer.end_offsets(wheres)
        while any([await consumer.position(where) < ends[where] for where in wheres]):
            await self._take(consumer)

    async def run(self) -> None:
        """Follow until cancelled; outlasts any outage of the broker."""
        consumer = self._consumer
        assert consumer is not None, "start comes first"
        for failures in itertools.count(1):
            try:
                while True:
                    await self._take(consumer)
            except (KafkaError, OSError) as error:
                log.warning("actions on alerts can't be read, trying again: %r", error)
                await asyncio.sleep(_BACKOFF.wait_seconds(min(failures, 10)))

    async def stop(self) -> None:
        """Let go."""
        if self._consumer is not None:
            await stop_consumer(self._consumer)
            self._consumer = None

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                row = orjson.loads(record.value)
                until = row["until_at"]
                self._of_key[row["key"]][row["action_id"]] = Action(
                    parse_rfc3339(row["event_time"]),
                    row["action"],
                    None if until is None else parse_rfc3339(until),
                )
                self._on_news(row["key"])
