"""Promises by date: due so many working days of a calendar after the opening, at a time of day.

Not the same as working time: who opens at 16:00 under "two working days" is owed an answer by 16:00 of
the second working day, however many hours a working day has.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from schemas.instants import from_ms
from streams.core.business_time.date_rules import DateRules
from streams.core.business_time.localtime import instant_of
from streams.core.business_time.spec import CalendarSpec
from streams.core.business_time.zones import zone

_LOOKED_AHEAD_DAYS = 3_660  # a calendar that is shut for ten years never opens
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class WorkingDays:
    """Implements `streams.core.policy.DueRule`. A working day is a date on which the calendar opens.

    Opened on a day off counts as opened at the same time of the next working day. Opened at or after
    `cut_off_minute` counts as opened at `next_start_minute` of the next working day. Due `days` working
    days later at the same time of day, or at `due_minute` (1440: the end of that day).
    """

    spec: CalendarSpec  # with hours of its own: neither a union nor open round the clock
    days: int
    cut_off_minute: int | None = None
    next_start_minute: int = 0
    due_minute: int | None = None
    _rules: DateRules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert not self.spec.union
        assert not self.spec.always
        object.__setattr__(self, "_rules", DateRules(self.spec))

    def due_ms(self, opened_ms: int) -> int | None:
        """See `streams.core.policy.DueRule`."""
        tz = zone(self.spec.tz)
        local = from_ms(opened_ms).astimezone(tz)
        minute = local.hour * 60 + local.minute
        rest_ms = local.second * 1_000 + local.microsecond // 1_000
        day = self._working(local.date())
        if day is not None and self.cut_off_minute is not None and minute >= self.cut_off_minute:
            day = self._working(day + _ONE_DAY)
            minute, rest_ms = self.next_start_minute, 0
        for _ in range(self.days):
            day = None if day is None else self._working(day + _ONE_DAY)
        if day is None:
            return None
        if self.due_minute is not None:
            minute, rest_ms = self.due_minute, 0
        due_ms = instant_of(day, minute, tz)
        in_gap = rest_ms and instant_of(day, minute + 1, tz) == due_ms
        return due_ms if in_gap else due_ms + rest_ms

    def _working(self, day: date) -> date | None:
        """The day itself, if it is a working day, or the next that is."""
        for _ in range(_LOOKED_AHEAD_DAYS):
            if self._rules.intervals(day):
                return day
            day += _ONE_DAY
        return None
