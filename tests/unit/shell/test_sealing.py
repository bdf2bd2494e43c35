"""Originals sealed and opened, keys changed."""

from base64 import b64encode

import pytest
from hypothesis import given, strategies as st

from streams.shell.sealing import SealedError, Sealer, new_key

KEYS = [new_key() for _ in range(3)]


@given(st.binary(max_size=2_000), st.integers(0, 3))
def test_what_was_sealed_is_opened(original: bytes, keys: int) -> None:
    sealer = Sealer(KEYS[:keys])
    sealed = sealer.seal(original)
    assert sealer.open(sealed) == original
    assert sealed.startswith("fernet:") == (keys > 0)


def test_without_keys_it_is_plain_and_stays_readable_with_them() -> None:
    plain = Sealer().seal(b"original")
    assert plain == b64encode(b"original").decode()
    assert Sealer(KEYS).open(plain) == b"original"


def test_a_key_is_changed_by_putting_the_new_one_in_front() -> None:
    before = Sealer(KEYS[:1]).seal(b"original")
    both = Sealer([KEYS[1], KEYS[0]])
    assert both.open(before) == b"original"
    with pytest.raises(SealedError, match="add it"):
        Sealer(KEYS[1:2]).open(both.seal(b"x").replace("fernet:", "fernet:0"))
    with pytest.raises(SealedError, match="TICKETPULSE_DEAD_LETTER_KEYS"):
        Sealer(KEYS[1:2]).open(before)


def test_what_was_changed_is_not_opened() -> None:
    sealed = Sealer(KEYS).seal(b"original")
    with pytest.raises(SealedError, match="changed"):
        Sealer(KEYS).open(sealed[:-4] + "AAA=")
