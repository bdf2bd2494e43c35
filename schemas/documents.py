"""Bytes → one strict JSON object, or why not: UTF-8, no NaN, no twice-named field, not too deep."""

import json
import re

import orjson

from schemas.events import Rejected

DEPTH_MAX = 64
_NAME_SHOWN_MAX = 60

Json = object
Document = dict[str, Json]


def parse(value: bytes) -> Document | Rejected:
    """The object that the bytes say, when every reader of JSON would read the same."""
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        return Rejected(reason="invalid_utf8", detail=f"byte {error.start}")
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return _why_not(text, str(error))
    if not isinstance(document, dict):
        return Rejected(reason="not_an_object", detail=f"a {type(document).__name__}")
    colons, depth = _measure(document)
    if depth > DEPTH_MAX:
        return _too_deep()
    # Every field costs one colon outside of strings. When fields and colons inside of strings explain
    # all colons of the text, no field was named twice. An escaped colon would spoil the sum.
    if colons != value.count(b":") or b"\\u003" in value:
        return _without_duplicates(text, document)
    return document


def _measure(document: Document) -> tuple[int, int]:
    """Colons that the document explains, and its depth; stops where it is too deep."""
    colons = depth = 0
    level: list[Json] = [document]
    while level and depth <= DEPTH_MAX:
        depth += 1
        below: list[Json] = []
        for node in level:
            if isinstance(node, dict):
                colons += len(node) + sum(name.count(":") for name in node)
                below += node.values()
            elif isinstance(node, list):
                below += node
            elif isinstance(node, str):
                colons += node.count(":")
        level = [node for node in below if isinstance(node, dict | list | str)]
    return colons, depth


class _NamedTwiceError(Exception):
    pass


def _named_once(pairs: list[tuple[str, Json]]) -> Document:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        for name, _value in pairs:
            if name in seen:
                raise _NamedTwiceError(name)
            seen.add(name)
    return fields


def _without_duplicates(text: str, document: Document) -> Document | Rejected:
    try:
        json.loads(text, object_pairs_hook=_named_once, parse_int=float)
    except _NamedTwiceError as error:
        name = str(error)[:_NAME_SHOWN_MAX]
        return Rejected(reason="duplicate_field", detail=f"{name} is given twice", where=name)
    return document


def _too_deep() -> Rejected:
    return Rejected(reason="too_deep", detail=f"more than {DEPTH_MAX} levels")


def _why_not(text: str, message: str) -> Rejected:
    """Words for text that the strict parser refused."""
    if _nesting(text) > DEPTH_MAX:
        return _too_deep()
    try:
        json.loads(text, parse_int=_finite, parse_float=_finite, parse_constant=_constant)
    except _NotFiniteError as error:
        return Rejected(reason="not_finite", detail=f"{error} is no number in JSON")
    except ValueError:
        pass
    return Rejected(reason="not_json", detail=message[:200])


class _NotFiniteError(Exception):
    pass


def _constant(name: str) -> float:
    raise _NotFiniteError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise _NotFiniteError(digits[:20])
    return number


_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def _nesting(text: str) -> int:
    """Deepest nesting of brackets outside of strings, on any text; counts no further than needed."""
    depth = deepest = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        bracket = found.group()
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > DEPTH_MAX:
                break
        elif bracket in "]}":
            depth -= 1
    return deepest
