"""JSON Schemas (2020-12) of what goes in and out, made from the models that check it.

They say all that JSON Schema can say. What it can't (a doubled field, an instant before 1970, a score off
its scale) `schemas.decode` says alone; so what a schema refuses, decode refuses too, never the reverse.
"""

from collections.abc import Iterable
from typing import cast

import msgspec
from pydantic import TypeAdapter

from schemas.complaints import NumberRequest
from schemas.documents import Document
from schemas.events import EntityKind
from schemas.fields import FIELDS
from schemas.notifications import Notice
from schemas.outcomes import ROWS
from schemas.policy_records import PolicyRecord
from schemas.wire import TYPES, VERSION, Envelope, Wire

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_IDS: dict[EntityKind, str] = {kind: f"{kind}_id" for kind in TYPES}


def event_schema(kind: EntityKind) -> Document:
    """An event of an entity: the envelope, and per type what `data` holds."""
    types = TYPES[kind]
    properties = _properties(Envelope)
    properties["type"] = {"enum": list(types), "description": FIELDS["type"]}
    properties[_IDS[kind]] = _required_id(kind)
    for other in _IDS.keys() - {kind}:
        properties[_IDS[other]] = {"type": "null", "description": f"not on a {kind} event"}
    properties["data"] = {"type": "object", "description": FIELDS["data"]}
    return {
        "$schema": _DIALECT,
        "$id": f"urn:ticketpulse:event:{kind}:{VERSION}",
        "title": f"{kind} event, version {VERSION}",
        "type": "object",
        "properties": properties,
        "required": [*_required(Envelope), _IDS[kind], "data"],
        "oneOf": [_variant(name) for name in types],
        "$defs": {name: _data_schema(model) for name, (model, _inside) in types.items()},
    }


def row_schema(table: str) -> Document:
    """A row of an outcome topic, as it is published."""
    schema = TypeAdapter(ROWS[table]).json_schema(mode="serialization")
    properties = cast("dict[str, Document]", schema["properties"])
    return {
        "$schema": _DIALECT,
        "$id": f"urn:ticketpulse:row:{table}",
        "title": f"row of {table}",
        **{name: value for name, value in schema.items() if name not in ("title", "properties")},
        "properties": {name: _untitled(schema) for name, schema in properties.items()},
    }


def policy_records_schema() -> Document:
    """What may stand on the topic of policies."""
    return {
        "$schema": _DIALECT,
        "$id": "urn:ticketpulse:control:policies",
        "title": "record of the topic policies",
        **cast("Document", TypeAdapter(PolicyRecord).json_schema()),
    }


def notifications_schema() -> Document:
    """What stands on the topic of notifications."""
    return _control_schema("notifications", Notice)


def complaints_schema() -> Document:
    """What stands on the topic of complaints that ask for their number."""
    return _control_schema("complaint-requests", NumberRequest)


def _control_schema(topic: str, record: type[msgspec.Struct]) -> Document:
    (root,), definitions = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    return {
        "$schema": _DIALECT,
        "$id": f"urn:ticketpulse:control:{topic}",
        **cast("Document", root),
        "$defs": cast("Document", definitions),
    }


def _variant(type_: str) -> Document:
    return {
        "title": type_,
        "properties": {"type": {"const": type_}, "data": {"$ref": f"#/$defs/{type_}"}},
    }


def _data_schema(model: type[Wire]) -> Document:
    return {
        "description": model.__doc__,
        "type": "object",
        "properties": _properties(model),
        "required": list(_required(model)),
    }


def _properties(model: type[Wire]) -> dict[str, Document]:
    found = cast("dict[str, Document]", model.model_json_schema().get("properties", {}))
    return {
        name: {"description": FIELDS[name], **_untitled(schema)} for name, schema in found.items()
    }


def _required_id(kind: EntityKind) -> Document:
    """The entity's own id is optional in the envelope of all entities, yet not on its own events."""
    options = cast("list[Document]", _properties(Envelope)[_IDS[kind]]["anyOf"])
    return {"description": FIELDS[_IDS[kind]], **options[0]}


def _required(model: type[Wire]) -> Iterable[str]:
    return (name for name, field in model.model_fields.items() if field.is_required())


def _untitled(schema: Document) -> Document:
    """Without pydantic's titles, which only repeat the name, and defaults that only say null."""
    return {
        name: value
        for name, value in schema.items()
        if name != "title" and not (name == "default" and value is None)
    }
