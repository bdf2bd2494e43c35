"""Golden messages, mutilated by a seeded hand: decoding is total, and its two ways agree."""

import random
from collections import Counter

import orjson
import pytest

from schemas import fast
from schemas.decode import decode, encode
from schemas.events import Event, Rejected
from schemas.reasons import REASONS
from tests.unit.schemas.golden import ACCEPTED, REJECTED, mutate

RECEIVED_MS = 1_768_809_600_000
ROUNDS = 15_000


def messages() -> list[bytes]:
    """As they stand, and the good ones without blanks, where mutations hit more often."""
    good = [path.read_bytes() for _kind, path in ACCEPTED]
    bad = [path.read_bytes() for _kind, path in REJECTED]
    return [*good, *bad, *2 * [orjson.dumps(orjson.loads(message)) for message in good]]


def judge(value: bytes) -> str:
    """The reason, or `event`; checks on the way."""
    outcome = decode(value, key=None, received_ms=RECEIVED_MS)
    quick = fast.event_of(value, None, None, RECEIVED_MS, "default")
    slow = slow_way(value)
    assert repr(outcome) == repr(slow), value
    assert quick is None or repr(quick) == repr(slow), value
    if isinstance(outcome, Rejected):
        assert outcome.reason in REASONS
        outcome.detail.encode()  # goes into JSON
        return outcome.reason
    canonical = encode(outcome)
    assert decode(canonical, key=outcome.key.encode(), received_ms=0) == outcome, value
    return "event"


def slow_way(value: bytes) -> Event | Rejected:
    """As `decode`, were there no fast way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "event_of", lambda *_: None)
        return decode(value, key=None, received_ms=RECEIVED_MS)


def test_mutations() -> None:
    rng = random.Random(20260119)
    sources = messages()

    found = Counter(judge(mutate(rng, sources)) for _ in range(ROUNDS))

    # the fuzz reaches far: many events survive, and every kind of mistake is made
    assert found["event"] > ROUNDS / 20
    assert {
        *("empty", "invalid_utf8", "not_json", "not_finite", "duplicate_field", "too_deep"),
        *("not_an_object", "unknown_version", "unknown_type", "missing_field", "wrong_type"),
        *("bad_value", "too_long", "naive_time", "absurd_time", "ambiguous_entity"),
    } - {"empty"} <= set(found)


def test_random_bytes() -> None:
    rng = random.Random(311)

    for length in range(400):
        judge(rng.randbytes(length))
        judge(b"{" + rng.randbytes(length) + b"}")
        judge(bytes(rng.choices(b'{}[]":,\\truefalsn0123.eE+- \n', k=length)))
