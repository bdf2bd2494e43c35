"""Entities that are small and short-lived: their events are kept whole and the story is told from them.

A call has ten events, a survey five. The story is told anew from all of them whenever one comes, in any
order, so that late and doubled events need no rule of their own. After the horizon only a stub is left,
which refuses events as too late; after ten horizons that is forgotten, too.
"""

from collections.abc import Iterable
from sys import intern
from typing import Generic, Protocol, TypeVar

import msgspec

from schemas.encode import digest_of
from schemas.events import CustomerErased, Data, EntityKind, Event
from streams.core.effects import CoreRejected, Effect, OutcomeRow, Stamp
from streams.core.measures import Measures
from streams.core.policy import Policy, PolicyBook
from streams.core.windows.family import Part

EVENTS_MAX = 1_000  # of one entity: more is a loop at the source
_FORGET_AFTER_HORIZONS = 10
_LONG_AGO = -(2**62)

T = TypeVar("T")


class History(msgspec.Struct, gc=False):
    """What is remembered of an entity. Immutable as seen from outside.

    `timed_ms`: the instant up to which timers have been allowed to fire. `stub_ms`: since when it is over,
    once its events are forgotten. `conflicting`: ids of which copies with other content came. `policy`: the
    version that its story was last told by: what it added to windows can be told again from itself alone.
    """

    tenant: str
    source: str
    entity_id: str
    events: tuple[Event, ...] = ()
    timed_ms: int = _LONG_AGO
    wake_ms: int | None = None
    stub_ms: int | None = None
    conflicting: tuple[str, ...] = ()
    policy: str = ""
    erased: bool = False  # the customer has been forgotten

    @property
    def first_ms(self) -> int:
        return min(min(event.occurred_ms, event.ingested_ms) for event in self.events)

    @property
    def last_ms(self) -> int:
        """The latest instant that an event proves to have passed."""
        return max(min(event.occurred_ms, event.ingested_ms) for event in self.events)

    def as_of_ms(self) -> int:
        """What has passed for it: by its own events or by a timer."""
        return max(self.timed_ms, self.last_ms)


class _Told(msgspec.Struct, array_like=True, gc=False):
    """An event in a snapshot; its data in the form of the kind."""

    event_id: str
    type: str
    occurred_ms: int
    ingested_ms: int
    sequence: int | None
    digest: str
    data: msgspec.Raw


class _Snapshot(msgspec.Struct, array_like=True, gc=False):
    tenant: str
    source: str
    entity_id: str
    timed_ms: int
    wake_ms: int | None
    stub_ms: int | None
    conflicting: tuple[str, ...]
    policy: str
    told: tuple[_Told, ...]
    erased: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Snapshot)


class Kind(Protocol[T]):
    """What is told of a kind of entity."""

    entity: EntityKind
    snapshot_version: int
    data_decoder: "msgspec.msgpack.Decoder[Data]"  # of the kind's union of event data

    def tell(self, history: History, measures: Measures) -> T:
        """The story of the events."""
        ...

    def due_instants(self, story: T, measures: Measures) -> Iterable[int]:
        """Instants at which the story goes on by itself."""
        ...

    def horizon_ms(self, measures: Measures) -> int:
        """How long after its last event it may still change."""
        ...

    def parts(self, history: History, story: T, measures: Measures) -> list[Part]:
        """What it adds to windows."""
        ...

    def rows(
        self, history: History, story: T | None, was: T | None, policy: Policy, stamp: Stamp
    ) -> Iterable[OutcomeRow]:
        """Rows that differ from what `was` gave."""
        ...


