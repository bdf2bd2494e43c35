"""Hypothesis strategies for wire documents, made from the contract itself."""

import json
from datetime import datetime
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from schemas import wire
from schemas.instants import rfc3339
from schemas.timestamps import EARLIEST_MS, LATEST_MS
from schemas.wire import TYPES, Envelope, Wire

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
IDS = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1, max_size=12)
INSTANTS_MS = st.integers(EARLIEST_MS, LATEST_MS)
SCORES = st.one_of(st.integers(0, 10), st.floats(-wire.SCORE_MAX, wire.SCORE_MAX, allow_nan=False))
_OFFSETS = st.sampled_from(["Z", "z", "+00:00", "-00:00", "+08:00", "-0330", "+2359"])


@st.composite
def timestamps(draw: st.DrawFn) -> str:
    """RFC 3339 in all the ways that are taken; near the ends of time an offset may lead beyond."""
    text = rfc3339(draw(INSTANTS_MS)).removesuffix("Z")
    if draw(st.booleans()):
        text = text[:19] + "." + draw(st.text("0123456789", min_size=1, max_size=10))
    return text[:10] + draw(st.sampled_from("Tt ")) + text[11:] + draw(_OFFSETS)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Values that a field of the wire model may have."""
    known = {
        wire.IdPart: IDS.map(lambda text: text.replace("/", "-")),
        wire.Id: IDS,
        wire.Text: TEXTS,
        wire.LongText: st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
        wire.Instant: timestamps(),
        wire.Score: SCORES,
        wire.Sequence: st.integers(0, wire.SEQUENCE_MAX),
    }
    if hint in known:
        return known[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _values(args[0])
    if origin is Literal:
        return st.sampled_from(args)
    if origin is dict:
        return st.dictionaries(_values(args[0]), _values(args[1]), max_size=3)
    if args:  # a union
        return st.one_of(*(_values(option) for option in args))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        NoneType: st.none(),
        bool: st.booleans(),
        int: st.just(wire.VERSION),
        datetime: timestamps(),
    }
    return plain[hint]


@cache  # strategies are dear to make
def _fields(model: type[Wire], leave_out: frozenset[str]) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(model, include_extras=True)
    values = {
        name: (field.is_required(), _values(hints[name]))
        for name, field in model.model_fields.items()
        if name not in leave_out
    }
    return st.fixed_dictionaries(
        {name: strategy for name, (required, strategy) in values.items() if required},
        optional={name: strategy for name, (required, strategy) in values.items() if not required},
    )


_ENTITY_IDS = frozenset(f"{kind}_id" for kind in TYPES)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Events as sources may write them. An answer may be off its scale; all else is right."""
    kind = draw(st.sampled_from(list(TYPES)))
    type_ = draw(st.sampled_from(list(TYPES[kind])))
    return {
        **draw(_fields(Envelope, _ENTITY_IDS)),
        f"{kind}_id": draw(IDS),
        "type": type_,
        "data": draw(_fields(TYPES[kind][type_][0], frozenset())),
    }


ANY_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=8),
        st.sampled_from(
            [1, 0, 2**53 + 1, 10**400, "", "x", "a:b", "x" * 201, "2026-01-19T08:00:00Z"]
        ),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def spoiled_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Events with one to three fields set to any JSON, taken away, or added."""
    document = draw(documents())
    for _ in range(draw(st.integers(1, 3))):
        inside = document["data"] if draw(st.booleans()) and "data" in document else document
        if not isinstance(inside, dict):
            continue
        name = draw(st.sampled_from([*sorted(inside), "extra", *sorted(_ENTITY_IDS), "targets"]))
        if draw(st.booleans()):
            inside[name] = draw(ANY_JSON)
        else:
            inside.pop(name, None)
    return document


@st.composite
def written(draw: st.DrawFn, document: dict[str, Any]) -> bytes:
    """The document as bytes, in one of the notations JSON allows (and NaN, which it doesn't)."""
    indent = draw(st.sampled_from([None, 1]))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), indent=indent)
    return text.encode("utf-8", "surrogatepass")
