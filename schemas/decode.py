"""Bytes ↔ events. `decode` is total: whatever comes in, an `Event` or a `Rejected` comes out.

Two ways through, held equal by a property test: msgspec (about two microseconds) for what is right,
pydantic for the exact words when something is wrong. Versions: `UPCASTERS` maps an older major to a
pure function on the JSON object; version 1 is the first, so there is none yet.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import get_type_hints

import msgspec
import orjson
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas import wire
from schemas.events import Data, EntityKind, Event, Rejected
from schemas.instants import rfc3339, to_ms

EVENT_BYTES_MAX = 256 * 1024
DEPTH_MAX = 1_000
VERSION = 1

Json = object
UPCASTERS: dict[int, Callable[[dict[str, Json]], dict[str, Json]]] = {}


class _Envelope(msgspec.Struct):
    schema_version: int
    source: wire.IdPart
    type: wire.Text
    occurred_at: wire.Instant
    data: msgspec.Raw
    tenant: wire.IdPart = "default"
    event_id: wire.Id | None = None
    sequence: wire.Sequence | None = None
    ingested_at: wire.Instant | None = None
    ticket_id: wire.Id | None = None
    call_id: wire.Id | None = None
    survey_id: wire.Id | None = None


def _hot_struct(model: type[wire.Wire]) -> type[msgspec.Struct]:
    """The msgspec twin of a wire model, from the same annotations."""
    hints = get_type_hints(model, include_extras=True)
    fields = [
        (name, hints[name], msgspec.NODEFAULT if field.is_required() else field.get_default())
        for name, field in model.model_fields.items()
    ]
    return msgspec.defstruct(model.__name__, fields, kw_only=True)


def _plain(value: object) -> object:
    """Instants become milliseconds, everything else stays."""
    if isinstance(value, datetime):
        return to_ms(value)
    if isinstance(value, dict) and value:
        return {key: _plain(item) for key, item in value.items()}
    return value


class _DataDecoder:
    """Decodes `data` of one type, both ways."""

    def __init__(self, model: type[wire.Wire], inside: type[Data]) -> None:
        struct = _hot_struct(model)
        names = tuple(model.model_fields)
        hints = get_type_hints(model)
        self.model = model
        self.inside = inside
        self.names = names
        self.hot = msgspec.json.Decoder(struct)
        self.has_instants = any("datetime" in str(hints[name]) for name in names)

    def fast(self, raw: msgspec.Raw) -> Data:
        """Raises msgspec.ValidationError or DecodeError."""
        return self._build(self.hot.decode(raw))

    def slow(self, value: object) -> Data:
        """Raises pydantic.ValidationError."""
        return self._build(self.model.model_validate_json(orjson.dumps(value)))

    def _build(self, source: object) -> Data:
        values = [getattr(source, name) for name in self.names]
        if self.has_instants:
            for value in values:
                _check_years(value)
            values = [_plain(value) for value in values]
        return self.inside(*values)


def _check_years(value: object) -> None:
    """The hot path's own check: msgspec has no bound for instants."""
    if isinstance(value, datetime):
        if not wire.YEAR_MIN < value.year < wire.YEAR_MAX:
            message = "absurd year"
            raise msgspec.ValidationError(message)
    elif isinstance(value, dict):
        for item in value.values():
            _check_years(item)


_HOT_ENVELOPE = msgspec.json.Decoder(_Envelope)
_DATA: Mapping[EntityKind, Mapping[str, _DataDecoder]] = {
    kind: {name: _DataDecoder(model, inside) for name, (model, inside) in types.items()}
    for kind, types in wire.TYPES.items()
}


def decode(
    value: bytes | None, *, key: bytes | None, received_ms: int, kind: EntityKind | None = None
) -> Event | Rejected:
    """Decode one record of a source topic. Never raises.

    `received_ms` (the broker's timestamp) becomes `ingested_ms` when the event has none. `key`, when
    given, must be `tenant/source/id`; `kind`, when given, is what the topic carries.
    """
    if not value:
        return Rejected(reason="empty", detail="no value")
    if len(value) > EVENT_BYTES_MAX:
        return Rejected(reason="too_large", detail=f"{len(value)} bytes, at most {EVENT_BYTES_MAX}")
    event: Event | Rejected
    try:
        event = _decode_fast(value, received_ms)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, KeyError):
        event = _decode_slow(value, received_ms)
    if isinstance(event, Rejected):
        return event
    if kind is not None and event.kind != kind:
        return Rejected(
            reason="wrong_topic",
            detail=f"a {event.kind} event belongs on topic {wire.TOPIC_OF[event.kind]}",
        )
    if key is not None and key != event.key.encode():
        return Rejected(
            reason="wrong_key", detail=f"the key must be {event.key}, got {_shown(key)}"
        )
    return event


