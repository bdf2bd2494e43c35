"""Business time: CPU microseconds per `add` and `measure`, and what compiling a year costs.

`python -m benchmarks.business_time`. Next to the timings stands a bare binary search in the same run, as
the raw limit; the ratios compare between machines, the timings don't.
"""

import random
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence

from schemas.instants import parse_rfc3339
from streams.core.business_time import CalendarSpec, compile_calendar, spec_from_mapping
from streams.core.business_time.country_holidays import (
    CHINA,
    holidays_of_country,
    moved_workdays_of_china,
)
from streams.core.business_time.spec import Interval
from streams.core.policy import Calendar

HOUR_MS = 3_600_000
QUESTIONS = 50_000
ROUNDS = 3  # the best counts; CPU time, so that busy neighbours do not
SPANS = {"1 year": range(2026, 2027), "10 years": range(2017, 2027), "100 years": range(1950, 2050)}


def office() -> CalendarSpec:
    """Office hours in Shanghai with lunch, holidays and moved working days."""
    day = (Interval(9 * 60, 12 * 60), Interval(13 * 60 + 30, 18 * 60))
    years = range(2004, 2027)
    return CalendarSpec(
        "office",
        tz="Asia/Shanghai",
        weekly=(day,) * 5 + ((), ()),
        holidays=holidays_of_country(CHINA, None, years),
        moved_workdays=moved_workdays_of_china(years),
    )


def follow_the_sun() -> CalendarSpec:
    """Three desks, one after the other."""
    workdays = ("mon", "tue", "wed", "thu", "fri")
    desks = [
        {"tz": tz, "weekly": {day: [["09:00", "17:00"]] for day in workdays}}
        for tz in ("Australia/Sydney", "Europe/Berlin", "America/New_York")
    ]
    return spec_from_mapping({"union": desks}, "sun")


def main() -> None:
    """Print a table."""
    print(f"best of {ROUNDS} × {QUESTIONS:,} questions, random instants within the years named")
    print(f"{'':34}{'add µs':>8}{'measure µs':>12}{'bisect µs':>11}{'compile ms/year':>17}")
    for name, spec in (("office", office()), ("follow-the-sun", follow_the_sun())):
        for span, years in SPANS.items():
            print(f"{f'{name}, {span}':34}" + _row(spec, years))
    print(f"{'round the clock':34}" + _row(CalendarSpec("24x7", always=True), SPANS["1 year"]))


def _row(spec: CalendarSpec, years: range) -> str:
    first_ms = parse_rfc3339(f"{years[0]}-01-01T00:00:00Z")
    last_ms = parse_rfc3339(f"{years[-1]}-12-01T00:00:00Z")
    calendar = compile_calendar(spec)
    begun = time.process_time()
    intervals = [stretch.from_ms for stretch in calendar.open_intervals(first_ms, last_ms)]
    compiled_ms = (time.process_time() - begun) * 1_000 / len(years)
    choice = random.Random(len(years))
    starts = [choice.randrange(first_ms, last_ms) for _ in range(QUESTIONS)]
    lengths = [choice.randrange(HOUR_MS, 80 * HOUR_MS) for _ in range(QUESTIONS)]
    added = _best_us(lambda: _add(calendar, starts, lengths))
    measured = _best_us(lambda: _measure(calendar, starts, lengths))
    raw = _best_us(lambda: _bisect(intervals, starts, lengths))
    return f"{added:>8.2f}{measured:>12.2f}{raw:>11.2f}{compiled_ms:>17.2f}"


def _best_us(ask_all: Callable[[], None]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        begun = time.process_time()
        ask_all()
        best = min(best, time.process_time() - begun)
    return best / QUESTIONS * 1_000_000


def _add(calendar: Calendar, starts: Sequence[int], lengths: Sequence[int]) -> None:
    for start, length in zip(starts, lengths, strict=True):
        calendar.add(start, length)


def _measure(calendar: Calendar, starts: Sequence[int], lengths: Sequence[int]) -> None:
    for start, length in zip(starts, lengths, strict=True):
        calendar.measure(start, start + length)


def _bisect(intervals: Sequence[int], starts: Sequence[int], lengths: Sequence[int]) -> None:
    for start, length in zip(starts, lengths, strict=True):
        bisect_left(intervals, start + length)


if __name__ == "__main__":
    main()
