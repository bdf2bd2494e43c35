"""Buffers, batches and their names."""

from hypothesis import given, strategies as st

from sinks.batching import Limits, SourceRow, Span, TableBuffer, batch_of, dedup_token, spans_of

LIMITS = Limits(age_seconds=1.0, rows_max=3, bytes_max=100, held_rows_max=6, held_bytes_max=2_500)


def rows(*values: bytes, partition: int = 0, first: int = 0) -> list[SourceRow]:
    return [
        SourceRow("outcomes-tickets", partition, first + number, value)
        for number, value in enumerate(values)
    ]


def buffer_with(*values: bytes, now_seconds: float = 10.0) -> TableBuffer:
    buffer = TableBuffer("tickets", LIMITS)
    buffer.add(rows(*values), now_seconds)
    return buffer


def test_nothing_is_due_without_rows() -> None:
    assert TableBuffer("tickets", LIMITS).due_in_seconds(10.0) is None


def test_a_row_is_due_one_age_after_it_came() -> None:
    #  10.0 first row   10.4 second   11.0 due
    buffer = buffer_with(b"1")
    buffer.add(rows(b"2", first=1), 10.4)

    assert buffer.due_in_seconds(10.5) == 0.5
    assert buffer.due_in_seconds(11.0) == 0.0
    assert buffer.due_in_seconds(99.0) == 0.0


def test_a_full_batch_is_due_at_once() -> None:
    assert buffer_with(b"1", b"2").due_in_seconds(10.0) == 1.0
    assert buffer_with(b"1", b"2", b"3").due_in_seconds(10.0) == 0.0
    assert buffer_with(b"x" * 100).due_in_seconds(10.0) == 0.0


def test_peek_keeps_the_rows_and_drop_takes_them() -> None:
    buffer = buffer_with(b"1", b"2", b"3", b"4")

    assert [row.value for row in buffer.peek()] == [b"1", b"2", b"3"]
    assert [row.value for row in buffer.peek()] == [b"1", b"2", b"3"]

    buffer.drop(3, 20.0)
    assert [row.value for row in buffer.peek()] == [b"4"]
    assert buffer.due_in_seconds(20.0) == 1.0


def test_a_batch_stays_within_its_bytes_but_takes_one_oversized_row() -> None:
    assert [row.value for row in buffer_with(b"x" * 60, b"y" * 60).peek()] == [b"x" * 60]
    assert [row.value for row in buffer_with(b"x" * 300, b"y").peek()] == [b"x" * 300]


def test_a_full_buffer_asks_to_pause_until_it_is_half_empty() -> None:
    buffer = buffer_with(b"1", b"2", b"3", b"4", b"5")
    assert not buffer.is_full()
    buffer.add(rows(b"6", first=5), 10.0)
    assert buffer.is_full()
    buffer.drop(2, 10.0)
    assert not buffer.is_full()
    assert not buffer.is_roomy()
    buffer.drop(1, 10.0)
    assert buffer.is_roomy()


def test_bytes_count_too_and_are_given_back() -> None:
    buffer = buffer_with(b"x" * 1_000, b"x" * 999)
    assert not buffer.is_full(), "1,999 bytes and twice the cost of a row"
    buffer.drop(1, 10.0)
    buffer.add(rows(b"y" * 1_001), 10.0)
    assert buffer.is_full()
    buffer.drop(2, 10.0)
    assert buffer.is_roomy()
    buffer.add(rows(b"y" * 3_000), 10.0)
    buffer.clear()
    assert buffer.is_roomy()
    assert len(buffer) == 0


def test_spans_name_both_ends_per_partition() -> None:
    mixed = [*rows(b"a", b"b", partition=1, first=7), *rows(b"c", partition=0, first=3)]

    assert spans_of(mixed) == (
        Span("outcomes-tickets", 0, 3, 3),
        Span("outcomes-tickets", 1, 7, 8),
    )


def test_a_recreated_topic_gets_other_tokens() -> None:
    # Same offsets, other rows: ClickHouse would drop the second batch if the tokens were equal.
    assert dedup_token(rows(b"old")) != dedup_token(rows(b"new"))


def test_the_border_between_rows_counts() -> None:
    assert dedup_token(rows(b"ab", b"c")) != dedup_token(rows(b"a", b"bc"))


def test_a_batch_carries_the_values_untouched() -> None:
    batch = batch_of("tickets", rows(b'{"a": 1}', b'{"b":2} '))

    assert batch.table == "tickets"
    assert list(batch.rows) == [b'{"a": 1}', b'{"b":2} ']
    assert batch.token.startswith("outcomes-tickets/0/0-1:")


@given(
    st.lists(st.binary(max_size=60), max_size=40),
    st.lists(st.integers(min_value=1, max_value=5), min_size=1),
)
def test_every_row_leaves_once_and_in_order(values: list[bytes], portions: list[int]) -> None:
    buffer = TableBuffer("tickets", LIMITS)
    waiting = rows(*values)
    seen: list[SourceRow] = []
    turn = 0
    while waiting or len(buffer):
        portion = portions[turn % len(portions)]
        turn += 1
        buffer.add(waiting[:portion], float(turn))
        waiting = waiting[portion:]
        batch = buffer.peek()
        assert len(batch) <= LIMITS.rows_max
        assert len(batch) == 1 or sum(len(row.value) for row in batch) <= LIMITS.bytes_max
        seen += batch
        buffer.drop(len(batch), float(turn))

    assert seen == rows(*values)
    assert buffer.is_roomy()
