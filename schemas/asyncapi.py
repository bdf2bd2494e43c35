"""The AsyncAPI description of every public topic: where events and policies go in and outcome rows come
out.

Changelogs are left out: what stands in them is private to the compute role.
"""

from typing import Literal

from schemas.documents import Document
from schemas.topics import TOPICS, TopicSpec
from schemas.wire import TOPIC_OF, VERSION

_KIND_OF_TOPIC = {topic: kind for kind, topic in TOPIC_OF.items()}
PUBLIC_TOPICS = tuple(spec for spec in TOPICS if spec.role != "changelog")


def event_file(kind: str) -> str:
    """Where the JSON Schema of an entity's events lies, below `schemas/json`."""
    return f"events/{VERSION}/{kind}.json"


def row_file(table: str) -> str:
    """Where the JSON Schema of a table's rows lies, below `schemas/json`."""
    return f"rows/{table}.json"


def control_file(topic: str) -> str:
    """Where the JSON Schema of a control topic's records lies, below `schemas/json`."""
    return f"control/{topic}.json"


def asyncapi() -> Document:
    """The document, in AsyncAPI 3.0; `receive` and `send` are seen from ticketpulse."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ticketpulse",
            "version": f"{VERSION}.0.0",
            "description": (
                "Service-ticket events in, SLA outcomes out. Names may carry the prefix of "
                "TICKETPULSE_TOPIC_PREFIX. Delivery is at least once: rows are absolute and "
                "versioned, events carry ids, so twice is as good as once."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {spec.name: _channel(spec) for spec in PUBLIC_TOPICS},
        "operations": {_operation_name(spec): _operation(spec) for spec in PUBLIC_TOPICS},
        "components": {"messages": {spec.name: _message(spec) for spec in PUBLIC_TOPICS}},
    }


def _channel(spec: TopicSpec) -> Document:
    return {
        "address": spec.name,
        "description": spec.meaning,
        "messages": {"message": {"$ref": f"#/components/messages/{spec.name}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "topicConfiguration": {
                    "cleanup.policy": [spec.cleanup],
                    "retention.ms": spec.retention_ms,
                    "max.message.bytes": spec.max_message_bytes,
                },
            }
        },
    }


def _action(spec: TopicSpec) -> Literal["receive", "send"]:
    return "send" if spec.role == "outcome" else "receive"


def _operation_name(spec: TopicSpec) -> str:
    return f"{_action(spec)}-{spec.name}"


def _operation(spec: TopicSpec) -> Document:
    return {"action": _action(spec), "channel": {"$ref": f"#/channels/{spec.name}"}}


def _message(spec: TopicSpec) -> Document:
    return {
        "title": spec.value,
        "payload": {"$ref": f"./{_payload_file(spec)}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": spec.key}}},
    }


def _payload_file(spec: TopicSpec) -> str:
    if spec.role == "control":
        return control_file(spec.name)
    return event_file(_KIND_OF_TOPIC[spec.name]) if spec.table is None else row_file(spec.table)
