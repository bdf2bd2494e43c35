"""Values that policy files are written in: durations, times of day, intervals, marks, instants.

Durations are working time of the clock's calendar: `90s`, `30m`, `4h`, `1h30m`; `d` is 24 hours of it,
whatever the length of a working day.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

MINUTES_PER_DAY = 1_440
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%")
_TIME = re.compile(r"(\d\d):(\d\d)")
_INTERVAL = re.compile(r"(\d\d:\d\d)\s*-\s*(\d\d:\d\d)")


def duration_ms(text: str) -> int:
    """`1h30m` → milliseconds; ValueError with what is wrong."""
    found = _DURATION.fullmatch(text) if text else None
    if found is None:
        negative = text.startswith("-")
        what = "a duration can't be negative" if negative else f"{text!r} is no duration"
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


def minute_of(text: str) -> int:
    """`09:30` → 570, `24:00` → 1440; ValueError with what is wrong."""
    found = _TIME.fullmatch(text)
    minute = -1 if found is None else int(found[1]) * 60 + int(found[2])
    if found is None or int(found[2]) > 59 or minute > MINUTES_PER_DAY:
        message = f"{text!r} is not a time of day such as 09:30 (24:00 ends a day)"
        raise ValueError(message)
    return minute


def interval_minutes(text: str) -> tuple[int, int]:
    """`09:00-17:30` → minutes of the day; ValueError with what is wrong."""
    found = _INTERVAL.fullmatch(text)
    if found is None:
        message = (
            f'{text!r} is no interval: write e.g. "09:00-17:30", or "22:00-06:00" into the next day'
        )
        raise ValueError(message)
    start, end = minute_of(found[1]), minute_of(found[2])
    if start == MINUTES_PER_DAY:
        message = f"{text!r} starts at 24:00: write 00:00 of the next day"
        raise ValueError(message)
    return start, end


def marks_of(texts: tuple[str, ...]) -> Iterator[tuple[float | None, int | None]]:
    """At-risk marks as (share of the budget used, ms before the due instant)."""
    for text in texts:
        percent = _PERCENT.fullmatch(text)
        if percent is not None:
            yield float(percent[1]) / 100, None
        else:
            yield None, duration_ms(text)


def _is_duration(text: str) -> str:
    duration_ms(text)
    return text


def _is_time(text: str) -> str:
    minute_of(text)
    return text


def _is_interval(text: str) -> str:
    interval_minutes(text)
    return text


def _is_mark(text: str) -> str:
    found = _PERCENT.fullmatch(text)
    if found is None:
        duration_ms(text)
    elif not 0 < float(found[1]) <= 100:
        message = f"{text!r} is not above 0% and at most 100%"
        raise ValueError(message)
    return text


def _has_zone(value: object) -> object:
    """Told in the language of the file, before pydantic tells it in its own."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        message = f"{value!s} is not an instant with its offset such as 2026-01-01T00:00:00+08:00"
        raise ValueError(message)
    return value


def as_list(value: object) -> object:
    """One value may stand for a list of it."""
    return [value] if isinstance(value, str | int | float | dict) else value


def _form(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Duration = Annotated[
    str, AfterValidator(_is_duration), _form(r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$", "30m", "4h", "3d")
]
Mark = Annotated[
    str,
    AfterValidator(_is_mark),
    _form(r"^(\d+(\.\d+)?%|(\d+d)?(\d+h)?(\d+m)?(\d+s)?)$", "80%", "30m"),
]
TimeOfDay = Annotated[str, AfterValidator(_is_time), _form(r"^\d\d:\d\d$", "17:00")]
IntervalText = Annotated[
    str, AfterValidator(_is_interval), _form(r"^\d\d:\d\d\s*-\s*\d\d:\d\d$", "09:00-17:30")
]
Instant = Annotated[AwareDatetime, BeforeValidator(_has_zone, json_schema_input_type=datetime)]
Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(as_list, json_schema_input_type=str | list[str | int | float] | int | float),
]
