"""Calls as a `Kind` of history: their story with promises and marks, what they add to windows, their rows."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import msgspec

from schemas.events import CallData, Data, EntityKind
from schemas.instants import from_ms, from_ms_or_none
from schemas.outcomes import CallLegRow, CallRow, Verdict
from streams.core.calls.call import Call, Callback, Leg, call_of
from streams.core.calls.sums import queue_sums
from streams.core.effects import OutcomeRow, Stamp
from streams.core.event_order import SKEW_MS_MAX
from streams.core.histories import History
from streams.core.measures import CallMeasures, Measures
from streams.core.policy import Policy
from streams.core.windows.family import CALLS, Part


@dataclass(frozen=True, slots=True)
class CallStory:
    """A call, what has passed for it, and what is odd about it."""

    call: Call
    as_of_ms: int
    flags: tuple[str, ...]
    measures: CallMeasures

    def answer_due_ms(self, leg: Leg) -> int | None:
        """By when a leg that waits should be answered."""
        if leg.queued_ms is None:
            return None
        return leg.queued_ms + self.measures.of_queue(leg.queue).answer_within_ms

    def handle_due_ms(self, leg: Leg) -> int | None:
        """When the time on the phone passes its limit."""
        return None if leg.answered_ms is None else leg.answered_ms + self.measures.handle_limit_ms

    def callback_due_ms(self, callback: Callback) -> int:
        """As the source promised, else by rule."""
        if callback.due_ms is not None:
            return callback.due_ms
        return callback.requested_ms + self.measures.callback_within_ms

    def callback_late(self, callback: Callback) -> bool:
        """Made after its due instant, or not made although that has passed."""
        at_ms = self.as_of_ms if callback.made_ms is None else callback.made_ms
        return at_ms > self.callback_due_ms(callback)

    def answer_verdict(self, leg: Leg) -> Verdict:
        """Met when answered by the due instant; who gives up or moves on in time breaches nothing."""
        due_ms = self.answer_due_ms(leg)
        if due_ms is None:
            return "no_target"
        if leg.answered_ms is not None:
            return "met" if leg.answered_ms <= due_ms else "breached"
        at_ms = self.as_of_ms if leg.wait_ms is None else _decided_ms(leg)
        if at_ms > due_ms:
            return "breached"
        return "pending" if leg.wait_ms is None else "void"

    def handle_verdict(self, leg: Leg) -> Verdict:
        """Met when the talk ended by the limit."""
        due_ms = self.handle_due_ms(leg)
        if due_ms is None:
            return "no_target"
        end_ms = leg.end_ms
        if (self.as_of_ms if end_ms is None else end_ms) > due_ms:
            return "breached"
        return "pending" if end_ms is None else "met"


class CallKind:
    """See `Kind`."""

    entity: EntityKind = "call"
    snapshot_version = 1
    data_decoder: msgspec.msgpack.Decoder[Data] = msgspec.msgpack.Decoder(CallData)

    def tell(self, history: History, measures: Measures) -> CallStory:
        """The call, judged as of what has passed for it."""
        call = call_of(history.events)
        as_of_ms = history.as_of_ms()
        flags = _flags(history, call, measures.calls, as_of_ms)
        return CallStory(call, as_of_ms, flags, measures.calls)

    def due_instants(self, story: CallStory, measures: Measures) -> Iterator[int]:
        """A millisecond after each promise, and the end that never came."""
        for leg in story.call.legs:
            answer_ms, handle_ms = story.answer_due_ms(leg), story.handle_due_ms(leg)
            if answer_ms is not None and leg.wait_ms is None:
                yield answer_ms + 1
            if handle_ms is not None and leg.end_ms is None:
                yield handle_ms + 1
        for callback in story.call.callbacks:
            if callback.made_ms is None:
                yield story.callback_due_ms(callback) + 1
        if story.call.ended_ms is None:
            yield story.call.last_ms + measures.calls.never_ended_after_ms

    def horizon_ms(self, measures: Measures) -> int:
        """See `Kind`."""
        return measures.calls.horizon_ms

    def parts(self, history: History, story: CallStory, measures: Measures) -> list[Part]:
        """A wait counts in the minute in which it was decided, a talk in that of its end, a menu visit and a
        callback in that of their beginning. A call whose events can't be true adds nothing."""
        if story.call.oddities:
            return []
        return [*_Parts(history, story).all()]

    def rows(
        self,
        history: History,
        story: CallStory | None,
        was: CallStory | None,
        policy: Policy,
        stamp: Stamp,
    ) -> Iterator[OutcomeRow]:
        """The call and each of its legs, where they differ."""
        assert story is not None
        rows = _Rows(history, policy, stamp)
        call = rows.call(story)
        if was is None or rows.call(was) != call:
            yield "calls", call
        before = [] if was is None else [rows.leg(was, at) for at in range(len(was.call.legs))]
        for at in range(len(story.call.legs)):
            leg = rows.leg(story, at)
            if at >= len(before) or before[at] != leg:
                yield "call_legs", leg
        for gone in before[len(story.call.legs) :]:
            gone["removed"] = True
            yield "call_legs", gone


