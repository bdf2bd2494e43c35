"""What ClickHouse's answers mean: repeat, isolate, or stop."""

import pytest

from sinks.clickhouse.error_codes import (
    REFUSED_CODES,
    ROW_CODES,
    UNREACHABLE_CODES,
    plain_text,
    sink_error,
)
from sinks.contract import SinkBusy, SinkRefused, SinkUnreachable


@pytest.mark.parametrize(
    ("code", "kind", "retriable", "rows_at_fault"),
    [
        pytest.param(None, SinkUnreachable, True, False, id="no answer"),
        pytest.param(210, SinkUnreachable, True, False, id="network error inside the cluster"),
        pytest.param(252, SinkBusy, True, False, id="too many parts"),
        pytest.param(241, SinkBusy, True, False, id="out of memory"),
        pytest.param(999_999, SinkBusy, True, False, id="unknown code: keep the rows"),
        pytest.param(27, SinkRefused, False, True, id="a row that is not JSON"),
        pytest.param(469, SinkRefused, False, True, id="a row without its key"),
        pytest.param(60, SinkRefused, False, False, id="no such table"),
        pytest.param(497, SinkRefused, False, False, id="no right to insert"),
        pytest.param(516, SinkRefused, False, False, id="wrong password"),
    ],
)
def test_codes(code: int | None, kind: type, retriable: bool, rows_at_fault: bool) -> None:
    error = sink_error(code, "Code: 1. DB::Exception: something")

    assert type(error) is kind
    assert error.retriable is retriable
    assert getattr(error, "rows_at_fault", False) is rows_at_fault
    assert str(error) == "something"


def test_no_code_means_two_things() -> None:
    assert set() == ROW_CODES & REFUSED_CODES
    assert set() == (ROW_CODES | REFUSED_CODES) & UNREACHABLE_CODES


@pytest.mark.parametrize(
    ("message", "text"),
    [
        pytest.param(
            "Code: 41. DB::Exception: Code: 41. DB::Exception: Cannot read DateTime: unexpected word:"
            " (while reading the value of key e): (at row 1)\n: (in file/uri /tmp/x.raw): While"
            " executing ParallelParsingBlockInputFormat: While executing File: data for INSERT was"
            " parsed from file. (CANNOT_PARSE_DATETIME) (version 26.9.2.1)",
            "Cannot read DateTime: unexpected word: (while reading the value of key e): (at row 1)"
            " (CANNOT_PARSE_DATETIME)",
            id="embedded",
        ),
        pytest.param(
            "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception:"
            " Table a.b does not exist. (UNKNOWN_TABLE) (version 26.9.2.1 (official build))"
            " (for url http://127.0.0.1:8123)",
            "Table a.b does not exist. (UNKNOWN_TABLE)",
            id="server",
        ),
        pytest.param("Connection refused", "Connection refused", id="no server"),
    ],
)
def test_messages_are_made_for_people(message: str, text: str) -> None:
    assert plain_text(message) == text
