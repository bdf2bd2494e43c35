"""What a calendar is: rules on the wall clock of a zone. Plain data, as a person writes it."""

from dataclasses import dataclass, replace
from datetime import date

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
