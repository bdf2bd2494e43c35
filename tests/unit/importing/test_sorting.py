"""The sorter: same order however often it had to spill."""

from hypothesis import given, strategies as st

from streams.importing import Message, TimeSorter

INSTANTS = st.integers(-5, 5)


@given(st.lists(st.tuples(INSTANTS, INSTANTS)), st.integers(1, 10))
def test_any_run_size_gives_the_same_order(
    instants: list[tuple[int, int]], run_messages_max: int
) -> None:
    messages = [
        Message(ingested_ms, occurred_ms, ordinal, "tickets", b"k", b"v%d" % ordinal)
        for ordinal, (ingested_ms, occurred_ms) in enumerate(instants)
    ]
    with TimeSorter(run_messages_max) as sorter:
        for message in messages:
            sorter.add(message)
        assert list(sorter) == sorted(messages)
