"""What the core asks the world to do: a closed union of plain data."""

import msgspec

from schemas.outcomes import (
    AlertIntentRow,
    CallLegRow,
    CallRow,
    ShiftRow,
    SurveyAnswerRow,
    SurveyRow,
    TicketClockRow,
    TicketRow,
)


class Stamp(msgspec.Struct, frozen=True):
    """Where and when rows of a checkpoint are made. `version` is the checkpoint number."""

    source_partition: int
    version: int
    now_ms: int


class Intent(msgspec.Struct, frozen=True):
    """Say something about one clock cycle. The runtime renders it with the checkpoint's version.

    Of several intents with one `key` in a checkpoint only the last is published.
    """

    key: str
    level: str  # schemas.outcomes.IntentLevel
    ticket_id: str
    clock: str
    cycle_id: str
    recorded_ms: int
    event_ms: int
    due_ms: int | None
    breach_ms: int | None
    page_ms: int | None
    open: bool


class CoreRejected(msgspec.Struct, frozen=True):
    """This event can't be applied (e.g. `too_late`): dead-letter it. The state is unchanged."""

    reason: str
    detail: str


Effect = Intent | CoreRejected

# (table name, row): the table is also the outcome topic's name without its prefix.
OutcomeRow = (
    tuple[str, TicketClockRow]
    | tuple[str, TicketRow]
    | tuple[str, AlertIntentRow]
    | tuple[str, CallRow]
    | tuple[str, CallLegRow]
    | tuple[str, SurveyRow]
    | tuple[str, SurveyAnswerRow]
    | tuple[str, ShiftRow]
)
