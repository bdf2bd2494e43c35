"""Laws of explanations: for every history, segments tile the clock's life and sum to what it says."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import assume, given, strategies as st

from schemas.events import Event
from streams.core.business_time.zones import zone
from streams.core.policy import ClockSpec, PolicyBook
from streams.core.tickets.evaluate import evaluate
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from streams.explaining import explain, explain_entries
from streams.explaining.rendering import document_of, text_of
from tests.laws.ticket_histories import Promise, as_ofs, books, clocks, histories, promises


@given(promises(), histories(), as_ofs, st.tuples(clocks("other"), clocks("third")).map(list))
def test_segments_tile_and_sum_to_the_elapsed_time(
    promise: Promise, events: list[Event], as_of_ms: int, others: list[ClockSpec]
) -> None:
    book = PolicyBook(tuple(books(promise, others, ())))
    found = explain(events, book, as_of_ms)
    view = evaluate(events, book, as_of_ms)

    assert [(c.clock, c.cycle_id, c.verdict) for c in found.clocks] == [
        (c.clock, c.cycle_id, c.verdict) for c in view.cycles
    ]
    for clock, cycle in zip(found.clocks, view.cycles, strict=True):
        assert sum(segment.used_ms for segment in clock.segments) == cycle.elapsed_ms
        for segment in clock.segments:
            length_ms = segment.to_ms - segment.from_ms
            if segment.kind == "running":
                assert segment.used_ms == length_ms > 0
            elif segment.kind != "carried":
                assert segment.used_ms == 0 < length_ms
                assert segment.because
        spans = [segment for segment in clock.segments if segment.kind != "carried"]
        assert all(one.to_ms == other.from_ms for one, other in pairwise(spans))
        if spans:
            end_ms = as_of_ms if clock.ended_ms is None else clock.ended_ms
            assert spans[-1].to_ms == end_ms
            if len(spans) == len(clock.segments):
                assert spans[0].from_ms == clock.start_ms
        if clock.due_from == "target" and clock.state == "running" and not clock.breached:
            assert clock.last_start_ms is not None  # then the last stretch always explains it
        if clock.breached and clock.state != "void":
            assert any(said.level == "breach" for said in clock.said)
        assert sum(holder.held_ms for holder in clock.holders) == cycle.elapsed_ms


@given(promises(), histories(), as_ofs, st.sampled_from(["en", "zh-CN"]))
def test_every_explanation_can_be_told(
    promise: Promise, events: list[Event], as_of_ms: int, language: str
) -> None:
    book = PolicyBook(tuple(books(promise, [], ())))
    found = explain(events, book, as_of_ms)

    text = text_of(found, zone("Europe/Berlin"), language)  # type: ignore[arg-type]  # one of the two
    assert text.count("■") == len(found.clocks)
    assert len(document_of(found)["clocks"]) == len(found.clocks)  # type: ignore[arg-type]  # a list


@given(promises(), histories(), as_ofs)
def test_a_live_state_explains_what_its_events_explain(
    promise: Promise, events: list[Event], as_of_ms: int
) -> None:
    book = PolicyBook(tuple(books(promise, [], ())))
    logic = TicketLogic(book)
    state: TicketState | None = None
    known = [event for event in events if event.ingested_ms <= as_of_ms]
    for event in sorted(known, key=lambda event: event.ingested_ms):
        state, _effects = logic.advance(state, event, event.ingested_ms)
    assume(state is not None and state.stub_ms is None)
    assert state is not None

    first = events[0]
    names = first.tenant, first.source, first.entity_id
    live = explain_entries(names, (*state.log, *state.waiting), book, as_of_ms)
    assert live == replace(explain(events, book, as_of_ms), refused=())
