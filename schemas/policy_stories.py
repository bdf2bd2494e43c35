"""Tests that a policy carries: stories in `NAME.test.yaml` beside `NAME.yaml`, as models.

A story is one ticket: events at times go in, clocks and breaches come out. Times are local to the file's
`zone` (`2026-03-02 09:00`, with the weekday in front if you like: `Mon 2026-03-02 09:00`), or instants
with an offset. Fields of an event beside the ones named here are its data, as in the policy's matchers.
"""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from schemas.outcomes import ClockState, Verdict
from schemas.policy_values import Duration, as_list


def _time_text(value: object) -> object:
    """YAML reads some times as times, and `10:30` without quotes as a number."""
    if isinstance(value, datetime | date):
        return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, int | float):
        message = "put times in quotes, with their date"
        raise ValueError(message)
    return value


Time = Annotated[str, BeforeValidator(_time_text)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class StoryEvent(_Model):
    """What happened `at` a time, known to us at once or as of `known`. `id` only where it matters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    at: Time
    type: str
    known: Time | None = None
    id: str | None = None
    sequence: int | None = None

    def data(self) -> dict[str, object]:
        """The event's own fields."""
        return dict(self.model_extra or {})


class ExpectedCycle(_Model):
    """What is said here must be so; what isn't said is not asked. `null` means there is none."""

    verdict: Verdict | None = None
    state: ClockState | None = None
    target: Duration | None = None
    elapsed: Duration | None = None
    due_at: Time | None = None
    at_risk_at: Time | None = None
    breach_at: Time | None = None
    breach_team: str | None = None
    breach_reason: str | None = None
    stopped_at: Time | None = None
    rule: str | None = None
    held: dict[str, Duration] | None = None  # team → its part of the time


def _long_cycle(value: object) -> object:
    return {"verdict": value} if isinstance(value, str) else value


def _cycles(value: object) -> object:
    if value == "none":
        return []
    return value if isinstance(value, list) else [value]


Cycles = Annotated[
    tuple[Annotated[ExpectedCycle, BeforeValidator(_long_cycle)], ...],
    BeforeValidator(
        _cycles, json_schema_input_type=str | ExpectedCycle | list[str | ExpectedCycle]
    ),
]


class End(BaseModel):
    """How clocks stand as of a time: clock → its cycles, oldest first (one may stand alone; `none`: no
    cycle; a plain text is a verdict). Clocks not named are not asked."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Cycles] = Field(init=False)

    as_of: Time

    def clocks(self) -> dict[str, tuple[ExpectedCycle, ...]]:
        """Clock → what is expected of its cycles."""
        return dict(self.model_extra or {})


class Story(_Model):
    """`breaches` and `announced`, where given, are whole lists, as of the last of `ends`:
    `TIME CLOCK`, and `TIME at_risk|breach|retracted|resolved CLOCK`."""

    story: str
    events: Annotated[tuple[StoryEvent, ...], Field(min_length=1)]
    ends: Annotated[tuple[End, ...], Field(min_length=1)]
    breaches: tuple[str, ...] | None = None
    announced: tuple[str, ...] | None = None


class StoryFile(_Model):
    """`policy`: the file beside it, by default the one of the same name; several are versions.
    `ticket`: data of every story's `created` event, unless the event says otherwise."""

    policy: Annotated[
        tuple[str, ...], BeforeValidator(as_list, json_schema_input_type=str | list[str])
    ] = ()
    zone: str = "UTC"
    source: str = "test"
    ticket: dict[str, object] = {}
    stories: Annotated[tuple[Story, ...], Field(min_length=1)]


Level = Literal["at_risk", "breach", "retracted", "resolved"]
