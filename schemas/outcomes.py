"""Outcome rows: what compute says, one shape per ClickHouse table, published as JSON rows.

Rows are plain dictionaries (fast to build); these types are their contract: mypy checks the keys,
pydantic validates and exports the JSON Schema. A row is absolute: a later row (higher `version`) of
the same key replaces it, and the same row may come twice. Instants are aware UTC datetimes and stand
in JSON as RFC 3339 with `Z`.
"""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

Verdict = Literal["pending", "met", "breached", "void", "no_target"]
ClockState = Literal["running", "paused", "met", "breached", "void", "no_target"]
IntentLevel = Literal["at_risk", "breach", "retracted", "resolved"]

FORBID_EXTRA = ConfigDict(extra="forbid")


class Origin(TypedDict):
    """Where a row comes from; part of every row. `version` = checkpoint number of the partition."""

    tenant: str
    source: str
    source_partition: int
    version: int


@with_config(FORBID_EXTRA)
class TicketClockRow(Origin):
    """One cycle of one clock of one ticket. Key: tenant, source, ticket_id, clock, cycle_id."""

    ticket_id: str
    clock: str
    cycle_id: str
    cycle_ordinal: int
    kind: str  # sla, ola, uc
    event_time: datetime  # effective instant of the event that opened the cycle
    state: ClockState
    verdict: Verdict
    target_ms: int | None
    due_at: datetime | None
    next_due_at: datetime | None  # due instant while the clock runs, else null
    stopped_at: datetime | None
    withdrawn_at: datetime | None
    elapsed_ms: int  # active working time until the end of the cycle or `judged_at`
    breached: bool
    breach_at: datetime | None
    breach_reason: str | None
    at_risk_at: datetime | None  # first at-risk mark reached, else null
    team: str | None  # holder now
    agent: str | None
    breach_team: str | None  # holder at breach
    breach_agent: str | None
    largest_team: str | None  # largest consumer of the budget
    tier: str | None
    priority: str | None
    ticket_type: str | None
    channel: str | None
    external_verdict: str | None
    flags: list[str]
    policy_version: str
    rule: str | None
    judged_at: datetime  # the clock's now when this row was made
    removed: bool  # late truth took the cycle away altogether


@with_config(FORBID_EXTRA)
class TicketRow(Origin):
    """One ticket. Key: tenant, source, ticket_id."""

    ticket_id: str
    event_time: datetime  # created, or the first known event
    status: str  # category
    source_status: str | None
    open: bool
    ticket_type: str | None
    priority: str | None
    tier: str | None
    channel: str | None
    team: str | None
    agent: str | None
    first_agent: str | None  # first-contact responsibility (首问负责制)
    customer_id: str | None
    stage: str | None
    solved_at: datetime | None
    closed_at: datetime | None
    reopen_count: int
    reassignment_count: int
    event_count: int
    last_event_at: datetime
    merged_into: str | None
    attributes: dict[str, str]
    flags: list[str]
    policy_version: str
    judged_at: datetime


@with_config(FORBID_EXTRA)
class AlertIntentRow(Origin):
    """What a supervisor should hear. Key: `key`; the highest version per key wins."""

    key: str  # sla:{ticket}:{clock}:{cycle_id}, tenant and source inside the ticket id
    ticket_id: str
    clock: str
    cycle_id: str
    event_time: datetime
    level: IntentLevel
    due_at: datetime | None
    breach_at: datetime | None
    page_at: datetime | None  # not before this instant (grace)
    open: bool
    team: str | None
    agent: str | None
    tier: str | None
    priority: str | None
    policy_version: str
    recorded_at: datetime  # the clock's now when it became known


@with_config(FORBID_EXTRA)
class DeadLetterRow(TypedDict):
    """What could not be processed. Key: topic, partition, offset. `original` is base64, or sealed:
    `fernet:KEY_ID:TOKEN`."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: str  # base64 of the record's key
    original: str
    original_bytes: int
    event_time: datetime  # the broker's timestamp
    recorded_at: datetime
    version: int


@with_config(FORBID_EXTRA)
class PartitionProgressRow(TypedDict):
    """How far a source partition is. Key: topic, partition."""

    topic: str
    partition: int
    version: int  # checkpoint number
    position: int  # next source offset
    event_time: datetime  # the watermark: highest effective instant seen
    clock_now: datetime  # the pipeline's (maybe virtual) now
    recorded_at: datetime  # wall clock
    entities: int
    open_timers: int
    events_total: int
    rejected_total: int


@with_config(FORBID_EXTRA)
class CustomerAliasRow(TypedDict):
    """Two pseudonyms of one customer, told while a key is being changed. Key: tenant, alias."""

    tenant: str
    alias: str  # what an older key made
    customer_id: str  # what counts now
    event_time: datetime  # when the edge saw both
    version: int


@with_config(FORBID_EXTRA)
class AuditRow(TypedDict):
    """Somebody did something that must be accounted for. Key: audit_id."""

    audit_id: str
    event_time: datetime
    actor: str  # user of the operating system, token or proxy
    action: str  # erase, …
    subject: str  # what it was done to; of a customer only a hash
    detail: str  # counts and reasons, no personal data
    version: int


# table → contract of its rows
ROWS: dict[str, type[object]] = {
    "ticket_clocks": TicketClockRow,
    "tickets": TicketRow,
    "alert_intents": AlertIntentRow,
    "dead_letters": DeadLetterRow,
    "partition_progress": PartitionProgressRow,
    "customer_aliases": CustomerAliasRow,
    "audit": AuditRow,
}
