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


@with_config(FORBID_EXTRA)
class CallRow(Origin):
    """One call. Key: tenant, source, call_id."""

    call_id: str
    event_time: datetime  # its first event
    line: str | None
    call_type: str | None
    priority: str | None
    customer_id: str | None
    ticket_id: str | None
    queue: str | None  # that it was queued in first
    answered: bool
    menu_ms: int | None
    abandoned_where: str | None  # ivr, queue, ringing
    abandoned_at: datetime | None
    ended_at: datetime | None
    after_call_ms: int | None
    legs: int
    transfers: int
    callbacks_requested: int
    callbacks_made: int
    callback_due_at: datetime | None  # of the last one asked for
    callback_made_at: datetime | None
    callbacks_late: int
    flags: list[str]
    policy_version: str
    judged_at: datetime


@with_config(FORBID_EXTRA)
class CallLegRow(Origin):
    """One wait for one answer, and the talk. Key: tenant, source, call_id, leg."""

    call_id: str
    leg: int  # from 1
    event_time: datetime  # queued, or answered without a queue
    queue: str | None
    team: str | None
    agent: str | None
    call_type: str | None
    customer_id: str | None
    outcome: str  # answered, abandoned, callback, transferred, open, ended
    queued_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    transferred: bool  # after the answer
    wait_ms: int | None
    talk_ms: int | None
    hold_ms: int
    after_call_ms: int | None
    answer_due_at: datetime | None
    answer_verdict: Verdict
    handle_due_at: datetime | None
    handle_verdict: Verdict
    odd: bool  # its events can't be true: no number counts it
    policy_version: str
    judged_at: datetime
    removed: bool


@with_config(FORBID_EXTRA)
class SurveyRow(Origin):
    """One questionnaire to one person. Key: tenant, source, survey_id."""

    survey_id: str
    event_time: datetime  # its first event
    sent_at: datetime | None
    answered_at: datetime | None  # the first answer
    expired_at: datetime | None
    ticket_id: str | None
    call_id: str | None
    customer_id: str | None
    channel: str | None
    team: str | None
    agent: str | None
    answers: int  # that count
    flags: list[str]
    policy_version: str
    judged_at: datetime


@with_config(FORBID_EXTRA)
class ShiftRow(Origin):
    """One presence of one agent. Times are those until its last event. Key: tenant, source, shift_id."""

    shift_id: str
    event_time: datetime  # its first event
    agent: str | None
    team: str | None
    began_at: datetime | None
    ended_at: datetime | None
    state: str | None  # now; null: it is over, or has not begun
    state_since: datetime | None
    busy_ms: int
    idle_ms: int
    away_ms: int
    flags: list[str]
    policy_version: str
    judged_at: datetime


@with_config(FORBID_EXTRA)
class SurveyAnswerRow(Origin):
    """The answer that counts to one question. Key: tenant, source, survey_id, metric, question."""

    survey_id: str
    metric: str
    question: str
    event_time: datetime  # of the answer
    dimension: str | None
    score: float | None  # null: taken back
    expectation: float | None
    satisfied: bool
    ticket_id: str | None
    call_id: str | None
    customer_id: str | None
    channel: str | None
    team: str | None
    agent: str | None
    policy_version: str
    judged_at: datetime
    removed: bool


@with_config(FORBID_EXTRA)
class ComplaintNumberRow(TypedDict):
    """The number of a complaint. Key: tenant, scope, month, number; a ticket has one."""

    tenant: str
    scope: str
    month: str  # YYYYMM
    number: int
    complaint_number: str  # YYYYMM-NNNN
    source: str
    ticket_id: str
    event_time: datetime  # when the complaint began
    recorded_at: datetime
    version: int


AlertAction = Literal["acknowledge", "release", "silence", "unsilence"]


@with_config(FORBID_EXTRA)
class AlertActionRow(TypedDict):
    """Somebody did something about an alert. Key: key, action_id; all of a key together say how it stands."""

    key: str  # of the alert
    action_id: str
    event_time: datetime  # when it was done, by the pipeline's clock
    action: AlertAction
    until_at: datetime | None  # until when it holds; null: the policy's time
    actor: str
    reason: str
    version: int


class WindowOrigin(Origin):
    """A minute of event time and what it is about; key: tenant, source, the start, the dimensions and the
    source partition. Absolute; "" is unknown."""

    window_start: datetime


@with_config(FORBID_EXTRA)
class CallWindowRow(WindowOrigin):
    """Calls by queue, team and type."""

    queue: str
    team: str
    call_type: str
    entered: int
    menu_abandoned: int
    queued: int
    answered: int
    answered_within: int
    abandoned: int
    abandoned_within: int
    short_abandoned: int
    callbacks_within: int
    callbacks_requested: int
    callbacks_made: int
    callbacks_late: int
    flow_outs: int
    wait_sum_ms: int
    handled: int
    talk_sum_ms: int
    hold_sum_ms: int
    after_call_sum_ms: int
    over_aim: int
    over_limit: int
    transfers: int
    wait_sketch: dict[str, int]  # bucket → count, see streams.core.windows.sketch
    handle_sketch: dict[str, int]


@with_config(FORBID_EXTRA)
class SurveyWindowRow(WindowOrigin):
    """Answers by metric, dimension, channel and team; without a metric: questionnaires."""

    metric: str
    dimension: str
    channel: str
    team: str
    sent: int
    sent_answered: int
    responses: int
    satisfied: int
    promoters: int
    detractors: int
    top_box: int
    yes: int
    score_sum_thousandths: int
    pairs: int
    perception_sum_thousandths: int
    expectation_sum_thousandths: int


@with_config(FORBID_EXTRA)
class ShiftWindowRow(WindowOrigin):
    """Time of agents by team, in the minutes in which it passed."""

    team: str
    agents_began: int
    busy_sum_ms: int
    idle_sum_ms: int
    away_sum_ms: int


@with_config(FORBID_EXTRA)
class ClockWindowRow(WindowOrigin):
    """Clock cycles that ended, by clock, team, tier, priority and ticket type."""

    clock: str
    team: str
    tier: str
    priority: str
    ticket_type: str
    met: int
    breached: int
    elapsed_sum_ms: int
    elapsed_sketch: dict[str, int]


@with_config(FORBID_EXTRA)
class TicketWindowRow(WindowOrigin):
    """Tickets that began and ended, by type, team, tier and channel."""

    ticket_type: str
    team: str
    tier: str
    channel: str
    created: int
    solved: int
    closed: int
    reopened_solved: int
    lifetime_sum_ms: int
    lifetime_sketch: dict[str, int]


# table → contract of its rows
ROWS: dict[str, type[object]] = {
    "ticket_clocks": TicketClockRow,
    "tickets": TicketRow,
    "alert_intents": AlertIntentRow,
    "dead_letters": DeadLetterRow,
    "partition_progress": PartitionProgressRow,
    "customer_aliases": CustomerAliasRow,
    "audit": AuditRow,
    "calls": CallRow,
    "call_legs": CallLegRow,
    "surveys": SurveyRow,
    "survey_answers": SurveyAnswerRow,
    "shifts": ShiftRow,
    "call_windows": CallWindowRow,
    "survey_windows": SurveyWindowRow,
    "shift_windows": ShiftWindowRow,
    "clock_windows": ClockWindowRow,
    "ticket_windows": TicketWindowRow,
    "complaint_numbers": ComplaintNumberRow,
    "alert_actions": AlertActionRow,
}