def _decode_fast(value: bytes, received_ms: int) -> Event:
    outer = _HOT_ENVELOPE.decode(value)
    ticket_id = outer.ticket_id
    if ticket_id is not None and outer.call_id is None and outer.survey_id is None:
        kind, entity_id = "ticket", ticket_id
    elif outer.call_id is not None and ticket_id is None and outer.survey_id is None:
        kind, entity_id = "call", outer.call_id
    elif outer.survey_id is not None and ticket_id is None and outer.call_id is None:
        kind, entity_id = "survey", outer.survey_id
    else:
        raise KeyError
    if outer.schema_version != VERSION or not 1970 < outer.occurred_at.year < 2200:
        raise KeyError
    data = _DATA[kind][outer.type].fast(outer.data)  # type: ignore[index]  # one of the three
    ingested_ms = received_ms
    if outer.ingested_at is not None:
        if not wire.YEAR_MIN < outer.ingested_at.year < wire.YEAR_MAX:
            raise KeyError
        ingested_ms = to_ms(outer.ingested_at)
    occurred_ms = to_ms(outer.occurred_at)
    return Event(
        tenant=outer.tenant,
        source=outer.source,
        kind=kind,  # type: ignore[arg-type]  # one of the three
        entity_id=entity_id,
        event_id=outer.event_id
        or _missing_id(outer.source, entity_id, outer.type, occurred_ms, outer.sequence, data),
        type=outer.type,
        occurred_ms=occurred_ms,
        ingested_ms=ingested_ms,
        data=data,
        sequence=outer.sequence,
    )


def _decode_slow(value: bytes, received_ms: int) -> Event | Rejected:
    """The same by pydantic, with words for what is wrong."""
    document = _parse(value)
    if isinstance(document, Rejected):
        return document
    version = document.get("schema_version")
    while isinstance(version, int) and version in UPCASTERS:
        document = UPCASTERS[version](document)
        version = document.get("schema_version")
    if "schema_version" in document and type(version) is int and version != VERSION:
        return Rejected(
            reason="unknown_version", detail=f"schema_version {version}", where="schema_version"
        )
    try:
        outer = wire.Envelope.model_validate_json(orjson.dumps(document))
    except ValidationError as error:
        return _rejected(error.errors(include_url=False), "")
    return _finish_slow(outer, document, received_ms)


def _finish_slow(
    outer: wire.Envelope, document: dict[str, Json], received_ms: int
) -> Event | Rejected:
    ids: dict[EntityKind, str | None] = {
        "ticket": outer.ticket_id,
        "call": outer.call_id,
        "survey": outer.survey_id,
    }
    given = [(kind, entity_id) for kind, entity_id in ids.items() if entity_id is not None]
    if len(given) != 1:
        return Rejected(
            reason="ambiguous_entity", detail=f"{len(given)} ids given", where="ticket_id"
        )
    (kind, entity_id) = given[0]
    decoder = _DATA[kind].get(outer.type)
    if decoder is None:
        known = ", ".join(_DATA[kind])
        return Rejected(
            reason="unknown_type",
            detail=f"{outer.type!r} for a {kind}; known: {known}",
            where="type",
        )
    if "data" not in document:
        return Rejected(reason="missing_field", detail="data", where="data")
    try:
        data = decoder.slow(document["data"])
    except ValidationError as error:
        return _rejected(error.errors(include_url=False), "data.")
    occurred_ms = to_ms(outer.occurred_at)
    return Event(
        tenant=outer.tenant,
        source=outer.source,
        kind=kind,
        entity_id=entity_id,
        event_id=outer.event_id
        or _missing_id(outer.source, entity_id, outer.type, occurred_ms, outer.sequence, data),
        type=outer.type,
        occurred_ms=occurred_ms,
        ingested_ms=received_ms if outer.ingested_at is None else to_ms(outer.ingested_at),
        data=data,
        sequence=outer.sequence,
    )


def _parse(value: bytes) -> dict[str, Json] | Rejected:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        return Rejected(reason="invalid_utf8", detail=f"byte {error.start}")
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if _depth(text) > DEPTH_MAX:
            return Rejected(reason="too_deep", detail=f"more than {DEPTH_MAX} levels")
        return Rejected(reason="not_json", detail=str(error)[:200])
    if not isinstance(document, dict):
        return Rejected(reason="not_an_object", detail=f"a {type(document).__name__}")
    return document


