"""Working time as instants: calendars, compiled once, asked millions of times."""

from streams.core.business_time.calendar import ALWAYS, CompiledCalendar, compile_calendar
from streams.core.business_time.reading import spec_from_mapping
from streams.core.business_time.spec import CalendarSpec, Closure, Interval

__all__ = [
    "ALWAYS",
    "CalendarSpec",
    "Closure",
    "CompiledCalendar",
    "Interval",
    "compile_calendar",
    "spec_from_mapping",
]
