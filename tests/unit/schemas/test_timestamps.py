"""Time stamps: exact to the millisecond, floored, in every notation of RFC 3339, and only in these."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from schemas import timestamps
from schemas.instants import from_ms, from_ms_or_none, parse_rfc3339, rfc3339, to_ms
from schemas.timestamps import (
    EARLIEST_MS,
    LATEST_MS,
    TIMESTAMP_PATTERN,
    TimestampError,
    TimestampProblem,
    timestamp_ms,
)

EIGHT_MS = 1_768_809_600_000  # 2026-01-19T08:00:00Z, by `date -u -d … +%s`


@pytest.mark.parametrize(
    ("text", "after_eight_ms"),
    [
        ("2026-01-19T08:00:00Z", 0),
        ("2026-01-19t08:00:00z", 0),
        ("2026-01-19 08:00:00Z", 0),
        ("2026-01-19T08:00:00-00:00", 0),
        ("2026-01-19T16:00:00+08:00", 0),
        ("2026-01-19T04:30:00-0330", 0),
        ("2026-01-20T07:59:00+23:59", 0),
        ("2026-01-19T08:00:00.5Z", 500),
        ("2026-01-19T08:00:00.05Z", 50),
        ("2026-01-19T08:00:00.001Z", 1),
        ("2026-01-19T08:00:00.1234Z", 123),
        ("2026-01-19T08:00:00.123456+00:00", 123),
        # never rounded: just before stays before
        ("2026-01-19T07:59:59.999999Z", -1),
        ("2026-01-19T07:59:59.9999999999999999999999Z", -1),
        ("2026-01-19T08:00:00.000999Z", 0),
    ],
)
def test_notations(text: str, after_eight_ms: int) -> None:
    assert timestamp_ms(text) == EIGHT_MS + after_eight_ms
    assert re.fullmatch(TIMESTAMP_PATTERN, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-01-19T08:00:00", "naive"),
        ("2026-01-19T08:00:00.5", "naive"),
        ("", "format"),
        ("2026-01-19", "format"),
        ("2026-01-19T08:00Z", "format"),
        ("2026-01-19T08:00:60Z", "format"),
        ("2026-01-19T24:00:00Z", "format"),
        ("2026-02-29T08:00:00Z", "format"),
        ("2026-1-19T08:00:00Z", "format"),
        ("2026-W04-1T08:00:00Z", "format"),
        ("20260119T080000Z", "format"),
        ("2026-01-19T08:00:00.Z", "format"),
        ("2026-01-19T08:00:00,5Z", "format"),
        ("2026-01-19T08:00:00+24:00", "format"),
        ("2026-01-19T08:00:00+08:60", "format"),
        ("2026-01-19T08:00:00+08", "format"),
        ("2026-01-19T08:00:00Z\n", "format"),
        (" 2026-01-19T08:00:00Z", "format"),
        ("２０２６-01-19T08:00:00Z", "format"),
        ("2026-01-19T08:00:00.²Z", "format"),
        ("2026-01-19T08:00:00." + "0" * 60 + "Z", "format"),
        ("0000-01-01T00:00:00Z", "format"),
        ("0001-01-01T00:00:00Z", "absurd"),
        ("1969-12-31T23:59:59.999Z", "absurd"),
        ("1970-01-01T00:00:00+00:01", "absurd"),
        ("2201-01-01T00:00:00Z", "absurd"),
        ("9999-12-31T23:59:59-23:59", "absurd"),
    ],
)
def test_what_is_no_time_stamp(text: str, problem: TimestampProblem) -> None:
    with pytest.raises(TimestampError) as caught:
        timestamp_ms(text)

    assert caught.value.problem == problem


def test_the_ends_of_time() -> None:
    assert timestamp_ms("1970-01-01T00:00:00Z") == EARLIEST_MS == 0
    assert timestamp_ms("2200-12-31T23:59:59.999Z") == LATEST_MS


NAIVE_ENDS = (datetime.fromisoformat("1970-01-02"), datetime.fromisoformat("2200-12-30"))


@given(
    st.datetimes(*NAIVE_ENDS),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_equal_to_python(naive: datetime, offset_minutes: int) -> None:
    aware = naive.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))

    expected = to_ms(aware)

    assert timestamp_ms(aware.isoformat()) == expected
    assert timestamp_ms(aware.isoformat(timespec="microseconds")) == expected
    assert timestamp_ms(rfc3339(expected)) == expected
    assert parse_rfc3339(aware.isoformat()) == expected


@given(st.text(st.characters(), max_size=40))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    try:
        instant_ms = timestamp_ms(text)
    except TimestampError:
        return
    assert EARLIEST_MS <= instant_ms <= LATEST_MS


def test_what_is_remembered_is_bounded() -> None:
    for second in range(0, 30_000 * 3_600, 3_600):
        timestamp_ms(rfc3339(second * 1_000))
    for fraction in range(30_000):
        timestamp_ms(f"2026-01-19T08:00:00.{fraction:06}+0{fraction % 10}:00")

    assert len(timestamps._hours) <= timestamps._KNOWN_MAX
    assert len(timestamps._ends) <= timestamps._KNOWN_MAX
    assert timestamp_ms("2026-01-19T08:00:00Z") == EIGHT_MS


# --- schemas.instants ---


@given(st.integers(EARLIEST_MS, LATEST_MS))
def test_instants_come_back(instant_ms: int) -> None:
    assert to_ms(from_ms(instant_ms)) == instant_ms
    assert parse_rfc3339(rfc3339(instant_ms)) == instant_ms


def test_instants_are_floored() -> None:
    assert to_ms(datetime(2026, 1, 19, 7, 59, 59, 999_999, tzinfo=UTC)) == EIGHT_MS - 1
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_how_instants_are_written() -> None:
    assert rfc3339(EIGHT_MS) == "2026-01-19T08:00:00Z"
    assert rfc3339(EIGHT_MS + 120) == "2026-01-19T08:00:00.120Z"
    assert from_ms_or_none(None) is None
    assert from_ms_or_none(0) == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_time_without_zone_is_none() -> None:
    with pytest.raises(ValueError, match="has no zone"):
        parse_rfc3339("2026-01-19T08:00:00")
