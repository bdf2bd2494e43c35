"""Customer ids: keyed at the edge, so that nothing behind it knows who a customer is.

A pseudonym is `c1.KEY_ID.HASH`: HMAC-SHA256 over tenant and id, its first 16 bytes in base32, with the
name of the key that made it. The keys stay at the edge. Of several keys the first makes pseudonyms; what
the others would have made is told as an alias, so that a changed key cuts nobody's history in two.
Equal ids of one tenant get equal pseudonyms, whatever system they come from.
"""

import hmac
import re
import secrets
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec
import orjson

from schemas.events import (
    Created,
    CustomerChanged,
    Data,
    Event,
    IvrEntered,
    Queued,
    Rejected,
    SurveyAnswered,
    SurveySent,
)
from schemas.instants import from_ms
from schemas.outcomes import CustomerAliasRow
from schemas.topics import OUTCOME_TOPIC_OF_TABLE

CustomerIdMode = Literal["keyed", "clear", "dropped"]

KEY_BYTES_MIN = 32
ALIAS_TOPIC = OUTCOME_TOPIC_OF_TABLE["customer_aliases"]
CLEAR_CUSTOMER_ID = "clear_customer_id"
_HASH_BYTES = 16
_is_pseudonym = re.compile(r"c1\.[0-9a-f]{8}\.[a-z2-7]{26}").fullmatch
_CARRIERS = frozenset((Created, CustomerChanged, IvrEntered, Queued, SurveySent, SurveyAnswered))


class Alias(NamedTuple):
    """Two names of one customer: what an older key made, and what counts now."""

    tenant: str
    alias: str
    customer_id: str

    def record(self, now_ms: int) -> tuple[bytes, bytes]:
        """Key and value for `ALIAS_TOPIC`."""
        row = CustomerAliasRow(
            tenant=self.tenant,
            alias=self.alias,
            customer_id=self.customer_id,
            event_time=from_ms(now_ms),
            version=now_ms,
        )
        return f"{self.tenant}/{self.alias}".encode(), orjson.dumps(row, option=orjson.OPT_UTC_Z)


class Keys:
    """The edge's keys, the newest first."""

    def __init__(self, texts: Sequence[str] = ()) -> None:
        """ValueError when a text is no key: at least 32 bytes in hexadecimal digits."""
        self._keys = [(key_id_of(text), _key(text)) for text in texts]

    def __len__(self) -> int:
        return len(self._keys)

    def pseudonyms(self, tenant: str, customer_id: str) -> tuple[str, ...]:
        """Of every key, the one that counts first."""
        return tuple(f"c1.{key_id}.{_hash(key, tenant, customer_id)}" for key_id, key in self._keys)


@dataclass(frozen=True, slots=True)
class CustomerIds:
    """What happens to customer ids. `keyed`: replaced by pseudonyms, and refused where no key is;
    `clear`: taken as they are, because the source sends its own pseudonyms; `dropped`: left out."""

    mode: CustomerIdMode = "keyed"
    keys: Keys = field(default_factory=Keys)

    def at_edge(self, event: Event) -> tuple[Event | Rejected, tuple[Alias, ...]]:
        """The event as it may go on, and the aliases that it brings while a key is being changed."""
        customer_id = customer_of(event.data)
        if customer_id is None or self.mode == "clear":
            return event, ()
        if self.mode == "dropped":
            return _with_customer(event, None), ()
        if is_pseudonym(customer_id):
            return event, ()
        if not self.keys:
            return _clear(event), ()
        first, *others = self.keys.pseudonyms(event.tenant, customer_id)
        aliases = tuple(Alias(event.tenant, other, first) for other in others)
        return _with_customer(event, first), aliases

    def inside(self, event: Event) -> Event | Rejected:
        """Behind the edge, where there are no keys: what did not come through it is not let in."""
        customer_id = customer_of(event.data)
        if customer_id is None or self.mode == "clear":
            return event
        if self.mode == "dropped":
            return _with_customer(event, None)
        return event if is_pseudonym(customer_id) else _clear(event)


REFUSED_IN_CLEAR = CustomerIds()


def customer_of(data: Data) -> str | None:
    """The customer that an event's data names, if any."""
    if type(data) not in _CARRIERS:
        return None
    found: str | None = data.customer_id  # type: ignore[attr-defined]  # the carriers have it
    return found


def is_pseudonym(text: str) -> bool:
    """Whether a text has the form of a pseudonym."""
    return _is_pseudonym(text) is not None


def new_key() -> str:
    """A key for the setting."""
    return secrets.token_hex(KEY_BYTES_MIN)


def key_id_of(text: str) -> str:
    """Names a key without telling it."""
    return sha256(text.encode()).hexdigest()[:8]


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) < KEY_BYTES_MIN:
        message = f"{len(key)} bytes, at least {KEY_BYTES_MIN}"
        raise ValueError(message)
    return key


def _hash(key: bytes, tenant: str, customer_id: str) -> str:
    # A tenant can't hold a control character, so the two can't run into each other.
    digest = hmac.digest(key, f"{tenant}\0{customer_id}".encode(), "sha256")
    return b32encode(digest[:_HASH_BYTES]).decode().rstrip("=").lower()


def _with_customer(event: Event, customer_id: str | None) -> Event:
    data = msgspec.structs.replace(event.data, customer_id=customer_id)
    return msgspec.structs.replace(event, data=data, digest="")


def _clear(event: Event) -> Rejected:
    detail = f"event {event.event_id} names its customer in clear"
    return Rejected(reason=CLEAR_CUSTOMER_ID, detail=detail, where="data.customer_id")
