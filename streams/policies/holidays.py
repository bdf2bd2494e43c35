"""Holidays that a policy names by date, by country or by iCal file, looked up."""

from collections.abc import Callable
from datetime import date

from schemas.mapping import Mistake, Place
from schemas.policy import DAY_NAMES, Calendar, HolidaySource, PolicyFile
from streams.core.business_time.country_holidays import (
    holidays_of_country,
    moved_workdays_of_china,
)
from streams.core.business_time.ical_holidays import holidays_of_ical
from streams.core.business_time.spec import Holidays, MovedWorkdays

Beside = Callable[[str], bytes]
# Of holidays by country or file, around the start of the policy: the same wherever it is compiled.
YEARS_BEFORE, YEARS_AFTER = 5, 40


class LookedUp:
    """What `look_up` found of each calendar: holidays with names, and moved working days → the weekday
    they work like."""

    def __init__(self, beside: Beside | None) -> None:
        self.holidays: dict[str, dict[date, str]] = {}
        self.moved: dict[str, dict[date, int]] = {}
        self._beside = beside

    def look_up(self, file: PolicyFile) -> list[Mistake]:
        """Find the days of every calendar; the file may have other mistakes. Returns what isn't known."""
        year = file.effective_from.year
        years = range(year - YEARS_BEFORE, year + YEARS_AFTER + 1)
        mistakes: list[Mistake] = []
        for name, calendar in file.calendars.items():
            self._look_up(name, calendar, years, mistakes)
        return mistakes

    def _look_up(
        self, name: str, calendar: Calendar, years: range, mistakes: list[Mistake]
    ) -> None:
        holidays: dict[date, str] = {}
        moved: dict[date, int] = {}
        for index, source in enumerate(calendar.holidays):
            place: Place = ("calendars", name, "holidays", index)
            try:
                found, moved_here = self._of_source(source, years)
            except (ValueError, OSError) as error:
                mistakes.append(Mistake(place, _why(error, source)))
                continue
            holidays |= dict(found)
            moved |= dict(moved_here)
        own = {day: DAY_NAMES.index(weekday) for day, weekday in calendar.moved_workdays.items()}
        self.holidays[name] = holidays
        self.moved[name] = moved | own

    def _of_source(self, source: HolidaySource, years: range) -> tuple[Holidays, MovedWorkdays]:
        if source.day is not None:
            return ((source.day, source.name),), ()
        if source.country is not None:
            found = holidays_of_country(source.country, source.subdivision, years)
            return found, moved_workdays_of_china(years) if source.moved_workdays else ()
        if source.ical is None:  # said elsewhere
            return (), ()
        if self._beside is None:
            message = "an iCal file needs a policy that is a file itself"
            raise ValueError(message)
        return holidays_of_ical(self._beside(source.ical), years[0], years[-1]), ()


def _why(error: Exception, source: HolidaySource) -> str:
    if isinstance(error, OSError):
        return f"{source.ical}: {error.strerror or error}"
    return str(error)
