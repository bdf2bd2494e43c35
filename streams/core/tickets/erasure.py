"""Forgetting who the customer was. What happened to the ticket, and every verdict, stays.

An erased ticket keeps no customer id and none of the attributes that no policy asks for; those that one
asks for are classes (a region, a product), and without them the past would be judged anew. A policy that
matches by `customer_id` itself judges an erased ticket as one without a customer.
"""

from collections.abc import Iterable
from copy import copy

from msgspec.structs import replace

from schemas.events import Created, CustomerChanged, CustomerErased
from streams.core.tickets.facts import Facts
from streams.core.tickets.log import Entry, digest_of
from streams.core.tickets.state import TicketState


def erases(entry: Entry) -> bool:
    """Whether this event asks for it."""
    return type(entry.data) is CustomerErased


def erased(state: TicketState, asked: frozenset[str]) -> TicketState:
    """The state without the customer; what comes later is scrubbed on its way in (`state.erased`)."""
    state = copy(state)
    state.erased = True
    state.facts = scrubbed_facts(state.facts, asked)
    state.log = scrubbed(state.log, asked)
    state.waiting = scrubbed(state.waiting, asked)
    if state.base is not None:
        state.base = replace(state.base, facts=scrubbed_facts(state.base.facts, asked))
    return state


def scrubbed(entries: Iterable[Entry], asked: frozenset[str]) -> tuple[Entry, ...]:
    """Entries without the customer."""
    return tuple(scrubbed_entry(entry, asked) for entry in entries)


def scrubbed_entry(entry: Entry, asked: frozenset[str]) -> Entry:
    """An entry without the customer; the same one when it has none. Its digest is that of what was sent,
    so that another copy of the event is still known as a copy."""
    data = entry.data
    if isinstance(data, Created):
        attributes = _kept(data.attributes, asked)
        if data.customer_id is None and attributes == data.attributes:
            return entry
        data = replace(data, customer_id=None, attributes=attributes)
    elif isinstance(data, CustomerChanged) and data.customer_id is not None:
        data = replace(data, customer_id=None)
    else:
        return entry
    found = copy(entry)
    found.digest = digest_of(entry)
    found.data = data
    return found


def scrubbed_facts(facts: Facts, asked: frozenset[str]) -> Facts:
    """Facts without the customer."""
    facts = copy(facts)
    facts.customer_id = None
    facts.attributes = _kept(facts.attributes, asked)
    return facts


def _kept(attributes: dict[str, str], asked: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in attributes.items() if name in asked}
