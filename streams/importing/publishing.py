"""Messages → Kafka, every one acknowledged or a loud failure."""

from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from schemas.problems import Problem, ProblemsError
from streams.importing.sorting import Message

IN_FLIGHT_MAX = 20_000
ACKNOWLEDGED_SECONDS_MAX = 60.0


class KafkaPublisher:
    """Publishes in order per key, `acks=all`. Timestamps are left to the broker: an old event's own
    would make the topic's retention delete it at once."""

    def __init__(self, servers: str, topic_prefix: str = "") -> None:
        """ProblemsError when no broker answers."""
        self._servers = servers
        self._prefix = topic_prefix
        self._known: set[str] = set()
        self._pending: list[Any] = []
        self.sent = 0
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=servers.split(","),
                acks="all",
                linger_ms=20,
                batch_size=256 * 1024,
                allow_auto_create_topics=False,
                enable_idempotence=False,  # event ids make a repetition harmless
                retries=5,
            )
        except (KafkaError, ValueError, OSError) as error:
            hint = "is it running? name it with --broker host:port"
            raise ProblemsError(
                Problem(servers, f"no Kafka broker answers: {error}", hint)
            ) from error

    def send(self, message: Message) -> None:
        """Queue a message; waits for acknowledgements when too many are under way."""
        topic = self._prefix + message.topic
        self._check(topic)
        self._pending.append(self._producer.send(topic, key=message.key, value=message.value))
        if len(self._pending) >= IN_FLIGHT_MAX:
            self._settle()

    def close(self) -> None:
        """Return when every message has been acknowledged; ProblemsError when one was not."""
        try:
            self._settle()
        finally:
            self._producer.close(timeout=5)

    def abandon(self) -> None:
        """Give up at once."""
        self._producer.close(timeout=0)

    def _check(self, topic: str) -> None:
        if topic in self._known:
            return
        try:
            partitions = self._producer.partitions_for(topic)
        except KafkaError as error:
            partitions = None
            reason = f": {error}"
        else:
            reason = ""
        if not partitions:
            hint = "start `ticketpulse up` first: it creates the topics"
            raise ProblemsError(Problem(self._servers, f"no topic {topic!r}{reason}", hint))
        self._known.add(topic)

    def _settle(self) -> None:
        try:
            self._producer.flush(timeout=ACKNOWLEDGED_SECONDS_MAX)
            for future in self._pending:
                future.get(timeout=ACKNOWLEDGED_SECONDS_MAX)
        except KafkaError as error:
            what = f"not everything was acknowledged ({self.sent:,} messages were): {error}"
            hint = "run the import again: events have fixed ids, a repetition counts once"
            raise ProblemsError(Problem(self._servers, what, hint)) from error
        self.sent += len(self._pending)
        self._pending.clear()
