"""Judging a whole history at once: the public entrance for replay, explanation and what-if."""

from collections.abc import Iterable

from schemas.events import CustomerErased, Event
from streams.core.policy import PolicyBook
from streams.core.tickets.erasure import scrubbed_entry
from streams.core.tickets.facts import Facts
from streams.core.tickets.fold import Fold
from streams.core.tickets.log import Entry, digest_of, entry_of, known_as_of, reconciled
from streams.core.tickets.plan import PlannedBook
from streams.core.tickets.view import TicketView, ticket_flags, view_of


def evaluate(
    events: Iterable[Event], policy_book: PolicyBook | PlannedBook, as_of_ms: int
) -> TicketView:
    """The truth about one ticket as of an instant, from its events in any order and number.

    All events must be of one ticket. An event counts from its arrival on, and when it has happened.
    """
    book = policy_book if isinstance(policy_book, PlannedBook) else PlannedBook(policy_book)
    events = list(events)
    assert events, "a ticket without an event is no ticket"
    first = events[0]
    assert all(event.key == first.key for event in events), "events of several tickets"
    entries: dict[str, Entry] = {}
    asked_to_erase = any(type(event.data) is CustomerErased for event in events)
    for event in events:
        entry = entry_of(event)
        if asked_to_erase:
            entry = scrubbed_entry(entry, book.asked)
        kept = entries.get(entry.event_id)
        entries[entry.event_id] = entry if kept is None else reconciled(kept, entry, digest_of)
    known = known_as_of(entries.values(), as_of_ms, None, book.skew_ms)
    fold = Fold(book, Facts(first.tenant, first.source, known.first_ms))
    for key, entry in known.ordered:
        fold.apply(entry, key[0])
    flags = ticket_flags(entries.values(), as_of_ms, fold.facts.created_ms, book)
    return view_of(first.entity_id, fold.facts, (*fold.past, *fold.last), flags, as_of_ms, book)
