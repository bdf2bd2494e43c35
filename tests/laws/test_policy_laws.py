"""Laws of policies that come while tickets live: when a worker learns one makes no difference, and what
is judged anew is judged as if it had been so from the start."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import event as note, given, strategies as st

from schemas.events import Event
from streams.core.policy import Policy, PolicyBook, Rejudgement
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from tests.laws.test_ticket_laws import MARKS, deliveries
from tests.laws.ticket_histories import GRID_MS, START_MS, STEPS, books, clocks, promises

LAST_MOMENT = 1_000

Steps = Sequence[tuple[Event | None, int]]

begins = st.sampled_from((0, 1, 2, 2, 3, 3, 4, 5, 8, 13)).map(
    lambda step: START_MS + step * GRID_MS
)
two_versions = st.builds(
    lambda promise, others, begin_ms: _beginning(books(promise, others, MARKS), begin_ms),
    promises(),
    st.tuples(clocks("other"), clocks("third")).map(list),
    begins,
)


def _beginning(versions: list[Policy], begin_ms: int) -> tuple[Policy, Policy]:
    first, second = versions
    return first, replace(second, effective_from_ms=begin_ms)


def moved_on(
    logic: TicketLogic, state: TicketState | None, event: Event | None, now: int
) -> TicketState | None:
    """One delivery, or time for a timer."""
    if event is not None:
        state, _ = logic.advance(state, event, now)
    elif state is not None and (wake := logic.wake_ms(state)) is not None and wake <= now:
        state, _ = logic.on_timer(state, now)
    return state


@given(two_versions, deliveries(), st.sampled_from((0, 1, 2, 4, LAST_MOMENT, LAST_MOMENT)))
def test_when_a_coming_version_is_learned_makes_no_difference(
    versions: tuple[Policy, Policy], steps: Steps, learned_at: int
) -> None:
    first, second = versions
    begin_ms = second.effective_from_ms
    early = TicketLogic(PolicyBook(versions))
    late = TicketLogic(PolicyBook((first,)))
    one: TicketState | None = None
    other: TicketState | None = None
    known = False
    for at, (event, now) in enumerate(steps):
        if not known and (at == learned_at or now >= begin_ms):
            late.learn(PolicyBook(versions))
            known = True
        one = moved_on(early, one, event, now)
        other = moved_on(late, other, event, now)
        assert other == one
    note(f"by the second version: {_judged_by(one, second)}")


def _judged_by(state: TicketState | None, policy: Policy) -> bool:
    assert state is not None
    return any(cycle.policy == policy.version for cycle in (*state.past, *state.last))


@given(two_versions, deliveries(), st.integers(0, 20), st.integers(0, STEPS))
def test_what_is_judged_anew_is_judged_as_the_whole_log_is(
    versions: tuple[Policy, Policy], steps: Steps, ordered_at: int, earlier: int
) -> None:
    first, second = versions
    since_ms = second.effective_from_ms - earlier * GRID_MS
    order = Rejudgement(1, second.version, since_ms)
    anew = PolicyBook(versions, (order,))
    logic = TicketLogic(PolicyBook((first,)))
    state: TicketState | None = None
    for at, (event, now) in enumerate(steps):
        if at == min(ordered_at, len(steps) - 1):
            logic.learn(anew)
            state = moved_on(logic, state, None, now)
        state = moved_on(logic, state, event, now)
    now = steps[-1][1]
    state = moved_on(logic, state, None, now)
    assert state is not None
    events = [event for event, _ in steps if event is not None]
    assert logic.view(state, now) == evaluate(events, anew, now)
    wake = logic.wake_ms(state)
    assert wake is None or wake > now
    note(f"by the second version: {_judged_by(state, second)}")
