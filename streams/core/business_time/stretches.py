"""Rules → open stretches: instants, ascending and disjoint, closures taken out."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple

from schemas.instants import from_ms
from streams.core.business_time.date_rules import DateRules
from streams.core.business_time.localtime import instant_of
from streams.core.business_time.spec import CalendarSpec, Closure
from streams.core.business_time.zones import zone

# An interval may end two days after the date it starts on, and zones lie up to a day from UTC.
_DAYS_BEFORE, _DAYS_AFTER = 3, 2


class Open(NamedTuple):
    """A stretch of working time, [from, to)."""

    from_ms: int
    to_ms: int


def open_stretches(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Open]:
    """Working time within [from, to): ascending, disjoint, not touching; what overlaps counts once."""
    start, end = from_ms_, from_ms_
    for piece in sorted(_open_pieces(spec, from_ms_, to_ms_)):
        if piece.from_ms > end:
            if start < end:
                yield Open(start, end)
            start = piece.from_ms
        end = max(end, piece.to_ms)
    if start < end:
        yield Open(start, end)


def _open_pieces(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Open]:
    """The same in no order, and perhaps overlapping."""
    closures = sorted(spec.closures, key=lambda closure: closure.from_ms)
    for piece in _pieces(spec, from_ms_, to_ms_):
        clipped = Open(max(piece.from_ms, from_ms_), min(piece.to_ms, to_ms_))
        if clipped.from_ms < clipped.to_ms:
            yield from _without(clipped, closures)


def _without(piece: Open, closures: Sequence[Closure]) -> Iterator[Open]:
    """What closures, sorted by start, leave of a stretch."""
    at_ms = piece.from_ms
    for closure in closures:
        if closure.to_ms <= at_ms or closure.from_ms >= piece.to_ms:
            continue
        if at_ms < closure.from_ms:
            yield Open(at_ms, closure.from_ms)
        at_ms = closure.to_ms
    if at_ms < piece.to_ms:
        yield Open(at_ms, piece.to_ms)


def _pieces(spec: CalendarSpec, from_ms_: int, to_ms_: int) -> Iterator[Open]:
    """By the rules alone: stretches that may touch [from, to), and may reach beyond it."""
    if spec.union:
        for member in spec.union:
            yield from _open_pieces(member, from_ms_, to_ms_)
        return
    if spec.always:
        yield Open(from_ms_, to_ms_)
        return
    rules, tz = DateRules(spec), zone(spec.tz)
    day = from_ms(from_ms_).date() - timedelta(days=_DAYS_BEFORE)
    last = from_ms(to_ms_).date() + timedelta(days=_DAYS_AFTER)
    while day <= last:
        for interval in rules.intervals(day):
            start_ms = instant_of(day, interval.from_minute, tz)
            yield Open(start_ms, instant_of(day, interval.end_minute, tz))
        day += timedelta(days=1)
