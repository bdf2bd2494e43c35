"""The events of a call in the order in which they happened.

As with tickets: one id counts once, of two contents the one that was known first (then the smaller digest);
a stamp too far ahead of its arrival counts as its arrival; order is by instant, then the source's sequence
(events without one after those with one), then by what a call can do first, then by id.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.encode import digest_of
from schemas.events import Event

# At one instant a call leaves one agent before it is queued for the next, is queued before it is answered,
# and answered before it ends.
_RANKS = {
    name: rank
    for rank, name in enumerate(
        (
            "ivr_entered",
            "retrieved",
            "transferred",
            "queued",
            "callback_requested",
            "offered",
            "callback_made",
            "answered",
            "held",
            "abandoned",
            "ended",
            "after_call_ended",
        )
    )
}


def in_order(events: Iterable[Event], future_skew_ms_max: int) -> list[Event]:
    """Each event once, its stamp as it counts."""
    kept: dict[str, Event] = {}
    for event in events:
        known = kept.get(event.event_id)
        if known is None or _first(event) < _first(known):
            kept[event.event_id] = event
    return sorted((_clamped(event, future_skew_ms_max) for event in kept.values()), key=_place)


def _first(event: Event) -> tuple[int, str]:
    return event.ingested_ms, digest_of(event)


def _clamped(event: Event, future_skew_ms_max: int) -> Event:
    if event.occurred_ms - event.ingested_ms > future_skew_ms_max:
        return replace(event, occurred_ms=event.ingested_ms)
    return event


def _place(event: Event) -> tuple[int, bool, int, int, str]:
    sequence = event.sequence
    return (
        event.occurred_ms,
        sequence is None,
        sequence or 0,
        _RANKS[event.type],
        event.event_id,
    )
