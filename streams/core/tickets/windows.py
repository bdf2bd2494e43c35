"""What a ticket adds to windows: its beginning, its end, and each clock cycle that ended, judged.

Only what events have settled counts: a clock that runs, even overdue, is in none.
"""

from collections.abc import Iterator

from streams.core.tickets.cycle import Cycle
from streams.core.tickets.state import TicketState
from streams.core.windows.family import CLOCKS, TICKETS, Part


def parts_of(state: TicketState) -> list[Part]:
    """Of a ticket; a stub adds nothing more."""
    if state.stub_ms is not None:
        return []
    return [*_life(state), *_cycles(state)]


def _life(state: TicketState) -> Iterator[Part]:
    facts = state.facts
    about = state.tenant, state.source, facts.ticket_type, facts.team, facts.tier, facts.channel
    created_ms = facts.created_ms
    if created_ms is not None:
        yield TICKETS.part(TICKETS.key(created_ms, *about), created=1)
    if facts.solved_ms is not None:
        lifetime_ms = None if created_ms is None else facts.solved_ms - created_ms
        yield TICKETS.part(
            TICKETS.key(facts.solved_ms, *about),
            lifetime_ms,
            solved=1,
            lifetime_sum_ms=lifetime_ms or 0,
            reopened_solved=int(facts.reopen_count > 0),
        )
    if facts.closed_ms is not None:
        yield TICKETS.part(TICKETS.key(facts.closed_ms, *about), closed=1)


def _cycles(state: TicketState) -> Iterator[Part]:
    excluded, ticket_type = state.facts.excluded, state.facts.ticket_type
    for cycle in (*state.past, *state.last):
        ended_ms = cycle.stopped_ms if cycle.withdrawn_ms is None else cycle.withdrawn_ms
        if cycle.open or ended_ms is None or cycle.clock in excluded:
            continue
        breached = cycle.breach is not None
        if not breached and (cycle.withdrawn_ms is not None or not _judged(cycle)):
            continue
        key = CLOCKS.key(
            ended_ms,
            state.tenant,
            state.source,
            cycle.clock,
            cycle.team,
            cycle.tier,
            cycle.priority,
            ticket_type,
        )
        yield CLOCKS.part(
            key,
            cycle.used_ms,
            met=int(not breached),
            breached=int(breached),
            elapsed_sum_ms=cycle.used_ms,
        )


def _judged(cycle: Cycle) -> bool:
    return cycle.target_ms is not None or cycle.given_due_ms is not None
