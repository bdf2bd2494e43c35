"""Inbound events as the core sees them: decoded, checked, instants in integer milliseconds.

The wire contract (pydantic, JSON Schema, error texts) stands in `schemas.wire`; `schemas.decode`
turns bytes into these. `data` is one of the classes below, chosen by entity and `type`.
"""

from typing import Literal

import msgspec

EntityKind = Literal["ticket", "call", "survey", "shift"]
StatusCategory = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Author = Literal["customer", "agent", "bot", "system"]


class Data(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """Base of every event's payload; compact (positional) in snapshots."""


class Created(Data, frozen=True, tag="created"):
    """A ticket begins. `targets` are due instants given by the source: clock → instant (ms)."""

    status: StatusCategory = "new"
    source_status: str | None = None
    ticket_type: str | None = None
    priority: str | None = None
    tier: str | None = None
    channel: str | None = None
    team: str | None = None
    agent: str | None = None
    customer_id: str | None = None
    targets: dict[str, int] = {}
    attributes: dict[str, str] = {}


class StatusChanged(Data, frozen=True, tag="status_changed"):
    status: StatusCategory
    source_status: str | None = None


class PriorityChanged(Data, frozen=True, tag="priority_changed"):
    priority: str


class Assigned(Data, frozen=True, tag="assigned"):
    team: str | None = None
    agent: str | None = None


class CustomerChanged(Data, frozen=True, tag="customer_changed"):
    tier: str | None = None
    customer_id: str | None = None


class Message(Data, frozen=True, tag="message"):
    author: Author
    public: bool = True


class Solved(Data, frozen=True, tag="solved"):
    source_status: str | None = None


class Reopened(Data, frozen=True, tag="reopened"):
    source_status: str | None = None


class Closed(Data, frozen=True, tag="closed"):
    source_status: str | None = None


class Cancelled(Data, frozen=True, tag="cancelled"):
    reason: str | None = None


class Merged(Data, frozen=True, tag="merged"):
    """On the loser's key: it ends, `into` goes on."""

    into: str


class Absorbed(Data, frozen=True, tag="absorbed"):
    """On the survivor's key: which ticket it swallowed and when that one began (ms)."""

    ticket_id: str
    started_ms: int


class StageChanged(Data, frozen=True, tag="stage_changed"):
    """A stage of a process (complaint: received … summarised) was entered or ended."""

    stage: str
    department: str | None = None
    outcome: str | None = None


class Excluded(Data, frozen=True, tag="excluded"):
    """Takes every cycle of `clock` out of compliance; audited."""

    clock: str
    reason: str


class ExternalVerdict(Data, frozen=True, tag="external_verdict"):
    """What the source itself says of a clock; carried beside ours, never used to judge."""

    clock: str
    verdict: Literal["met", "breached"]


class CustomerErased(Data, frozen=True, tag="customer_erased"):
    """Whoever the customer was: forget it, before and after this event."""


TicketData = (
    Created
    | StatusChanged
    | PriorityChanged
    | Assigned
    | CustomerChanged
    | Message
    | Solved
    | Reopened
    | Closed
    | Cancelled
    | Merged
    | Absorbed
    | StageChanged
    | Excluded
    | ExternalVerdict
    | CustomerErased
)


# --- calls (domain: entered IVR … after-call work ended) ---


class IvrEntered(Data, frozen=True, tag="ivr_entered"):
    """The call reached the voice menu."""

    line: str | None = None
    customer_id: str | None = None
    call_type: str | None = None
    attributes: dict[str, str] = {}


class Queued(Data, frozen=True, tag="queued"):
    queue: str
    priority: str | None = None
    customer_id: str | None = None
    call_type: str | None = None
    ticket_id: str | None = None


class Offered(Data, frozen=True, tag="offered"):
    queue: str | None = None
    agent: str | None = None


class Answered(Data, frozen=True, tag="answered"):
    agent: str | None = None
    team: str | None = None
    queue: str | None = None
    ticket_id: str | None = None


class Held(Data, frozen=True, tag="held"):
    agent: str | None = None


class Retrieved(Data, frozen=True, tag="retrieved"):
    """Taken back from hold."""

    agent: str | None = None


class Transferred(Data, frozen=True, tag="transferred"):
    to_queue: str | None = None
    to_agent: str | None = None
    to_team: str | None = None


class Abandoned(Data, frozen=True, tag="abandoned"):
    where: Literal["ivr", "queue", "ringing"] = "queue"


class CallbackRequested(Data, frozen=True, tag="callback_requested"):
    queue: str | None = None
    due_ms: int | None = None


class CallbackMade(Data, frozen=True, tag="callback_made"):
    agent: str | None = None
    reached: bool = True


class Ended(Data, frozen=True, tag="ended"):
    ended_by: Literal["customer", "agent", "system"] | None = None
    ticket_id: str | None = None


class AfterCallEnded(Data, frozen=True, tag="after_call_ended"):
    """Wrap-up is done; the agent is free again."""

    agent: str | None = None
    ticket_id: str | None = None


CallData = (
    IvrEntered
    | Queued
    | Offered
    | Answered
    | Held
    | Retrieved
    | Transferred
    | Abandoned
    | CallbackRequested
    | CallbackMade
    | Ended
    | AfterCallEnded
    | CustomerErased
)

# --- surveys, audits, employee feedback ---

Metric = Literal["csat", "nps", "ces", "servqual", "reputation", "audit", "employee"]


ServqualDimension = Literal["tangibles", "reliability", "responsiveness", "assurance", "empathy"]
ReputationDimension = Literal["favourable", "awareness", "return", "complaint", "repurchase"]
Dimension = Literal[ServqualDimension, ReputationDimension]


class SurveySent(Data, frozen=True, tag="sent"):
    ticket_id: str | None = None
    call_id: str | None = None
    customer_id: str | None = None
    channel: str | None = None
    agent: str | None = None
    team: str | None = None


class SurveyAnswered(Data, frozen=True, tag="answered"):
    """One answer to one question. `dimension`: one of `schemas.wire.DIMENSIONS` of the metric;
    `expectation` belongs to SERVQUAL.

    Without `scale_min` and `scale_max` the scale is that of `schemas.wire.SCALES`.
    """

    metric: Metric
    question: str
    score: float
    scale_max: float | None = None
    dimension: Dimension | None = None
    expectation: float | None = None
    ticket_id: str | None = None
    call_id: str | None = None
    customer_id: str | None = None
    agent: str | None = None
    team: str | None = None
    scale_min: float | None = None


class SurveyCorrected(Data, frozen=True, tag="corrected"):
    """The answer of `corrects` was wrong; this score counts instead (null: no answer counts)."""

    corrects: str
    score: float | None = None


class SurveyExpired(Data, frozen=True, tag="expired"):
    """Nobody will answer any more."""


SurveyData = SurveySent | SurveyAnswered | SurveyCorrected | SurveyExpired | CustomerErased

# --- shifts: an agent is there, from signing in to signing out ---

AgentState = Literal["available", "on_contact", "after_contact", "on_break", "away"]


class ShiftBegan(Data, frozen=True, tag="began"):
    """An agent signed in."""

    agent: str
    team: str | None = None
    state: AgentState = "available"


class AgentStateChanged(Data, frozen=True, tag="state_changed"):
    state: AgentState
    reason: str | None = None


class ShiftEnded(Data, frozen=True, tag="ended"):
    """The agent signed out, or was signed out."""


ShiftData = ShiftBegan | AgentStateChanged | ShiftEnded


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event. `type` equals the tag of its data class.

    `digest` is the hex sha256 of the canonical JSON of the content (the event as received without
    `ingested_at`: keys sorted, no blanks, UTF-8). It decides between conflicting duplicates. Empty:
    not computed; `schemas.decode.digest_of(event)` then renders it from the event itself.
    """

    tenant: str
    source: str
    kind: EntityKind
    entity_id: str
    event_id: str
    type: str
    occurred_ms: int
    ingested_ms: int
    data: Data
    sequence: int | None = None
    digest: str = ""

    @property
    def key(self) -> str:
        """Topic key: `tenant/source/id`; it never changes and never moves."""
        return f"{self.tenant}/{self.source}/{self.entity_id}"


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """What could not become an event. `reason` is a code from `schemas.reasons.REASONS`."""

    reason: str
    detail: str
    where: str = ""
