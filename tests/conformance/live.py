"""A hand-moved clock that drives ticket logic as a partition engine would."""

from collections.abc import Sequence

from schemas.events import Event
from streams.core.effects import Effect, Intent
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.paging import Emission, Pager
from streams.core.tickets.state import TicketState


class LiveTicket:
    """One ticket, its timers and its pages. Time moves only by `move_to` and `deliver`."""

    def __init__(self, logic: TicketLogic) -> None:
        self.logic = logic
        self.state: TicketState | None = None
        self.intents: list[Intent] = []
        self.rejected: list[Effect] = []
        self.emissions: list[Emission] = []
        self._pager = Pager()

    def deliver(self, event: Event, now_ms: int) -> None:
        """Hand over one event at an instant; timers of that instant come after it."""
        self.state, effects = self.logic.advance(self.state, event, now_ms)
        self._take(effects)

    def pass_to(self, now_ms: int) -> None:
        """Let time pass: everything due before an instant happens, each at its own."""
        while (wake_ms := self._wake_ms()) is not None and wake_ms < now_ms:
            self._fire(wake_ms)
        self._pages(now_ms - 1)

    def fire_due(self, now_ms: int, *, inclusive: bool = True) -> None:
        """What is due by an instant happens at it."""
        while (wake_ms := self._wake_ms()) is not None and (
            wake_ms < now_ms or (inclusive and wake_ms == now_ms)
        ):
            self._fire(now_ms)
        self._pages(now_ms)

    def _wake_ms(self) -> int | None:
        return None if self.state is None else self.logic.wake_ms(self.state)

    def _fire(self, now_ms: int) -> None:
        assert self.state is not None
        self._pages(now_ms - 1)
        wake_ms = self._wake_ms()
        self.state, effects = self.logic.on_timer(self.state, now_ms)
        assert self._wake_ms() != wake_ms, "a timer that settles nothing would never end"
        self._take(effects)

    def _pages(self, until_ms: int) -> None:
        self.emissions += self._pager.pass_time(until_ms)

    def _take(self, effects: tuple[Effect, ...]) -> None:
        for effect in effects:
            if isinstance(effect, Intent):
                self.intents.append(effect)
                self.emissions += self._pager.take(effect)
            else:
                self.rejected.append(effect)


def run_live(logic: TicketLogic, events: Sequence[Event], as_of_ms: int) -> LiveTicket:
    """Deliver the events by arrival (order of the list at one instant), timers in between."""
    ticket = LiveTicket(logic)
    known = sorted(
        (event for event in events if event.ingested_ms <= as_of_ms),
        key=lambda event: event.ingested_ms,
    )
    for at, event in enumerate(known):
        now_ms = event.ingested_ms
        ticket.pass_to(now_ms)
        ticket.deliver(event, now_ms)
        is_last_of_instant = at + 1 == len(known) or known[at + 1].ingested_ms > now_ms
        if is_last_of_instant and now_ms < as_of_ms:
            ticket.fire_due(now_ms)
    ticket.pass_to(as_of_ms)
    ticket.fire_due(as_of_ms, inclusive=False)
    return ticket
