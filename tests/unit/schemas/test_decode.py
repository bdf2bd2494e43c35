"""`decode`: what is taken and how it is read, why not, and that it is total."""

import hashlib
import time
import tracemalloc
from typing import Any

import msgspec
import orjson
import pytest

from schemas import decode as decoding, fast
from schemas.decode import EVENT_BYTES_MAX, Accepted, check_line, decode, digest_of, encode
from schemas.events import Created, EntityKind, Event, Rejected, SurveyAnswered
from schemas.reasons import REASONS
from tests.unit.schemas.test_examples import FOUND_LATER

NOW_MS = 1_768_809_605_000
OCCURRED_MS = 1_768_809_600_000


def document(**changes: object) -> dict[str, Any]:
    """A created event of ticket T1; a change to None leaves the field out."""
    full = {
        "schema_version": 1,
        "source": "desk",
        "type": "created",
        "ticket_id": "T1",
        "event_id": "e1",
        "occurred_at": "2026-01-19T08:00:00Z",
        "data": {"status": "open"},
        **changes,
    }
    return {name: value for name, value in full.items() if value is not None}


def wire(**changes: object) -> bytes:
    return orjson.dumps(document(**changes))


def taken(value: bytes, **more: Any) -> Event:
    event = decode(value, **{"key": None, "received_ms": NOW_MS, **more})
    assert isinstance(event, Event), event
    return event


def refused(value: bytes | None, **more: Any) -> Rejected:
    rejected = decode(value, **{"key": None, "received_ms": NOW_MS, **more})
    assert isinstance(rejected, Rejected), rejected
    return rejected


# --- what is read ---


def test_a_typical_event() -> None:
    assert taken(wire(tenant="acme", sequence=3, ingested_at="2026-01-19T09:00:00+01:00")) == Event(
        tenant="acme",
        source="desk",
        kind="ticket",
        entity_id="T1",
        event_id="e1",
        type="created",
        occurred_ms=OCCURRED_MS,
        ingested_ms=OCCURRED_MS,
        data=Created(status="open"),
        sequence=3,
    )


def test_what_is_left_out_is_filled_in() -> None:
    event = taken(wire(event_id=None))

    assert (event.tenant, event.ingested_ms) == ("default", NOW_MS)
    # such ids are kept in logs and tables: how they are made may never change
    hashed = (
        b'{"data":{"status":"open"},"occurred_at":"2026-01-19T08:00:00Z","schema_version":1,'
        b'"source":"desk","ticket_id":"T1","type":"created"}'
    )
    assert event.event_id == "h-" + hashlib.sha256(hashed).hexdigest()[:32]


def test_a_missing_event_id_depends_on_what_the_source_said_only() -> None:
    id_ = taken(wire(event_id=None)).event_id

    reordered = dict(reversed(document(event_id=None).items()))
    same = [
        orjson.dumps(reordered, option=orjson.OPT_INDENT_2),
        wire(event_id=None, occurred_at="2026-01-19T16:00:00.000+08:00"),
        wire(event_id=None, ingested_at="2026-01-20T00:00:00Z", unknown=1),
        wire(event_id=None, tenant="acme"),
    ]
    other = [
        wire(event_id=None, occurred_at="2026-01-19T08:00:00.001Z"),
        wire(event_id=None, source="mail"),
        wire(event_id=None, ticket_id="T2"),
        wire(event_id=None, data={"status": "new"}),
        wire(event_id=None, sequence=0),
    ]
    assert {taken(value).event_id for value in same} == {id_}
    assert len({taken(value).event_id for value in other} | {id_}) == len(other) + 1


def test_the_digest_ignores_notation_and_the_stamp() -> None:
    plain = taken(wire())
    noted = taken(
        wire(occurred_at="2026-01-19 09:00:00.0+0100", ingested_at="2026-02-01T00:00:00Z")
    )

    assert digest_of(plain) == digest_of(noted)
    assert digest_of(plain) != digest_of(taken(wire(event_id="e2")))
    assert digest_of(msgspec.structs.replace(plain, digest="ab")) == "ab"


