"""Customer ids at the edge and behind it."""

import hmac
from base64 import b32encode
from hashlib import sha256

import msgspec
import orjson
import pytest

from schemas.customers import Alias, CustomerIds, Keys, is_pseudonym, key_id_of, new_key
from schemas.decode import check_line, decode
from schemas.events import Created, Event, Message, Queued, Rejected, SurveyAnswered
from schemas.outcomes import CustomerAliasRow
from schemas.problems import ProblemsError
from streams.shell.customers import customer_ids_of
from streams.shell.settings import load_settings

OLD, NEW = "0b" * 32, "a1" * 32


def event(customer_id: str | None = "0049 30 1234", tenant: str = "acme") -> Event:
    return Event(
        tenant=tenant,
        source="desk",
        kind="ticket",
        entity_id="T1",
        event_id="e1",
        type="created",
        occurred_ms=1_000,
        ingested_ms=1_000,
        data=Created(priority="high", customer_id=customer_id, attributes={"shelf": "A3"}),
    )


def named(found: Event | Rejected) -> str | None:
    assert isinstance(found, Event), found
    assert isinstance(found.data, Created)
    return found.data.customer_id


def test_a_pseudonym_is_a_keyed_hash_of_tenant_and_id_with_the_key_s_name() -> None:
    found, aliases = CustomerIds(keys=Keys([NEW])).at_edge(event())

    digest = hmac.new(bytes.fromhex(NEW), b"acme\x000049 30 1234", sha256).digest()
    hash_ = b32encode(digest[:16]).decode().rstrip("=").lower()
    key_id = sha256(NEW.encode()).hexdigest()[:8]
    assert named(found) == f"c1.{key_id}.{hash_}"
    assert is_pseudonym(named(found) or "")
    assert aliases == ()
    assert isinstance(found, Event)
    assert msgspec.structs.replace(found, data=event().data) == event(), "nothing else changes"


def test_every_kind_of_event_that_names_a_customer_is_keyed() -> None:
    ids = CustomerIds(keys=Keys([NEW]))
    carriers = [Queued(queue="q", customer_id="x"), SurveyAnswered("nps", "q", 9, customer_id="x")]
    for data in carriers:
        found, _ = ids.at_edge(msgspec.structs.replace(event(), data=data))
        assert isinstance(found, Event)
        assert is_pseudonym(getattr(found.data, "customer_id", ""))
    silent = msgspec.structs.replace(event(), data=Message("customer"))
    assert ids.at_edge(silent) == (silent, ())


def test_another_tenant_s_customer_of_the_same_id_is_another_one() -> None:
    ids = CustomerIds(keys=Keys([NEW]))
    assert named(ids.at_edge(event())[0]) != named(ids.at_edge(event(tenant="other"))[0])


def test_while_a_key_is_changed_the_old_pseudonym_is_told_as_an_alias() -> None:
    (before,) = Keys([OLD]).pseudonyms("acme", "0049 30 1234")
    found, aliases = CustomerIds(keys=Keys([NEW, OLD])).at_edge(event())

    now = named(found)
    assert now == Keys([NEW]).pseudonyms("acme", "0049 30 1234")[0]
    assert aliases == (Alias("acme", before, now or ""),)
    key, value = aliases[0].record(86_400_000)
    assert key == f"acme/{before}".encode()
    row = orjson.loads(value)
    assert set(row) == set(CustomerAliasRow.__annotations__)
    assert (row["alias"], row["customer_id"], row["version"]) == (before, now, 86_400_000)
    assert row["event_time"] == "1970-01-02T00:00:00Z"


def test_what_is_a_pseudonym_already_passes_the_edge_once_more() -> None:
    ids = CustomerIds(keys=Keys([NEW]))
    once, _ = ids.at_edge(event())
    assert isinstance(once, Event)
    assert ids.at_edge(once) == (once, ())
    assert CustomerIds().at_edge(once) == (once, ()), "the next edge may have no key at all"


def test_without_a_key_an_id_in_clear_is_refused_at_the_edge_and_behind_it() -> None:
    for refused in (CustomerIds().at_edge(event())[0], CustomerIds().inside(event())):
        assert isinstance(refused, Rejected)
        assert (refused.reason, refused.where) == ("clear_customer_id", "data.customer_id")
        assert "1234" not in refused.detail
    assert CustomerIds().inside(event(None)) == event(None)
    keyed, _ = CustomerIds(keys=Keys([NEW])).at_edge(event())
    assert isinstance(keyed, Event)
    assert CustomerIds().inside(keyed) == keyed


def test_ids_can_be_taken_as_they_are_or_left_out() -> None:
    assert CustomerIds("clear").at_edge(event()) == (event(), ())
    assert CustomerIds("clear").inside(event()) == event()
    assert named(CustomerIds("dropped").at_edge(event())[0]) is None
    assert named(CustomerIds("dropped").inside(event())) is None


def test_the_edge_writes_pseudonyms_only() -> None:
    line = orjson.dumps(
        {
            "schema_version": 1, "source": "desk", "type": "created", "ticket_id": "T1",
            "event_id": "e1", "occurred_at": "2026-01-19T09:00:00Z",
            "data": {"customer_id": "0049 30 1234", "text": "call me", "subject": "my leg"},
            "description": "free text",
        }
    )  # fmt: skip
    ids = CustomerIds(keys=Keys([NEW, OLD]))
    taken = check_line(line, tenant_default="acme", now_ms=1, customers=ids)

    assert not isinstance(taken, Rejected)
    everything = taken.value + b"".join(part for one in taken.aliases for part in one.record(1))
    assert b"1234" not in everything
    for text in (b"call me", b"my leg", b"free text"):
        assert text not in everything, "texts that people wrote are not carried"
    again = decode(taken.value, key=taken.key, received_ms=1)
    assert named(again) == ids.keys.pseudonyms("acme", "0049 30 1234")[0]


def test_without_a_key_the_edge_tells_the_sender() -> None:
    line = orjson.dumps(
        {
            "schema_version": 1, "source": "desk", "type": "created", "ticket_id": "T1",
            "event_id": "e1", "occurred_at": "2026-01-19T09:00:00Z", "data": {"customer_id": "x"},
        }
    )  # fmt: skip
    refused = check_line(line, tenant_default="acme", now_ms=1)
    assert isinstance(refused, Rejected)
    assert refused.reason == "clear_customer_id"


@pytest.mark.parametrize("text", ["no hex", "0b" * 31])
def test_a_key_that_is_none_is_told_without_being_shown(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKETPULSE_CUSTOMER_KEYS", f"{new_key()},{text}")
    with pytest.raises(ProblemsError) as raised:
        customer_ids_of(load_settings())
    assert "customers new-key" in str(raised.value)
    assert text not in str(raised.value)


def test_keys_come_from_the_setting_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETPULSE_CUSTOMER_KEYS", f" {NEW} , {OLD},")
    ids = customer_ids_of(load_settings())
    assert ids.mode == "keyed"
    first, second = ids.keys.pseudonyms("acme", "x")
    assert (first.split(".")[1], second.split(".")[1]) == (key_id_of(NEW), key_id_of(OLD))
