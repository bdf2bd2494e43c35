"""Policy files: what is promised to whom, by which calendar. The declarative language, as models.

`mistakes_of` tells what the shape of the file alone doesn't show. `streams.policies` reads the files
and compiles them for the core. Durations are working time of the clock's calendar: `90s`, `30m`, `4h`,
`1h30m`; `d` is 24 hours of it, whatever the length of a working day.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from schemas import wire
from schemas.events import StatusCategory
from schemas.mapping import Mistake, Place, fields_of, suggestion

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
# What can end a cycle beside its stop matchers is the end of the ticket itself.
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_DURATION = re.compile(r"^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$")
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?)%$")
_INTERVAL = re.compile(r"^(\d\d:\d\d)\s*-\s*(\d\d:\d\d)$")


def duration_ms(text: str) -> int:
    """`1h30m` → milliseconds; ValueError with what is wrong."""
    found = _DURATION.match(text) if text else None
    if found is None:
        what = (
            "a duration can't be negative" if text.startswith("-") else f"{text!r} is no duration"
        )
        message = f"{what}: write e.g. 30m, 4h, 1h30m, 3d"
        raise ValueError(message)
    return sum(
        int(count) * _UNIT_MS[unit]
        for count, unit in zip(found.groups(), "dhms", strict=True)
        if count is not None
    )


def duration_text(duration: int) -> str:
    """Milliseconds → `1h30m`; what is no whole second is told in milliseconds."""
    if duration % 1_000 or not duration:
        return f"{duration}ms" if duration else "0s"
    parts = []
    for unit in "hms":
        count, duration = divmod(duration, _UNIT_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def _is_duration(text: str) -> str:
    duration_ms(text)
    return text


def _is_mark(text: str) -> str:
    found = _PERCENT.match(text)
    if found is None:
        duration_ms(text)
    elif not 0 < float(found[1]) <= 100:
        message = f"{text!r} is not above 0% and at most 100%"
        raise ValueError(message)
    return text


def _is_interval(text: str) -> str:
    found = _INTERVAL.match(text)
    if found is None:
        message = (
            f'{text!r} is no interval: write e.g. "09:00-17:30", or "22:00-06:00" into the next day'
        )
        raise ValueError(message)
    return text


def interval_minutes(text: str) -> tuple[int, int]:
    """`09:00-17:30` → minutes of the day; ValueError for times that don't exist."""
    found = _INTERVAL.match(text)
    assert found is not None, "the model has checked the form"
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in found.groups())
    for part in found.groups():
        if int(part[3:]) > 59 or int(part[:2]) * 60 + int(part[3:]) > 1_440:
            message = f"{part} is not a time of day (24:00 ends a day)"
            raise ValueError(message)
    if start == 1_440:
        message = f"{text!r} starts at 24:00: write 00:00 of the next day"
        raise ValueError(message)
    return start, end


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int | float | dict) else value


