"""Messages → Kafka, every one acknowledged or a loud failure."""

import socket
from typing import Any

from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from schemas.problems import Problem, ProblemsError
from streams.importing.sorting import Message

IN_FLIGHT_MAX = 20_000
ACKNOWLEDGED_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 5.0


class KafkaPublisher:
    """Publishes in order per key, `acks=all`. Timestamps are left to the broker: an old event's own
    would make the topic's retention delete it at once."""

    def __init__(self, servers: str, entity_topic: str, topic_prefix: str = "") -> None:
        """ProblemsError when no broker answers, or the topic isn't there."""
        self._servers = servers
        self._prefix = topic_prefix
        self._pending: list[Any] = []
        self.sent = 0
        addresses = [address.strip() for address in servers.split(",")]
        _check_reachable(servers, addresses)
        try:
            self._check_topic(addresses, topic_prefix + entity_topic)
            self._producer = KafkaProducer(
                bootstrap_servers=addresses,
                acks="all",
                linger_ms=20,
                batch_size=256 * 1024,
                allow_auto_create_topics=False,
                enable_idempotence=False,  # event ids make a repetition harmless
                retries=5,
                bootstrap_timeout_ms=int(ANSWER_SECONDS_MAX * 1_000),
            )
        except KafkaError as error:
            raise ProblemsError(Problem(servers, f"the Kafka broker fails: {error}")) from error

    def send(self, message: Message) -> None:
        """Queue a message; waits for acknowledgements when too many are under way."""
        topic = self._prefix + message.topic
        self._pending.append(self._producer.send(topic, key=message.key, value=message.value))
        if len(self._pending) >= IN_FLIGHT_MAX:
            self._settle()

    def close(self) -> None:
        """Return when every message has been acknowledged; ProblemsError when one was not."""
        self._settle()
        self._producer.close(timeout=ANSWER_SECONDS_MAX)

    def abandon(self) -> None:
        """Give up at once."""
        self._producer.close(timeout=0)

    def _check_topic(self, addresses: list[str], topic: str) -> None:
        """Asked beforehand: some brokers make a topic of any name, with partitions of their choice."""
        timeout_ms = int(ANSWER_SECONDS_MAX * 1_000)
        admin = KafkaAdminClient(bootstrap_servers=addresses, bootstrap_timeout_ms=timeout_ms)
        try:
            known = admin.list_topics()
        finally:
            admin.close()
        if topic not in known:
            hint = "start `ticketpulse up` first: it creates the topics"
            raise ProblemsError(Problem(self._servers, f"no topic {topic!r}", hint))

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


def _check_reachable(servers: str, addresses: list[str]) -> None:
    """Somebody listens at one of the addresses; the client itself would try for half a minute."""
    reason = ""
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            hint = "write host:port[,host:port]"
            raise ProblemsError(Problem("--broker", f"{address!r} is no address", hint))
        try:
            with socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS_MAX):
                return
        except OSError as error:
            reason = error.strerror or str(error)
    hint = "is it running? name it with --broker host:port"
    raise ProblemsError(Problem(servers, f"no Kafka broker answers: {reason}", hint))