def test_unknown_fields_are_read_over() -> None:
    assert taken(
        wire(extra={"deep": [1, {"x": None}]}, data={"status": "open", "new": 1})
    ) == taken(wire())


def test_a_null_is_a_field_left_out_where_it_may_be() -> None:
    value = b'{"call_id":null,"sequence":null,"ingested_at":null,' + wire()[1:]

    assert taken(value) == taken(wire())


def test_colons_and_escapes_in_texts_change_nothing() -> None:
    value = wire(event_id="e:1", data={"attributes": {"a:b": "c:d", 'q"': "\\ \n :"}})

    event = taken(value)

    assert isinstance(event.data, Created)
    assert (event.event_id, event.data.attributes) == ("e:1", {"a:b": "c:d", 'q"': "\\ \n :"})


def test_a_text_with_a_colon_hides_no_doubled_field() -> None:
    value = b'{"type":"solved",' + wire(event_id="e:1")[1:]

    assert refused(value).reason == "duplicate_field"
    # nor does the tenant that is filled in
    doubled = b'{"type":"solved",' + wire()[1:]
    assert isinstance(check_line(doubled, tenant_default="a:b", now_ms=NOW_MS), Rejected)


def test_whole_numbers_serve_as_scores() -> None:
    event = taken(
        wire(
            ticket_id=None,
            survey_id="S1",
            type="answered",
            data={"metric": "csat", "question": "overall", "score": 5},
        )
    )

    assert isinstance(event.data, SurveyAnswered)
    assert type(event.data.score) is float


def test_the_key_of_the_record_is_the_key_of_the_event() -> None:
    assert taken(wire(ticket_id="T/1"), key=b"default/desk/T/1").key == "default/desk/T/1"


# --- why not ---

CASES: dict[str, tuple[bytes | None, dict[str, Any]]] = {
    "empty": (None, {}),
    "too_large": (b" " * (EVENT_BYTES_MAX + 1), {}),
    "invalid_utf8": (wire().replace(b"desk", b"d\xffsk"), {}),
    "not_json": (wire() + b"}", {}),
    "not_finite": (wire(sequence=1).replace(b'"sequence":1', b'"sequence":NaN'), {}),
    "duplicate_field": (b'{"type":"solved",' + wire()[1:], {}),
    "too_deep": (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"," + wire()[1:], {}),
    "not_an_object": (b"[" + wire() + b"]", {}),
    "unknown_version": (wire(schema_version=2), {}),
    "unknown_type": (wire(type="queued"), {}),
    "missing_field": (wire(source=None), {}),
    "wrong_type": (wire(schema_version="1"), {}),
    "bad_value": (wire(data={"status": "openish"}), {}),
    "too_long": (wire(ticket_id="T" * 201), {}),
    "naive_time": (wire(occurred_at="2026-01-19T08:00:00"), {}),
    "absurd_time": (wire(occurred_at="2201-01-01T00:00:00Z"), {}),
    "ambiguous_entity": (wire(survey_id="S1"), {}),
    "wrong_topic": (wire(), {"kind": "call"}),
    "wrong_key": (wire(), {"key": b"default/desk/T2"}),
}


@pytest.mark.parametrize("reason", CASES)
def test_each_reason(reason: str) -> None:
    value, more = CASES[reason]

    assert refused(value, **more).reason == reason


def test_every_reason_of_decoding_has_a_case() -> None:
    assert set(CASES) == set(REASONS) - FOUND_LATER


