"""Policy files: what is promised to whom, by which calendar. The declarative language, as models.

`schemas.policy_values` has the values it is written in, `schemas.policy_mistakes` tells what the shape
of a file alone doesn't show. `streams.policies` reads the files and compiles them for the core.
"""

from datetime import date
from difflib import get_close_matches
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag

from schemas import wire
from schemas.events import StatusCategory
from schemas.policy_values import (
    Duration,
    Instant,
    IntervalText,
    Mark,
    Texts,
    TimeOfDay,
    as_list,
)

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TICKET_TYPES = tuple(wire.TYPES["ticket"])
STATUSES: tuple[str, ...] = get_args(StatusCategory)
ATTRIBUTES = (
    "tenant",
    "source",
    "ticket_type",
    "priority",
    "tier",
    "channel",
    "team",
    "agent",
    "customer_id",
)
WORKING_DAYS_MAX = 1_000

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=100)]
Labels = dict[Literal["en", "zh-CN"], str]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class HolidaySource(_Model):
    """Holidays by date, by country (with a subdivision), or from an iCal file beside the policy.

    `moved_workdays`: also the working days that a country moves to weekends (调休; China).
    """

    day: date | None = Field(None, alias="date")
    name: str = ""
    country: str | None = None
    subdivision: str | None = None
    moved_workdays: bool = False
    ical: str | None = None


def _long_holiday(value: object) -> object:
    return {"date": value} if isinstance(value, str | date) else value


class Closure(_Model):
    """An emergency closure, known while clocks run: instants with zone."""

    from_: Instant = Field(alias="from")
    to: Instant
    reason: str = ""


class Calendar(_Model):
    """Working time: always, a union of others, or weekly hours in a zone.

    What a date follows, strongest first: `overrides`, `moved_workdays`, `holidays`, `weekly`.
    """

    always: bool = False
    union: tuple[str, ...] = ()
    zone: str | None = None
    weekly: dict[Day, tuple[IntervalText, ...]] = {}
    holidays: tuple[
        Annotated[
            HolidaySource,
            BeforeValidator(_long_holiday, json_schema_input_type=date | HolidaySource),
        ],
        ...,
    ] = ()
    overrides: dict[date, tuple[IntervalText, ...]] = {}
    moved_workdays: dict[date, Day] = {}
    closures: tuple[Closure, ...] = ()


