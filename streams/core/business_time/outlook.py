"""The warning that a calendar's holidays run out, before tickets are judged on a feast day."""

from datetime import timedelta

from streams.core.business_time.date_rules import members
from streams.core.business_time.localtime import local_date
from streams.core.business_time.spec import MINUTES_PER_DAY, CalendarSpec, Interval
from streams.core.business_time.years import END_MS, FIRST_MS
from streams.core.business_time.zones import zone

HOLIDAY_OUTLOOK_DAYS = 60
_WHOLE_DAY = (Interval(0, MINUTES_PER_DAY),)


def outlook_warning(spec: CalendarSpec, now_ms: int) -> str | None:
    """A sentence for each calendar that knows no holiday in the next 60 days, else None.

    A calendar that is open round the clock on every weekday and names no holiday means it so.
    """
    warnings = [_warning(member, now_ms) for member in members(spec)]
    return "; ".join(warning for warning in warnings if warning) or None


def _warning(spec: CalendarSpec, now_ms: int) -> str | None:
    days = sorted({day for day, _ in spec.holidays} | {day for day, _ in spec.overrides})
    if spec.always or (not days and all(hours == _WHOLE_DAY for hours in spec.weekly)):
        return None
    if not FIRST_MS <= now_ms < END_MS:
        return None
    today = local_date(now_ms, zone(spec.tz))
    last = today + timedelta(days=HOLIDAY_OUTLOOK_DAYS)
    if any(today <= day <= last for day in days):
        return None
    if not days:
        return f"calendar {spec.id} knows no holidays at all"
    return (
        f"calendar {spec.id} knows no holiday between {today} and {last};"
        f" the last one it knows is {days[-1]}"
    )
