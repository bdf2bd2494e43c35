"""Bad rows are found, good ones stored, and a wrong table is told from bad rows."""

import pytest
from hypothesis import given, strategies as st

from sinks.batching import SourceRow
from sinks.contract import Batch, SinkRefused, SinkUnreachable
from sinks.isolating import REFUSED_ALONE_MAX, write_isolating


class PickySink:
    """Refuses every batch with a row that begins with `bad`."""

    def __init__(self) -> None:
        self.stored: list[bytes] = []
        self.writes = 0

    def write(self, batch: Batch) -> None:
        self.writes += 1
        if any(row.startswith(b"bad") for row in batch.rows):
            message = "a row is bad"
            raise SinkRefused(message, rows_at_fault=True)
        self.stored += batch.rows

    def close(self) -> None:
        """Nothing."""


def rows(values: list[bytes]) -> list[SourceRow]:
    return [SourceRow("outcomes-tickets", 0, at, value) for at, value in enumerate(values)]


def test_good_rows_cost_one_write() -> None:
    sink = PickySink()

    assert write_isolating(sink, "tickets", rows([b"a", b"b", b"c"])) == []
    assert sink.writes == 1
    assert sink.stored == [b"a", b"b", b"c"]


def test_one_bad_row_among_many_costs_few_writes() -> None:
    sink = PickySink()
    values = [b"good"] * 1_000
    values[613] = b"bad"

    refused = write_isolating(sink, "tickets", rows(values))

    assert [item.row.offset for item in refused] == [613]
    assert refused[0].detail == "a row is bad"
    assert len(sink.stored) == 999
    assert sink.writes <= 21  # 2 log2(1000) + 1


@given(st.lists(st.sampled_from([b"good", b"bad"]), max_size=REFUSED_ALONE_MAX - 1))
def test_exactly_the_good_rows_are_stored(values: list[bytes]) -> None:
    sink = PickySink()

    refused = write_isolating(sink, "tickets", rows(values))

    assert [item.row.offset for item in refused] == [
        at for at, value in enumerate(values) if value == b"bad"
    ]
    assert sink.stored == [value for value in values if value == b"good"]


def test_when_nothing_is_accepted_the_table_is_at_fault() -> None:
    with pytest.raises(SinkRefused, match="not one of 500 rows is accepted") as caught:
        write_isolating(PickySink(), "tickets", rows([b"bad"] * 500))

    assert not caught.value.rows_at_fault


def test_many_bad_rows_before_good_ones_are_bad_rows() -> None:
    sink = PickySink()
    values = [b"bad"] * 300 + [b"good"] * 100

    assert len(write_isolating(sink, "tickets", rows(values))) == 300
    assert sink.stored.count(b"good") >= 100  # probing may store some twice


def test_a_few_bad_rows_alone_are_bad_rows() -> None:
    assert len(write_isolating(PickySink(), "tickets", rows([b"bad"] * 3))) == 3


def test_an_unwell_sink_is_not_searched_for_bad_rows() -> None:
    class DeadSink(PickySink):
        def write(self, batch: Batch) -> None:
            self.writes += 1
            raise SinkUnreachable(batch.table)

    sink = DeadSink()
    with pytest.raises(SinkUnreachable):
        write_isolating(sink, "tickets", rows([b"a", b"b"]))
    assert sink.writes == 1
