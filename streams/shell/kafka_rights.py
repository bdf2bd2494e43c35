"""What each role may do on Kafka, no more: derived from the topics' declaration, given as ACLs."""

from collections.abc import Iterator
from contextlib import closing
from typing import Literal, NamedTuple

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
)
from kafka.errors import KafkaError

from schemas.problems import Problem, ProblemsError
from schemas.topics import OUTCOME_TOPIC_OF_TABLE, TOPICS, TopicSpec
from streams.shell.kafka_security import security_of
from streams.shell.settings import Settings

RoleName = Literal["compute", "writer", "notifier", "registrar", "dashboard"]
REACH_MS = 10_000
# Every role compares the topics with their declaration when it starts.
_LOOK = ("DESCRIBE", "DESCRIBE_CONFIGS")


class Right(NamedTuple):
    """Operations on one resource, as Kafka names them."""

    resource: Literal["TOPIC", "GROUP", "CLUSTER"]
    name: str
    operations: tuple[str, ...]


def rights_of(role: RoleName, settings: Settings) -> list[Right]:
    """Least privilege: what the role does, and nothing else."""
    prefix = settings.topic_prefix
    rights = [
        Right("TOPIC", prefix + spec.name, (*_LOOK, *_operations(role, spec))) for spec in TOPICS
    ]
    if role != "dashboard":
        group = f"{prefix}{settings.group}-{role}"
        rights.append(Right("GROUP", group, ("READ", "DESCRIBE")))
    if role != "writer":
        rights.append(Right("CLUSTER", "kafka-cluster", ("IDEMPOTENT_WRITE",)))
    return rights


def _operations(role: RoleName, spec: TopicSpec) -> Iterator[str]:
    reads = {
        "compute": spec.role in ("source", "changelog") or spec.name == "policies",
        "writer": spec.role == "outcome",
        "notifier": spec.name in (OUTCOME_TOPIC_OF_TABLE["alert_intents"], "notifications"),
        "registrar": spec.name in (OUTCOME_TOPIC_OF_TABLE["tickets"], "complaint-requests"),
        "dashboard": False,
    }
    writes = {
        "compute": spec.role in ("outcome", "changelog"),
        "writer": False,
        "notifier": spec.name == "notifications",
        "registrar": spec.name
        in (OUTCOME_TOPIC_OF_TABLE["complaint_numbers"], "complaint-requests"),
        "dashboard": spec.role == "source",
    }
    if reads[role]:
        yield "READ"
    if writes[role]:
        yield "WRITE"


def grant(settings: Settings, rights: list[Right], user: str) -> None:
    """Give them to a user. Twice changes nothing. ProblemsError when the broker says no."""
    acls = [
        ACL(
            principal=f"User:{user}",
            host="*",
            operation=ACLOperation[operation],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(ResourceType[right.resource], right.name),
        )
        for right in rights
        for operation in right.operations
    ]
    try:
        with closing(
            KafkaAdminClient(
                bootstrap_servers=settings.broker_url.split(","),
                bootstrap_timeout_ms=REACH_MS,
                **security_of(settings).options(),
            )
        ) as admin:
            failed = admin.create_acls(acls)["failed"]
    except (KafkaError, OSError, ValueError) as error:
        what = f"Kafka can't be reached: {error}"
        hint = "start the broker, or correct TICKETPULSE_BROKER_URL and TICKETPULSE_KAFKA_SECURITY"
        raise ProblemsError(Problem(settings.broker_url, what, hint)) from error
    if failed:
        hint = "grant as a user who may: ALTER on the cluster, and an authorizer on the broker"
        raise ProblemsError(Problem(settings.broker_url, str(failed[0]), hint))
