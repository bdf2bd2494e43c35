"""The ticket core: microseconds per event of a whole life, and what a million open tickets change.

`python -m benchmarks.ticket_life [--open 1000000]`
"""

import argparse
import gc
import heapq
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence

from msgspec import structs

from benchmarks.workload import MINUTE_MS, START_MS
from schemas.events import (
    Assigned,
    Created,
    Data,
    Event,
    Message,
    Solved,
    StatusChanged,
)
from streams.core.business_time import compile_calendar, spec_from_mapping
from streams.core.business_time.spec import CalendarSpec
from streams.core.policy import AtRiskMark, Calendar, ClockSpec, Matcher, Policy, PolicyBook, Rule
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState

HOUR_MS = 60 * MINUTE_MS
FEW = 1_000
MANY = 1_000_000
ROUNDS = 5
LIVES = 2_000
TOUCHED = 20_000  # events timed against the open tickets

LIFE: tuple[tuple[str, Data], ...] = (
    ("created", Created(status="new", priority="P2", tier="major", team="L1", channel="mail")),
    ("message", Message("agent")),
    ("status_changed", StatusChanged("pending")),
    ("status_changed", StatusChanged("open")),
    ("assigned", Assigned("L2", "ann")),
    ("solved", Solved()),
)


def policy() -> Policy:
    """Four clocks on the office hours of Berlin, with warnings at 75 %."""
    created, solved = Matcher("created"), Matcher("solved")
    reply = Matcher("message", (("author", frozenset(("agent",))), ("public", frozenset((True,)))))
    question = Matcher("message", (("author", frozenset(("customer",))),))
    held = frozenset(("pending", "on_hold"))
    marks = (AtRiskMark(share=0.75),)
    clocks = (
        ClockSpec("first_reply", (created,), (reply, solved), at_risk=marks),
        ClockSpec("next_reply", (question,), (reply, solved), at_risk=marks),
        ClockSpec("resolution", (created,), (solved,), pause_statuses=held, at_risk=marks),
        ClockSpec("ola_l1", (created,), (solved,), "ola", "L1", pause_statuses=held),
    )
    hours = {"first_reply": 4, "next_reply": 4, "resolution": 40, "ola_l1": 16}
    rules = tuple(
        Rule(
            name,
            (("priority", frozenset((name,))),),
            {clock: target * HOUR_MS * factor for clock, target in hours.items()},
        )
        for factor, name in enumerate(("P1", "P2", "P3"), start=1)
    )
    return Policy("bench", "bench@1", 0, _office(), clocks, rules)


def _office() -> Calendar:
    days = ("mon", "tue", "wed", "thu", "fri")
    rules = {
        "tz": "Europe/Berlin",
        "weekly": {day: [["09:00", "12:00"], ["13:00", "17:30"]] for day in days},
        "holidays": ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01"],
    }
    return compile_calendar(spec_from_mapping(rules, "office", _no_member))


def _no_member(name: str) -> CalendarSpec:
    raise AssertionError(name)


def event_of(number: int, step: int) -> Event:
    """One step in the life of one ticket; tickets begin 0.5 s apart, steps come every 20 minutes."""
    kind, data = LIFE[step]
    at_ms = START_MS + number * 500 + step * 20 * MINUTE_MS
    return Event(
        tenant="default",
        source="bench",
        kind="ticket",
        entity_id=f"T{number}",
        event_id=f"T{number}-{step}",
        type=kind,
        occurred_ms=at_ms,
        ingested_ms=at_ms,
        data=structs.replace(data),  # as decoding does: an object of its own
        digest="ab" * 32,
    )


def life_us(logic: TicketLogic) -> tuple[float, float]:
    """Microseconds per event of whole lives: advancing alone, and with a snapshot of every state."""
    lives = [[event_of(number, step) for step in range(len(LIFE))] for number in range(LIVES)]
    advancing = min(_timed_lives(logic, lives, dumping=False) for _ in range(ROUNDS))
    dumping = min(_timed_lives(logic, lives, dumping=True) for _ in range(ROUNDS))
    events = LIVES * len(LIFE)
    return advancing / events * 1e6, dumping / events * 1e6


