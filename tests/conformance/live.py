"""A hand-moved clock that drives ticket logic as a partition engine would."""

from collections.abc import Sequence
from itertools import groupby

from schemas.events import Event
from streams.core.effects import Effect, Intent
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.paging import Emission, Pager
from streams.core.tickets.state import TicketState


class LiveTicket:
    """One ticket, its timers and its pages. Time moves only by the instants handed in.

    An instant is one checkpoint: what it says about one key is said once, by the last intent.
    """

    def __init__(self, logic: TicketLogic) -> None:
        self.logic = logic
        self.state: TicketState | None = None
        self.intents: list[Intent] = []
        self.rejected: list[Effect] = []
        self.emissions: list[Emission] = []
        self._pager = Pager()
        self._unsaid: dict[str, Intent] = {}

    def deliver(self, event: Event, now_ms: int) -> None:
        """Hand over one event at an instant; `settle` follows once the instant is read."""
        self.state, effects = self.logic.advance(self.state, event, now_ms)
        self._take(effects)

    def pass_to(self, now_ms: int) -> None:
        """Let time pass: everything due before an instant happens, each at its own."""
        while (wake_ms := self._wake_ms()) is not None and wake_ms < now_ms:
            self.settle(wake_ms)
        self.emissions += self._pager.pass_time(now_ms - 1)

    def settle(self, now_ms: int, *, inclusive: bool = True) -> None:
        """The instant has been read: fire what is due by it, and say what is new."""
        self.emissions += self._pager.pass_time(now_ms - 1)
        while (wake_ms := self._wake_ms()) is not None and wake_ms <= now_ms:
            assert self.state is not None
            if wake_ms == now_ms and not inclusive and self.state.waiting_ms != now_ms:
                break  # a due instant; an event of this instant does count
            self.state, effects = self.logic.on_timer(self.state, now_ms)
            assert self._wake_ms() != wake_ms, "a timer that settles nothing would never end"
            self._take(effects)
        for intent in self._unsaid.values():
            self.emissions += self._pager.take(intent)
        self._unsaid.clear()
        self.emissions += self._pager.pass_time(now_ms)

    def _wake_ms(self) -> int | None:
        return None if self.state is None else self.logic.wake_ms(self.state)

    def _take(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Intent):
                self.intents.append(effect)
                self._unsaid[effect.key] = effect
            else:
                self.rejected.append(effect)


def run_live(logic: TicketLogic, events: Sequence[Event], as_of_ms: int) -> LiveTicket:
    """Deliver the events by arrival (order of the list at one instant), timers in between.

    A timer of the last instant itself does not fire: a due instant equal to it has not passed.
    """
    ticket = LiveTicket(logic)
    known = sorted(
        (event for event in events if event.ingested_ms <= as_of_ms),
        key=lambda event: event.ingested_ms,
    )
    for now_ms, arrived in groupby(known, key=lambda event: event.ingested_ms):
        ticket.pass_to(now_ms)
        for event in arrived:
            ticket.deliver(event, now_ms)
        ticket.settle(now_ms, inclusive=now_ms < as_of_ms)
    ticket.pass_to(as_of_ms)
    ticket.settle(as_of_ms, inclusive=False)
    return ticket
