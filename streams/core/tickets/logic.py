"""The ticket core as a partition engine drives it."""

from collections.abc import Iterable
from copy import copy

from msgspec.structs import replace

from schemas.events import Created, Event
from streams.core.effects import CoreRejected, Effect, OutcomeRow, Stamp
from streams.core.policy import Policy, PolicyBook
from streams.core.tickets import snapshot
from streams.core.tickets.announce import announce, next_wake_ms
from streams.core.tickets.erasure import erased, erases, scrubbed_entry
from streams.core.tickets.facts import Facts
from streams.core.tickets.fold import Fold
from streams.core.tickets.log import (
    Entry,
    Flag,
    digest_of,
    entry_of,
    flags_of,
    known_as_of,
    order_key,
    reconciled,
    unclamped_ms,
)
from streams.core.tickets.plan import PlannedBook
from streams.core.tickets.rows import changed_rows
from streams.core.tickets.state import Base, TicketState
from streams.core.tickets.view import TicketView, ticket_flags, view_of
from streams.core.tickets.windows import parts_of
from streams.core.windows.family import Part

LOG_MAX = 1_000  # events a ticket keeps; beyond it the oldest are folded into a base
_LOG_KEPT = 750
PAST_MAX = 1_000  # ended cycles a ticket keeps once its log has been folded
_NOTHING_SETTLED = -(2**62)
_FORGET_AFTER_HORIZONS = 10  # how long a stub keeps refusing events
_AT_ONCE_MS = -(2**61)  # before every instant: a ticket that a rejudgement asks for wakes now

Advanced = tuple[TicketState, tuple[Effect, ...]]


