"""Which rule a date follows: its own hours, another weekday's, none, or the week's."""

from collections.abc import Iterator
from datetime import date

from streams.core.business_time.spec import MINUTES_PER_DAY, CalendarSpec, Interval


class DateRules:
    """The rules of a calendar that has hours of its own, by date."""

    def __init__(self, spec: CalendarSpec) -> None:
        self._weekly = spec.weekly
        self._holidays = dict(spec.holidays)
        self._overrides = dict(spec.overrides)
        self._moved = dict(spec.moved_workdays)

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """Working hours that start on a date; the strongest rule decides alone."""
        if day in self._overrides:
            return self._overrides[day]
        if day in self._moved:
            return self._weekly[self._moved[day]]
        if day in self._holidays:
            return ()
        return self._weekly[day.weekday()]

    def because(self, day: date) -> str:
        """Why a date is shut, or shut just then."""
        if day in self._overrides:
            return f"override:{day}"
        if day in self._moved:
            return "outside_hours"
        if day in self._holidays:
            name = self._holidays[day]
            return f"holiday:{day}:{name}" if name else f"holiday:{day}"
        return "outside_hours" if self._weekly[day.weekday()] else "day_off"

    def minutes_missed_next_day(self, day: date) -> int:
        """How far into the next day the week's night shift would have gone on, had the date not been
        a holiday or changed: until then it is this date's rule that shuts the next one.
        """
        if day not in self._overrides and (day in self._moved or day not in self._holidays):
            return 0
        usual = self._weekly[day.weekday()]
        return max((interval.end_minute - MINUTES_PER_DAY for interval in usual), default=0)


def members(spec: CalendarSpec) -> Iterator[CalendarSpec]:
    """The calendars a union is made of, itself when it is none."""
    if not spec.union:
        yield spec
    for member in spec.union:
        yield from members(member)