def _timed_lives(logic: TicketLogic, lives: Sequence[Sequence[Event]], *, dumping: bool) -> float:
    started = time.process_time()
    for life in lives:
        state: TicketState | None = None
        for event in life:
            state, _ = logic.advance(state, event, event.ingested_ms)
            if dumping:
                logic.dump(state)
    return time.process_time() - started


class OpenTickets:
    """So many open tickets as a partition engine keeps them: by key, with a heap of wake-ups."""

    def __init__(self, logic: TicketLogic, count: int) -> None:
        self.logic = logic
        self.states: dict[str, TicketState] = {}
        self.timers: list[tuple[int, str]] = []
        for number in range(count):
            self.apply(event_of(number, 0))

    def apply(self, event: Event) -> None:
        """Advance one ticket and note when it wakes."""
        key = event.entity_id
        state = self.logic.advance(self.states.get(key), event, event.ingested_ms)[0]
        self.states[key] = state
        wake_ms = self.logic.wake_ms(state)
        if wake_ms is not None:
            heapq.heappush(self.timers, (wake_ms, key))

    def event_us(self, seed: int) -> float:
        """Microseconds per event, of steps in the lives of tickets here and there.

        Afterwards the tickets are again as they were: the next round does the same work.
        """
        rng = random.Random(seed)
        numbers = rng.sample(range(len(self.states)), min(FEW, len(self.states)))
        steps = range(1, len(LIFE) - 1)  # solved would close them
        seconds = 0.0
        for start in range(0, TOUCHED, len(numbers) * len(steps)):
            rounds = [event_of(number, step) for step in steps for number in numbers]
            before = {f"T{number}": self.states[f"T{number}"] for number in numbers}
            started = time.process_time()
            for event in rounds[: TOUCHED - start]:
                self.apply(event)
            seconds += time.process_time() - started
            self.states.update(before)
            numbers = rng.sample(range(len(self.states)), len(numbers))
        return seconds / TOUCHED * 1e6


def side_by_side_us(few: OpenTickets, many: OpenTickets) -> tuple[float, float]:
    """The best of some rounds each, in turns, so that what else the machine does hits both."""
    gc.collect()
    rounds = [(few.event_us(seed), many.event_us(seed)) for seed in range(ROUNDS)]
    return min(us for us, _ in rounds), min(us for _, us in rounds)


def bytes_per_ticket(tickets: OpenTickets) -> float:
    """Of a snapshot."""
    some = list(tickets.states.values())[:FEW]
    return sum(len(tickets.logic.dump(state)) for state in some) / len(some)


def _resident_bytes() -> int:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes if sys.platform == "darwin" else kilobytes * 1024


def report(many: int) -> Iterator[str]:
    """Lines, each as soon as it is known."""
    logic = TicketLogic(PolicyBook((policy(),)))
    advancing, dumping = life_us(logic)
    yield f"a life of {len(LIFE)} events under four clocks: {advancing:.1f} µs per event"
    yield f"with a snapshot after every event: {dumping:.1f} µs per event"
    few = OpenTickets(logic, FEW)
    yield f"snapshot of an open ticket: {bytes_per_ticket(few):.0f} bytes"
    before = _resident_bytes()
    open_many = OpenTickets(logic, many)
    grown = _resident_bytes() - before
    yield f"memory of an open ticket: {grown / many:.0f} bytes (key, state and timer)"
    few_us, many_us = side_by_side_us(few, open_many)
    yield f"{FEW:,} open tickets: {few_us:.1f} µs per event"
    yield f"{many:,} open tickets: {many_us:.1f} µs per event"
    yield f"{many:,} ÷ {FEW:,} open tickets: {many_us / few_us:.2f}"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ticket_life", description=__doc__)
    parser.add_argument("--open", type=int, default=MANY, help="open tickets of the large run")
    for line in report(parser.parse_args().open):
        print(line, flush=True)


if __name__ == "__main__":
    main()