class TicketLogic:
    """`EntityLogic` of tickets. One instance serves any number of tickets; it holds no ticket.

    What it announces is what events and fired timers have proven: while a log is being read, the
    clock's now alone breaches nothing.
    """

    snapshot_version = snapshot.VERSION

    def __init__(
        self, policy_book: PolicyBook, log_max: int = LOG_MAX, past_max: int = PAST_MAX
    ) -> None:
        assert log_max >= 4
        self._book = PlannedBook(policy_book)
        self._log_max = log_max
        self._past_max = past_max

    @property
    def policies(self) -> tuple[Policy, ...]:
        """What it judges by."""
        return self._book.book.policies

    def learn(self, policy_book: PolicyBook) -> None:
        """Judge by this book from now on. What was judged stays, but for what its rejudgements ask for:
        `wake_ms` of those tickets is at once from now on, and their timer judges them anew."""
        self._book.learn(policy_book)

    def advance(self, state: TicketState | None, event: Event, now_ms: int) -> Advanced:
        """Take one event, in any order, any number of times.

        The same state object comes back when the event changes nothing. A ticket whose horizon has
        passed rejects it as `too_late`.
        """
        entry = entry_of(event)
        if state is None:
            state = self._begun(event, entry)
        elif self._too_late(state, event) and not erases(entry):
            return state, (_too_late(state, event),)
        if erases(entry) and not state.erased:
            return self._erased(state, entry, now_ms)
        if state.erased:
            entry = scrubbed_entry(entry, self._book.asked)
        return self._taken(state, entry, now_ms)

    def on_timer(
        self, state: TicketState, now_ms: int
    ) -> tuple[TicketState | None, tuple[Effect, ...]]:
        """Count what waited, announce what is due by now (inclusive), shrink what is over.

        A ticket shrinks only in a step of its own (see `shrank`): what the step before it brought can
        then be told from the whole state.
        """
        if state.stub_ms is not None:
            forget_ms = self._forget_ms(state)
            return (None if forget_ms is not None and forget_ms <= now_ms else state), ()
        before = state
        asked_for = self._asked_for(state)
        refolded = asked_for or (state.waiting_ms is not None and state.waiting_ms <= now_ms)
        if refolded:
            state = self._refolded(state, (*state.log, *state.waiting), now_ms)
        else:
            state = copy(state)
        if asked_for:
            state.rejudged_ms = self._book.rejudged_ms
        state.timed_ms = max(state.timed_ms, now_ms)
        state, effects = self._finished(state, now_ms)
        over_ms = self._over_ms(state)
        if over_ms is not None and over_ms <= now_ms:
            if not (refolded or effects or state.told != before.told):
                return self._stub(state, over_ms), ()
            if state.wake_ms == before.wake_ms:
                state.wake_ms = over_ms + 1  # a step of its own, and timers must move on
        return state, effects

    def shrank(self, before: TicketState, after: TicketState | None) -> bool:
        """Whether rows can no longer be made of what `before` knew."""
        return after is None or (after.stub_ms is not None and before.stub_ms is None)

    def wake_ms(self, state: TicketState) -> int | None:
        """When `on_timer` has something to do next."""
        if state.rejudged_ms < self._book.rejudged_ms and self._asked_for(state):
            return _AT_ONCE_MS
        return state.wake_ms

    def rows(
        self,
        before: TicketState | None,
        after: TicketState,
        effects: tuple[Effect, ...],
        stamp: Stamp,
    ) -> Iterable[OutcomeRow]:
        """Rows of what changed between two states, and the last intent of each key."""
        return changed_rows(before, after, effects, stamp, self._book)

    @property
    def window_horizon_ms(self) -> int:
        """How far behind the watermark a window is closed."""
        return max(policy.horizon_ms for policy in self.policies)

    def parts(self, state: TicketState) -> list[Part]:
        """What a ticket adds to windows."""
        return parts_of(state)

    def dump(self, state: TicketState) -> bytes:
        """Compact snapshot."""
        return snapshot.dump(state)

    def load(self, data: bytes, version: int) -> TicketState:
        """The state of a snapshot; ValueError when `version` is newer than `snapshot_version`."""
        return snapshot.load(data, version)

    def view(self, state: TicketState, as_of_ms: int) -> TicketView:
        """What is true as of an instant not before the last event that counts."""
        if state.waiting_ms is not None and state.waiting_ms <= as_of_ms:
            state = self._refolded(state, (*state.log, *state.waiting), as_of_ms)
        flags = ticket_flags(
            (*state.log, *state.waiting),
            as_of_ms,
            state.facts.created_ms,
            self._book,
            () if state.base is None else state.base.flags,
        )
        return view_of(
            state.ticket_id, state.facts, (*state.past, *state.last), flags, as_of_ms, self._book
        )

    def _begun(self, event: Event, entry: Entry) -> TicketState:
        first_ms = unclamped_ms(entry, self._book.skew_ms)
        facts = Facts(event.tenant, event.source, first_ms)
        state = TicketState(event.tenant, event.source, event.entity_id, facts)
        state.rejudged_ms = self._book.rejudged_ms
        return state

    def _taken(self, state: TicketState, entry: Entry, now_ms: int) -> Advanced:
        """One entry that may be a copy of one that is known."""
        for at, kept in enumerate(state.log):
            if kept.event_id == entry.event_id:
                return self._again(state, "log", at, entry, now_ms)
        if state.waiting:
            for at, kept in enumerate(state.waiting):
                if kept.event_id == entry.event_id:
                    return self._again(state, "waiting", at, entry, now_ms)
        return self._admit(state, entry, now_ms)

    def _erased(self, state: TicketState, entry: Entry, now_ms: int) -> Advanced:
        """Forget the customer, and judge by what is left: the same wherever no policy asks for one."""
        if state.stub_ms is not None:
            return state, ()  # a stub knows of no customer
        state = erased(state, self._book.asked)
        effects: tuple[Effect, ...] = ()
        if entries := (*state.log, *state.waiting):
            state, effects = self._finished(self._refolded(state, entries, now_ms), now_ms)
        state, more = self._taken(state, entry, now_ms)
        return state, (*effects, *more)

    def _again(
        self, state: TicketState, where: str, at: int, entry: Entry, now_ms: int
    ) -> Advanced:
        """An event id that is known: nothing new, or another copy is the one that counts."""
        known: tuple[Entry, ...] = getattr(state, where)
        winner = reconciled(known[at], entry, digest_of)
        if winner is known[at]:
            return state, ()
        known = (*known[:at], winner, *known[at + 1 :])
        entries = (*known, *state.waiting) if where == "log" else (*state.log, *known)
        return self._finished(self._refolded(state, entries, now_ms), now_ms)

    def _admit(self, state: TicketState, entry: Entry, now_ms: int) -> Advanced:
        """A new event: one more step when it is the next in order, else the log from its base."""
        effective_ms = unclamped_ms(entry, self._book.skew_ms)
        created_ms = state.facts.created_ms
        if created_ms is not None and effective_ms < created_ms:
            effective_ms = created_ms
        base = state.base
        if base is not None and order_key(entry, effective_ms) < base.key:
            return self._capped(state, base, entry, now_ms)
        counts = entry.ingested_ms <= now_ms and effective_ms <= now_ms
        shifts = type(entry.data) is Created or (created_ms is None and bool(state.waiting))
        if counts and (not shifts or not (state.log or state.waiting)):
            if self._is_next(state, entry, effective_ms):
                return self._finished(self._stepped(state, entry, effective_ms), now_ms)
        elif not counts and not shifts and state.log:
            state = copy(state)
            state.waiting = (*state.waiting, entry)
            visible_ms = max(entry.ingested_ms, effective_ms)
            if state.waiting_ms is None or visible_ms < state.waiting_ms:
                state.waiting_ms = visible_ms
            return self._finished(state, now_ms)
        entries = (*state.log, *state.waiting, entry)
        return self._finished(self._refolded(state, entries, now_ms), now_ms)

    def _is_next(self, state: TicketState, entry: Entry, effective_ms: int) -> bool:
        last_ms = state.last_ms
        if effective_ms != last_ms or not state.log:
            return effective_ms > last_ms
        return order_key(state.log[-1], last_ms) < order_key(entry, effective_ms)

    def _stepped(self, state: TicketState, entry: Entry, effective_ms: int) -> TicketState:
        """The fast path: fold one event into the state."""
        fold = Fold(self._book, state.facts, state.last, state.past)
        fold.apply(entry, effective_ms)
        state = copy(state)
        state.facts = fold.facts
        state.last = tuple(fold.last)
        state.past = fold.past
        state.log = (*state.log, entry)
        state.last_ms = effective_ms
        return self._compacted(state) if len(state.log) > self._log_max else state

    def _refolded(self, state: TicketState, entries: Iterable[Entry], now_ms: int) -> TicketState:
        """The same ticket, folded anew from its base over the given entries."""
        base = state.base
        created_ms = None if base is None else base.facts.created_ms
        known = known_as_of(entries, now_ms, created_ms, self._book.skew_ms)
        state = copy(state)
        if base is not None:
            fold = Fold(self._book, base.facts, base.last, base.past)
            state.last_ms = base.key[0]
        else:
            fold = Fold(self._book, Facts(state.tenant, state.source, known.first_ms))
            state.last_ms = known.first_ms
        for key, entry in known.ordered:
            fold.apply(entry, key[0])
        state.facts = fold.facts
        state.last = tuple(fold.last)
        state.past = fold.past
        state.log = tuple(entry for _, entry in known.ordered)
        state.waiting = tuple(known.waiting)
        state.waiting_ms = known.next_ms
        if known.ordered:
            state.last_ms = known.ordered[-1][0][0]
        return self._compacted(state) if len(state.log) > self._log_max else state

    def _compacted(self, state: TicketState) -> TicketState:
        """Fold the oldest events of an overlong log into its base."""
        count = len(state.log) - min(_LOG_KEPT, self._log_max * 3 // 4)
        old, kept = state.log[:count], state.log[count:]
        base = state.base
        created_ms = None if base is None else base.facts.created_ms
        known = known_as_of(old, state.last_ms, created_ms, self._book.skew_ms)
        if base is None:
            fold = Fold(self._book, Facts(state.tenant, state.source, known.first_ms))
        else:
            fold = Fold(self._book, base.facts, base.last, base.past)
        for key, entry in known.ordered:
            fold.apply(entry, key[0])
        flags = () if base is None else base.flags
        created_ms = fold.facts.created_ms
        flags = (*flags, *flags_of(old, 2**62, created_ms, self._book.skew_ms))
        settled_ms = _NOTHING_SETTLED if base is None else base.settled_ms
        base = Base(
            known.ordered[-1][0], fold.facts, tuple(fold.last), fold.past, flags, settled_ms
        )
        state.base = self._settled(state, base)
        state.log = kept
        return state

    def _settled(self, state: TicketState, base: Base) -> Base:
        """Forget the oldest ended cycles of an endless ticket; nothing can change them any more."""
        count = len(base.past) - self._past_max
        if count <= 0:
            return base
        gone = {(cycle.clock, cycle.cycle_id) for cycle in base.past[:count]}
        settled_ms = max(cycle.opened_ms for cycle in base.past[:count])
        state.past = state.past[count:]
        state.told = tuple(told for told in state.told if (told.clock, told.cycle_id) not in gone)
        return replace(base, past=base.past[count:], settled_ms=settled_ms)

    def _capped(self, state: TicketState, base: Base, entry: Entry, now_ms: int) -> Advanced:
        """Older than what can still be told apart: flagged, and without effect on the clocks."""
        flag = Flag("log_capped", entry.event_id)
        if flag in base.flags:
            return state, ()
        state = copy(state)
        state.base = replace(base, flags=(*base.flags, flag))
        return self._finished(state, now_ms)

    def _finished(self, state: TicketState, now_ms: int) -> Advanced:
        """Say what is new, and note when to wake. `state` is a fresh copy."""
        news = announce(state, self._book, now_ms)
        state.told = news.told
        wake_ms = next_wake_ms(state)
        for other_ms in (state.waiting_ms, self._over_ms(state)):
            if other_ms is not None and (wake_ms is None or other_ms < wake_ms):
                wake_ms = other_ms
        state.wake_ms = wake_ms
        return state, news.intents

    def _over_ms(self, state: TicketState) -> int | None:
        """When the ticket's horizon passes; None while it may still go on.

        It begins with the last arrival, so that an old history that is read today is read whole. A
        partial history waits for its beginning no longer than that.
        """
        facts = state.facts
        over = facts.ended or facts.status == "closed" or facts.created_ms is None
        if not over and facts.status == "solved":
            over = not any(cycle.open for cycle in state.last)
        if not over or state.waiting:
            return None
        last_ms = max((entry.ingested_ms for entry in state.log), default=state.last_ms)
        return max(last_ms, state.last_ms) + self._horizon_ms(state)

    def _horizon_ms(self, state: TicketState) -> int:
        return self._book.as_of(state.last_ms).policy.horizon_ms

    def _forget_ms(self, state: TicketState) -> int | None:
        if state.stub_ms is None:
            return None
        return state.stub_ms + (_FORGET_AFTER_HORIZONS - 1) * self._horizon_ms(state)

    def _asked_for(self, state: TicketState) -> bool:
        """Whether a rejudgement wants a ticket that it has not had. A stub has nothing to judge by."""
        book = self._book
        if state.rejudged_ms >= book.rejudged_ms or state.stub_ms is not None:
            return False
        return book.asks_for(state.last_ms, state.rejudged_ms)

    def _too_late(self, state: TicketState, event: Event) -> bool:
        if state.stub_ms is not None:
            return True
        over_ms = self._over_ms(state)
        return over_ms is not None and event.ingested_ms > over_ms

    def _stub(self, state: TicketState, over_ms: int) -> TicketState:
        """What is left of a ticket after its horizon: enough to refuse what comes later."""
        facts = Facts(state.tenant, state.source, state.facts.first_ms)
        facts.status = state.facts.status
        stub = TicketState(state.tenant, state.source, state.ticket_id, facts)
        stub.last_ms = state.last_ms
        stub.timed_ms = state.timed_ms
        stub.stub_ms = over_ms
        stub.wake_ms = self._forget_ms(stub)
        return stub


def _too_late(state: TicketState, event: Event) -> CoreRejected:
    detail = f"event {event.event_id}: the horizon of ticket {state.ticket_id} has passed"
    return CoreRejected("too_late", detail)
