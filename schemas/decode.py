"""Bytes → events. `decode` is total: whatever comes in, an `Event` or a `Rejected` comes out.

Two ways, held equal by a property test: `schemas.fast` (msgspec) for what is right, pydantic for all
else, with exact words for what is wrong.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas import fast, wire
from schemas.customers import REFUSED_IN_CLEAR, Alias, CustomerIds
from schemas.documents import Document, parse
from schemas.encode import digest_of, document_of, encode, key_of, missing_event_id
from schemas.events import Data, EntityKind, Event, Rejected
from schemas.instants import to_ms

__all__ = [
    "EVENT_BYTES_MAX",
    "check_line",
    "decode",
    "digest_of",
    "document_of",
    "encode",
    "key_of",
]

EVENT_BYTES_MAX = 256 * 1024
_SHOWN_MAX = 100
_DETAIL_MAX = 1_000

# Major n → a pure function from an object of version n to one of n + 1. Version 1 is the first, so
# there is none yet. Old majors come by pydantic's way only: right, at a tenth of the speed.
UPCASTERS: dict[int, Callable[[Document], Document]] = {}


class Accepted(NamedTuple):
    """An event that may go on its topic: canonical, and what it tells of changed customer keys."""

    topic: str
    key: bytes
    value: bytes
    aliases: tuple[Alias, ...] = ()


def decode(
    value: bytes | None, *, key: bytes | None, received_ms: int, kind: EntityKind | None = None
) -> Event | Rejected:
    """Decode one record of a source topic. Never raises.

    `received_ms` (the broker's timestamp) becomes `ingested_ms` when the event has none. `key`, when
    given, must be `tenant/source/id`; `kind`, when given, is what the topic carries.
    """
    return _decode(value, key, kind, received_ms, "default")


def check_line(
    raw: bytes,
    *,
    tenant_default: str,
    now_ms: int,
    trust_ingested_at: bool = False,
    customers: CustomerIds = REFUSED_IN_CLEAR,
) -> Accepted | Rejected:
    """Check one event at the edge; `ingested_at` is stamped, the customer's id replaced.

    An event without a tenant gets `tenant_default`. A sender's own `ingested_at` is kept only with
    `trust_ingested_at`. Fields that nobody knows end here.
    """
    event = _decode(raw, None, None, now_ms, tenant_default)
    aliases: tuple[Alias, ...] = ()
    if not isinstance(event, Rejected):
        event, aliases = customers.at_edge(event)
    if isinstance(event, Rejected):
        return event
    if not trust_ingested_at:
        event = msgspec.structs.replace(event, ingested_ms=now_ms)
    encoded = encode(event)
    if len(encoded) > EVENT_BYTES_MAX:  # what is stamped here can lift it over the limit
        return _too_large(len(encoded))
    return Accepted(wire.TOPIC_OF[event.kind], key_of(event), encoded, aliases)


def _decode(
    value: bytes | None,
    key: bytes | None,
    kind: EntityKind | None,
    received_ms: int,
    tenant_default: str,
) -> Event | Rejected:
    if not value:
        return Rejected(reason="empty", detail="no value")
    if len(value) > EVENT_BYTES_MAX:
        return _too_large(len(value))
    event = fast.event_of(value, key, kind, received_ms, tenant_default)
    if event is not None:
        return event
    judged = _decode_slow(value, received_ms, tenant_default)
    return judged if isinstance(judged, Rejected) else _placed(judged, key, kind)


def _too_large(length: int) -> Rejected:
    return Rejected(reason="too_large", detail=f"{length} bytes, at most {EVENT_BYTES_MAX}")


def _placed(event: Event, key: bytes | None, kind: EntityKind | None) -> Event | Rejected:
    """The event, if it may stand on this topic under this key."""
    if kind is not None and event.kind != kind:
        return Rejected(
            reason="wrong_topic",
            detail=f"a {event.kind} event belongs on topic {wire.TOPIC_OF[event.kind]}",
        )
    if key is not None and key != key_of(event):
        shown = key[:_SHOWN_MAX].decode(errors="backslashreplace")
        return Rejected(reason="wrong_key", detail=f"the key must be {event.key}, got {shown}")
    return event


def _decode_slow(value: bytes, received_ms: int, tenant_default: str) -> Event | Rejected:
    document = parse(value)
    if not isinstance(document, Rejected):
        document = _upcast(document)
    if isinstance(document, Rejected):
        return document
    try:
        outer = wire.Envelope.model_validate(document)
    except ValidationError as error:
        return _rejected(error, "")
    entity = _entity(outer)
    if isinstance(entity, Rejected):
        return entity
    kind, entity_id = entity
    data = _data(kind, outer.type, document)
    if isinstance(data, Rejected):
        return data
    event = Event(
        tenant=outer.tenant if "tenant" in document else tenant_default,
        source=outer.source,
        kind=kind,
        entity_id=entity_id,
        event_id=outer.event_id or "",
        type=outer.type,
        occurred_ms=to_ms(outer.occurred_at),
        ingested_ms=received_ms if outer.ingested_at is None else to_ms(outer.ingested_at),
        data=data,
        sequence=outer.sequence,
    )
    if outer.event_id is None:
        event = msgspec.structs.replace(event, event_id=missing_event_id(event))
    return event


def _upcast(document: Document) -> Document | Rejected:
    """The object as the newest version has it; a version that isn't an integer is told later."""
    version = document.get("schema_version")
    while type(version) is int and version in UPCASTERS:
        try:
            document = UPCASTERS[version](document)
        except Exception as error:  # old events are any JSON at all, and decode must not raise
            return Rejected(
                reason="bad_value", detail=f"not a version {version} event: {type(error).__name__}"
            )
        version += 1
        document = {**document, "schema_version": version}
    if type(version) is int and version != wire.VERSION:
        return Rejected(
            reason="unknown_version", detail=f"schema_version {version}", where="schema_version"
        )
    return document


def _entity(outer: wire.Envelope) -> tuple[EntityKind, str] | Rejected:
    ids: dict[EntityKind, str | None] = {
        "ticket": outer.ticket_id,
        "call": outer.call_id,
        "survey": outer.survey_id,
        "shift": outer.shift_id,
    }
    given = [(kind, entity_id) for kind, entity_id in ids.items() if entity_id is not None]
    if len(given) != 1:
        names = " and ".join(f"{kind}_id" for kind, _id in given) or "none"
        return Rejected(
            reason="ambiguous_entity",
            detail=f"exactly one of ticket_id, call_id, survey_id, shift_id must be given, not {names}",
        )
    return given[0]


def _data(kind: EntityKind, type_: str, document: Document) -> Data | Rejected:
    known = wire.TYPES[kind].get(type_)
    if known is None:
        return Rejected(
            reason="unknown_type",
            detail=f"{type_[:_SHOWN_MAX]!r} for a {kind}; known: {', '.join(wire.TYPES[kind])}",
            where="type",
        )
    if "data" not in document:
        return Rejected(reason="missing_field", detail="data: Field required", where="data")
    model, inside = known
    try:
        read = model.model_validate(document["data"])
    except ValidationError as error:
        return _rejected(error, "data")
    return inside(*(_inside(getattr(read, name)) for name in model.model_fields))


def _inside(value: object) -> object:
    """Instants become milliseconds, everything else stays."""
    if isinstance(value, datetime):
        return to_ms(value)
    if isinstance(value, dict):
        return {key: _inside(item) for key, item in value.items()}
    return value


_REASON_OF_ERROR = {
    "missing": "missing_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "timestamp_format": "bad_value",
    "timestamp_naive": "naive_time",
    "timestamp_absurd": "absurd_time",
    "string_too_short": "bad_value",
    "string_pattern_mismatch": "bad_value",
    "literal_error": "bad_value",
    "greater_than_equal": "bad_value",
    "less_than_equal": "bad_value",
    "answer": "bad_value",
}

# pydantic's own words for these speak of Python
_WORDS = {
    "dict_type": "Input should be a JSON object",
    "model_type": "Input should be a JSON object",
    "string_pattern_mismatch": "No control characters here, and no / in tenant and source",
}


def _rejected(error: ValidationError, parent: str) -> Rejected:
    """All mistakes in one text; the reason and the place are those of the first."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    told = "; ".join(
        f"{_place(item, parent)}: {_WORDS.get(item['type'], item['msg'])}" for item in errors
    )
    return Rejected(
        reason=_REASON_OF_ERROR.get(errors[0]["type"], "wrong_type"),
        detail=told[:_DETAIL_MAX],
        where=_place(errors[0], parent),
    )


def _place(error: ErrorDetails, parent: str) -> str:
    parts = [parent] if parent else []
    return ".".join([*parts, *(str(part)[:_SHOWN_MAX] for part in error["loc"])])