class Matcher(_Model):
    """Matches events of a type; each further field must have one of the values given."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str

    def conditions(self) -> dict[str, tuple[object, ...]]:
        """Field → allowed values."""
        return {
            name: tuple(value) if isinstance(value, list) else (value,)
            for name, value in (self.model_extra or {}).items()
        }


def _long_matcher(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


Matchers = Annotated[
    tuple[
        Annotated[Matcher, BeforeValidator(_long_matcher, json_schema_input_type=str | Matcher)],
        ...,
    ],
    BeforeValidator(as_list, json_schema_input_type=str | Matcher | list[str | Matcher]),
]


class Clock(_Model):
    """One promise. `start` opens a cycle, `stop` keeps the promise or breaks it, `cancel` withdraws
    it, `reset` begins the budget anew, `pause` holds it until `resume`; it is also held while the
    ticket is in one of `pause_statuses`. With a `team` (kinds `ola` and `uc`) it runs only while that
    team holds the ticket. `calendar`: its own, whatever the ticket. `applies`: only to tickets with
    one of the values of each attribute."""

    labels: Labels = {}
    kind: Literal["sla", "ola", "uc"] = "sla"
    team: str | None = None
    calendar: str | None = None
    start: Matchers
    stop: Matchers = ()
    pause: Matchers = ()
    resume: Matchers = ()
    reset: Matchers = ()
    cancel: Matchers = ()
    pause_statuses: Texts = ()
    applies: dict[str, Texts] = {}
    on_reopen: Literal["resume", "reset", "count_closed"] = "resume"
    on_target_change: Literal["retroactive", "restart", "proportional"] = "retroactive"
    on_tier_change: Literal["segmented", "whole_history"] = "segmented"
    at_risk: Annotated[
        tuple[Mark, ...], BeforeValidator(as_list, json_schema_input_type=Mark | tuple[Mark, ...])
    ] = ()
    grace: Duration = "0s"


class ByDate(_Model):
    """A promise by date: due `working_days` later at the same time of day, or at the time `due`.

    A working day is a date on which the calendar opens (`calendar`, else the clock's, the rule's or the
    policy's). Opened on a day off counts as opened at that time of the next working day; at or after
    `cut_off`, as opened at `next_start` of the next working day. Settled at the opening: pauses and
    later changes don't move it.
    """

    working_days: Annotated[int, Field(ge=0, le=WORKING_DAYS_MAX)]
    calendar: str | None = None
    cut_off: TimeOfDay | None = None
    next_start: TimeOfDay = "00:00"
    due: TimeOfDay | None = None


class Table(BaseModel):
    """A target by an attribute: its values are keys, `else` is for every other (no target without it).
    A target in it may be a table again."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, "Target"] = Field(init=False)

    by: str
    otherwise: "Target | None" = Field(None, alias="else")

    def choices(self) -> dict[str, "Target"]:
        """Value → target."""
        return dict(self.model_extra or {})


def _target_form(value: object) -> str:
    if isinstance(value, dict):
        by_date = "by" not in value and any(_is_of_by_date(key) for key in value)
        return "~by_date" if by_date else "~table"
    if isinstance(value, Table):
        return "~table"
    return "~by_date" if isinstance(value, ByDate) else "~duration"


def _is_of_by_date(key: object) -> bool:
    return bool(get_close_matches(str(key), ByDate.model_fields))


def _number_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


# Tags begin with ~: they are no part of the place of a mistake.
Target = Annotated[
    Annotated[Duration, BeforeValidator(_number_text), Tag("~duration")]
    | Annotated[ByDate, Tag("~by_date")]
    | Annotated[Table, Tag("~table")],
    Discriminator(_target_form),
]
Table.model_rebuild()


class Rule(_Model):
    """The first rule whose `match` holds decides. An attribute matches one of the values given."""

    id: Name
    match: dict[str, Texts] = {}
    calendar: str | None = None
    targets: dict[str, Target] = {}


class CalendarBy(_Model):
    """Calendar by an attribute of the ticket, asked before the rule's own."""

    attribute: str
    calendars: dict[str, str]


class QueueMeasures(_Model):
    """What counts as within the service level in a queue, and as given up too soon to be answered."""

    labels: Labels = {}
    answer_within: Duration = "20s"
    short_abandon: Duration = "5s"


class CallMeasures(_Model):
    """What numbers about calls mean. A queue without its own entry is measured by `usual`; with
    `known_only` it is flagged `unknown_queue` as well."""

    usual: QueueMeasures = QueueMeasures()
    queues: dict[Name, QueueMeasures] = {}
    known_only: bool = False
    handle_aim: Duration = "3m"
    handle_limit: Duration = "5m"
    callback_within: Duration = "4h"
    never_ended_after: Duration = "4h"
    horizon: Duration = "7d"


class SurveyMeasures(_Model):
    """From which score on an answer is satisfied, promotes, detracts or is in the top box."""

    satisfied_min: float = 4
    promoter_min: float = 9
    detractor_max: float = 6
    top_box_min: float = 6
    horizon: Duration = "90d"


class ShiftMeasures(_Model):
    """What numbers about the presence of agents mean. A shift of which nothing was heard for `never_ended_after`
    is flagged."""

    never_ended_after: Duration = "16h"
    horizon: Duration = "7d"


class CustomerMeasures(_Model):
    """What numbers about customers mean. Their class (客户关系) is the first that holds: lost 流失, silent for longer
    than `lost_after`; loyal 忠诚, with `loyal_contacts` or more, at most `loyal_complaints_max` complaints (unset: any
    number) and satisfied last time; satisfied 满意, satisfied last time; ordinary 一般. A contact about the same within
    `first_contact_within` of the end of another says that the first one solved nothing. Their contribution (贡献度)
    is the share of the sum of a ticket attribute, such as the value of an order; unset: none is shown."""

    lost_after: Duration = "180d"
    loyal_contacts: Annotated[int, Field(ge=1)] = 3
    loyal_complaints_max: Annotated[int, Field(ge=0)] | None = None
    first_contact_within: Duration = "7d"
    contribution_attribute: Name | None = None


class Measures(_Model):
    """What numbers about calls, answers and customers mean. Numbers of calls and answers are stored as made by the
    version in force then; those of customers are asked of history, by the newest."""

    calls: CallMeasures = CallMeasures()
    surveys: SurveyMeasures = SurveyMeasures()
    shifts: ShiftMeasures = ShiftMeasures()
    customers: CustomerMeasures = CustomerMeasures()


class PolicyFile(_Model):
    """One immutable version of one policy. `attributes`: names that tickets of the source carry beside
    the standard ones, so that a rule may ask for them."""

    policy: Name
    labels: Labels = {}
    effective_from: Instant
    attributes: Texts = ()
    calendars: dict[Name, Calendar] = {}
    calendar: str
    calendar_by: tuple[CalendarBy, ...] = ()
    clocks: Annotated[dict[Name, Clock], Field(min_length=1)]
    rules: tuple[Rule, ...] = ()
    merge_start: Literal["own", "earliest"] = "own"
    future_skew: Duration = "60s"
    measures: Measures = Measures()
    horizon: Duration = "90d"