def _depth(text: str) -> int:
    """Deepest nesting of brackets outside strings; cheap, and safe on any text."""
    depth = deepest = 0
    quoted = escaped = False
    for char in text:
        if quoted:
            quoted = escaped or char != '"'
            escaped = char == "\\" and not escaped
        elif char == '"':
            quoted = True
        elif char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


_REASON_OF_ERROR = {
    "missing": "missing_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "instant_type": "wrong_type",
    "instant_format": "bad_value",
    "instant_naive": "naive_time",
    "instant_absurd": "absurd_time",
    "string_too_short": "bad_value",
    "string_pattern_mismatch": "bad_value",
    "literal_error": "bad_value",
    "greater_than_equal": "bad_value",
    "less_than_equal": "bad_value",
    "finite_number": "bad_value",
}


def _rejected(errors: list[ErrorDetails], prefix: str) -> Rejected:
    """All mistakes in one text; the reason is that of the first."""
    places = [prefix + ".".join(str(part) for part in error["loc"]) for error in errors]
    told = [
        f"{place.rstrip('.')}: {error['msg']}" for place, error in zip(places, errors, strict=True)
    ]
    return Rejected(
        reason=_REASON_OF_ERROR.get(errors[0]["type"], "wrong_type"),
        detail="; ".join(told)[:1_000],
        where=places[0].rstrip("."),
    )


def _missing_id(
    source: str, entity_id: str, type_: str, occurred_ms: int, sequence: int | None, data: Data
) -> str:
    """Hash of the source's own fields: the same event sent twice gets the same id."""
    fields = (source, entity_id, type_, occurred_ms, sequence, data)
    return "h-" + hashlib.sha256(msgspec.json.encode(fields)).hexdigest()[:32]


def _shown(key: bytes) -> str:
    return key[:100].decode(errors="backslashreplace")


def document_of(event: Event) -> dict[str, Json]:
    """The event as its wire object, defaults left out, instants as RFC 3339 in UTC."""
    document: dict[str, Json] = {
        "schema_version": VERSION,
        "tenant": event.tenant,
        "source": event.source,
        "event_id": event.event_id,
        "type": event.type,
        "occurred_at": rfc3339(event.occurred_ms),
        "ingested_at": rfc3339(event.ingested_ms),
        f"{event.kind}_id": event.entity_id,
        "data": _data_document(event),
    }
    if event.sequence is not None:
        document["sequence"] = event.sequence
    return document


def _data_document(event: Event) -> dict[str, Json]:
    model, _inside = wire.TYPES[event.kind][event.type]
    document: dict[str, Json] = {}
    for field, inside in zip(model.model_fields, event.data.__struct_fields__, strict=True):
        value = getattr(event.data, inside)
        if value is None or value == {}:
            continue
        if inside.endswith("_ms"):
            value = rfc3339(value)
        elif inside == "targets":
            value = {clock: rfc3339(due_ms) for clock, due_ms in value.items()}
        document[field] = value
    return document


def encode(event: Event) -> bytes:
    """Canonical wire JSON (keys sorted, no blanks); `decode(encode(event)) == event`."""
    return orjson.dumps(document_of(event), option=orjson.OPT_SORT_KEYS)


def digest_of(event: Event) -> str:
    """Hex sha256 of the event's content (all but `ingested_at`) as canonical JSON."""
    if event.digest:
        return event.digest
    content = document_of(event)
    del content["ingested_at"]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def check_line(
    raw: bytes, *, tenant_default: str, now_ms: int, trust_ingested_at: bool = False
) -> tuple[str, bytes, bytes] | Rejected:
    """Check one event at the edge; returns (topic, key, canonical value), `ingested_at` stamped.

    A sender's own `ingested_at` is kept only with `trust_ingested_at`.
    """
    event = decode(raw, key=None, received_ms=now_ms)
    if isinstance(event, Rejected):
        return event
    changes: dict[str, object] = {}
    if not trust_ingested_at:
        changes["ingested_ms"] = now_ms
    if event.tenant == "default" and tenant_default != "default":
        changes["tenant"] = tenant_default
    if changes:
        event = msgspec.structs.replace(event, **changes)
    return wire.TOPIC_OF[event.kind], event.key.encode(), encode(event)
