"""Topics: made from their declaration, compared with it, never changed."""

import os
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from typer.testing import CliRunner

from schemas.topics import TOPICS
from streams.cli.app import app
from streams.shell.topics_admin import Drift, ensure_topics, plan_topics
from tests.integration.broker import REAL_BROKER, broker_address

pytestmark = pytest.mark.kafka

_numbers = count()
EVERY = [spec.name for spec in TOPICS]


@pytest.fixture
def prefix() -> str:
    """Topics of this test alone."""
    return f"topics-{os.getpid()}-{next(_numbers)}-"


@pytest.fixture
def admin() -> Iterator[KafkaAdminClient]:
    client = KafkaAdminClient(bootstrap_servers=[broker_address()])
    yield client
    client.close()


def until(true: Callable[[], object]) -> None:
    """A real broker shows after a while what it has confirmed."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "the broker does not show what was done"


def cli(prefix: str, *arguments: str, partitions: int = 2) -> tuple[int, str]:
    """Exit code and output of `ticketpulse topics`."""
    environment = {
        "TICKETPULSE_BROKER_URL": broker_address(),
        "TICKETPULSE_TOPIC_PREFIX": prefix,
        "TICKETPULSE_PARTITIONS": str(partitions),
        "COLUMNS": "200",
    }
    result = CliRunner().invoke(app, ["topics", *arguments], env=environment)
    return result.exit_code, result.output


def test_what_is_missing_is_made_once(prefix: str, admin: KafkaAdminClient) -> None:
    names = [prefix + name for name in EVERY]
    assert plan_topics(broker_address(), 2, prefix).missing == names

    assert ensure_topics(broker_address(), 2, prefix, replication=1).missing == names

    again = ensure_topics(broker_address(), 2, prefix, replication=1)
    assert (again.missing, again.drift, again.fine) == ([], [], names)
    found = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(names)}
    assert found == {prefix + spec.name: spec.partitions or 2 for spec in TOPICS}


def test_only_what_is_missing_is_made(prefix: str, admin: KafkaAdminClient) -> None:
    admin.create_topics([NewTopic(f"{prefix}calls", 5, 1)])
    until(lambda: f"{prefix}calls" in admin.list_topics())

    made = ensure_topics(broker_address(), 2, prefix)

    assert made.missing == [prefix + name for name in EVERY if name != "calls"]
    (calls,) = admin.describe_topics([f"{prefix}calls"])
    assert len(calls["partitions"]) == 5  # adding or taking partitions would move keys


def test_another_number_of_partitions_is_told(prefix: str) -> None:
    ensure_topics(broker_address(), 2, prefix)

    drift = plan_topics(broker_address(), 3, prefix).drift

    own_number = {spec.name for spec in TOPICS if spec.partitions is not None}
    assert drift == [
        Drift(prefix + name, {"partitions": ("3", "2")}) for name in EVERY if name not in own_number
    ]


@pytest.mark.skipif(not REAL_BROKER, reason="the embedded broker keeps no topic settings")
def test_another_setting_is_told(prefix: str, admin: KafkaAdminClient) -> None:
    ensure_topics(broker_address(), 2, prefix)
    topic = f"{prefix}tickets"
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "1000"})]
    )

    until(lambda: plan_topics(broker_address(), 2, prefix).drift)

    drift = plan_topics(broker_address(), 2, prefix).drift
    assert drift == [Drift(topic, {"retention.ms": ("604800000", "1000")})]
    assert ensure_topics(broker_address(), 2, prefix).drift == drift  # told, and left as it is
    assert plan_topics(broker_address(), 2, prefix).drift == drift


def test_the_commands_say_what_is_and_what_was_done(prefix: str) -> None:
    code, said = cli(prefix, "plan")
    assert code == 1
    assert said.count("missing") == len(EVERY)

    code, said = cli(prefix, "apply")
    assert code == 0
    assert [line for line in said.splitlines() if line.startswith("created ")] == [
        f"created {prefix}{name}" for name in EVERY
    ]
    assert said.count(" fine ") == len(EVERY)

    assert cli(prefix, "plan")[0] == 0
    code, said = cli(prefix, "plan", partitions=3)
    assert code == 1
    assert f"{prefix}tickets: partitions is 2, should be 3. Keys would move" in said


def test_a_broker_must_be_named() -> None:
    result = CliRunner().invoke(app, ["topics", "plan", "--broker", "embedded"])

    assert result.exit_code == 2
    assert "the embedded broker makes its topics itself" in result.output
