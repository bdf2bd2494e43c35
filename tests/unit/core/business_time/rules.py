"""Calendars of the examples, and instants as people write them."""

from collections.abc import Mapping

from schemas.instants import parse_rfc3339, rfc3339
from streams.core.business_time import CompiledCalendar, compile_calendar, spec_from_mapping

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WORKDAYS, "sat", "sun")


def calendar(
    tz: str, *hours: str, days: tuple[str, ...] = WORKDAYS, **more: object
) -> CompiledCalendar:
    """`calendar("Europe/Berlin", "09:00-17:00", holidays=["2026-12-25"])`."""
    pairs = [text.split("-") for text in hours]
    rules: Mapping[str, object] = {"tz": tz, "weekly": dict.fromkeys(days, pairs)}
    compiled = compile_calendar(spec_from_mapping({**rules, **more}, "office"))
    assert isinstance(compiled, CompiledCalendar)
    return compiled


def ms(text: str) -> int:
    """`2026-01-19T08:00Z` → milliseconds."""
    return parse_rfc3339(text)


def opens(found: CompiledCalendar, from_: str, to: str) -> list[str]:
    """Open stretches as `from..to`, whole minutes of UTC."""
    stretches = found.open_intervals(ms(from_), ms(to))
    return [f"{_short(stretch.from_ms)}..{_short(stretch.to_ms)}" for stretch in stretches]


def closed(found: CompiledCalendar, from_: str, to: str) -> list[tuple[str, str]]:
    """Closed stretches: when they begin (UTC), and why."""
    return [
        (_short(stretch.from_ms), stretch.because)
        for stretch in found.closed_because(ms(from_), ms(to))
    ]


def due(found: CompiledCalendar, instant: str, hours: float) -> str | None:
    """The instant at which so many working hours are used up."""
    instant_ms = found.add(ms(instant), round(hours * HOUR_MS))
    return None if instant_ms is None else _short(instant_ms)


def _short(instant_ms: int) -> str:
    return rfc3339(instant_ms).replace(":00Z", "Z")[5:]
