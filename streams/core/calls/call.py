"""A call as its events tell it: the voice menu, legs in queues, talk, hold and after-call work.

A leg is one wait for one answer: it begins when the call is queued (or at once, when it is answered without
queueing) and ends with the talk. A transfer ends a leg, and the next queueing or answer begins another.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Literal

from schemas.events import (
    Abandoned,
    AfterCallEnded,
    Answered,
    CallbackMade,
    CallbackRequested,
    Data,
    Ended,
    Event,
    Held,
    IvrEntered,
    Offered,
    Queued,
    Retrieved,
    Transferred,
)
from streams.core.event_order import SKEW_MS_MAX, in_order

Outcome = Literal["answered", "abandoned", "callback", "transferred", "open", "ended"]
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


@dataclass(slots=True)
class Leg:
    """One wait and its answer. Instants in ms; None: that has not happened."""

    queue: str | None = None
    queued_ms: int | None = None
    answered_ms: int | None = None
    abandoned_ms: int | None = None
    callback_ms: int | None = None  # asked to be called back instead of waiting
    left_ms: int | None = None  # transferred away
    ended_ms: int | None = None
    held_since_ms: int | None = None
    hold_ms: int = 0
    agent: str | None = None
    team: str | None = None

    @property
    def outcome(self) -> Outcome:
        for outcome, instant_ms in (
            ("answered", self.answered_ms),
            ("abandoned", self.abandoned_ms),
            ("callback", self.callback_ms),
            ("transferred", self.left_ms),
            ("ended", self.ended_ms),
        ):
            if instant_ms is not None:
                return outcome  # type: ignore[return-value]  # the literals of the tuple
        return "open"

    @property
    def wait_ms(self) -> int | None:
        """From queueing to whatever ended it; None while it waits, and where it never did."""
        if self.queued_ms is None:
            return None
        ends = (self.answered_ms, self.abandoned_ms, self.callback_ms, self.left_ms, self.ended_ms)
        end_ms = next((end for end in ends if end is not None), None)
        return None if end_ms is None else end_ms - self.queued_ms

    @property
    def end_ms(self) -> int | None:
        """When it was over: transferred away or ended."""
        return self.left_ms if self.ended_ms is None else self.ended_ms

    @property
    def talk_ms(self) -> int | None:
        """From the answer to the end of the leg, without hold; None until both are known."""
        end_ms = self.end_ms
        if self.answered_ms is None or end_ms is None:
            return None
        return end_ms - self.answered_ms - self.hold_ms


@dataclass(slots=True)
class Callback:
    """Somebody asked to be called back. `due_ms`: as promised by the source, else by rule."""

    requested_ms: int
    due_ms: int | None
    queue: str | None = None
    made_ms: int | None = None
    agent: str | None = None
    reached: bool = False


@dataclass(slots=True)
class Call:
    """One call. `oddities`: what its events say that can't be, by rule; numbers leave such calls out."""

    call_id: str
    line: str | None = None
    call_type: str | None = None
    priority: str | None = None
    customer_id: str | None = None
    entered_ms: int | None = None
    ended_ms: int | None = None
    after_call_ended_ms: int | None = None
    abandoned_where: str | None = None
    abandoned_ms: int | None = None
    transfers: int = 0
    ticket_id: str | None = None
    last_ms: int = 0  # its latest event
    callbacks: list[Callback] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    oddities: set[str] = field(default_factory=set)

    @property
    def first_ms(self) -> int | None:
        """Its beginning, as far as is known."""
        if self.entered_ms is not None:
            return self.entered_ms
        for leg in self.legs[:1]:
            return leg.answered_ms if leg.queued_ms is None else leg.queued_ms
        return None

    @property
    def ivr_ms(self) -> int | None:
        """In the voice menu: until it was queued, answered, given up or ended."""
        if self.entered_ms is None:
            return None
        ends = [self.legs[0].queued_ms, self.legs[0].answered_ms] if self.legs else []
        ends += [self.abandoned_ms, self.ended_ms]
        end_ms = next((end for end in ends if end is not None), None)
        return None if end_ms is None else end_ms - self.entered_ms

    @property
    def after_call_ms(self) -> int | None:
        if self.ended_ms is None or self.after_call_ended_ms is None:
            return None
        return self.after_call_ended_ms - self.ended_ms

    @property
    def answered(self) -> bool:
        return any(leg.answered_ms is not None for leg in self.legs)


def call_of(events: Iterable[Event], future_skew_ms_max: int = SKEW_MS_MAX) -> Call:
    """The call that these events tell of, in any order and number. All must be of one call."""
    ordered = in_order(events, _RANKS, future_skew_ms_max)
    assert ordered, "a call without an event is no call"
    story = _Story(Call(ordered[0].entity_id))
    for event in ordered:
        story.take(event)
    return story.call


