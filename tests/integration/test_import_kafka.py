"""`ticketpulse import --to kafka` against a real broker."""

import csv
import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from typer.testing import CliRunner

from schemas.decode import decode
from schemas.events import Event
from streams.cli.app import app
from streams.importing import BOSTON_SAMPLE, messages_of
from tests.integration.broker import broker_address

pytestmark = pytest.mark.kafka

PARTITIONS = 3
LIMIT = 500


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    prefix = f"import-{uuid4().hex[:8]}-"
    monkeypatch.setenv("TICKETPULSE_TOPIC_PREFIX", prefix)
    return prefix


@pytest.fixture
def topic(prefix: str) -> Iterator[str]:
    admin = KafkaAdminClient(bootstrap_servers=broker_address())
    admin.create_topics([NewTopic(f"{prefix}tickets", PARTITIONS, 1)])
    yield f"{prefix}tickets"
    admin.close()


def published(topic: str) -> list[list[tuple[bytes, bytes]]]:
    """(key, value) per partition, read by an independent client."""
    consumer = KafkaConsumer(bootstrap_servers=broker_address(), consumer_timeout_ms=3_000)
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    found: list[list[tuple[bytes, bytes]]] = [[] for _ in partitions]
    for record in consumer:
        found[record.partition].append((record.key, record.value))
    consumer.close()
    return found


def import_sample(tmp_path: Path, *options: str) -> tuple[int, str]:
    command = ["import", str(BOSTON_SAMPLE), "--mapping", "boston311", "--limit", str(LIMIT)]
    rejected = ["--rejected", str(tmp_path / "rejected.jsonl")]
    result = CliRunner().invoke(app, [*command, *rejected, "--to", "kafka", *options])
    return result.exit_code, result.output


def test_every_event_arrives_in_order_per_key(topic: str, tmp_path: Path) -> None:
    code, told = import_sample(tmp_path, "--broker", broker_address())
    assert code == 0, told
    parts = published(topic)
    events = [decode(value, key=key, received_ms=0, kind="ticket") for part in parts for key, value in part]  # fmt: skip
    assert all(isinstance(event, Event) for event in events)
    ids = {event.event_id for event in events if isinstance(event, Event)}
    cases = _cases()
    wanted = [item for item in messages_of(BOSTON_SAMPLE, "boston311") if _case(item.key) in cases]
    assert sorted(value for part in parts for _key, value in part) == (
        sorted(item.value for item in wanted)
    )
    assert len(ids) == len(events) == len(wanted)
    assert all(len(part) > 0 for part in parts)
    for part in parts:
        known = [event.ingested_ms for key, value in part if isinstance(event := decode(value, key=key, received_ms=0), Event)]  # fmt: skip
        assert known == sorted(known)


def _case(key: bytes) -> str:
    return key.decode().rsplit("/", 1)[1]


def _cases() -> set[str]:
    with gzip.open(BOSTON_SAMPLE, "rt", newline="") as file:
        return {row["case_enquiry_id"] for row in islice(csv.DictReader(file), LIMIT)}


def test_a_missing_topic_is_told(prefix: str, tmp_path: Path) -> None:
    code, told = import_sample(tmp_path, "--broker", broker_address())
    assert code == 2
    assert f"no topic '{prefix}tickets'" in told
    assert "ticketpulse up" in told


def test_a_missing_broker_is_told(tmp_path: Path) -> None:
    code, told = import_sample(tmp_path, "--broker", "127.0.0.1:1")
    assert code == 2
    assert "no Kafka broker answers" in told


def test_the_embedded_broker_must_be_named(tmp_path: Path) -> None:
    code, told = import_sample(tmp_path)
    assert code == 2
    assert "the embedded broker lives only inside" in told
