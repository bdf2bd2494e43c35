"""Short ways to tell a ticket's story: events at `HH:MM`, clocks in hours, a hand-moved clock."""

from collections.abc import Sequence
from typing import Any

from schemas.events import (
    Absorbed,
    Assigned,
    Cancelled,
    Closed,
    Created,
    CustomerChanged,
    CustomerErased,
    Data,
    Event,
    Excluded,
    ExternalVerdict,
    Merged,
    Message,
    PriorityChanged,
    Reopened,
    Solved,
    StageChanged,
    StatusChanged,
)
from schemas.instants import parse_rfc3339, rfc3339
from streams.core.business_time import ALWAYS, compile_calendar, spec_from_mapping
from streams.core.policy import (
    Calendar,
    CalendarChoice,
    ClockSpec,
    Matcher,
    Policy,
    PolicyBook,
    Rule,
)
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.view import CycleView
from tests.conformance.live import LiveTicket, run_live

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY = "2026-01-19"  # a Monday
CLOCK = "resolution"

CREATED, SOLVED, CLOSED = Matcher("created"), Matcher("solved"), Matcher("closed")
REPLY = Matcher("message", (("author", frozenset(("agent",))), ("public", frozenset((True,)))))
QUESTION = Matcher("message", (("author", frozenset(("customer",))),))

_TYPES: dict[str, type[Data]] = {
    str(data_class.__struct_config__.tag): data_class
    for data_class in (
        Absorbed,
        Assigned,
        Cancelled,
        Closed,
        Created,
        CustomerChanged,
        CustomerErased,
        Excluded,
        ExternalVerdict,
        Merged,
        Message,
        PriorityChanged,
        Reopened,
        Solved,
        StageChanged,
        StatusChanged,
    )
}


def at(text: str) -> int:
    """`12:00` on the day of the stories, `20 12:00` on another of its month, or an instant."""
    if "T" in text:
        return parse_rfc3339(text)
    day, _, time = text.rpartition(" ")
    time = time if time.count(":") == 2 else f"{time}:00"
    return parse_rfc3339(f"{DAY[:8]}{day or DAY[8:]}T{time}Z")


def told(instant_ms: int | None) -> str | None:
    """The time of day, on the day of the stories; else the instant."""
    if instant_ms is None:
        return None
    text = rfc3339(instant_ms)
    return text[11:16] if text.startswith(DAY) and text.endswith(":00Z") else text


def ev(event_id: str, when: str, type_: str, known: str | None = None, **data: Any) -> Event:
    """One event, known when it happens unless `known` says otherwise."""
    sequence, digest = data.pop("sequence", None), data.pop("digest", "")
    return Event(
        tenant="default",
        source="desk",
        kind="ticket",
        entity_id="T1",
        event_id=event_id,
        type=type_,
        occurred_ms=at(when),
        ingested_ms=at(known or when),
        data=_TYPES[type_](**data),
        sequence=sequence,
        digest=digest,
    )


def begun(when: str = "08:00", **data: Any) -> Event:
    """`created`, open unless told otherwise."""
    return ev("e1", when, "created", **{"status": "open", **data})


def status(event_id: str, when: str, value: str, known: str | None = None) -> Event:
    return ev(event_id, when, "status_changed", known, status=value)


def clock(**fields: Any) -> ClockSpec:
    """The resolution clock: from created to solved or closed, held while pending."""
    usual = {
        "id": CLOCK,
        "start": (CREATED,),
        "stop": (SOLVED, CLOSED),
        "pause_statuses": frozenset(("pending",)),
    }
    return ClockSpec(**{**usual, **fields})


def policy(
    *clocks: ClockSpec,
    hours: float | None = 4,
    by_priority: dict[str, float] | None = None,
    calendars: dict[str, Calendar] | None = None,
    **fields: Any,
) -> Policy:
    """One target for all, or by priority; calendars by tier."""
    clocks = clocks or (clock(),)

    def targets(value: float) -> dict[str, int]:
        return {spec.id: int(value * HOUR_MS) for spec in clocks}

    rules = [
        Rule(name, (("priority", frozenset((name,))),), targets(value))
        for name, value in (by_priority or {}).items()
    ]
    if hours is not None:
        rules.append(Rule("all", (), targets(hours)))
    usual = {
        "id": "desk",
        "version": "desk@1",
        "effective_from_ms": 0,
        "calendar": ALWAYS,
        "clocks": clocks,
        "rules": tuple(rules),
        "calendar_choices": (CalendarChoice("tier", calendars),) if calendars else (),
    }
    return Policy(**{**usual, **fields})


def weekdays(name: str = "nine-to-five", opens: str = "09:00", closes: str = "17:00") -> Calendar:
    """Monday to Friday, UTC."""
    rules = {
        "tz": "UTC",
        "weekly": {day: [[opens, closes]] for day in ("mon", "tue", "wed", "thu", "fri")},
    }
    return compile_calendar(spec_from_mapping(rules, name, _no_union))


def _no_union(name: str) -> Any:
    raise AssertionError(name)


def judged(events: Sequence[Event], as_of: str, *policies: Policy) -> list[CycleView]:
    """The cycles as of an instant; the live engine must agree."""
    book = PolicyBook(policies or (policy(),))
    view = evaluate(events, book, at(as_of))
    ticket = run_live(TicketLogic(book), events, at(as_of))
    if ticket.state is not None:
        assert ticket.logic.view(ticket.state, at(as_of)) == view
    return list(view.cycles)


def only(events: Sequence[Event], as_of: str, *policies: Policy) -> CycleView:
    (cycle,) = judged(events, as_of, *policies)
    return cycle


def verdict_of(cycle: CycleView) -> tuple[str, str | None, str | None, str | None]:
    """State, due, breach and its reason."""
    return cycle.state, told(cycle.due_ms), told(cycle.breach_ms), cycle.breach_reason


def hours(milliseconds: int) -> float:
    return milliseconds / HOUR_MS


def live(*policies: Policy, **options: Any) -> LiveTicket:
    return LiveTicket(TicketLogic(PolicyBook(policies or (policy(),)), **options))


def play(ticket: LiveTicket, *events: Event, until: str | None = None) -> LiveTicket:
    """Deliver by arrival, timers in between, then let time pass up to and with `until`."""
    for event in events:
        ticket.pass_to(event.ingested_ms)
        ticket.deliver(event, event.ingested_ms)
        ticket.settle(event.ingested_ms)
    if until is not None:
        ticket.pass_to(at(until))
        ticket.settle(at(until))
    return ticket


def said(ticket: LiveTicket) -> list[tuple[str | None, str]]:
    """Every emission so far: when and what."""
    return [(told(emission.at_ms), emission.type) for emission in ticket.emissions]


def levels(ticket: LiveTicket) -> list[tuple[str | None, str]]:
    """Every intent so far: when and which level."""
    return [(told(intent.recorded_ms), intent.level) for intent in ticket.intents]