Duration = Annotated[str, AfterValidator(_is_duration)]
Mark = Annotated[str, AfterValidator(_is_mark)]
IntervalText = Annotated[str, AfterValidator(_is_interval)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
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

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    reason: str = ""


class Calendar(_Model):
    """Working time: always, a union of others, or weekly hours in a zone.

    What a date follows, strongest first: `overrides`, `moved_workdays`, `holidays`, `weekly`.
    """

    always: bool = False
    union: tuple[str, ...] = ()
    zone: str | None = None
    weekly: dict[Day, tuple[IntervalText, ...]] = {}
    holidays: tuple[Annotated[HolidaySource, BeforeValidator(_long_holiday)], ...] = ()
    overrides: dict[date, tuple[IntervalText, ...]] = {}
    moved_workdays: dict[date, Day] = {}
    closures: tuple[Closure, ...] = ()


class Matcher(_Model):
    """Matches events of a type; each further field must have one of the values given."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str

    def conditions(self) -> dict[str, tuple[str | bool, ...]]:
        """Field → allowed values."""
        return {
            name: tuple(value) if isinstance(value, list) else (value,)
            for name, value in (self.model_extra or {}).items()
        }


def _long_matcher(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


Matchers = Annotated[
    tuple[Annotated[Matcher, BeforeValidator(_long_matcher)], ...], BeforeValidator(_as_list)
]


class Clock(_Model):
    """One promise. `start` opens a cycle, `stop` keeps the promise or breaks it, `cancel` withdraws
    it, `reset` begins the budget anew, `pause` holds it until `resume`; it is also held while the
    ticket is in one of `pause_statuses`. Kind `ola`: runs only while `team` holds the ticket."""

    labels: Labels = {}
    kind: Literal["sla", "ola", "uc"] = "sla"
    team: str | None = None
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
    at_risk: Annotated[tuple[Mark, ...], BeforeValidator(_as_list)] = ()
    grace: Duration = "0s"


class Rule(_Model):
    """The first rule whose `match` holds decides. An attribute matches one of the values given."""

    id: Name
    match: dict[str, Texts] = {}
    calendar: str | None = None
    targets: dict[str, Duration] = {}


class CalendarBy(_Model):
    """Calendar by an attribute of the ticket, asked before the rule's own."""

    attribute: str
    calendars: dict[str, str]


class PolicyFile(_Model):
    """One immutable version of one policy."""

    policy: Name
    labels: Labels = {}
    effective_from: AwareDatetime
    calendars: dict[Name, Calendar] = {}
    calendar: str
    calendar_by: tuple[CalendarBy, ...] = ()
    clocks: Annotated[dict[Name, Clock], Field(min_length=1)]
    rules: tuple[Rule, ...] = ()
    merge_start: Literal["own", "earliest"] = "own"
    future_skew: Duration = "60s"
    horizon: Duration = "90d"


def marks_of(clock: Clock) -> Iterator[tuple[float | None, int | None]]:
    """At-risk marks as (share, ms before the due instant)."""
    for text in clock.at_risk:
        percent = _PERCENT.match(text)
        if percent is not None:
            yield float(percent[1]) / 100, None
        else:
            yield None, duration_ms(text)


# -- what the shape alone doesn't show --------------------------------------------------------------


def mistakes_of(file: PolicyFile, zones: tuple[str, ...]) -> list[Mistake]:
    """Every mistake that the models can't see. `zones`: the known zone names."""
    found: list[Mistake] = []
    for name, calendar in file.calendars.items():
        found += _calendar_mistakes(file, ("calendars", name), calendar, zones)
    found += _calendar_name_mistakes(file, ("calendar",), file.calendar)
    for index, choice in enumerate(file.calendar_by):
        for value, name in choice.calendars.items():
            place: Place = ("calendar_by", index, "calendars", value)
            found += _calendar_name_mistakes(file, place, name)
    for name, clock in file.clocks.items():
        found += _clock_mistakes(("clocks", name), clock)
    found += _rule_mistakes(file)
    return found


def _calendar_name_mistakes(file: PolicyFile, place: Place, name: str) -> Iterator[Mistake]:
    if name not in file.calendars:
        known = list(file.calendars)
        hint = suggestion(name, known) or f"declared: {', '.join(known) or 'none'}"
        yield Mistake(place, f"unknown calendar {name!r}", hint)


def _calendar_mistakes(
    file: PolicyFile, place: Place, calendar: Calendar, zones: tuple[str, ...]
) -> Iterator[Mistake]:
    forms = [calendar.always, bool(calendar.union), calendar.zone is not None]
    if sum(forms) != 1:
        what = "a calendar has exactly one of `always: true`, `union: [...]`, `zone: ...`"
        yield Mistake(place, what)
        return
    for index, member in enumerate(calendar.union):
        yield from _calendar_name_mistakes(file, (*place, "union", index), member)
        if file.calendars.get(member, calendar).union:
            what = f"{member!r} is a union itself"
            yield Mistake((*place, "union", index), what, "list its members here")
    if calendar.zone is not None and calendar.zone not in zones:
        hint = suggestion(calendar.zone, zones) or "an IANA name, e.g. Asia/Shanghai"
        yield Mistake((*place, "zone"), f"unknown time zone {calendar.zone!r}", hint)
    if calendar.zone is not None and not any(calendar.weekly.values()) and not calendar.overrides:
        yield Mistake((*place, "weekly"), "this calendar is never open", "give weekly hours")
    for index, holiday in enumerate(calendar.holidays):
        yield from _holiday_mistakes((*place, "holidays", index), holiday)
    for index, closure in enumerate(calendar.closures):
        if closure.to <= closure.from_:
            yield Mistake((*place, "closures", index), "it ends before it begins")
    yield from _interval_mistakes(place, calendar)


def _holiday_mistakes(place: Place, holiday: HolidaySource) -> Iterator[Mistake]:
    given = [part for part in (holiday.day, holiday.country, holiday.ical) if part is not None]
    if len(given) != 1:
        yield Mistake(place, "give exactly one of date, country, ical")
    if holiday.moved_workdays and holiday.country != "CN":
        what = "moved working days are known for CN only"
        yield Mistake(
            (*place, "moved_workdays"), what, "list others under the calendar's moved_workdays"
        )


def _interval_mistakes(place: Place, calendar: Calendar) -> Iterator[Mistake]:
    week: list[tuple[int, int, Place]] = []
    for day, texts in calendar.weekly.items():
        offset = DAY_NAMES.index(day) * 1_440
        for start, end, here in _minutes((*place, "weekly", day), texts):
            if isinstance(end, str):
                yield Mistake(here, end)
            else:
                week.append((offset + start, offset + end, here))
    yield from _overlaps(week, cyclic=True)
    for day_, texts in calendar.overrides.items():
        intervals: list[tuple[int, int, Place]] = []
        for start, end, here in _minutes((*place, "overrides", day_.isoformat()), texts):
            if isinstance(end, str):
                yield Mistake(here, end)
            else:
                intervals.append((start, end, here))
        yield from _overlaps(intervals, cyclic=False)


def _minutes(place: Place, texts: tuple[str, ...]) -> Iterator[tuple[int, int | str, Place]]:
    """Start, end (a text: what is wrong) and place of each interval."""
    for index, text in enumerate(texts):
        try:
            start, end = interval_minutes(text)
        except ValueError as error:
            yield 0, str(error), (*place, index)
            continue
        yield start, end if end > start else end + 1_440, (*place, index)


def _overlaps(intervals: list[tuple[int, int, Place]], *, cyclic: bool) -> Iterator[Mistake]:
    intervals = sorted(intervals, key=lambda item: item[:2])
    for (_start, end, _place), (start, _end, place) in pairwise(intervals):
        if start < end:
            hint = "merge the two; an interval into the next day counts there too"
            yield Mistake(place, "this interval overlaps with the one before", hint)
    if cyclic and len(intervals) > 1:
        start, end, place = intervals[-1]
        if end - 7 * 1_440 > intervals[0][0]:
            yield Mistake(place, "this interval overlaps with Monday's first")


def _clock_mistakes(place: Place, clock: Clock) -> Iterator[Mistake]:
    for role in ("start", "stop", "pause", "resume", "reset", "cancel"):
        for index, matcher in enumerate(getattr(clock, role)):
            yield from _matcher_mistakes((*place, role, index), matcher)
    if not clock.start:
        yield Mistake((*place, "start"), "nothing starts this clock", "e.g. start: created")
    if not clock.stop:
        what = "nothing can stop this clock: every ticket would breach it"
        yield Mistake(
            (*place, "stop") if clock.stop else place, what, "e.g. stop: [solved, closed]"
        )
    for index, status in enumerate(clock.pause_statuses):
        if status not in STATUSES:
            hint = suggestion(status, STATUSES) or f"one of {', '.join(STATUSES)}"
            yield Mistake((*place, "pause_statuses", index), f"unknown status {status!r}", hint)
    if clock.pause and not clock.resume:
        what = "pauses without end: nothing resumes this clock"
        yield Mistake((*place, "pause"), what, "add `resume`")
    if clock.kind == "ola" and clock.team is None:
        yield Mistake((*place, "kind"), "an OLA is one team's", "add `team`")
    if clock.kind != "ola" and clock.team is not None:
        yield Mistake((*place, "team"), "only an OLA belongs to a team", "write `kind: ola`")


def _matcher_mistakes(place: Place, matcher: Matcher) -> Iterator[Mistake]:
    if matcher.type not in TICKET_TYPES:
        hint = suggestion(matcher.type, TICKET_TYPES) or f"one of {', '.join(TICKET_TYPES)}"
        yield Mistake(place, f"a ticket has no event {matcher.type!r}", hint)
        return
    fields = fields_of("ticket", matcher.type)
    for name, values in matcher.conditions().items():
        here = (*place, name)
        if name not in fields:
            known = ", ".join(fields) or "none at all"
            hint = suggestion(name, list(fields)) or f"its fields: {known}"
            yield Mistake(here, f"{matcher.type} has no field {name!r}", hint)
            continue
        rule = fields[name]
        for value in values:
            if (rule.shape == "boolean") != isinstance(value, bool):
                wanted = "true or false" if rule.shape == "boolean" else "a text"
                yield Mistake(here, f"{value!r} is not {wanted}")
            elif rule.allowed and value not in rule.allowed:
                hint = suggestion(str(value), rule.allowed) or f"one of {', '.join(rule.allowed)}"
                yield Mistake(here, f"{value!r} is not allowed here", hint)


def _rule_mistakes(file: PolicyFile) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for index, rule in enumerate(file.rules):
        place: Place = ("rules", index)
        if rule.id in seen:
            yield Mistake((*place, "id"), f"a second rule is called {rule.id!r}")
        seen.setdefault(rule.id, index)
        for clock in rule.targets:
            if clock not in file.clocks:
                hint = suggestion(clock, list(file.clocks)) or f"clocks: {', '.join(file.clocks)}"
                yield Mistake((*place, "targets", clock), f"unknown clock {clock!r}", hint)
        for clock, text in rule.targets.items():
            if duration_ms(text) == 0:
                yield Mistake((*place, "targets", clock), "a target of nothing can't be met")
        if rule.calendar is not None:
            yield from _calendar_name_mistakes(file, (*place, "calendar"), rule.calendar)
        shadow = next((r for r in file.rules[:index] if _covers(r, rule)), None)
        if shadow is not None:
            what = f"unreachable: rule {shadow.id!r} above matches everything that this one does"
            yield Mistake(place, what, "put the narrower rule first")


def _covers(general: Rule, narrow: Rule) -> bool:
    return all(
        name in narrow.match and set(narrow.match[name]) <= set(values)
        for name, values in general.match.items()
    )


def effective_ms(moment: datetime) -> int:
    """The instant from which a version is in force."""
    return int(moment.timestamp() * 1000)