def _flags(history: History, call: Call, measures: CallMeasures, as_of_ms: int) -> tuple[str, ...]:
    flags = set(call.oddities)
    if call.ended_ms is None and as_of_ms >= call.last_ms + measures.never_ended_after_ms:
        flags.add("never_ended")
    if measures.known_only and any(
        leg.queue is not None and leg.queue not in measures.queues for leg in call.legs
    ):
        flags.add("unknown_queue")
    if history.conflicting:
        flags.add("conflicting_duplicate")
    if any(event.occurred_ms - event.ingested_ms > SKEW_MS_MAX for event in history.events):
        flags.add("future_clamped")
    return tuple(sorted(flags))


def _decided_ms(leg: Leg) -> int:
    assert leg.queued_ms is not None
    assert leg.wait_ms is not None
    return leg.queued_ms + leg.wait_ms


class _Parts:
    """What one call adds to windows."""

    def __init__(self, history: History, story: CallStory) -> None:
        self._origin = history.tenant, history.source
        self._story = story
        self._call = story.call

    def all(self) -> Iterator[Part]:
        yield from self._menu()
        yield from self._waits()
        for leg in self._call.legs:
            yield from self._talk(leg)
        yield from self._callbacks()

    def _menu(self) -> Iterator[Part]:
        call = self._call
        if call.entered_ms is not None:
            key = CALLS.key(call.entered_ms, *self._origin, None, None, call.call_type)
            yield CALLS.part(key, entered=1, menu_abandoned=int(call.abandoned_where == "ivr"))

    def _waits(self) -> Iterator[Part]:
        for leg, sums in queue_sums(self._call, self._story.measures):
            key = self._key(_decided_ms(leg), leg)
            counts = asdict(sums)
            if leg.outcome in ("transferred", "ended"):
                counts["flow_outs"] = 1
            yield CALLS.part(key, leg.wait_ms if sums.answered else None, None, **counts)

    def _talk(self, leg: Leg) -> Iterator[Part]:
        talk_ms, end_ms = leg.talk_ms, leg.end_ms
        if talk_ms is None or end_ms is None:
            return
        after_ms = (self._call.after_call_ms or 0) if leg is self._call.legs[-1] else 0
        on_phone_ms, measures = talk_ms + leg.hold_ms, self._story.measures
        yield CALLS.part(
            self._key(end_ms, leg),
            None,
            on_phone_ms + after_ms,
            handled=1,
            talk_sum_ms=talk_ms,
            hold_sum_ms=leg.hold_ms,
            after_call_sum_ms=after_ms,
            over_aim=int(on_phone_ms > measures.handle_aim_ms),
            over_limit=int(on_phone_ms > measures.handle_limit_ms),
            transfers=int(leg.left_ms is not None),
        )

    def _callbacks(self) -> Iterator[Part]:
        for callback in self._call.callbacks:
            call_type = self._call.call_type
            key = CALLS.key(callback.requested_ms, *self._origin, callback.queue, None, call_type)
            yield CALLS.part(
                key,
                callbacks_requested=1,
                callbacks_made=int(callback.made_ms is not None),
                callbacks_late=int(self._story.callback_late(callback)),
            )

    def _key(self, instant_ms: int, leg: Leg) -> tuple[str | int, ...]:
        return CALLS.key(instant_ms, *self._origin, leg.queue, leg.team, self._call.call_type)


