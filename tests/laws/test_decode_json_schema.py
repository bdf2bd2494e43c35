"""Law: what decode takes, the published JSON Schema takes too."""

from typing import Any

import orjson
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator

from schemas.decode import decode, encode
from schemas.events import Event
from schemas.json_schema import event_schema
from schemas.wire import TYPES
from tests.laws.decode_strategies import documents, spoiled_documents

SCHEMAS = {kind: Draft202012Validator(event_schema(kind)) for kind in TYPES}


@given(st.one_of(documents(), spoiled_documents()))
def test_what_decode_takes_the_schema_takes(document: dict[str, Any]) -> None:
    try:
        value = orjson.dumps(document)
    except TypeError:  # lone surrogates, integers that no reader holds
        return
    event = decode(value, key=None, received_ms=0)

    if isinstance(event, Event):
        assert SCHEMAS[event.kind].is_valid(document)
        assert SCHEMAS[event.kind].is_valid(orjson.loads(encode(event)))
