"""What is remembered of a ticket between two events."""

import msgspec

from streams.core.tickets.cycle import Breach, Cycle, latent_breach, pending_due_ms
from streams.core.tickets.facts import Facts
from streams.core.tickets.log import Entry, Flag, OrderKey


class Told(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What has been announced of one cycle: the last level, and what it rested on."""

    clock: str
    cycle_id: str
    level: str
    marks: int = 0  # at-risk marks announced
    breach_ms: int | None = None  # of the breach that stands announced
    open: bool = True
    page_ms: int | None = None  # when that breach is to be paged


class Base(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The oldest events of an overlong history, folded; nothing can be put before `key` any more."""

    key: OrderKey
    facts: Facts
    last: tuple[Cycle, ...]
    past: tuple[Cycle, ...]
    flags: tuple[Flag, ...]
    settled_ms: int = -(2**62)  # the oldest cycles, opened up to then, are no longer remembered


class TicketState(msgspec.Struct, array_like=True, gc=False):
    """Immutable as seen from outside. `log` stands in order, `waiting` counts later.

    `timed_ms` is the instant up to which timers have been allowed to fire; `stub_ms` marks what is
    left of a ticket whose horizon has passed. `rejudged_ms` names a `streams.core.policy.Rejudgement`.
    """

    tenant: str
    source: str
    ticket_id: str
    facts: Facts
    log: tuple[Entry, ...] = ()
    last: tuple[Cycle, ...] = ()  # the latest cycle of each clock
    past: tuple[Cycle, ...] = ()
    told: tuple[Told, ...] = ()
    last_ms: int = -(2**62)  # effective instant of the last event that counts
    timed_ms: int = -(2**62)
    wake_ms: int | None = None
    waiting: tuple[Entry, ...] = ()
    waiting_ms: int | None = None
    base: Base | None = None
    stub_ms: int | None = None
    rejudged_ms: int = 0  # the last rejudgement that this state has seen
    erased: bool = False  # the customer has been forgotten; since snapshot version 2


def settled(state: TicketState, cycle: Cycle) -> bool:
    """Whether a cycle that the state does not have may have been forgotten: its last row stands."""
    return state.base is not None and cycle.opened_ms <= state.base.settled_ms


def is_plain(state: TicketState) -> bool:
    """True when nothing about the history is odd, so that no flag can be: the usual case, quickly."""
    created_ms = state.facts.created_ms
    if created_ms is None or state.base is not None or state.waiting:
        return False
    for entry in state.log:
        occurred_ms = entry.occurred_ms
        if (
            occurred_ms < created_ms
            or occurred_ms > entry.ingested_ms
            or entry.conflict_ms is not None
        ):
            return False
    return True


def told_of(state: TicketState, cycle: Cycle) -> Told | None:
    """What has been announced of a cycle, if anything."""
    for told in state.told:
        if told.cycle_id == cycle.cycle_id and told.clock == cycle.clock:
            return told
    return None


def seen(state: TicketState, instant_ms: int, told: bool, now_ms: int) -> bool:
    """Whether an instant has passed for the ticket: by a later event of its own or by a timer.

    The clock's now alone proves nothing while the log is being read; it does keep what was announced
    from being taken back because a due instant moved a little.
    """
    return (
        instant_ms < state.last_ms or instant_ms <= state.timed_ms or (told and instant_ms < now_ms)
    )


def known_breach(state: TicketState, cycle: Cycle, now_ms: int) -> Breach | None:
    """The breach that the live engine stands by; of an excluded clock there is none to stand by."""
    due_ms = pending_due_ms(cycle)
    if due_ms is None:
        return cycle.breach
    told = told_of(state, cycle) if state.told else None
    announced = told is not None and told.breach_ms is not None
    return latent_breach(cycle) if seen(state, due_ms, announced, now_ms) else None
