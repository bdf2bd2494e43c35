"""Golden messages decode to what they say, for ever; their rejected twins say why not."""

from pathlib import Path

import orjson
import pytest

from schemas import fast
from schemas.decode import decode, document_of
from schemas.events import EntityKind, Event, Rejected
from schemas.instants import rfc3339
from schemas.reasons import REASONS
from schemas.wire import TYPES, VERSION
from tests.unit.schemas.golden import ACCEPTED, EXAMPLES, REJECTED, name_of

RECEIVED_MS = 1_768_809_600_000
# a file can't show these: it has no key, a very long one helps nobody, and the last come after decoding
WITHOUT_A_FILE = {"too_large", "wrong_key"}
FOUND_LATER = {
    "clear_customer_id",
    "misrouted",
    "too_late",
    "core_error",
    "state_too_large",
    "retried",
    "refused_by_database",
}


@pytest.mark.parametrize(("kind", "path"), ACCEPTED, ids=name_of)
def test_a_golden_message_says_the_same_as_ever(kind: EntityKind, path: Path) -> None:
    written = orjson.loads(path.read_bytes())

    event = decode(path.read_bytes(), key=None, received_ms=RECEIVED_MS, kind=kind)

    assert isinstance(event, Event), event
    assert document_of(event) == {
        "tenant": "default",
        "event_id": event.event_id,
        "ingested_at": rfc3339(RECEIVED_MS),
        **written,
    }


@pytest.mark.parametrize(("kind", "path"), ACCEPTED, ids=name_of)
def test_a_golden_message_goes_the_fast_way(kind: EntityKind, path: Path) -> None:
    assert fast.event_of(path.read_bytes(), None, kind, RECEIVED_MS, "default") is not None


@pytest.mark.parametrize(("kind", "path"), REJECTED, ids=name_of)
def test_a_rejected_twin_is_named_by_its_reason(kind: EntityKind, path: Path) -> None:
    rejected = decode(path.read_bytes(), key=None, received_ms=RECEIVED_MS, kind=kind)

    assert isinstance(rejected, Rejected), rejected
    assert path.stem == rejected.reason or path.stem.startswith(f"{rejected.reason}_")
    assert rejected.detail


def test_every_event_type_has_a_golden_message_named_after_it() -> None:
    shown = {
        (kind, document["type"])
        for kind, path in ACCEPTED
        if path.stem.startswith((document := orjson.loads(path.read_bytes()))["type"])
        and path.parent.name == str(document["schema_version"])
    }

    assert shown == {(kind, type_) for kind, types in TYPES.items() for type_ in types}
    assert len(ACCEPTED) + len(REJECTED) == sum(1 for path in EXAMPLES.rglob("*") if path.is_file())


def test_every_field_is_shown_by_some_golden_message() -> None:
    shown = {
        (kind, document["type"], field)
        for kind, path in ACCEPTED
        for document in [orjson.loads(path.read_bytes())]
        for field in document["data"]
    }

    assert shown == {
        (kind, type_, field)
        for kind, types in TYPES.items()
        for type_, (model, _inside) in types.items()
        for field in model.model_fields
    }


def test_every_reason_of_decoding_has_a_twin() -> None:
    shown = {
        reason
        for reason in REASONS
        for _kind, path in REJECTED
        if path.stem == reason or path.stem.startswith(f"{reason}_")
    }

    assert shown == set(REASONS) - WITHOUT_A_FILE - FOUND_LATER


def test_every_major_up_to_now_has_examples() -> None:
    for kind in TYPES:
        folders = {path.name for path in (EXAMPLES / kind).iterdir()}
        assert folders == {str(major) for major in range(1, VERSION + 1)}
