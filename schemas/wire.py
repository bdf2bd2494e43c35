"""The wire contract of inbound events: pydantic models, the source of JSON Schemas and error texts.

An event is one JSON object: the envelope below, with `data` as its `type` demands. Fields nobody
knows are ignored, so a source may send more than we read; a known field is taken strictly (no `"1"`
for 1). Every string and map is bounded.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas import events
from schemas.events import Author, EntityKind, Metric, StatusCategory

YEAR_MIN, YEAR_MAX = 1970, 2200
TEXT_LENGTH_MAX = 200
MAP_LENGTH_MAX = 64
SEQUENCE_MAX = 2**53


def _instant(value: object) -> datetime:
    """Parse as the hot path does, so that both take the same texts."""
    if not isinstance(value, str):
        code, text = "instant_type", "a time is a string such as 2026-01-19T08:00:00Z"
        raise PydanticCustomError(code, text)
    try:
        instant = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        code, text = "instant_format", "not a time in RFC 3339, e.g. 2026-01-19T08:00:00Z"
        raise PydanticCustomError(code, text) from None
    if instant.tzinfo is None:
        code, text = "instant_naive", "the time has no zone: add Z or an offset"
        raise PydanticCustomError(code, text)
    if not YEAR_MIN < instant.year < YEAR_MAX:
        code, text = "instant_absurd", "the year is absurd"
        raise PydanticCustomError(code, text)
    return instant


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    msgspec.Meta(tz=True),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Text = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LENGTH_MAX),
    msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX),
]
IdPart = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^/\x00-\x1f]+$"),
    msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^/\x00-\x1f]+$"),
]
Id = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00-\x1f]+$"),
    msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00-\x1f]+$"),
]
LongText = Annotated[str, Field(max_length=1_000), msgspec.Meta(max_length=1_000)]
Attributes = Annotated[
    dict[Text, LongText], Field(max_length=MAP_LENGTH_MAX), msgspec.Meta(max_length=MAP_LENGTH_MAX)
]
Targets = Annotated[
    dict[Text, Instant], Field(max_length=MAP_LENGTH_MAX), msgspec.Meta(max_length=MAP_LENGTH_MAX)
]
Score = Annotated[
    float,
    Field(ge=-1_000, le=1_000, allow_inf_nan=False, strict=False),
    msgspec.Meta(ge=-1_000, le=1_000),
]
Sequence = Annotated[int, Field(ge=0, le=SEQUENCE_MAX), msgspec.Meta(ge=0, le=SEQUENCE_MAX)]


class Wire(BaseModel):
    """Base of every wire model: strict, unknown fields ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Created(Wire):
    """A ticket begins."""

    status: StatusCategory = "new"
    source_status: Text | None = None
    ticket_type: Text | None = None
    priority: Text | None = None
    tier: Text | None = None
    channel: Text | None = None
    team: Text | None = None
    agent: Text | None = None
    customer_id: Text | None = None
    targets: Targets = {}
    attributes: Attributes = {}


class StatusChanged(Wire):
    status: StatusCategory
    source_status: Text | None = None


class PriorityChanged(Wire):
    priority: Text


class Assigned(Wire):
    """To a team, an agent or both."""

    team: Text | None = None
    agent: Text | None = None


class CustomerChanged(Wire):
    tier: Text | None = None
    customer_id: Text | None = None


class Message(Wire):
    author: Author
    public: bool = True


class Solved(Wire):
    source_status: Text | None = None


class Reopened(Wire):
    source_status: Text | None = None


class Closed(Wire):
    source_status: Text | None = None


class Cancelled(Wire):
    reason: Text | None = None


class Merged(Wire):
    """On the loser's key: this ticket ends, `into` goes on."""

    into: Id


class Absorbed(Wire):
    """On the survivor's key."""

    ticket_id: Id
    started_at: Instant


class StageChanged(Wire):
    """A stage of a process was reached (complaint: received … summarised)."""

    stage: Text
    department: Text | None = None
    outcome: Text | None = None


class Excluded(Wire):
    """Takes every cycle of `clock` of the ticket out of compliance."""

    clock: Text
    reason: Text


class ExternalVerdict(Wire):
    """What the source itself says of a clock."""

    clock: Text
    verdict: Literal["met", "breached"]


class IvrEntered(Wire):
    line: Text | None = None
    customer_id: Text | None = None
    call_type: Text | None = None
    attributes: Attributes = {}


class Queued(Wire):
    queue: Text
    priority: Text | None = None
    customer_id: Text | None = None
    call_type: Text | None = None
    ticket_id: Id | None = None


