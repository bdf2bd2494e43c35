"""The wire contract of inbound events: pydantic models, the source of JSON Schemas and error texts.

An event is one JSON object: the envelope below, with `data` as its `type` demands. Fields nobody
knows are ignored, so a source may send more than we read; a known field is taken strictly (no `"1"`
for 1). Every string and map is bounded.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, LiteralString, Self, get_args

import msgspec
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from schemas import events
from schemas.events import (
    Author,
    Dimension,
    EntityKind,
    Metric,
    ReputationDimension,
    ServqualDimension,
    StatusCategory,
)
from schemas.instants import from_ms
from schemas.timestamps import (
    TIMESTAMP_LENGTH_MAX,
    TIMESTAMP_PATTERN,
    TimestampError,
    TimestampProblem,
    timestamp_ms,
)

VERSION: Final = 1  # the major; additions need no new number
TEXT_LENGTH_MAX = 200
LONG_TEXT_LENGTH_MAX = 1_000
MAP_LENGTH_MAX = 64
SEQUENCE_MAX = 2**53
SCORE_MAX = 1_000


_TIMESTAMP_CODES: dict[TimestampProblem, LiteralString] = {
    "format": "timestamp_format",
    "naive": "timestamp_naive",
    "absurd": "timestamp_absurd",
}
_ANSWER_CODE: Final = "answer"


def _instant(value: object) -> datetime:
    if not isinstance(value, str):
        code, text = "timestamp_type", "a time is a string such as 2026-01-19T08:00:00Z"
        raise PydanticCustomError(code, text)
    try:
        return from_ms(timestamp_ms(value))
    except TimestampError as error:
        raise PydanticCustomError(_TIMESTAMP_CODES[error.problem], str(error)) from None


# Annotations serve both readers: pydantic takes `Field`, msgspec takes `Meta`. Ids have a pattern for
# pydantic only; the fast path checks it in its own way.
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    msgspec.Meta(tz=True),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": TIMESTAMP_PATTERN,
            "maxLength": TIMESTAMP_LENGTH_MAX,
        }
    ),
]
Text = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LENGTH_MAX),
    msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX),
]
IdPart = Annotated[Text, Field(pattern=r"^[^/\x00-\x1f]+$")]
Id = Annotated[Text, Field(pattern=r"^[^\x00-\x1f]+$")]
LongText = Annotated[
    str, Field(max_length=LONG_TEXT_LENGTH_MAX), msgspec.Meta(max_length=LONG_TEXT_LENGTH_MAX)
]
Attributes = Annotated[
    dict[Text, LongText], Field(max_length=MAP_LENGTH_MAX), msgspec.Meta(max_length=MAP_LENGTH_MAX)
]
Targets = Annotated[
    dict[Text, Instant], Field(max_length=MAP_LENGTH_MAX), msgspec.Meta(max_length=MAP_LENGTH_MAX)
]
Score = Annotated[
    float,
    Field(ge=-SCORE_MAX, le=SCORE_MAX, allow_inf_nan=False),
    msgspec.Meta(ge=-SCORE_MAX, le=SCORE_MAX),
]
Sequence = Annotated[int, Field(ge=0, le=SEQUENCE_MAX), msgspec.Meta(ge=0, le=SEQUENCE_MAX)]

# metric → its scale, unless the answer names another (NPS has no other)
SCALES: dict[Metric, tuple[float, float]] = {
    "csat": (1, 5),
    "nps": (0, 10),
    "ces": (1, 7),
    "servqual": (1, 7),
    "reputation": (0, 1),
    "audit": (0, 100),
    "employee": (1, 5),
}
# metric → the dimensions of which its answers name one; other metrics have none
DIMENSIONS: dict[Metric, tuple[Dimension, ...]] = {
    "servqual": get_args(ServqualDimension),
    "reputation": get_args(ReputationDimension),
}


def answer_problem(answer: "SurveyAnswered | events.SurveyAnswered") -> str | None:
    """What is wrong with an answer as a whole, if anything; both ways of decoding ask this."""
    low, high = SCALES[answer.metric]
    if answer.scale_min is not None:
        low = answer.scale_min
    if answer.scale_max is not None:
        high = answer.scale_max
    if low >= high:
        return f"a scale from {low:g} to {high:g} has no room"
    if answer.metric == "nps" and (low, high) != SCALES["nps"]:
        return "NPS is asked from 0 to 10"
    for name in ("score", "expectation"):
        value = getattr(answer, name)
        if value is not None and not low <= value <= high:
            return f"{name} {value:g} is off the scale from {low:g} to {high:g}"
    return _dimension_problem(answer.metric, answer.dimension)


def _dimension_problem(metric: Metric, dimension: Dimension | None) -> str | None:
    known = DIMENSIONS.get(metric, ())
    if dimension in known or (dimension is None and not known):
        return None
    if not known:
        return f"{metric} has no dimensions, yet {dimension} is named"
    return f"a {metric} answer names its dimension: {', '.join(known)}"


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
    """The source set a status; `status` is its category."""

    status: StatusCategory
    source_status: Text | None = None


class PriorityChanged(Wire):
    """The priority is another one from now on."""

    priority: Text


class Assigned(Wire):
    """Handed to a team, an agent or both."""

    team: Text | None = None
    agent: Text | None = None


class CustomerChanged(Wire):
    """Another customer, or the same one in another tier."""

    tier: Text | None = None
    customer_id: Text | None = None


class Message(Wire):
    """Something was written on the ticket, by anybody; the text itself is never carried."""

    author: Author
    public: bool = True


class Solved(Wire):
    """The work is done; the customer has not confirmed it yet."""

    source_status: Text | None = None


class Reopened(Wire):
    """Solved or closed too early: work goes on."""

    source_status: Text | None = None


class Closed(Wire):
    """Finished and confirmed."""

    source_status: Text | None = None


class Cancelled(Wire):
    """Withdrawn; its clocks end without a verdict."""

    reason: Text | None = None


class Merged(Wire):
    """On the loser's key: this ticket ends, `into` goes on."""

    into: Id


