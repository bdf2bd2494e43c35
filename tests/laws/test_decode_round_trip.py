"""Law: what was understood is written canonically, and read back as the same event."""

import json
import re

import orjson
from hypothesis import assume, given, strategies as st

from schemas import fast
from schemas.customers import CustomerIds
from schemas.decode import check_line, decode, digest_of, document_of, encode, key_of
from schemas.events import Event
from tests.laws.decode_strategies import documents, written

RECEIVED_MS = 1_768_809_600_000


@st.composite
def events(draw: st.DrawFn) -> Event:
    event = decode(draw(written(draw(documents()))), key=None, received_ms=RECEIVED_MS)
    assume(isinstance(event, Event))
    assert isinstance(event, Event)
    return event


@given(events())
def test_decode_undoes_encode(event: Event) -> None:
    again = decode(encode(event), key=key_of(event), kind=event.kind, received_ms=0)

    assert again == event
    assert isinstance(again, Event)
    assert encode(again) == encode(event)  # where 1 and 1.0, 0.0 and -0.0 differ


@given(events())
def test_what_was_encoded_goes_the_fast_way(event: Event) -> None:
    assert fast.event_of(encode(event), key_of(event), event.kind, 0, "default") == event


@given(events())
def test_encoding_is_canonical(event: Event) -> None:
    encoded = encode(event)

    document = orjson.loads(encoded)
    assert document == document_of(event)
    plain = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if event.kind != "survey":  # scores: the two write floats in their own ways
        assert encoded.decode() == plain
    assert None not in document.values()
    assert None not in document["data"].values()
    for name in ("occurred_at", "ingested_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", document[name])


@given(st.data())
def test_notation_makes_no_difference(data: st.DataObject) -> None:
    document = data.draw(documents())
    one = decode(data.draw(written(document)), key=None, received_ms=RECEIVED_MS)
    shuffled = dict(data.draw(st.permutations(list(document.items()))))
    other = decode(
        data.draw(written({**shuffled, "extra": [1]})), key=None, received_ms=RECEIVED_MS
    )

    assert repr(one) == repr(other)
    if isinstance(one, Event) and isinstance(other, Event):
        assert digest_of(one) == digest_of(other)


@given(events())
def test_the_edge_changes_the_stamp_only(event: Event) -> None:
    checked = check_line(
        encode(event), tenant_default="acme", now_ms=RECEIVED_MS + 1, customers=CustomerIds("clear")
    )

    assert isinstance(checked, tuple)
    _topic, key, value, _aliases = checked
    again = decode(value, key=key, kind=event.kind, received_ms=0)
    assert isinstance(again, Event)
    assert again.ingested_ms == RECEIVED_MS + 1
    assert digest_of(again) == digest_of(event)
