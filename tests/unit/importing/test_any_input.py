"""Whatever stands in a file: every row becomes valid events or a rejected row with known reasons."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from schemas.decode import decode
from schemas.events import Event
from streams.importing.faults import meaning_of
from tests.unit.importing.samples import SHOP, SHOP_HEADER, STEPS, STEPS_HEADER, mapping_of, run

TIMES = st.sampled_from(
    ["2026-01-19 09:00", "2026-03-29 02:30", "0001-01-01 00:00", "9999-12-31 23:59"]
)
CELLS = st.one_of(
    st.sampled_from(["", "7", "8", "a", "c", "yes", "no", "1", "new", "done", "nan", "1e999"]),
    TIMES,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
ROWS = st.lists(st.lists(CELLS, min_size=3, max_size=10), min_size=1, max_size=8)


def check(path: Path, mapping: str, header: str, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(rows)
    messages, tally, rejected = run(mapping_of(mapping), path)
    assert tally.accepted + len(rejected) == tally.rows
    assert len({row.number for row in rejected}) == len(rejected)
    assert all(meaning_of(fault.reason) for row in rejected for fault in row.faults)
    for message in messages:
        event = decode(message.value, key=message.key, received_ms=0, kind="ticket")
        assert isinstance(event, Event)
        assert event.ingested_ms == message.ingested_ms
    places = [(message.ingested_ms, message.occurred_ms) for message in messages]
    assert places == sorted(places)


@given(ROWS)
def test_any_rows(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    width = SHOP_HEADER.count(",") + 1
    padded = [(row + [""] * width)[:width] if len(row) != 10 else row for row in rows]
    check(tmp_path_factory.getbasetemp() / "any-shop.csv", SHOP, SHOP_HEADER, padded)


@given(ROWS)
def test_any_rows_with_history(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    width = STEPS_HEADER.count(",") + 1
    padded = [(row + [""] * width)[:width] if len(row) != 10 else row for row in rows]
    check(tmp_path_factory.getbasetemp() / "any-steps.csv", STEPS, STEPS_HEADER, padded)


@given(st.binary(max_size=300))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-bytes.csv"
    path.write_bytes(SHOP_HEADER.encode() + b"\n8,2026-01-19 09:00,,,,,,,\n" + content)
    _messages, tally, rejected = run(mapping_of(SHOP), path)
    assert tally.accepted + len(rejected) == tally.rows
