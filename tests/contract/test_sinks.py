"""What every sink promises, asked of all of them: in memory, embedded ClickHouse, ClickHouse by HTTP."""

import itertools
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from sinks.batching import SourceRow
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.sink import ClickHouseSink
from sinks.clickhouse.tables import BY_NAME
from sinks.contract import Batch, Sink, SinkRefused
from sinks.isolating import write_isolating
from sinks.memory import MemorySink
from tests.clickhouse_facade import Facade
from tests.clickhouse_fixtures import engine_path
from tests.outcome_rows import (
    OPENED,
    Row,
    alert_intent,
    as_json,
    partition_progress,
    ticket,
    ticket_clock,
)

_sources = itertools.count()


@dataclass
class Subject:
    """A sink, and a way to see what it holds: current rows in order of their key."""

    sink: Sink
    current: Callable[[str], list[Row]]

    def write(self, table: str, *rows: object, token: str = "") -> None:
        self.sink.write(Batch(table, [as_json(row) for row in rows], token))


def plain(row: object) -> Row:
    """As it would stand in JSON, so that instants compare."""
    loaded: Row = orjson.loads(as_json(row))
    return loaded


def of_memory(sink: MemorySink) -> Subject:
    return Subject(sink, lambda table: [plain(row) for row in sink.rows(table)])


def of_clickhouse(database: ClickHouse) -> Subject:
    def current(table: str) -> list[Row]:
        order = ", ".join(BY_NAME[table].key)
        return [
            plain(row) for row in database.query_rows(f"SELECT * FROM v_{table} ORDER BY {order}")
        ]

    return Subject(ClickHouseSink(database), current)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("embedded", marks=pytest.mark.clickhouse),
        pytest.param("http", marks=pytest.mark.clickhouse),
    ]
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "memory":
        yield of_memory(MemorySink())
        return
    database: ClickHouse = request.getfixturevalue("clickhouse")
    if request.param == "embedded":
        yield of_clickhouse(database)
        return
    with (
        Facade(engine_path()) as facade,
        ClickHouse.connect(facade.url, database=database.database) as remote,
    ):
        yield of_clickhouse(remote)


def without(row: object, *names: str) -> Row:
    return {name: value for name, value in plain(row).items() if name not in names}


def test_every_field_of_every_row_comes_back(subject: Subject) -> None:
    written = {
        "ticket_clocks": ticket_clock(
            breached=True,
            breach_at=OPENED + timedelta(hours=1, milliseconds=123),
            flags=["a", "b"],
            team=None,
        ),
        "tickets": ticket(
            attributes={"地区": "北", "empty": ""}, source_status="line\nbreak 'quoted'"
        ),
        "alert_intents": alert_intent(),
        "partition_progress": partition_progress(),
    }
    for table, row in written.items():
        subject.write(table, row)

    for table, row in written.items():
        (stored,) = subject.current(table)
        assert without(stored, "removed") == without(row, "removed"), table


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_the_highest_version_wins_in_any_order(subject: Subject, order: tuple[int, ...]) -> None:
    for version in order:
        subject.write("tickets", ticket(version=version, status=f"as of {version}"))

    assert [(row["version"], row["status"]) for row in subject.current("tickets")] == [
        (3, "as of 3")
    ]


def test_a_replay_changes_nothing(subject: Subject) -> None:
    history = [
        ticket_clock(number, version=version, state=f"state {version}")
        for version in (1, 2, 3)
        for number in range(20)
    ]
    for at in range(0, 60, 7):
        subject.write("ticket_clocks", *history[at : at + 7])
    once = subject.current("ticket_clocks")

    # Cut elsewhere than the first time, older rows after newer ones.
    for at in range(0, 60, 13):
        subject.write("ticket_clocks", *history[at : at + 13])

    assert subject.current("ticket_clocks") == once
    assert len(once) == 20
    assert {row["version"] for row in once} == {3}


def test_the_same_batch_again_changes_nothing(subject: Subject) -> None:
    for _ in range(3):
        subject.write("tickets", ticket(1), ticket(2), token="outcomes-tickets/0/0-1:ab")

    assert len(subject.current("tickets")) == 2


