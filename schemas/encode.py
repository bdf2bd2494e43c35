"""Events → wire JSON, and what is computed from it: digest, missing event id."""

import hashlib
from typing import Any, Literal

import msgspec
import orjson

from schemas import wire
from schemas.documents import Document, Json
from schemas.events import Data, EntityKind, Event
from schemas.instants import rfc3339

_astuple = msgspec.structs.astuple

_Form = Literal["plain", "instant", "instants"]
_Cell = Any  # a field's value inside; its form says what it is


def _form_of(name_inside: str) -> _Form:
    if name_inside.endswith("_ms"):
        return "instant"
    return "instants" if name_inside == "targets" else "plain"


# (entity, type) → per field: name on the wire, and whether it is an instant or a map of instants
_FIELDS: dict[tuple[EntityKind, str], tuple[tuple[str, _Form], ...]] = {
    (kind, name): tuple(
        (outside, _form_of(inside))
        for outside, inside in zip(model.model_fields, data.__struct_fields__, strict=True)
    )
    for kind, types in wire.TYPES.items()
    for name, (model, data) in types.items()
}


def encode(event: Event) -> bytes:
    """Canonical wire JSON (keys sorted, no blanks, no nulls); `decode` gives the same event back."""
    return orjson.dumps(document_of(event), option=orjson.OPT_SORT_KEYS)


def key_of(event: Event) -> bytes:
    """Key of the event's record: `tenant/source/id`."""
    return event.key.encode()


def document_of(event: Event) -> Document:
    """The event as its wire object: nothing that is null or empty, instants as RFC 3339 in UTC."""
    document = _content(event)
    document["event_id"] = event.event_id
    document["ingested_at"] = rfc3339(event.ingested_ms)
    return document


def digest_of(event: Event) -> str:
    """Hex sha256 of the event's content (all but `ingested_at`) as canonical JSON.

    `event.digest` when it is set; else rendered from the event as it was understood, so that notation
    (blanks, order of fields, offset of a time, fields nobody knows) makes no difference.
    """
    if event.digest:
        return event.digest
    content = _content(event)
    content["event_id"] = event.event_id
    return _sha256(content)


def missing_event_id(event: Event) -> str:
    """The id of an event whose source gave none: `h-` and 32 hex digits of a hash of its content
    without tenant and `ingested_at`. The same event sent twice gets the same id; two events that
    differ in nothing that is read here are one.
    """
    content = _content(event)
    del content["tenant"]
    return "h-" + _sha256(content)[:32]


def _content(event: Event) -> Document:
    document: Document = {
        "schema_version": wire.VERSION,
        "tenant": event.tenant,
        "source": event.source,
        "type": event.type,
        "occurred_at": rfc3339(event.occurred_ms),
        f"{event.kind}_id": event.entity_id,
        "data": _data_document(event.kind, event.type, event.data),
    }
    if event.sequence is not None:
        document["sequence"] = event.sequence
    return document


def _data_document(kind: EntityKind, type_: str, data: Data) -> Document:
    document: Document = {}
    for (name, form), value in zip(_FIELDS[kind, type_], _astuple(data), strict=True):
        if value is None or value == {}:
            continue
        document[name] = _outside(form, value)
    return document


def _outside(form: _Form, value: _Cell) -> Json:
    """A field's value as it stands on the wire."""
    if form == "instant":
        return rfc3339(value)
    if form == "instants":
        return {clock: rfc3339(instant_ms) for clock, instant_ms in value.items()}
    return value


def _sha256(content: Document) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
