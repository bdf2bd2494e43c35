"""Law: the fast way (msgspec) never says anything else than the contract (pydantic)."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from schemas import fast
from schemas.decode import decode
from schemas.events import EntityKind, Event, Rejected
from schemas.reasons import REASONS
from schemas.wire import TYPES
from tests.laws.decode_strategies import ANY_JSON, documents, spoiled_documents, written

RECEIVED_MS = 1_768_809_600_000
ID_NAMES = tuple(f"{kind}_id" for kind in TYPES)


def by_contract(value: bytes, key: bytes | None, kind: EntityKind | None) -> Event | Rejected:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "event_of", lambda *_: None)
        return decode(value, key=key, kind=kind, received_ms=RECEIVED_MS)


def check(value: bytes, key: bytes | None = None, kind: EntityKind | None = None) -> None:
    expected = by_contract(value, key, kind)

    quick = fast.event_of(value, key, kind, RECEIVED_MS, "default")

    # compared as text: 1 and 1.0, 0.0 and -0.0 are not the same thing in a log
    assert quick is None or repr(quick) == repr(expected)
    assert isinstance(expected, Event) or expected.reason in REASONS


@given(st.data())
def test_what_sources_write(data: st.DataObject) -> None:
    document = data.draw(documents())
    value = data.draw(written(document))

    check(value)
    # and it is not a way that nobody goes
    took = fast.event_of(value, None, None, RECEIVED_MS, "default")
    assert (took is not None) == isinstance(by_contract(value, None, None), Event)


@given(st.data())
def test_what_sources_get_wrong(data: st.DataObject) -> None:
    check(data.draw(written(data.draw(spoiled_documents()))))


@given(st.data())
def test_any_json(data: st.DataObject) -> None:
    document: Any = data.draw(ANY_JSON)
    check(data.draw(written(document)))


@given(st.binary(max_size=200))
def test_any_bytes(value: bytes) -> None:
    check(value)


@given(
    st.data(),
    st.sampled_from([None, b"", b"default/desk/T1", b"default/desk/T2", b"\xff"]),
    st.sampled_from([None, "ticket", "call"]),
)
def test_any_place(data: st.DataObject, key: bytes | None, kind: EntityKind | None) -> None:
    document = {**data.draw(documents()), "source": "desk"}
    id_name = next(name for name in ID_NAMES if name in document)
    value = data.draw(written({**document, id_name: "T1", "tenant": "default"}))

    check(value, key, kind)