def test_a_removed_cycle_is_gone_and_may_come_back(subject: Subject) -> None:
    subject.write("ticket_clocks", ticket_clock(version=1))
    subject.write("ticket_clocks", ticket_clock(version=2, removed=True))
    assert subject.current("ticket_clocks") == []

    subject.write("ticket_clocks", ticket_clock(version=1))  # a late repeat revives nothing
    assert subject.current("ticket_clocks") == []

    subject.write("ticket_clocks", ticket_clock(version=3))
    assert len(subject.current("ticket_clocks")) == 1


def test_late_truth_moves_every_instant_and_leaves_one_row(subject: Subject) -> None:
    earlier = OPENED - timedelta(days=60)
    subject.write("ticket_clocks", ticket_clock(version=1, breached=True, breach_at=OPENED))
    subject.write(
        "ticket_clocks", ticket_clock(version=2, event_time=earlier, due_at=earlier, breach_at=None)
    )

    (row,) = subject.current("ticket_clocks")
    assert (row["event_time"], row["breach_at"]) == ("2025-11-20T08:00:00Z", None)


def test_an_empty_batch_does_nothing(subject: Subject) -> None:
    subject.write("tickets")

    assert subject.current("tickets") == []


def test_an_empty_row_is_nothing(subject: Subject) -> None:
    subject.sink.write(Batch("tickets", [b""]))
    subject.sink.write(Batch("tickets", [as_json(ticket(1)), b"", b"", as_json(ticket(2))]))

    assert len(subject.current("tickets")) == 2


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"not json", id="not json"),
        pytest.param(b'{"tenant":"default","ticket_id":"T', id="cut short"),
        pytest.param(b"[1,2]", id="not an object"),
        pytest.param(b"{}", id="without a key"),
        pytest.param(as_json(ticket(version=-1)), id="negative version"),
        pytest.param(as_json(ticket() | {"version": "three"}), id="version is text"),
    ],
)
def test_a_bad_row_is_isolated(subject: Subject, value: bytes) -> None:
    with pytest.raises(SinkRefused) as caught:
        subject.sink.write(Batch("tickets", [value]))
    assert caught.value.rows_at_fault
    assert not caught.value.retriable

    values = [as_json(ticket(number)) for number in range(1, 8)]
    values.insert(3, value)
    rows = [SourceRow("outcomes-tickets", 0, at, item) for at, item in enumerate(values)]
    refused = write_isolating(subject.sink, "tickets", rows)

    assert [(item.row.offset, item.row.value) for item in refused] == [(3, value)]
    assert all(item.detail for item in refused)
    assert len(subject.current("tickets")) == 7


def test_an_unknown_table_is_not_the_fault_of_the_rows(subject: Subject) -> None:
    with pytest.raises(SinkRefused) as caught:
        subject.write("no_such_table", ticket())
    assert not caught.value.rows_at_fault


def test_a_field_from_a_newer_version_is_left_out(subject: Subject) -> None:
    subject.write("tickets", {**ticket(), "field_of_tomorrow": 1})

    assert len(subject.current("tickets")) == 1


def test_several_threads_may_write_at_once(subject: Subject) -> None:
    def write(worker: int) -> None:
        for at in range(5):
            number = worker * 1_000 + at * 100
            subject.write("tickets", *(ticket(number + k) for k in range(100)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    assert len(subject.current("tickets")) == 2_000


@pytest.mark.clickhouse
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    writes=st.lists(
        st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    ),
    seed=st.integers(0, 99),
)
def test_memory_and_clickhouse_agree(
    clickhouse: ClickHouse, writes: list[list[tuple[int, int]]], seed: int
) -> None:
    # A version says one thing: what a row holds follows from its key and version.
    memory, real = of_memory(MemorySink()), of_clickhouse(clickhouse)
    source = f"source_{next(_sources)}"  # cheaper than a fresh table
    repeated = writes + random.Random(seed).sample(writes, len(writes))
    for batch in repeated:
        rows = [
            ticket_clock(
                number,
                version=version,
                source=source,
                removed=(number + version) % 3 == 0,
                elapsed_ms=number * version,
            )
            for number, version in batch
        ]
        memory.write("ticket_clocks", *rows)
        real.write("ticket_clocks", *rows)

    shown = [without(row, "removed") for row in memory.current("ticket_clocks")]
    stored = real.current("ticket_clocks")
    assert [row for row in stored if row["source"] == source] == shown
