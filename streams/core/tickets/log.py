"""A ticket's event log: what is kept of an event, when it counts, and in which order.

The rules are those of the SLA conventions: duplicates, conflicting duplicates, stamps from the
future, stamps before the beginning, order at one instant.
"""

import hashlib
from collections.abc import Callable, Iterable
from copy import copy
from typing import cast

import msgspec

from schemas.events import Created, Event, Message, TicketData

OrderKey = tuple[int, bool, bool, int, bool, str]
SkewOf = Callable[[int], int]  # instant → largest tolerated future skew (ms) of the policy then


class Entry(msgspec.Struct, array_like=True, gc=False):
    """An event as the ticket remembers it. Treated as immutable once it stands in a log.

    `conflict_ms` is the instant at which a copy with other content became known.
    """

    event_id: str
    occurred_ms: int
    ingested_ms: int
    data: TicketData
    sequence: int | None = None
    digest: bytes = b""
    conflict_ms: int | None = None

    @property
    def type(self) -> str:
        return TYPE_OF[type(self.data)]


class Flag(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Something odd about a ticket's history. `event_id` None: about the ticket as a whole."""

    flag: str
    event_id: str | None = None
    skew_ms: int | None = None


TYPE_OF: dict[type, str] = {
    data_class: str(data_class.__struct_config__.tag) for data_class in TicketData.__args__
}
_canonical = msgspec.json.Encoder(order="deterministic")
_NEVER_BEFORE = -(2**62)


def entry_of(event: Event) -> Entry:
    """What the log keeps of an event."""
    return Entry(
        event.event_id,
        event.occurred_ms,
        event.ingested_ms,
        cast("TicketData", event.data),
        event.sequence,
        bytes.fromhex(event.digest) if event.digest else b"",
    )


def digest_of(entry: Entry) -> bytes:
    """Tells contents apart: what the edge computed, else of what the log keeps."""
    if entry.digest:
        return entry.digest
    content = (entry.type, entry.occurred_ms, entry.sequence, entry.data)
    return hashlib.sha256(_canonical.encode(content)).digest()


def unclamped_ms(entry: Entry, skew_of: SkewOf) -> int:
    """Effective instant before the clamp to the beginning: a stamp too far ahead counts as its arrival."""
    occurred_ms, ingested_ms = entry.occurred_ms, entry.ingested_ms
    if occurred_ms > ingested_ms and occurred_ms - ingested_ms > skew_of(ingested_ms):
        return ingested_ms
    return occurred_ms


def order_key(entry: Entry, effective_ms: int) -> OrderKey:
    """Sorts events of one ticket: instant, created, sequence, stops, id."""
    data = entry.data
    return (
        effective_ms,
        type(data) is not Created,
        entry.sequence is None,
        entry.sequence or 0,
        not is_stop(data),
        entry.event_id,
    )


def is_stop(data: TicketData) -> bool:
    """Solved, closed and a public reply of an agent come before others of their instant."""
    if type(data) is Message:
        return data.author == "agent" and data.public
    return TYPE_OF[type(data)] in ("solved", "closed")


def reconciled(kept: Entry, other: Entry, digest_of: Callable[[Entry], bytes]) -> Entry:
    """Of two copies with one event id the one that counts; `kept` itself when nothing changes."""
    kept_digest, other_digest = digest_of(kept), digest_of(other)
    if kept_digest == other_digest:
        if kept.ingested_ms <= other.ingested_ms:
            return kept
        winner = copy(other)
        winner.conflict_ms = kept.conflict_ms
        return winner
    if (kept.ingested_ms, kept_digest) < (other.ingested_ms, other_digest):
        winner, conflict_ms = kept, other.ingested_ms
    else:
        winner, conflict_ms = other, kept.ingested_ms
    if kept.conflict_ms is not None and winner is kept:
        conflict_ms = min(conflict_ms, kept.conflict_ms)
    if winner is kept and kept.conflict_ms == conflict_ms:
        return kept
    winner = copy(winner)
    winner.conflict_ms = conflict_ms
    return winner


def beginning(entries: Iterable[Entry], skew_of: SkewOf) -> tuple[Entry, int] | None:
    """The created event that counts and its instant; None while the history is partial."""
    found: tuple[OrderKey, Entry] | None = None
    for entry in entries:
        if type(entry.data) is Created:
            key = order_key(entry, unclamped_ms(entry, skew_of))
            if found is None or key < found[0]:
                found = key, entry
    return None if found is None else (found[1], found[0][0])


class Known(msgspec.Struct):
    """The entries of a ticket as of one instant: those that count by now, in order, and the rest."""

    ordered: list[tuple[OrderKey, Entry]]
    waiting: list[Entry]
    next_ms: int | None  # when the next of those waiting counts
    first_ms: int  # of the first that counts, else of the oldest of all


def known_as_of(
    entries: Iterable[Entry], now_ms: int, created_ms: int | None, skew_of: SkewOf
) -> Known:
    """Split by what is known (ingested) and has happened (effective) at `now_ms`.

    `created_ms` is the beginning folded away earlier, if any; else it is found among the entries.
    """
    entries = list(entries)
    waiting = [entry for entry in entries if entry.ingested_ms > now_ms]
    known = [entry for entry in entries if entry.ingested_ms <= now_ms] if waiting else entries
    next_ms = min((entry.ingested_ms for entry in waiting), default=None)
    if created_ms is None:
        found = beginning(known, skew_of)
        created_ms = None if found is None else found[1]
    floor_ms = _NEVER_BEFORE if created_ms is None else created_ms
    ordered = []
    for entry in known:
        effective_ms = max(unclamped_ms(entry, skew_of), floor_ms)
        if effective_ms <= now_ms:
            ordered.append((order_key(entry, effective_ms), entry))
        else:
            waiting.append(entry)
            next_ms = effective_ms if next_ms is None else min(next_ms, effective_ms)
    ordered.sort(key=lambda pair: pair[0])
    first_ms = ordered[0][0][0] if ordered else None
    if first_ms is None:
        first_ms = min((unclamped_ms(entry, skew_of) for entry in waiting), default=now_ms)
    return Known(ordered, waiting, next_ms, first_ms)


def flags_of(
    entries: Iterable[Entry], as_of_ms: int, created_ms: int | None, skew_of: SkewOf
) -> list[Flag]:
    """Flags of the entries known at an instant, unsorted; without the ticket's own."""
    flags = []
    for entry in entries:
        if entry.ingested_ms > as_of_ms:
            continue
        effective_ms = unclamped_ms(entry, skew_of)
        if effective_ms != entry.occurred_ms:
            skew_ms = entry.occurred_ms - entry.ingested_ms
            flags.append(Flag("future_clamped", entry.event_id, skew_ms))
        if created_ms is not None and effective_ms < created_ms:
            flags.append(Flag("before_start_clamped", entry.event_id, effective_ms - created_ms))
        if entry.conflict_ms is not None and entry.conflict_ms <= as_of_ms:
            flags.append(Flag("conflicting_duplicate", entry.event_id))
    return flags


def sorted_flags(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    """In the published order: by flag, then event id."""
    return tuple(sorted(flags, key=lambda flag: (flag.flag, flag.event_id or "")))
