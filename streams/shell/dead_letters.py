"""Dead letters as they stand on their topic: read, and put back onto the topic that they came from.

A letter that was put back is told by a newer row of the same key with the reason `retried`; what it was
rejected for goes on in its detail. If the record fails again it is a new letter, at its new offset.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from schemas.instants import rfc3339
from schemas.problems import Problem, ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE, TOPICS
from streams.runtime.portions import portions
from streams.shell.kafka_security import security_of
from streams.shell.sealing import SealedError, Sealer
from streams.shell.settings import Settings
from streams.shell.tool_producer import tool_producer

TOPIC = OUTCOME_TOPIC_OF_TABLE["dead_letters"]
RETRIED = "retried"
POLL_MS = 500
REACH_MS = 5_000
IDLE_POLLS_MAX = 20
RETRY_AT_ONCE = 500
_SOURCES = frozenset(spec.name for spec in TOPICS if spec.role == "source")


class Letter(NamedTuple):
    """One dead letter. `row` is as published; see `schemas.outcomes.DeadLetterRow`."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes
    sealed: str
    recorded_at: str
    row: dict[str, object]

    @property
    def name(self) -> str:
        """topic/partition/offset: where the record lies that was rejected."""
        return f"{self.topic}/{self.partition}/{self.offset}"


Wanted = Callable[[Letter], bool]


def read_letters(settings: Settings, wanted: Wanted) -> list[Letter]:
    """Those that are wanted, the newest row of each, oldest first. ProblemsError when no broker answers."""
    found: dict[str, Letter] = {}
    try:
        with closing(_consumer(settings)) as consumer:
            for value in _values(consumer, settings.topic_prefix + TOPIC):
                letter = letter_of(value)
                known = found.get(letter.name)
                if known is None or _version(letter) >= _version(known):
                    found[letter.name] = letter
    except KafkaError as error:
        what = f"Kafka can't be read: {error}"
        hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
        raise ProblemsError(Problem(settings.broker_url, what, hint)) from error
    letters = [letter for letter in found.values() if wanted(letter)]
    return sorted(letters, key=lambda one: (one.recorded_at, one.name))


def letter_of(value: bytes) -> Letter:
    """A row of the topic."""
    row = orjson.loads(value)
    return Letter(
        row["topic"],
        row["partition"],
        row["offset"],
        row["reason"],
        row["detail"],
        b64decode(row["key"]),
        row["original"],
        row["recorded_at"],
        row,
    )


class Opened(NamedTuple):
    """A letter that can be put back."""

    letter: Letter
    original: bytes


def retriable(
    letters: Iterable[Letter], prefix: str, sealer: Sealer
) -> tuple[list[Opened], list[Problem]]:
    """Those that can be put back, and why others can't."""
    fine: list[Opened] = []
    problems: list[Problem] = []
    for letter in letters:
        if letter.reason == RETRIED:
            problems.append(Problem(letter.name, "it was put back already", "see its new letter"))
        elif letter.topic.removeprefix(prefix) not in _SOURCES:
            what = f"it is no record of a source topic but of {letter.topic}"
            problems.append(Problem(letter.name, what, "run the migrations; the writer repeats it"))
        else:
            try:
                original = sealer.open(letter.sealed)
            except SealedError as error:
                problems.append(Problem(letter.name, str(error)))
                continue
            if original:
                fine.append(Opened(letter, original))
            else:
                what = "its original is empty: there is nothing to put back"
                problems.append(Problem(letter.name, what, "send the event again from its source"))
    return fine, problems


async def retry_letters(settings: Settings, letters: Sequence[Opened], now_ms: int) -> None:
    """Put the originals back, then say so. Interrupted in between, some may be put back again: an event
    that comes twice counts once."""
    # Letters name their topics whole.
    async with tool_producer(settings, "ticketpulse-deadletters", topic_prefix="") as producer:
        for part in portions(letters, RETRY_AT_ONCE):
            for topic in {one.letter.topic for one in part}:
                records = [
                    (one.letter.key, one.original) for one in part if one.letter.topic == topic
                ]
                await producer.publish(topic, records)
            said = [(one.letter.name.encode(), _retried(one.letter, now_ms)) for one in part]
            await producer.publish(settings.topic_prefix + TOPIC, said)


def _retried(letter: Letter, now_ms: int) -> bytes:
    return orjson.dumps(
        {
            **letter.row,
            "reason": RETRIED,
            "detail": f"was {letter.reason}: {letter.detail}"[:2_000],
            "recorded_at": rfc3339(now_ms),
            "version": _version(letter) + 1,
        }
    )


def _version(letter: Letter) -> int:
    version = letter.row["version"]
    assert isinstance(version, int)
    return version


def _consumer(settings: Settings) -> KafkaConsumer:
    if settings.broker_url == "embedded":
        what = "the embedded broker's letters end with it"
        hint = "name a Kafka: TICKETPULSE_BROKER_URL=host:port"
        raise ProblemsError(Problem("broker_url", what, hint))
    try:
        return KafkaConsumer(
            bootstrap_servers=settings.broker_url.split(","),
            bootstrap_timeout_ms=REACH_MS,
            **security_of(settings).options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
    except (KafkaError, OSError, ValueError) as error:
        what = f"Kafka can't be reached: {error}"
        hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
        raise ProblemsError(Problem(settings.broker_url, what, hint)) from error


def _values(consumer: KafkaConsumer, topic: str) -> Iterable[bytes]:
    """Every value that is on the topic now."""
    partitions = consumer.partitions_for_topic(topic)
    if not partitions:
        hint = "run `ticketpulse topics apply`, or check TICKETPULSE_TOPIC_PREFIX"
        raise ProblemsError(Problem(topic, "there is no such topic", hint))
    wheres = [TopicPartition(topic, number) for number in sorted(partitions)]
    consumer.assign(wheres)
    consumer.seek_to_beginning(*wheres)
    ends = consumer.end_offsets(wheres)
    idle = 0
    while any(consumer.position(where) < ends[where] for where in wheres):
        found = consumer.poll(timeout_ms=POLL_MS)
        idle = 0 if found else idle + 1
        if idle > IDLE_POLLS_MAX:
            hint = "is the broker in trouble? try again"
            raise ProblemsError(Problem(topic, "the broker gives no more records", hint))
        for records in found.values():
            yield from (record.value for record in records)
