"""The years that calendars know.

Rules are asked about these years only; before and after them a calendar is closed for good. A stamp
from the year 9999 costs one compilation of all of them, not a crash and not a hang.
"""

from datetime import UTC, datetime

from schemas.instants import from_ms, to_ms

YEAR_MIN, YEAR_MAX = 1950, 2149


def year_ms(year: int) -> int:
    """The instant at which a year begins in UTC."""
    return to_ms(datetime(year, 1, 1, tzinfo=UTC))


FIRST_MS, END_MS = year_ms(YEAR_MIN), year_ms(YEAR_MAX + 1)


def known_year(instant_ms: int) -> int:
    """The year (UTC) of an instant, the nearest known one when it is none of them."""
    return from_ms(min(max(instant_ms, FIRST_MS), END_MS - 1)).year