@pytest.mark.parametrize(
    ("value", "reason", "where"),
    [
        (b"", "empty", ""),
        (b"null", "not_an_object", ""),
        (b"\xef\xbb\xbf" + wire(), "not_json", ""),
        (b"[" * 200_000, "too_deep", ""),
        (b'{"x":"' + b"[" * 200_000 + b'"', "not_json", ""),
        (wire(x=1).replace(b":1}", b":1e999}"), "not_finite", ""),
        (wire(x=1).replace(b":1}", b":" + b"9" * 400 + b"}"), "not_finite", ""),
        (wire(x=1).replace(b'"x":1', b'"x":"\\ud800"'), "not_json", ""),
        (wire(x=1).replace(b'"x"', b'"t\\u0079pe"'), "duplicate_field", "type"),
        (wire(x={"a": 1}).replace(b'{"a":1}', b'[{"a":1,"a":2}]'), "duplicate_field", "a"),
        # an escaped colon may not make up for a hidden field
        (
            wire(x=1).replace(b'"x":1', b'"type":"created","x":"\\u003a"'),
            "duplicate_field",
            "type",
        ),
        (
            b'{"type":"solved",' + wire()[1:].replace(b"T08:", b"T08\\u003a"),
            "duplicate_field",
            "type",
        ),
        (wire(schema_version=True), "wrong_type", "schema_version"),
        (wire(x=1).replace(b'version":1', b'version":1.0'), "wrong_type", "schema_version"),
        (wire(schema_version=2**62), "unknown_version", "schema_version"),
        (b'{"tenant":null,' + wire()[1:], "wrong_type", "tenant"),
        (wire(tenant="a/b"), "bad_value", "tenant"),
        (wire(source="a\x01"), "bad_value", "source"),
        (wire(ticket_id="a\n"), "bad_value", "ticket_id"),
        (wire(event_id="a\x00"), "bad_value", "event_id"),
        (wire(type="merged", data={"into": "\x1f"}), "bad_value", "data.into"),
        (wire(sequence=2**53 + 1), "bad_value", "sequence"),
        (wire(sequence=1.0), "wrong_type", "sequence"),
        (wire(data={"targets": {"reply": None}}), "wrong_type", "data.targets.reply"),
        (wire(data={"attributes": {"a": "x" * 1_001}}), "too_long", "data.attributes.a"),
        (wire(type="message", data={"author": "agent", "public": 1}), "wrong_type", "data.public"),
        (wire(ticket_id=None), "ambiguous_entity", ""),
    ],
)
def test_finer_points(value: bytes, reason: str, where: str) -> None:
    rejected = refused(value)

    assert (rejected.reason, rejected.where) == (reason, where)


def test_all_mistakes_are_told_at_once() -> None:
    rejected = refused(wire(source=None, occurred_at="yesterday", sequence=-1))

    assert rejected.reason == "missing_field"
    assert [part.split(":")[0] for part in rejected.detail.split("; ")] == [
        "source",
        "sequence",
        "occurred_at",
    ]


def test_words_are_for_senders_of_json() -> None:
    assert refused(wire(data=[])).detail == "data: Input should be a JSON object"
    assert "No control characters" in refused(wire(source="a/b")).detail


@pytest.mark.parametrize("key", [b"", b"T1", b"default/desk/t1", b"default/desk/T1/", b"\xff"])
def test_a_key_of_another_event(key: bytes) -> None:
    rejected = refused(wire(), key=key)

    assert rejected.reason == "wrong_key"
    assert "default/desk/T1" in rejected.detail


@pytest.mark.parametrize("kind", ["call", "survey", "shift"])
def test_a_topic_for_other_events(kind: EntityKind) -> None:
    rejected = refused(wire(), kind=kind, key=b"whatever")

    assert (rejected.reason, rejected.detail) == (
        "wrong_topic",
        "a ticket event belongs on topic tickets",
    )


# --- bounded, whatever comes ---

