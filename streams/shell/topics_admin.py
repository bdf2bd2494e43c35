"""Topics as they should be, against topics as they are. Creates what is missing, changes nothing else.

kafka-python's admin client is synchronous: call these from a thread.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from schemas.problems import Problem, ProblemsError
from schemas.topics import TOPICS, TopicSpec
from streams.runtime.security import PLAINTEXT, KafkaSecurity

REACH_MS = 5_000
ANSWER_MS = 15_000


@dataclass(frozen=True, slots=True)
class Drift:
    """A topic that isn't as declared: setting → (wanted, found)."""

    topic: str
    settings: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TopicsPlan:
    """What `apply` would create, and what it would leave alone though it differs."""

    missing: list[str] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)
    fine: list[str] = field(default_factory=list)


def wanted_config(spec: TopicSpec) -> dict[str, str]:
    """A topic's settings, as Kafka names them."""
    config = {
        "cleanup.policy": spec.cleanup,
        "max.message.bytes": str(spec.max_message_bytes),
    }
    if "compact" in spec.cleanup:
        config["min.compaction.lag.ms"] = str(spec.min_compaction_lag_ms)
        if spec.max_compaction_lag_ms:
            config["max.compaction.lag.ms"] = str(spec.max_compaction_lag_ms)
    if "delete" in spec.cleanup:
        config["retention.ms"] = str(spec.retention_ms)
    return config


def plan_topics(
    bootstrap: str, partitions: int, prefix: str = "", security: KafkaSecurity = PLAINTEXT
) -> TopicsPlan:
    """Compare. ProblemsError when no broker answers."""
    with _admin(bootstrap, security) as admin:
        return _plan(admin, partitions, prefix)


def ensure_topics(
    bootstrap: str,
    partitions: int,
    prefix: str = "",
    replication: int = -1,
    security: KafkaSecurity = PLAINTEXT,
) -> TopicsPlan:
    """Create what is missing; returns what was planned. What exists is never changed."""
    with _admin(bootstrap, security) as admin:
        plan = _plan(admin, partitions, prefix)
        new = [
            NewTopic(
                prefix + spec.name,
                spec.partitions or partitions,
                replication,
                topic_configs=wanted_config(spec),
            )
            for spec in TOPICS
            if prefix + spec.name in plan.missing
        ]
        if new:
            try:
                admin.create_topics(new, timeout_ms=ANSWER_MS)
            except TopicAlreadyExistsError:
                pass  # another process was faster; its topics are made from the same declaration
            except KafkaError as error:
                what = f"the topics can't be created: {error}"
                hint = "see `ticketpulse topics plan`; the user needs the right to create topics"
                raise ProblemsError(Problem(bootstrap, what, hint)) from error
            _until_seen(admin, bootstrap, {topic.name for topic in new})
        return plan


def _until_seen(admin: KafkaAdminClient, bootstrap: str, names: set[str]) -> None:
    """A broker answers before it knows of the new topics itself; who asked for one then would be told
    that there is none."""
    end = time.monotonic() + ANSWER_MS / 1_000
    while not names <= set(admin.list_topics()):
        if time.monotonic() > end:
            what = "the topics were created, but the broker doesn't show them"
            raise ProblemsError(Problem(bootstrap, what, "see `ticketpulse topics plan`"))
        time.sleep(0.05)


def _plan(admin: KafkaAdminClient, partitions: int, prefix: str) -> TopicsPlan:
    existing = set(admin.list_topics())
    plan = TopicsPlan(missing=[prefix + s.name for s in TOPICS if prefix + s.name not in existing])
    present = [spec for spec in TOPICS if prefix + spec.name in existing]
    if not present:
        return plan
    counts = {
        topic["name"]: len(topic["partitions"])
        for topic in admin.describe_topics([prefix + spec.name for spec in present])
    }
    configs = _configs(admin, [prefix + spec.name for spec in present])
    for spec in present:
        name = prefix + spec.name
        found = {"partitions": str(counts.get(name, 0)), **configs.get(name, {})}
        wanted = {"partitions": str(spec.partitions or partitions), **wanted_config(spec)}
        differing = {
            key: (value, found[key])
            for key, value in wanted.items()
            if key in found and found[key] != value
        }
        if differing:
            plan.drift.append(Drift(name, differing))
        else:
            plan.fine.append(name)
    return plan


def _configs(admin: KafkaAdminClient, topics: list[str]) -> dict[str, dict[str, str]]:
    """Settings by topic; none where the broker doesn't tell (the embedded one)."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    try:
        described = admin.describe_configs(resources)
    except KafkaError:
        return {}
    topics_found = described.get("topic", {}) if isinstance(described, dict) else {}
    return {
        name: {
            key: str(value["value"] if isinstance(value, dict) else value)
            for key, value in settings.items()
        }
        for name, settings in topics_found.items()
    }


@contextmanager
def _admin(bootstrap: str, security: KafkaSecurity) -> Iterator[KafkaAdminClient]:
    addresses = [address.strip() for address in bootstrap.split(",")]
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=addresses, bootstrap_timeout_ms=REACH_MS, **security.options()
        )
    except (KafkaError, OSError, ValueError) as error:
        what = f"Kafka can't be reached: {error}"
        hint = "start the broker, or correct TICKETPULSE_BROKER_URL"
        raise ProblemsError(Problem(bootstrap, what, hint)) from error
    try:
        yield admin
    finally:
        admin.close()
