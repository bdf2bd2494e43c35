"""Time stamps of messages: RFC 3339 text → integer milliseconds, exact, floored, fast.

Taken are `T`, `t` or a blank between date and time, any number of fraction digits, `Z`, `z` or an
offset (`+08:00`, also `+0800`). Not taken: no zone, no seconds, second 60, other forms of ISO 8601.
Digits beyond the millisecond are cut off, never rounded, so a stop just before its due instant stays
before it.
"""

import re
from datetime import UTC, datetime
from typing import Final, Literal

from schemas.instants import to_ms

TIMESTAMP_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})$"
)
TIMESTAMP_LENGTH_MAX = 64
YEAR_MIN, YEAR_MAX = 1970, 2200
EARLIEST_MS = 0
LATEST_MS = to_ms(datetime(YEAR_MAX + 1, 1, 1, tzinfo=UTC)) - 1

TimestampProblem = Literal["format", "naive", "absurd"]
FORMAT: Final = "format"
NAIVE: Final = "naive"
ABSURD: Final = "absurd"

_HOUR = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d)", re.ASCII)
_END = re.compile(r"(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):?(\d\d))?", re.ASCII)

# A text has three parts: `2026-01-19T08` · `:00:00` · `.123Z`. Messages of one source and day share
# nearly all of them, so what was parsed once is looked up. Only valid parts get in.
_KNOWN_MAX = 20_000
_hours: dict[str, int] = {}
_ends: dict[str, int] = {}
_MINUTES = {
    f":{minute:02}:{second:02}": (minute * 60 + second) * 1_000
    for minute in range(60)
    for second in range(60)
}


_MESSAGES: dict[TimestampProblem, str] = {
    FORMAT: "not a time in RFC 3339, e.g. 2026-01-19T08:00:00Z",
    NAIVE: "the time has no zone: add Z or an offset such as +08:00",
    ABSURD: f"the time lies before {YEAR_MIN} or after {YEAR_MAX}",
}


class TimestampError(ValueError):
    """The text is no usable time stamp; `problem` says of what kind."""

    def __init__(self, problem: TimestampProblem) -> None:
        self.problem = problem
        super().__init__(_MESSAGES[problem])


def timestamp_ms(text: str) -> int:
    """Milliseconds since 1970 UTC; TimestampError when malformed, without zone, or absurd."""
    try:
        instant_ms = _hours[text[:13]] + _MINUTES[text[13:19]] + _ends[text[19:]]
    except KeyError:
        instant_ms = _parse(text)
    if not EARLIEST_MS <= instant_ms <= LATEST_MS:
        raise TimestampError(ABSURD)
    return instant_ms


def _parse(text: str) -> int:
    hour, minutes, end = text[:13], text[13:19], text[19:]
    hour_ms = _hours.get(hour)
    if hour_ms is None:
        hour_ms = _parse_hour(hour)
        _remember(_hours, hour, hour_ms)
    minutes_ms = _MINUTES.get(minutes)
    if minutes_ms is None or len(text) > TIMESTAMP_LENGTH_MAX:
        raise TimestampError(FORMAT)
    if end[:1] == "." and end[1:7].isdigit() and end.isascii():  # Python's own: microseconds
        end = end[:4] + end[7:]
    end_ms = _ends.get(end)
    if end_ms is None:
        end_ms = _parse_end(end)
        if len(end) <= len(".123+08:00"):  # longer fractions hardly ever come twice
            _remember(_ends, end, end_ms)
    return hour_ms + minutes_ms + end_ms


def _parse_hour(text: str) -> int:
    parts = _HOUR.fullmatch(text)
    if parts is None:
        raise TimestampError(FORMAT)
    year, month, day, hour = parts.groups()
    try:
        return to_ms(datetime(int(year), int(month), int(day), int(hour), tzinfo=UTC))
    except ValueError:
        raise TimestampError(FORMAT) from None


def _parse_end(text: str) -> int:
    parts = _END.fullmatch(text)
    if parts is None:
        raise TimestampError(FORMAT)
    fraction, zulu, sign, hours, minutes = parts.groups()
    if zulu is None and sign is None:
        raise TimestampError(NAIVE)
    end_ms = int(fraction[:3].ljust(3, "0")) if fraction else 0
    if sign is None:
        return end_ms
    if int(hours) > 23 or int(minutes) > 59:
        raise TimestampError(FORMAT)
    offset_ms = (int(hours) * 60 + int(minutes)) * 60_000
    return end_ms + offset_ms if sign == "-" else end_ms - offset_ms


def _remember(known: dict[str, int], part: str, part_ms: int) -> None:
    if len(known) >= _KNOWN_MAX:
        known.clear()
    known[part] = part_ms