class HistoryLogic(Generic[T]):
    """`EntityLogic` of one kind. One instance serves any number of entities; it holds none."""

    def __init__(self, kind: Kind[T], book: PolicyBook) -> None:
        self._kind = kind
        self._book = book
        self._versions = {policy.version: policy for policy in book.policies}
        self.snapshot_version = kind.snapshot_version

    @property
    def policies(self) -> tuple[Policy, ...]:
        """What it measures by."""
        return self._book.policies

    @property
    def window_horizon_ms(self) -> int:
        """How far behind the watermark a window is closed."""
        return max(self._kind.horizon_ms(policy.measures) for policy in self._book.policies)

    def learn(self, policy_book: PolicyBook) -> None:
        """Measure by this book from now on; what was told is told anew with the next event."""
        self._book = policy_book
        self._versions |= {policy.version: policy for policy in policy_book.policies}

    def advance(
        self, state: History | None, event: Event, now_ms: int
    ) -> tuple[History | None, tuple[Effect, ...]]:
        """Take one event, in any order, any number of times."""
        if type(event.data) is CustomerErased:
            return _forgotten(state), ()
        if state is None:
            state = History(event.tenant, event.source, event.entity_id)
        if state.stub_ms is not None:
            detail = f"{event.key} was over at {state.stub_ms} and its horizon has passed"
            return state, (CoreRejected("too_late", detail),)
        if state.erased:
            event = _scrubbed(event)
        for at, known in enumerate(state.events):
            if known.event_id == event.event_id:
                return self._again(state, at, event), ()
        if len(state.events) >= EVENTS_MAX:
            detail = f"{event.key} has {EVENTS_MAX:,} events already: a loop at the source?"
            return state, (CoreRejected("state_too_large", detail),)
        return self._timed(_with(state, events=(*state.events, event))), ()

    def on_timer(self, state: History, now_ms: int) -> tuple[History | None, tuple[Effect, ...]]:
        """Tell what has passed by now; shrink what is over, in a step of its own."""
        if state.stub_ms is not None:
            return (None if (state.wake_ms or 0) <= now_ms else state), ()
        over_ms = self._over_ms(state)
        # What was due before then is told first: the stub knows nothing of it.
        if over_ms <= now_ms and state.wake_ms == over_ms:
            horizon_ms = over_ms - state.last_ms
            stub = History(state.tenant, state.source, state.entity_id, stub_ms=over_ms)
            stub.wake_ms = over_ms + _FORGET_AFTER_HORIZONS * horizon_ms
            return stub, ()
        return self._timed(_with(state, timed_ms=max(state.timed_ms, now_ms))), ()

    def shrank(self, before: History, after: History | None) -> bool:
        """Whether rows can no longer be made of what `before` knew."""
        return after is None or (after.stub_ms is not None and before.stub_ms is None)

    def wake_ms(self, state: History) -> int | None:
        """When `on_timer` has something to do next."""
        return state.wake_ms

    def parts(self, state: History) -> list[Part]:
        """What an entity adds to windows; a stub nothing more."""
        if state.stub_ms is not None:
            return []
        measures = self._policy(state).measures
        return self._kind.parts(state, self._kind.tell(state, measures), measures)

    def rows(
        self, before: History | None, after: History, effects: tuple[Effect, ...], stamp: Stamp
    ) -> Iterable[OutcomeRow]:
        """Rows of what changed between two states."""
        if after is before or after.stub_ms is not None:
            return ()
        policy = self._policy(after)
        was = None
        if before is not None and before.stub_ms is None:
            was = self._kind.tell(before, self._policy(before).measures)
        story = self._kind.tell(after, policy.measures)
        return self._kind.rows(after, story, was, policy, stamp)

    def story(self, state: History) -> T:
        """What its events tell, for somebody who looks."""
        return self._kind.tell(state, self._policy(state).measures)

    def dump(self, state: History) -> bytes:
        """Positional msgpack."""
        told = tuple(
            _Told(
                e.event_id,
                e.type,
                e.occurred_ms,
                e.ingested_ms,
                e.sequence,
                e.digest,
                msgspec.Raw(_encoder.encode(e.data)),
            )
            for e in state.events
        )
        return _encoder.encode(
            _Snapshot(
                state.tenant,
                state.source,
                state.entity_id,
                state.timed_ms,
                state.wake_ms,
                state.stub_ms,
                state.conflicting,
                state.policy,
                told,
                state.erased,
            )
        )

    def load(self, data: bytes, version: int) -> History:
        """The state of a snapshot; ValueError when `version` is newer than `snapshot_version`."""
        if version > self.snapshot_version:
            message = f"snapshot version {version} is newer than {self.snapshot_version}: update ticketpulse"
            raise ValueError(message)
        kept = _decoder.decode(data)
        tenant, source = intern(kept.tenant), intern(kept.source)
        events = tuple(
            Event(
                tenant=tenant,
                source=source,
                kind=self._kind.entity,
                entity_id=kept.entity_id,
                event_id=told.event_id,
                type=intern(told.type),
                occurred_ms=told.occurred_ms,
                ingested_ms=told.ingested_ms,
                data=self._kind.data_decoder.decode(told.data),
                sequence=told.sequence,
                digest=told.digest,
            )
            for told in kept.told
        )
        return History(
            tenant,
            source,
            kept.entity_id,
            events,
            kept.timed_ms,
            kept.wake_ms,
            kept.stub_ms,
            kept.conflicting,
            intern(kept.policy),
            kept.erased,
        )

    def _again(self, state: History, at: int, event: Event) -> History:
        """A known id: nothing new, or another copy is the one that counts."""
        known = state.events[at]
        if _content_of(known) == _content_of(event):
            if known.ingested_ms <= event.ingested_ms:
                return state
            conflicting = state.conflicting
        else:
            conflicting = tuple(sorted({*state.conflicting, event.event_id}))
        winner = min(known, event, key=lambda one: (one.ingested_ms, digest_of(one)))
        if winner is known and conflicting == state.conflicting:
            return state
        events = (*state.events[:at], winner, *state.events[at + 1 :])
        return self._timed(_with(state, events=events, conflicting=conflicting))

    def _timed(self, state: History) -> History:
        """With the instant at which it goes on by itself."""
        policy = self._book.as_of(state.first_ms)
        state.policy, measures = policy.version, policy.measures
        story = self._kind.tell(state, measures)
        passed_ms = state.as_of_ms()
        instants = [
            instant_ms
            for instant_ms in self._kind.due_instants(story, measures)
            if instant_ms > passed_ms
        ]
        state.wake_ms = min([*instants, self._over_ms(state)])
        return state

    def _over_ms(self, state: History) -> int:
        return state.last_ms + self._kind.horizon_ms(self._policy(state).measures)

    def _policy(self, state: History) -> Policy:
        return self._versions.get(state.policy) or self._book.as_of(state.first_ms)


def _with(state: History, **changed: object) -> History:
    new: History = msgspec.structs.replace(state, **changed)
    return new


def _forgotten(state: History | None) -> History | None:
    """Without the customer, from now on too. A stub knows of none, and what nobody knows has none."""
    if state is None or state.stub_ms is not None or state.erased:
        return state
    return _with(state, events=tuple(map(_scrubbed, state.events)), erased=True)


def _scrubbed(event: Event) -> Event:
    """The event without its customer and its attributes. Its digest stays that of what was sent, so that another
    copy is still known as a copy."""
    left_out: dict[str, object] = {}
    if getattr(event.data, "customer_id", None) is not None:
        left_out["customer_id"] = None
    if getattr(event.data, "attributes", None):
        left_out["attributes"] = {}
    if not left_out:
        return event
    data = msgspec.structs.replace(event.data, **left_out)
    scrubbed: Event = msgspec.structs.replace(event, data=data, digest=digest_of(event))
    return scrubbed


def _content_of(event: Event) -> tuple[object, ...]:
    return event.type, event.occurred_ms, event.sequence, event.data
