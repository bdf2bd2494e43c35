"""The fast way from bytes to an event: right ones only. Whatever looks odd is left to pydantic.

msgspec checks types and bounds by the annotations of `schemas.wire`. Two things it can't do are done
here: ids without control characters, and certainty that nothing was skipped unread. For the latter,
colons are counted: each field costs one, time stamps and other texts have their own. If these explain
all colons of the message, it holds no unknown, doubled or null field, so nothing went by unchecked; if
not, a strict parse of the whole looks.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from schemas import wire
from schemas.documents import parse
from schemas.encode import missing_event_id
from schemas.events import Data, EntityKind, Event, Rejected, SurveyAnswered
from schemas.timestamps import TimestampError, timestamp_ms

_astuple = msgspec.structs.astuple
_control_character = re.compile(r"[\x00-\x1f]").search


class _OddError(Exception):
    """Not for the fast way; no judgement yet."""


class _Envelope(msgspec.Struct, gc=False):
    schema_version: int
    source: wire.Text
    type: str
    occurred_at: str
    data: msgspec.Raw
    tenant: wire.Text | UnsetType = UNSET
    event_id: wire.Text | None = None
    sequence: wire.Sequence | None = None
    ingested_at: str | None = None
    # last, in the order of `wire.TYPES`:
    ticket_id: wire.Text | None = None
    call_id: wire.Text | None = None
    survey_id: wire.Text | None = None
    shift_id: wire.Text | None = None


_read_envelope = msgspec.json.Decoder(_Envelope).decode
_ENVELOPE_FIELDS = len(_Envelope.__struct_fields__)

# A step takes what msgspec read of one field, and gives what stands inside and the colons that it
# explains beside the field's own. A field left at its default has none: minus one.
_Cell = Any
_Step = Callable[[_Cell], tuple[_Cell, int]]


def _defaulting(default: object) -> _Step:
    def step(cell: _Cell) -> tuple[_Cell, int]:
        return (default, -1) if cell is UNSET else (cell, 0)

    return step


def _map(cell: _Cell) -> tuple[_Cell, int]:
    return cell, len(cell) or -1


def _instant(cell: _Cell) -> tuple[_Cell, int]:
    return (None, 0) if cell is None else (timestamp_ms(cell), cell.count(":"))


def _targets(cell: _Cell) -> tuple[_Cell, int]:
    if not cell:
        return cell, -1
    colons = len(cell) + "".join(cell.values()).count(":")
    return {clock: timestamp_ms(text) for clock, text in cell.items()}, colons


def _id(cell: _Cell) -> tuple[_Cell, int]:
    if cell is not None and _control_character(cell):
        raise _OddError
    return cell, 0


_TARGET_TEXTS = Annotated[dict[wire.Text, str], msgspec.Meta(max_length=wire.MAP_LENGTH_MAX)]
# hint of the wire model → what msgspec reads (instants stay text), and the step
_SPECIAL: tuple[tuple[object, object, _Step], ...] = (
    (wire.Instant, str, _instant),
    (wire.Instant | None, str | None, _instant),
    (wire.Targets, _TARGET_TEXTS, _targets),
    (wire.Attributes, wire.Attributes, _map),
    (wire.Id, wire.Id, _id),
    (wire.Id | None, wire.Id | None, _id),
)


class _DataReader:
    """Reads `data` of one type."""

    def __init__(self, model: type[wire.Wire], inside: type[Data]) -> None:
        hints = get_type_hints(model, include_extras=True)
        fields: list[tuple[str, Any, Any]] = []
        steps: list[tuple[int, _Step]] = []
        for at, (name, field) in enumerate(model.model_fields.items()):
            hint: Any = hints[name]
            default = msgspec.NODEFAULT if field.is_required() else field.get_default()
            special = [(read, step) for known, read, step in _SPECIAL if known == hint]
            if special:
                hint, step = special[0]
                steps.append((at, step))
            elif default is not None and default is not msgspec.NODEFAULT:
                steps.append((at, _defaulting(default)))
                hint, default = hint | UnsetType, UNSET
            fields.append((name, hint, default))
        self._read = msgspec.json.Decoder(
            msgspec.defstruct(model.__name__, fields, gc=False)
        ).decode
        self._inside = inside
        self._steps = tuple(steps)
        self._fields = len(fields)

    def read(self, raw: msgspec.Raw) -> tuple[Data, int]:
        """The data, and the colons that it explains."""
        values = _astuple(self._read(raw))
        colons = self._fields - values.count(None)
        if not self._steps:
            return self._inside(*values), colons
        cells = list(values)
        for at, step in self._steps:
            cells[at], explained = step(cells[at])
            colons += explained
        data = self._inside(*cells)
        if isinstance(data, SurveyAnswered) and wire.answer_problem(data) is not None:
            raise _OddError
        return data, colons


_READERS: dict[EntityKind, dict[str, _DataReader]] = {
    kind: {name: _DataReader(model, inside) for name, (model, inside) in types.items()}
    for kind, types in wire.TYPES.items()
}


def event_of(
    value: bytes,
    key: bytes | None,
    kind: EntityKind | None,
    received_ms: int,
    tenant_default: str,
) -> Event | None:
    """The event, when the bytes are one that may stand under this key and kind; None: no judgement.

    Never raises.
    """
    try:
        return _event_of(value, key, kind, received_ms, tenant_default)
    except (KeyError, _OddError, TimestampError, msgspec.MsgspecError, UnicodeError):
        return None
    except RecursionError:  # nested deeper than the stack has room for
        return None


def _event_of(
    value: bytes,
    key: bytes | None,
    kind: EntityKind | None,
    received_ms: int,
    tenant_default: str,
) -> Event:
    fields = _astuple(_read_envelope(value))
    version, source, type_, occurred_at, raw, tenant, event_id, sequence, ingested_at, *ids = fields
    found, entity_id = _entity(ids)
    if version != wire.VERSION or found != (kind or found):
        raise _OddError
    data, colons = _READERS[found][type_].read(raw)
    colons += _ENVELOPE_FIELDS - fields.count(None) + occurred_at.count(":")
    texts: tuple[str | None, ...] = (source, entity_id, event_id, tenant)
    if tenant is UNSET:
        texts = texts[:3]
        tenant = tenant_default
        colons -= 1
    ingested_ms = received_ms
    if ingested_at is not None:
        ingested_ms = timestamp_ms(ingested_at)
        colons += ingested_at.count(":")
    _check_key(key, tenant, source, entity_id)
    event = Event(
        tenant=tenant,
        source=source,
        kind=found,
        entity_id=entity_id,
        event_id=event_id or "",
        type=type_,
        occurred_ms=timestamp_ms(occurred_at),
        ingested_ms=ingested_ms,
        data=data,
        sequence=sequence,
    )
    unexplained = value.count(b":") - colons
    if b"\\" in value or (unexplained and unexplained != _colons_in(texts, data)):
        _check_document(value)
    return _with_event_id(event)


def _entity(ids: list[str | None]) -> tuple[EntityKind, str]:
    """Which kind the one id that is given is of."""
    if ids.count(None) != len(ids) - 1:
        raise _OddError
    for kind, entity_id in zip(wire.TYPES, ids, strict=True):
        if entity_id is not None:
            return kind, entity_id
    raise _OddError


def _check_key(key: bytes | None, tenant: str, source: str, entity_id: str) -> None:
    own_key = f"{tenant}/{source}/{entity_id}"
    if key is not None and key != own_key.encode():
        raise _OddError
    if "/" in tenant or "/" in source:
        raise _OddError
    if not own_key.isprintable() and _control_character(own_key):
        raise _OddError


def _colons_in(texts: tuple[str | None, ...], data: Data) -> int:
    """Colons within texts. Asked for only when there are some: pseudonyms and numbers have them."""
    parts = [text for text in texts if text is not None]
    for cell in _astuple(data):
        if isinstance(cell, str):
            parts.append(cell)
        elif isinstance(cell, dict):
            parts += cell
            parts += [text for text in cell.values() if isinstance(text, str)]
    return "".join(parts).count(":")  # one count over all: a count per text costs thrice as much


def _check_document(value: bytes) -> None:
    if isinstance(parse(value), Rejected):
        raise _OddError


def _with_event_id(event: Event) -> Event:
    if not event.event_id:
        return msgspec.structs.replace(event, event_id=missing_event_id(event))
    if not event.event_id.isprintable() and _control_character(event.event_id):
        raise _OddError
    return event
