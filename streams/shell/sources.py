"""What compute reads: each source topic with the pure core of its entities."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.events import EntityKind
from streams.core.calls.kind import CallKind
from streams.core.histories import HistoryLogic
from streams.core.logic import EntityLogic
from streams.core.policy import PolicyBook
from streams.core.shifts.kind import ShiftKind
from streams.core.surveys.kind import SurveyKind
from streams.core.tickets.logic import TicketLogic


class Learns(EntityLogic[Any], Protocol):
    """A logic that follows the topic of policies."""

    def learn(self, policy_book: PolicyBook) -> None:
        """Judge by this book from now on."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source topic. `logic` makes the core of a process; it holds no entity."""

    topic: str
    kind: EntityKind
    logic: Callable[[PolicyBook], Learns]


TICKETS = Source("tickets", "ticket", TicketLogic)
CALLS = Source("calls", "call", lambda book: HistoryLogic(CallKind(), book))
SURVEYS = Source("surveys", "survey", lambda book: HistoryLogic(SurveyKind(), book))
SHIFTS = Source("shifts", "shift", lambda book: HistoryLogic(ShiftKind(), book))
SOURCES = (TICKETS, CALLS, SURVEYS, SHIFTS)
BY_TOPIC = {source.topic: source for source in SOURCES}