class Offered(Wire):
    queue: Text | None = None
    agent: Text | None = None


class Answered(Wire):
    agent: Text | None = None
    team: Text | None = None
    queue: Text | None = None


class Held(Wire):
    agent: Text | None = None


class Retrieved(Wire):
    """Taken back from hold."""

    agent: Text | None = None


class Transferred(Wire):
    to_queue: Text | None = None
    to_agent: Text | None = None


class Abandoned(Wire):
    where: Literal["ivr", "queue", "ringing"] = "queue"


class CallbackRequested(Wire):
    queue: Text | None = None
    due_at: Instant | None = None


class CallbackMade(Wire):
    agent: Text | None = None
    reached: bool = True


class Ended(Wire):
    ended_by: Literal["customer", "agent", "system"] | None = None


class AfterCallEnded(Wire):
    agent: Text | None = None


class SurveySent(Wire):
    ticket_id: Id | None = None
    call_id: Id | None = None
    customer_id: Text | None = None
    channel: Text | None = None
    agent: Text | None = None
    team: Text | None = None


class SurveyAnswered(Wire):
    """One answer to one question; `dimension` and `expectation` belong to SERVQUAL."""

    metric: Metric
    question: Text
    score: Score
    scale_max: Score | None = None
    dimension: (
        Literal["tangibles", "reliability", "responsiveness", "assurance", "empathy"] | None
    ) = None
    expectation: Score | None = None
    ticket_id: Id | None = None
    call_id: Id | None = None
    customer_id: Text | None = None
    agent: Text | None = None
    team: Text | None = None


class SurveyCorrected(Wire):
    """The answer of event `corrects` was wrong; this score counts instead, null: none counts."""

    corrects: Id
    score: Score | None = None


class SurveyExpired(Wire):
    """Nobody will answer any more."""


class Envelope(Wire):
    """What every event has. `ingested_at` is stamped once, at the edge, when it is missing; a missing
    `event_id` becomes a hash of the source's own fields."""

    schema_version: Annotated[int, Field(ge=1, le=1)]
    tenant: IdPart = "default"
    source: IdPart
    event_id: Id | None = None
    sequence: Sequence | None = None
    type: Text
    occurred_at: Instant
    ingested_at: Instant | None = None
    ticket_id: Id | None = None
    call_id: Id | None = None
    survey_id: Id | None = None


# entity → type → (wire model, class inside). The two have the same fields in the same order; an
# instant is called `…_at` outside and `…_ms` inside.
TYPES: dict[EntityKind, dict[str, tuple[type[Wire], type[events.Data]]]] = {
    "ticket": {
        "created": (Created, events.Created),
        "status_changed": (StatusChanged, events.StatusChanged),
        "priority_changed": (PriorityChanged, events.PriorityChanged),
        "assigned": (Assigned, events.Assigned),
        "customer_changed": (CustomerChanged, events.CustomerChanged),
        "message": (Message, events.Message),
        "solved": (Solved, events.Solved),
        "reopened": (Reopened, events.Reopened),
        "closed": (Closed, events.Closed),
        "cancelled": (Cancelled, events.Cancelled),
        "merged": (Merged, events.Merged),
        "absorbed": (Absorbed, events.Absorbed),
        "stage_changed": (StageChanged, events.StageChanged),
        "excluded": (Excluded, events.Excluded),
        "external_verdict": (ExternalVerdict, events.ExternalVerdict),
    },
    "call": {
        "ivr_entered": (IvrEntered, events.IvrEntered),
        "queued": (Queued, events.Queued),
        "offered": (Offered, events.Offered),
        "answered": (Answered, events.Answered),
        "held": (Held, events.Held),
        "retrieved": (Retrieved, events.Retrieved),
        "transferred": (Transferred, events.Transferred),
        "abandoned": (Abandoned, events.Abandoned),
        "callback_requested": (CallbackRequested, events.CallbackRequested),
        "callback_made": (CallbackMade, events.CallbackMade),
        "ended": (Ended, events.Ended),
        "after_call_ended": (AfterCallEnded, events.AfterCallEnded),
    },
    "survey": {
        "sent": (SurveySent, events.SurveySent),
        "answered": (SurveyAnswered, events.SurveyAnswered),
        "corrected": (SurveyCorrected, events.SurveyCorrected),
        "expired": (SurveyExpired, events.SurveyExpired),
    },
}
TOPIC_OF: dict[EntityKind, str] = {"ticket": "tickets", "call": "calls", "survey": "surveys"}
