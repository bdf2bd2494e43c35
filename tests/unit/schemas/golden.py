"""The golden messages: files below `schemas/examples/ENTITY/MAJOR/`, found by folder."""

import random
from collections.abc import Sequence
from pathlib import Path

from schemas.events import EntityKind
from schemas.wire import TYPES

EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
ACCEPTED: tuple[tuple[EntityKind, Path], ...] = tuple(
    (kind, path) for kind in TYPES for path in sorted((EXAMPLES / kind).glob("*/*.json"))
)
REJECTED: tuple[tuple[EntityKind, Path], ...] = tuple(
    (kind, path) for kind in TYPES for path in sorted((EXAMPLES / kind).glob("*/rejected/*.json"))
)


def name_of(value: object) -> str:
    """Test ids: `ticket/1/rejected/not_json`."""
    if isinstance(value, Path):
        return str(value.relative_to(EXAMPLES).with_suffix(""))
    return str(value)


# What a mutation puts in: each is valid somewhere and a trap elsewhere.
_PIECES: tuple[bytes, ...] = (
    *(b"null", b"true", b"0", b"1", b"-0", b"-0.0", b"1.0", b"1e0", b"5", b"1e999", b"NaN", b"-Infinity"),
    *(b"9007199254740993", b"123456789012345678901234567890", b"1.5", b"0.1e-400"),
    *(b'""', b'"x"', b'":"', b'"\\u003a"', b'"\\u003A"', b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\\u0000"'),
    *(b'"a/b"', b'"a\\nb"', b'"\\""', b'"' + b"x" * 201 + b'"', b'"1970-01-01T00:00:00Z"'),
    *(b'"2026-01-19t08:00:00.9999999+0800"', b'"2026-01-19 08:00:00z"', b'"2026-01-19T08:00:00"'),
    *(b'"2026-01-19T08:00:60Z"', b'"2026\\u002d01-19T08:00:00Z"', b'"2026-01-19T08\\u003a00:00Z"'),
    *(b"{}", b"[]", b"[[[]]]", b"[" * 65 + b"]" * 65, b'{"a":1,"a":2}', b'{"":""}', b'{"a:b":"c:d"}'),
    *(b",", b":", b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u003a", b" ", b"\n", b"\x00", b"\xff", b"\xed\xa0\x80"),
    *(b'"schema_version":1,', b'"schema_version":2,', b'"tenant":"t",', b'"tenant":null,', b'"source":"s",'),
    *(b'"type":"created",', b'"type":"answered",', b'"type":"x",', b'"data":{},', b'"data":null,'),
    *(b'"ticket_id":"T",', b'"call_id":"C",', b'"survey_id":null,', b'"event_id":null,', b'"event_id":"e:1",'),
    *(b'"sequence":7,', b'"ingested_at":null,', b'"unknown":1,', b'"unknown":{"a":[1,{"b":2}]},'),
    *(b'"status":"open",', b'"targets":{},', b'"attributes":{"a":"b"},', b'"priority":"P1",', b'"score":3,'),
    *(b'"scale_max":10,', b'"metric":"nps",', b'"public":false,', b'"team":null,', b'"t\\u0065am":"x",'),
)  # fmt: skip


def mutate(rng: random.Random, messages: Sequence[bytes]) -> bytes:
    """One of the messages with a few things done to it."""
    message = bytearray(rng.choice(messages))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        _mutate_once(rng, message, messages)
    return bytes(message)


def _mutate_once(rng: random.Random, message: bytearray, messages: Sequence[bytes]) -> None:
    at = rng.randrange(len(message) + 1)
    end = min(len(message), at + rng.choice((1, 1, 2, 5, 20)))
    match rng.choices(range(7), (1, 1, 2, 6, 6, 3, 1))[0]:
        case 0:
            message[at:end] = b""
        case 1:
            message[at:end] = rng.randbytes(end - at)
        case 2:
            message[at:at] = rng.choice(_PIECES)
        case 3:  # a value replaced
            start = message.find(b":", at) + 1
            stop = message.find(b",", start)
            message[start : stop if stop > 0 else len(message) - 1] = rng.choice(_PIECES)
        case 4:  # at the beginning of an object, where a field may stand
            start = message.find(b"{", at) + 1
            message[start:start] = rng.choice(_PIECES)
        case 5:  # a field doubled, or moved into another object
            start = message.find(b",", at)
            stop = message.find(b",", start + 1)
            if 0 <= start < stop:
                message[at:at] = message[start:stop]
        case _:
            other = rng.choice(messages)
            cut = rng.randrange(len(other) + 1)
            message[at:] = other[cut:]
