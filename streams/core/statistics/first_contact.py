"""First-contact resolution: a contact after which the customer did not have to come back for the same
issue. Nobody can know before the window has closed, so until then it is provisional."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from streams.core.statistics.proportion import percent

Outcome = Literal["resolved", "repeated", "provisional"]


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact of one customer about one issue. `closed_ms` None: it is still going on."""

    contact_id: str
    customer_id: str
    issue: str
    opened_ms: int
    closed_ms: int | None


@dataclass(frozen=True, slots=True)
class FirstContact:
    """A contact that repeats no other, and what came of it. `final_ms`: from then on it is final."""

    contact: Contact
    outcome: Outcome
    final_ms: int | None


def first_contacts(
    contacts: Iterable[Contact], window_ms: int, as_of_ms: int
) -> list[FirstContact]:
    """The first contacts, by opening. Contacts opened later than `as_of_ms` are not known yet, and one closed
    later is still open.

    A repeat: same customer and issue, opened in [closed, closed + window) of an earlier contact.
    """
    groups: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    for contact in contacts:
        if contact.opened_ms <= as_of_ms:
            groups[contact.customer_id, contact.issue].append(contact)
    found = [
        one
        for group in groups.values()
        for one in _firsts(sorted(group, key=_order), window_ms, as_of_ms)
    ]
    return sorted(found, key=lambda one: _order(one.contact))


def resolution_percent(found: Iterable[FirstContact]) -> float | None:
    """Resolved of those that are decided; None when none is."""
    outcomes = [one.outcome for one in found]
    resolved, repeated = outcomes.count("resolved"), outcomes.count("repeated")
    return percent(resolved, resolved + repeated)


def _order(contact: Contact) -> tuple[int, str]:
    return contact.opened_ms, contact.contact_id


def _firsts(group: list[Contact], window_ms: int, as_of_ms: int) -> list[FirstContact]:
    """Of the contacts of one customer about one issue, by opening."""
    repeated: set[int] = set()
    repeats: set[int] = set()
    for at, earlier in enumerate(group):
        closed_ms = _closed_ms(earlier, as_of_ms)
        if closed_ms is None:
            continue
        for later_at in range(at + 1, len(group)):
            opened_ms = group[later_at].opened_ms
            if opened_ms >= closed_ms + window_ms:
                break
            if opened_ms >= closed_ms:
                repeated.add(at)
                repeats.add(later_at)
    return [
        _judged(contact, at in repeated, window_ms, as_of_ms)
        for at, contact in enumerate(group)
        if at not in repeats
    ]


def _judged(contact: Contact, repeated: bool, window_ms: int, as_of_ms: int) -> FirstContact:
    closed_ms = _closed_ms(contact, as_of_ms)
    final_ms = None if closed_ms is None else closed_ms + window_ms
    if repeated:
        return FirstContact(contact, "repeated", final_ms)
    over = final_ms is not None and final_ms <= as_of_ms
    return FirstContact(contact, "resolved" if over else "provisional", final_ms)


def _closed_ms(contact: Contact, as_of_ms: int) -> int | None:
    closed_ms = contact.closed_ms
    return None if closed_ms is None or closed_ms > as_of_ms else closed_ms