_LONG = EVENT_BYTES_MAX - 1_000
HOSTILE = {
    "nested arrays": b"[" * _LONG,
    "nested objects": b'{"a":' * (_LONG // 5),
    "flat brackets": b"[]" * (_LONG // 2),
    "quotes": b'"' * _LONG,
    "backslashes": b'"' + b"\\" * _LONG,
    "digits": wire()[:-1] + b',"x":' + b"9" * _LONG + b"}",
    "decimals, doubled field": wire()[:-1] + b',"x":0.' + b"7" * _LONG + b',"x":1}',
    "one name for all": b"{" + b",".join([b'"a":1'] * (_LONG // 6)) + b"}",
    "many fields": wire()[:-1] + b"".join(b',"f%d":1' % n for n in range(_LONG // 11)) + b"}",
    "many wrong targets": wire(data={"targets": {str(n): 1 for n in range(_LONG // 11)}}),
    "many wrong attributes": wire(data={"attributes": {str(n): 1 for n in range(_LONG // 11)}}),
    "many small lists": wire(x=[[n] for n in range(_LONG // 9)]),
    "colons": wire(x=":" * (_LONG - 200)),
    "a long time": wire(occurred_at="2026-01-19T08:00:00." + "0" * (_LONG - 200) + "Z"),
    "a long type": wire(type="x" * (_LONG - 200)),
    "only \\u": b'{"x":"' + b"\\u0041" * (_LONG // 6) + b'"}',
    "bad bytes": b"\x80" * _LONG,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_costs_little(name: str) -> None:
    value = HOSTILE[name]
    assert len(value) <= EVENT_BYTES_MAX

    started = time.perf_counter()
    outcome = decode(value, key=None, received_ms=NOW_MS)
    seconds = time.perf_counter() - started

    assert isinstance(outcome, Rejected) == (
        name not in {"many fields", "many small lists", "colons"}
    )
    assert seconds < 2  # measured: 0.07 at most
    if isinstance(outcome, Rejected):
        assert len(outcome.detail) <= 1_000
        assert len(outcome.where) <= 1_000


@pytest.mark.parametrize("name", ["many wrong targets", "many small lists", "one name for all"])
def test_hostile_input_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    decode(HOSTILE[name], key=None, received_ms=NOW_MS)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 150 * EVENT_BYTES_MAX


# --- old majors ---


def test_an_older_major_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "UPCASTERS", {0: lambda old: {**old, "ticket_id": old["number"]}})

    assert taken(wire(schema_version=0, ticket_id=None, number="T1")) == taken(wire())


def test_an_older_major_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "UPCASTERS", {0: lambda old: {"ticket_id": old["number"]}})

    rejected = refused(wire(schema_version=0))

    assert (rejected.reason, rejected.detail) == ("bad_value", "not a version 0 event: KeyError")


# --- the edge ---


def checked(value: bytes, **more: Any) -> Accepted:
    outcome = check_line(value, **{"tenant_default": "acme", "now_ms": NOW_MS, **more})
    assert not isinstance(outcome, Rejected), outcome
    return outcome


def test_the_edge_stamps_names_the_tenant_and_drops_what_nobody_knows() -> None:
    topic, key, value, _aliases = checked(wire(ingested_at="2020-01-01T00:00:00Z", secret="x"))

    assert (topic, key) == ("tickets", b"acme/desk/T1")
    event = taken(value, key=key)
    assert event == msgspec.structs.replace(taken(wire()), tenant="acme", ingested_ms=NOW_MS)
    assert b"secret" not in value


def test_the_edge_keeps_the_stamp_of_a_trusted_sender() -> None:
    stamped = wire(ingested_at="2026-01-19T08:00:00Z", tenant="own")

    _topic, key, value, _aliases = checked(stamped, trust_ingested_at=True)

    assert key == b"own/desk/T1"
    assert taken(value).ingested_ms == OCCURRED_MS


def test_what_the_edge_lets_through_is_small_enough_for_decode() -> None:
    def of_length(padding: int) -> bytes:
        shares = [padding // 64 + (n < padding % 64) for n in range(64)]
        attributes = {
            f"{n:02}" + "k" * share: "\U0001f600" * 1_000 for n, share in enumerate(shares)
        }
        return wire(event_id=None, data={"attributes": attributes})

    value = of_length(EVENT_BYTES_MAX - len(of_length(0)))
    assert len(value) == EVENT_BYTES_MAX

    rejected = check_line(value, tenant_default="acme", now_ms=NOW_MS)

    taken(value)
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "too_large"


def test_the_edge_tells_why_not() -> None:
    rejected = check_line(b"{}", tenant_default="acme", now_ms=NOW_MS)

    assert isinstance(rejected, Rejected)
    assert rejected.reason == "missing_field"


# --- speed is a matter of which way is taken ---


@pytest.mark.parametrize(
    "value",
    [wire(), wire(x=1), wire(event_id=None), wire(event_id="e:1"), encode(taken(wire(sequence=1)))],
)
def test_right_events_go_the_fast_way(value: bytes) -> None:
    assert fast.event_of(value, None, None, NOW_MS, "default") == taken(value)