class _Story:
    """One call being told."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def take(self, event: Event) -> None:
        """The next event in order."""
        call, data, at_ms = self.call, event.data, event.occurred_ms
        call.last_ms = at_ms
        call.ticket_id = getattr(data, "ticket_id", None) or call.ticket_id
        if call.ended_ms is not None and not isinstance(data, AfterCallEnded | CallbackMade):
            call.oddities.add("event_after_end")
            return
        self._step(data, at_ms)

    @singledispatchmethod
    def _step(self, data: Data, at_ms: int) -> None:
        """What one kind of event does; each is registered below."""
        raise AssertionError(data)

    @property
    def _leg(self) -> Leg | None:
        """The leg that goes on, if any."""
        leg = self.call.legs[-1] if self.call.legs else None
        over = leg is None or leg.left_ms is not None or leg.callback_ms is not None
        return None if over else leg

    @_step.register
    def _entered(self, data: IvrEntered, at_ms: int) -> None:
        call = self.call
        if call.entered_ms is None:
            call.entered_ms = at_ms
        call.line = call.line or data.line
        self._about(data.customer_id, data.call_type)

    def _about(self, customer_id: str | None, call_type: str | None) -> None:
        call = self.call
        call.customer_id = call.customer_id or customer_id
        call.call_type = call.call_type or call_type

    @_step.register
    def _queued(self, data: Queued, at_ms: int) -> None:
        leg = self._leg
        if leg is not None and leg.answered_ms is None:
            leg.left_ms = at_ms  # moved on to another queue
        elif leg is not None:
            leg.left_ms = at_ms
            self._off_hold(leg, at_ms)
        self.call.legs.append(Leg(queue=data.queue, queued_ms=at_ms))
        self.call.priority = self.call.priority or data.priority
        self._about(data.customer_id, data.call_type)

    @_step.register
    def _offered(self, data: Offered, _at_ms: int) -> None:
        leg = self._leg
        if leg is not None and leg.queue is None:
            leg.queue = data.queue

    @_step.register
    def _answered(self, data: Answered, at_ms: int) -> None:
        leg = self._leg
        if leg is None or leg.answered_ms is not None:
            if leg is not None:
                leg.left_ms = at_ms
                self._off_hold(leg, at_ms)
            leg = Leg(queue=data.queue)
            self.call.legs.append(leg)
        leg.answered_ms = at_ms
        leg.queue = leg.queue or data.queue
        leg.agent, leg.team = data.agent, data.team

    @_step.register
    def _talking(self, data: Held | Retrieved | Transferred, at_ms: int) -> None:
        leg = self._leg
        if leg is None or leg.answered_ms is None:
            self.call.oddities.add(
                f"{'transferred' if isinstance(data, Transferred) else 'held'}_unanswered"
            )
            return
        if isinstance(data, Held):
            leg.held_since_ms = at_ms if leg.held_since_ms is None else leg.held_since_ms
            return
        self._off_hold(leg, at_ms)
        if isinstance(data, Transferred):
            leg.left_ms = at_ms
            self.call.transfers += 1

    @staticmethod
    def _off_hold(leg: Leg, at_ms: int) -> None:
        if leg.held_since_ms is not None:
            leg.hold_ms += at_ms - leg.held_since_ms
            leg.held_since_ms = None

    @_step.register
    def _abandoned(self, data: Abandoned, at_ms: int) -> None:
        call, leg = self.call, self._leg
        if leg is not None and leg.answered_ms is not None:
            call.oddities.add("abandoned_after_answer")
            return
        call.abandoned_where, call.abandoned_ms = data.where, at_ms
        if leg is not None:
            leg.abandoned_ms = at_ms

    @_step.register
    def _callback(self, data: CallbackRequested, at_ms: int) -> None:
        leg = self._leg
        queue = data.queue or (None if leg is None else leg.queue)
        self.call.callbacks.append(Callback(at_ms, data.due_ms, queue))
        if leg is not None and leg.answered_ms is None:
            leg.callback_ms = at_ms

    @_step.register
    def _called_back(self, data: CallbackMade, at_ms: int) -> None:
        """Keeps the oldest promise that is open."""
        for callback in self.call.callbacks:
            if callback.made_ms is None:
                callback.made_ms, callback.agent = at_ms, data.agent
                callback.reached = data.reached
                return
        self.call.oddities.add("callback_unasked")

    @_step.register
    def _ended(self, _data: Ended, at_ms: int) -> None:
        call, leg = self.call, self._leg
        call.ended_ms = at_ms
        if leg is not None and leg.abandoned_ms is None:
            leg.ended_ms = at_ms
            self._off_hold(leg, at_ms)
        if call.first_ms is None:
            call.oddities.add("end_without_beginning")

    @_step.register
    def _after_call(self, _data: AfterCallEnded, at_ms: int) -> None:
        if self.call.ended_ms is None:
            self.call.oddities.add("after_call_before_end")
            return
        self.call.after_call_ended_ms = at_ms