class _Rows:
    """Rows of one call at one stamp."""

    def __init__(self, history: History, policy: Policy, stamp: Stamp) -> None:
        self._history = history
        self._policy = policy
        self._stamp = stamp

    def call(self, story: CallStory) -> CallRow:
        call, history, stamp = story.call, self._history, self._stamp
        callback = call.callbacks[-1] if call.callbacks else None
        first_ms = history.first_ms if call.first_ms is None else call.first_ms
        return {
            "tenant": history.tenant,
            "source": history.source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "call_id": history.entity_id,
            "event_time": from_ms(first_ms),
            "line": call.line,
            "call_type": call.call_type,
            "priority": call.priority,
            "customer_id": call.customer_id,
            "ticket_id": call.ticket_id,
            "queue": call.legs[0].queue if call.legs else None,
            "answered": call.answered,
            "menu_ms": call.ivr_ms,
            "abandoned_where": call.abandoned_where,
            "abandoned_at": from_ms_or_none(call.abandoned_ms),
            "ended_at": from_ms_or_none(call.ended_ms),
            "after_call_ms": call.after_call_ms,
            "legs": len(call.legs),
            "transfers": call.transfers,
            "callbacks_requested": len(call.callbacks),
            "callbacks_made": sum(one.made_ms is not None for one in call.callbacks),
            "callback_due_at": None
            if callback is None
            else from_ms(story.callback_due_ms(callback)),
            "callback_made_at": None if callback is None else from_ms_or_none(callback.made_ms),
            "callbacks_late": sum(map(story.callback_late, call.callbacks)),
            "flags": list(story.flags),
            "policy_version": self._policy.version,
            "judged_at": from_ms(stamp.now_ms),
        }

    def leg(self, story: CallStory, at: int) -> CallLegRow:
        call, history, stamp = story.call, self._history, self._stamp
        leg = call.legs[at]
        began_ms = leg.answered_ms if leg.queued_ms is None else leg.queued_ms
        assert began_ms is not None, "a leg begins by queueing or by an answer"
        after_ms = call.after_call_ms if at == len(call.legs) - 1 else None
        talk_ms = leg.talk_ms
        return {
            "tenant": history.tenant,
            "source": history.source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "call_id": history.entity_id,
            "leg": at + 1,
            "event_time": from_ms(began_ms),
            "queue": leg.queue,
            "team": leg.team,
            "agent": leg.agent,
            "call_type": call.call_type,
            "customer_id": call.customer_id,
            "outcome": leg.outcome,
            "queued_at": from_ms_or_none(leg.queued_ms),
            "answered_at": from_ms_or_none(leg.answered_ms),
            "ended_at": from_ms_or_none(leg.end_ms),
            "transferred": leg.answered_ms is not None and leg.left_ms is not None,
            "wait_ms": leg.wait_ms,
            "talk_ms": talk_ms,
            "hold_ms": leg.hold_ms,
            "after_call_ms": after_ms if talk_ms is not None else None,
            "answer_due_at": from_ms_or_none(story.answer_due_ms(leg)),
            "answer_verdict": story.answer_verdict(leg),
            "handle_due_at": from_ms_or_none(story.handle_due_ms(leg)),
            "handle_verdict": story.handle_verdict(leg),
            "odd": bool(call.oddities),
            "policy_version": self._policy.version,
            "judged_at": from_ms(stamp.now_ms),
            "removed": False,
        }
