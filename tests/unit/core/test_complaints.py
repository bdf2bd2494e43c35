"""Complaint numbers: gap-free per scope and month, once per complaint, the same for every reader of the log."""

from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from schemas.complaints import NumberRequest
from schemas.instants import parse_rfc3339
from streams.core.complaints import Numbering, month_of_number


def request(ticket: int, scope: str = "default", month: str = "202611") -> NumberRequest:
    return NumberRequest(
        tenant="default", source="desk", ticket_id=f"T{ticket}", scope=scope, month=month,
        created_ms=0, asked_ms=0,
    )  # fmt: skip


def numbers_of(log: list[NumberRequest]) -> list[str]:
    numbering = Numbering()
    rows = [numbering.take(one, offset) for offset, one in enumerate(log)]
    return [row["complaint_number"] for row in rows if row is not None]


def test_numbers_run_within_scope_and_month() -> None:
    log = [request(1), request(2), request(3, month="202612"), request(4, scope="shop"), request(5)]
    assert numbers_of(log) == [
        "202611-0001", "202611-0002", "202612-0001", "202611-0001", "202611-0003",
    ]  # fmt: skip


def test_a_complaint_asks_once_however_often_it_asks() -> None:
    numbering = Numbering()
    assert numbering.take(request(7), 0) is not None
    assert numbering.take(request(7, month="202612"), 1) is None
    assert numbering.number_of(("default", "desk", "T7")) == "202611-0001"
    assert len(numbering) == 1


def test_a_busy_month_goes_on_after_9999() -> None:
    assert numbers_of([request(number) for number in range(10_001)])[-1] == "202611-10001"


def test_the_month_is_that_of_the_zone() -> None:
    new_year = parse_rfc3339("2026-12-31T20:00:00Z")
    assert month_of_number(new_year, ZoneInfo("Europe/Berlin")) == "202612"
    assert month_of_number(new_year, ZoneInfo("Asia/Shanghai")) == "202701"


@given(
    st.lists(
        st.builds(
            request,
            ticket=st.integers(0, 30),
            scope=st.sampled_from(("a", "b")),
            month=st.sampled_from(("202611", "202612")),
        )
    )
)
def test_numbers_have_no_gap_and_no_double(log: list[NumberRequest]) -> None:
    numbering = Numbering()
    rows = [row for at, one in enumerate(log) if (row := numbering.take(one, at)) is not None]
    assert len({(row["source"], row["ticket_id"]) for row in rows}) == len(rows)
    assert {row["ticket_id"] for row in rows} == {one.ticket_id for one in log}
    for run in {(row["scope"], row["month"]) for row in rows}:
        found = [row["number"] for row in rows if (row["scope"], row["month"]) == run]
        assert found == list(range(1, len(found) + 1))
