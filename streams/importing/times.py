"""Texts of a source's clock → instants."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.instants import EPOCH, from_ms, to_ms

CACHE_TEXTS = 50_000  # exports repeat their times (same minute, same promise)
HALF_DAY_MS = 12 * 3_600_000
YEAR_MIN, YEAR_MAX = 1970, 2200

NaiveParser = Callable[[str], datetime]


class ParsedTime(NamedTuple):
    """A time read: its instant, whether the zone skips it, and the local time as written."""

    instant_ms: int
    in_gap: bool
    written: datetime


TimeParser = Callable[[str], ParsedTime]


def _epoch_seconds(text: str) -> datetime:
    return EPOCH + timedelta(seconds=float(text))


def _epoch_ms(text: str) -> datetime:
    return from_ms(int(text))


def _by_pattern(pattern: str) -> NaiveParser:
    def parse(text: str) -> datetime:
        return datetime.strptime(text, pattern)  # noqa: DTZ007  # the mapping's zone comes next

    # The common form has a parser in C, ten times as fast; it takes only texts of this length.
    if pattern == "%Y-%m-%d %H:%M:%S":

        def parse_fast(text: str) -> datetime:
            if len(text) == len("2011-07-01 01:32:33") and text[10] == " " and text[4] == "-":
                return datetime.fromisoformat(text)
            return parse(text)

        return parse_fast
    return parse


_WORDS: dict[str, NaiveParser] = {
    "iso": datetime.fromisoformat,
    "epoch_seconds": _epoch_seconds,
    "epoch_ms": _epoch_ms,
}


def time_parser(formats: tuple[str, ...], zone_name: str) -> TimeParser:
    """A parser of local or absolute times; ValueError (with words) when none of the formats fits.

    A time without an offset is local to the zone: the first occurrence in a repeated hour; in a gap
    the instant of the transition. So a later local time never becomes an earlier instant, and a source
    that compares its local times finds the same order here.
    """
    parsers = [_WORDS.get(text) or _by_pattern(text) for text in formats]
    zone = ZoneInfo(zone_name)
    wanted = " or ".join(formats)

    @lru_cache(maxsize=CACHE_TEXTS)
    def parse(text: str) -> ParsedTime:
        for parser in parsers:
            try:
                written = parser(text)
            except (ValueError, OverflowError):
                continue
            if not YEAR_MIN < written.year < YEAR_MAX:
                message = f"{text!r}: the year {written.year} is absurd"
                raise ValueError(message)
            return _placed(written, zone)
        message = f"{text!r} is not a time as {wanted}"
        raise ValueError(message)

    return parse


def _placed(written: datetime, zone: ZoneInfo) -> ParsedTime:
    if written.tzinfo is not None:
        return ParsedTime(to_ms(written), in_gap=False, written=written)
    local = written.replace(tzinfo=zone, fold=0)
    universal = local.astimezone(UTC)
    if universal.astimezone(zone).replace(tzinfo=None) == written:
        return ParsedTime(to_ms(universal), in_gap=False, written=written)
    before = local.replace(fold=1).astimezone(UTC)  # by the offset after the gap: too early
    return ParsedTime(
        _transition_ms(to_ms(before), to_ms(universal), zone), in_gap=True, written=written
    )


def _transition_ms(before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """The first instant of the new offset; it lies between the two."""
    new = from_ms(after_ms).astimezone(zone).utcoffset()
    while after_ms - before_ms > 1:
        middle_ms = (before_ms + after_ms) // 2
        if from_ms(middle_ms).astimezone(zone).utcoffset() == new:
            after_ms = middle_ms
        else:
            before_ms = middle_ms
    return after_ms


def next_day(parsed: ParsedTime, zone_name: str) -> int:
    """The instant of the same local time one day later."""
    written = parsed.written + timedelta(days=1)
    return _placed(written, ZoneInfo(zone_name)).instant_ms
