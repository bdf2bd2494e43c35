"""What a calendar is: rules on the wall clock of a zone. Plain data, as a person writes it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import cast

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 1_440

Holidays = tuple[tuple[date, str], ...]  # with a name, for explanations
MovedWorkdays = tuple[tuple[date, int], ...]  # date → weekday it works like, Monday is 0


@dataclass(frozen=True, slots=True)
class Interval:
    """Local minutes of a day, [from, to); to <= from means the next day, 1440 is 24:00."""

    from_minute: int
    to_minute: int

    @property
    def end_minute(self) -> int:
        """Minutes after the midnight of the day it starts on; may exceed 1440."""
        if self.to_minute <= self.from_minute:
            return self.to_minute + MINUTES_PER_DAY
        return self.to_minute


@dataclass(frozen=True, slots=True)
class Closure:
    """An emergency closure: instants (ms), [from, to)."""

    from_ms: int
    to_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """`union` of others, or rules of its own. Which rule a date follows, strongest first: `overrides`
    (its intervals), `moved_workdays` (调休: works like the weekday named), `holidays` (none), `weekly`.
    """

    id: str
    tz: str = "UTC"
    weekly: tuple[tuple[Interval, ...], ...] = ((),) * 7  # Monday first
    holidays: Holidays = ()
    overrides: tuple[tuple[date, tuple[Interval, ...]], ...] = ()
    moved_workdays: MovedWorkdays = ()
    closures: tuple[Closure, ...] = ()
    always: bool = False
    union: tuple["CalendarSpec", ...] = ()

    def with_closure(self, from_ms: int, to_ms: int, reason: str) -> "CalendarSpec":
        """The same calendar with one more emergency closure; a new version of it."""
        return replace(self, closures=(*self.closures, Closure(from_ms, to_ms, reason)))


_TIME = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)$")


def minute_of(text: object) -> int:
    """`09:30` → 570; `24:00` → 1440; ValueError with what is wrong."""
    match = _TIME.match(text) if isinstance(text, str) else None
    if match is None or (match[1] == "24" and match[2] != "00"):
        message = f"{text!r} is not a time of day such as 09:30 (24:00 ends a day)"
        raise ValueError(message)
    return int(match[1]) * 60 + int(match[2])


def intervals_of(pairs: object) -> tuple[Interval, ...]:
    """`[["09:00", "17:00"], …]` → intervals; ValueError with what is wrong."""
    if not isinstance(pairs, Sequence) or isinstance(pairs, str):
        message = f"{pairs!r} is not a list of [from, to] pairs"
        raise ValueError(message)
    intervals = []
    for pair in pairs:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
            message = f"{pair!r} is not a pair [from, to]"
            raise ValueError(message)
        interval = Interval(minute_of(pair[0]), minute_of(pair[1]))
        if interval.from_minute == MINUTES_PER_DAY:
            message = f"{pair!r} starts at 24:00; write 00:00 of the next day"
            raise ValueError(message)
        intervals.append(interval)
    return tuple(intervals)


def spec_from_mapping(
    rules: Mapping[str, object], id_: str, resolve: Callable[[str], CalendarSpec]
) -> CalendarSpec:
    """`{always: true}`, `{union: [ids]}` or `{tz, weekly, holidays?, overrides?}` → spec.

    `resolve` finds the members of a union. ValueError says what is wrong.
    """
    if rules.get("always"):
        return CalendarSpec(id_, always=True)
    if "union" in rules:
        members = cast("Sequence[str]", rules["union"])
        return CalendarSpec(id_, union=tuple(resolve(member) for member in members))
    weekly = cast("Mapping[str, object]", rules.get("weekly", {}))
    unknown = sorted(set(weekly) - set(DAYS))
    if unknown:
        message = f"unknown weekday {unknown[0]!r}; use {', '.join(DAYS)}"
        raise ValueError(message)
    holidays = cast("Sequence[str]", rules.get("holidays", ()))
    overrides = cast("Mapping[str, object]", rules.get("overrides", {}))
    return CalendarSpec(
        id_,
        tz=str(rules["tz"]),
        weekly=tuple(intervals_of(weekly.get(day, ())) for day in DAYS),
        holidays=tuple((date.fromisoformat(str(day)), "") for day in holidays),
        overrides=tuple(
            (date.fromisoformat(str(day)), intervals_of(pairs)) for day, pairs in overrides.items()
        ),
    )
