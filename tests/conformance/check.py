"""Runs one vector through the core's public entrances and names every difference."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.events import Event
from schemas.instants import parse_rfc3339, rfc3339
from streams.core.policy import AtRiskMark, PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.plan import mark_used_ms
from streams.core.tickets.view import TicketView
from tests.conformance import adapter, alerting, statistics
from tests.conformance.live import LiveTicket, run_live

Json = Mapping[str, Any]

SHARE_TOLERANCE = 1e-6
_SHUFFLES = 5


def checked(vector: Json, calendars: Json) -> list[str] | None:
    """What differs from `expect`, in words; None for a kind that is not of this engine.

    An engine that falls over differs too, and the next vector is tried.
    """
    judge = KINDS.get(vector["kind"])
    if judge is None:
        return None
    try:
        return judge(vector["input"], vector["expect"], calendars)
    except Exception as error:  # any defect of the core is this vector's failure
        return [f"{type(error).__name__}: {error}"]


def _thresholds(given: Json, expect: Json, calendars: Json) -> list[str]:
    calendar = adapter.calendar_of(given["calendar"], calendars)
    started_ms = parse_rfc3339(given["started_at"])
    target_ms = given["target_seconds"] * 1000
    fires_at = []
    for share in given["shares"]:
        fires_ms = calendar.add(started_ms, mark_used_ms(AtRiskMark(share=share), target_ms))
        fires_at.append(None if fires_ms is None else rfc3339(fires_ms))
    return _compare("fires_at", fires_at, expect["fires_at"])


def _clock_timeline(given: Json, expect: Json, calendars: Json) -> list[str]:
    """Judged at once and live; the order of the list and repeated entries change nothing."""
    book = PolicyBook((adapter.policy_of(given, calendars),))
    as_of_ms = parse_rfc3339(given["as_of"])
    events = [adapter.event_of(event, given["ticket_id"]) for event in given["events"]]
    logic = TicketLogic(book)
    found = _judge("evaluate", evaluate(events, book, as_of_ms), expect)
    found += _live("live", run_live(logic, events, as_of_ms), as_of_ms, expect)
    shuffled = events * 2
    for seed in range(_SHUFFLES):
        if found:
            break  # the rest would only say it again
        random.Random(seed).shuffle(shuffled)
        found += _live(f"live {seed}", run_live(logic, shuffled, as_of_ms), as_of_ms, expect)
        found += _late(f"late {seed}", logic, shuffled, as_of_ms, expect)
    return found


def _live(name: str, ticket: LiveTicket, as_of_ms: int, expect: Json) -> list[str]:
    found = _view(name, ticket, as_of_ms, expect)
    if "emissions" in expect:
        said = [adapter.emission_json(emission) for emission in ticket.emissions]
        found += _compare(f"{name}: emissions", said, expect["emissions"])
    return found


def _late(
    name: str, logic: TicketLogic, events: Sequence[Event], as_of_ms: int, expect: Json
) -> list[str]:
    """Everything read at once, in the order given: after a long outage, say."""
    ticket = LiveTicket(logic)
    for event in events:
        if event.ingested_ms <= as_of_ms:
            ticket.deliver(event, as_of_ms)
    return _view(name, ticket, as_of_ms, expect)


def _view(name: str, ticket: LiveTicket, as_of_ms: int, expect: Json) -> list[str]:
    if ticket.state is None:  # nothing known yet
        return _compare(f"{name}: cycles", [], expect["cycles"])
    return _judge(name, ticket.logic.view(ticket.state, as_of_ms), expect)


def _judge(name: str, view: TicketView, expect: Json) -> list[str]:
    found = _compare(
        f"{name}: cycles", [adapter.cycle_json(cycle) for cycle in view.cycles], expect["cycles"]
    )
    flags = [adapter.flag_json(flag) for flag in view.flags]
    found += _compare(f"{name}: flags", flags, expect.get("flags", []))
    if "holders" in expect:
        holders = adapter.holders_json(view.cycles)
        found += _compare(f"{name}: holders", _by_team(holders), _by_team(expect["holders"]))
    return found


def _by_team(holders: Sequence[Json]) -> list[Json]:
    return sorted(holders, key=lambda holder: (holder["cycle_id"], holder["team"]))


def _compare(where: str, got: Any, wanted: Any) -> list[str]:
    """Differences, each with its path; shares within the tolerance of the conventions."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        return [
            line
            for name in sorted({*wanted, *got})
            for line in _compare(f"{where}.{name}", got.get(name), wanted.get(name))
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(got) == len(wanted):
        return [
            line
            for at, (one, other) in enumerate(zip(got, wanted, strict=True))
            for line in _compare(f"{where}[{at}]", one, other)
        ]
    if isinstance(wanted, float) and isinstance(got, int | float):
        return [] if abs(got - wanted) <= SHARE_TOLERANCE else [f"{where}: {got}, not {wanted}"]
    return [] if got == wanted else [f"{where}: {got!r}, not {wanted!r}"]


def _of(say: Callable[[Json], Json], tolerance: float) -> Callable[[Json, Json, Json], list[str]]:
    def judged(given: Json, expect: Json, _calendars: Json) -> list[str]:
        return statistics.differences(say(given), expect, tolerance)

    return judged


KINDS: Mapping[str, Callable[[Json, Json, Json], list[str]]] = {
    "clock_timeline": _clock_timeline,
    "thresholds": _thresholds,
    **{kind: _of(*judge) for kind, judge in statistics.KINDS.items()},
    **{kind: _of(say, 0.0) for kind, say in alerting.KINDS.items()},
}