class Absorbed(Wire):
    """On the survivor's key: it took over `ticket_id`, which began at `started_at`."""

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
    """What the source itself says of a clock; never used to judge."""

    clock: Text
    verdict: Literal["met", "breached"]


class CustomerErased(Wire):
    """The customer is to be forgotten: id and attributes, of earlier and later events alike."""


class IvrEntered(Wire):
    """The call reached the voice menu."""

    line: Text | None = None
    customer_id: Text | None = None
    call_type: Text | None = None
    attributes: Attributes = {}


class Queued(Wire):
    """The call waits for an agent."""

    queue: Text
    priority: Text | None = None
    customer_id: Text | None = None
    call_type: Text | None = None
    ticket_id: Id | None = None


class Offered(Wire):
    """It rings at an agent's place."""

    queue: Text | None = None
    agent: Text | None = None


class Answered(Wire):
    """An agent took the call."""

    agent: Text | None = None
    team: Text | None = None
    queue: Text | None = None
    ticket_id: Id | None = None


class Held(Wire):
    """The agent put the caller on hold."""

    agent: Text | None = None


class Retrieved(Wire):
    """Taken back from hold."""

    agent: Text | None = None


class Transferred(Wire):
    """The call went on to a queue, an agent or a team."""

    to_queue: Text | None = None
    to_agent: Text | None = None
    to_team: Text | None = None


class Abandoned(Wire):
    """The caller hung up before an agent answered."""

    where: Literal["ivr", "queue", "ringing"] = "queue"


class CallbackRequested(Wire):
    """The caller wants to be called back, by `due_at` if given."""

    queue: Text | None = None
    due_at: Instant | None = None


class CallbackMade(Wire):
    """The call back was made; `reached` says whether the caller answered."""

    agent: Text | None = None
    reached: bool = True


class Ended(Wire):
    """Both sides are off the line."""

    ended_by: Literal["customer", "agent", "system"] | None = None
    ticket_id: Id | None = None


class AfterCallEnded(Wire):
    """Wrap-up is done; the agent is free again."""

    agent: Text | None = None
    ticket_id: Id | None = None


class SurveySent(Wire):
    """A customer was asked."""

    ticket_id: Id | None = None
    call_id: Id | None = None
    customer_id: Text | None = None
    channel: Text | None = None
    agent: Text | None = None
    team: Text | None = None


class SurveyAnswered(Wire):
    """One answer to one question.

    The scale is the metric's own unless `scale_min` and `scale_max` say otherwise. SERVQUAL: `score`
    is the perception, `expectation` what was expected; it and reputation name a `dimension`. An
    audit's `agent` is the one audited.
    """

    metric: Metric
    question: Text
    score: Score
    scale_max: Score | None = None
    dimension: Dimension | None = None
    expectation: Score | None = None
    ticket_id: Id | None = None
    call_id: Id | None = None
    customer_id: Text | None = None
    agent: Text | None = None
    team: Text | None = None
    scale_min: Score | None = None

    @model_validator(mode="after")
    def _on_scale(self) -> Self:
        problem = answer_problem(self)
        if problem is not None:
            raise PydanticCustomError(_ANSWER_CODE, "{problem}", {"problem": problem})
        return self


class SurveyCorrected(Wire):
    """The answer of event `corrects` was wrong; this score counts instead, null: none counts."""

    corrects: Id
    score: Score | None = None


class SurveyExpired(Wire):
    """Nobody will answer any more."""


class ShiftBegan(Wire):
    """An agent signed in: a shift is one presence of one agent, until it ends."""

    agent: Text
    team: Text | None = None
    state: events.AgentState = "available"


class AgentStateChanged(Wire):
    """The agent is in this state from now on."""

    state: events.AgentState
    reason: Text | None = None


class ShiftEnded(Wire):
    """The agent signed out, or was signed out."""


class Envelope(Wire):
    """What every event has, beside `data`. Exactly one of the four ids is given.

    `ingested_at` is stamped once, at the edge, when it is missing; a missing `event_id` becomes a hash
    of the source's own fields.
    """

    schema_version: Annotated[int, Field(ge=VERSION, le=VERSION)]
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
    shift_id: Id | None = None


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
        "customer_erased": (CustomerErased, events.CustomerErased),
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
        "customer_erased": (CustomerErased, events.CustomerErased),
    },
    "survey": {
        "sent": (SurveySent, events.SurveySent),
        "answered": (SurveyAnswered, events.SurveyAnswered),
        "corrected": (SurveyCorrected, events.SurveyCorrected),
        "expired": (SurveyExpired, events.SurveyExpired),
        "customer_erased": (CustomerErased, events.CustomerErased),
    },
    "shift": {
        "began": (ShiftBegan, events.ShiftBegan),
        "state_changed": (AgentStateChanged, events.AgentStateChanged),
        "ended": (ShiftEnded, events.ShiftEnded),
    },
}
TOPIC_OF: dict[EntityKind, str] = {
    "ticket": "tickets",
    "call": "calls",
    "survey": "surveys",
    "shift": "shifts",
}
