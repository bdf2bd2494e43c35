"""What is known of a ticket apart from its clocks: attributes, status, holder, lifecycle."""

from collections.abc import Callable

import msgspec

from schemas.events import (
    Absorbed,
    Assigned,
    Cancelled,
    Closed,
    Created,
    CustomerChanged,
    CustomerErased,
    Excluded,
    ExternalVerdict,
    Merged,
    Message,
    PriorityChanged,
    Reopened,
    Solved,
    StageChanged,
    StatusChanged,
    TicketData,
)


class Facts(msgspec.Struct, array_like=True, gc=False):
    """Copied before every change: a state's facts never change under its holder."""

    tenant: str
    source: str
    first_ms: int  # created, or the first known event
    created_ms: int | None = None
    status: str = "new"
    source_status: str | None = None
    ticket_type: str | None = None
    priority: str | None = None
    tier: str | None = None
    channel: str | None = None
    team: str | None = None
    agent: str | None = None
    first_agent: str | None = None
    customer_id: str | None = None
    stage: str | None = None
    solved_ms: int | None = None
    closed_ms: int | None = None
    reopen_count: int = 0
    reassignment_count: int = 0
    event_count: int = 0
    ended: bool = False  # cancelled or merged: nothing opens or reopens a cycle any more
    merged_into: str | None = None
    absorbed_ms: int | None = None  # earliest beginning of the tickets swallowed
    targets: dict[str, int] = {}  # due instants given by the source
    attributes: dict[str, str] = {}
    excluded: tuple[str, ...] = ()
    armed: tuple[str, ...] = ()  # team clocks that start once their team holds the ticket
    external: tuple[tuple[str, str], ...] = ()  # clock, what the source says of it


_FIELDS = frozenset(
    ("tenant", "source", "ticket_type", "priority", "tier", "channel", "team", "agent")
) | {"customer_id"}


def attribute_of(facts: Facts, name: str) -> str | None:
    """The value of an attribute that a policy may ask for."""
    if name in _FIELDS:
        value: str | None = getattr(facts, name)
        return value
    return facts.attributes.get(name)


def update(facts: Facts, data: TicketData, instant_ms: int) -> bool:
    """Change `facts` by one event; True when an attribute that a policy may ask for changed."""
    return _UPDATES[type(data)](facts, data, instant_ms)


def _created(facts: Facts, data: Created, instant_ms: int) -> bool:
    facts.created_ms = facts.first_ms = instant_ms
    facts.status = data.status
    facts.source_status = data.source_status
    facts.ticket_type = data.ticket_type
    facts.priority = data.priority
    facts.tier = data.tier
    facts.channel = data.channel
    facts.team = data.team
    facts.agent = facts.first_agent = data.agent
    facts.customer_id = data.customer_id
    facts.targets = data.targets
    facts.attributes = data.attributes
    return True


def _status_changed(facts: Facts, data: StatusChanged, _instant_ms: int) -> bool:
    facts.status = data.status
    facts.source_status = data.source_status
    return False


def _priority_changed(facts: Facts, data: PriorityChanged, _instant_ms: int) -> bool:
    changed = facts.priority != data.priority
    facts.priority = data.priority
    return changed


def _assigned(facts: Facts, data: Assigned, _instant_ms: int) -> bool:
    """A hand-over that names no team stays in the team."""
    before = facts.team, facts.agent
    if data.team is not None:
        facts.team = data.team
    facts.agent = data.agent
    if facts.first_agent is None:
        facts.first_agent = data.agent
    changed = (facts.team, facts.agent) != before
    if changed and before != (None, None):
        facts.reassignment_count += 1
    return changed


def _customer_changed(facts: Facts, data: CustomerChanged, _instant_ms: int) -> bool:
    before = facts.tier, facts.customer_id
    if data.tier is not None:
        facts.tier = data.tier
    if data.customer_id is not None:
        facts.customer_id = data.customer_id
    return (facts.tier, facts.customer_id) != before


def _solved(facts: Facts, data: Solved, instant_ms: int) -> bool:
    facts.status = "solved"
    facts.source_status = data.source_status
    facts.solved_ms = instant_ms
    return False


def _closed(facts: Facts, data: Closed, instant_ms: int) -> bool:
    facts.status = "closed"
    facts.source_status = data.source_status
    facts.closed_ms = instant_ms
    return False


def _reopened(facts: Facts, data: Reopened, _instant_ms: int) -> bool:
    facts.status = "open"
    facts.source_status = data.source_status
    facts.solved_ms = facts.closed_ms = None
    facts.reopen_count += 1
    return False


def _cancelled(facts: Facts, _data: Cancelled, instant_ms: int) -> bool:
    facts.ended = True
    facts.closed_ms = instant_ms
    return False


def _merged(facts: Facts, data: Merged, instant_ms: int) -> bool:
    facts.ended = True
    facts.closed_ms = instant_ms
    facts.merged_into = data.into
    return False


def _absorbed(facts: Facts, data: Absorbed, _instant_ms: int) -> bool:
    if facts.absorbed_ms is None or data.started_ms < facts.absorbed_ms:
        facts.absorbed_ms = data.started_ms
    return False


def _stage_changed(facts: Facts, data: StageChanged, _instant_ms: int) -> bool:
    facts.stage = data.stage
    return False


def _excluded(facts: Facts, data: Excluded, _instant_ms: int) -> bool:
    if data.clock not in facts.excluded:
        facts.excluded = (*facts.excluded, data.clock)
    return False


def _external_verdict(facts: Facts, data: ExternalVerdict, _instant_ms: int) -> bool:
    others = tuple(pair for pair in facts.external if pair[0] != data.clock)
    facts.external = (*others, (data.clock, data.verdict))
    return False


def _customer_erased(_facts: Facts, _data: CustomerErased, _instant_ms: int) -> bool:
    """Nothing is left to forget: the events themselves have been scrubbed, see `erasure`."""
    return False


def _message(_facts: Facts, _data: Message, _instant_ms: int) -> bool:
    return False


_UPDATES: dict[type, Callable[[Facts, TicketData, int], bool]] = {
    Created: _created,  # type: ignore[dict-item]  # each takes its own class, chosen by type
    StatusChanged: _status_changed,  # type: ignore[dict-item]
    PriorityChanged: _priority_changed,  # type: ignore[dict-item]
    Assigned: _assigned,  # type: ignore[dict-item]
    CustomerChanged: _customer_changed,  # type: ignore[dict-item]
    Message: _message,  # type: ignore[dict-item]
    Solved: _solved,  # type: ignore[dict-item]
    Reopened: _reopened,  # type: ignore[dict-item]
    Closed: _closed,  # type: ignore[dict-item]
    Cancelled: _cancelled,  # type: ignore[dict-item]
    Merged: _merged,  # type: ignore[dict-item]
    Absorbed: _absorbed,  # type: ignore[dict-item]
    StageChanged: _stage_changed,  # type: ignore[dict-item]
    Excluded: _excluded,  # type: ignore[dict-item]
    ExternalVerdict: _external_verdict,  # type: ignore[dict-item]
    CustomerErased: _customer_erased,  # type: ignore[dict-item]
}
