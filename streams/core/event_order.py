"""Events of one entity in the order in which they happened, for calls, surveys and shifts as for tickets.

One id counts once, of two contents the one that was known first (then the smaller digest); a stamp too far
ahead of its arrival counts as its arrival; order is by instant, then the source's sequence (events without
one after those with one), then by what can happen first, then by id.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from schemas.encode import digest_of
from schemas.events import Event

SKEW_MS_MAX = 60_000


def in_order(
    events: Iterable[Event], ranks: Mapping[str, int], future_skew_ms_max: int = SKEW_MS_MAX
) -> list[Event]:
    """Each event once, its stamp as it counts. `ranks`: event type → place at one instant."""
    kept: dict[str, Event] = {}
    for event in events:
        known = kept.get(event.event_id)
        if known is None or _first(event) < _first(known):
            kept[event.event_id] = event
    counted = (_clamped(event, future_skew_ms_max) for event in kept.values())
    return sorted(counted, key=lambda event: _place(event, ranks))


def _first(event: Event) -> tuple[int, str]:
    return event.ingested_ms, digest_of(event)


def _clamped(event: Event, future_skew_ms_max: int) -> Event:
    if event.occurred_ms - event.ingested_ms > future_skew_ms_max:
        return replace(event, occurred_ms=event.ingested_ms)
    return event


def _place(event: Event, ranks: Mapping[str, int]) -> tuple[int, bool, int, int, str]:
    sequence = event.sequence
    return (
        event.occurred_ms,
        sequence is None,
        sequence or 0,
        ranks[event.type],
        event.event_id,
    )
