"""Texts of a source's clock as instants: zones, repeated hours, skipped hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from schemas.instants import parse_rfc3339, rfc3339, to_ms
from streams.importing.times import next_day, time_parser

BOSTON = "America/New_York"
PLAIN = ("%Y-%m-%d %H:%M:%S",)


@pytest.mark.parametrize(
    ("text", "instant", "in_gap"),
    [
        ("2011-07-01 01:32:33", "2011-07-01T05:32:33Z", False),
        ("2011-11-06 01:30:00", "2011-11-06T05:30:00Z", False),  # happens twice: the first time
        ("2011-11-06 02:00:00", "2011-11-06T07:00:00Z", False),
        ("2012-03-11 01:59:59", "2012-03-11T06:59:59Z", False),
        (
            "2012-03-11 02:30:00",
            "2012-03-11T07:00:00Z",
            True,
        ),  # never happens: the transition
        ("2012-03-11 03:00:00", "2012-03-11T07:00:00Z", False),
    ],
)
def test_local_times(text: str, instant: str, in_gap: bool) -> None:
    parsed = time_parser(PLAIN, BOSTON)(text)
    assert rfc3339(parsed.instant_ms) == instant
    assert parsed.in_gap is in_gap


@pytest.mark.parametrize(
    ("formats", "text", "instant"),
    [
        (("iso",), "2026-01-19T08:00:00+08:00", "2026-01-19T00:00:00Z"),
        (("iso",), "2026-01-19T08:00:00.1239Z", "2026-01-19T08:00:00.123Z"),
        (("epoch_seconds",), "1309498353.5", "2011-07-01T05:32:33.500Z"),
        (("epoch_ms",), "1309498353500", "2011-07-01T05:32:33.500Z"),
        (("%d/%m/%Y %H:%M",), "9/2/2016 06:38", "2016-02-09T11:38:00Z"),
        (("%y%m%d %H:%M:%S",), "990201 7:02:47", "1999-02-01T12:02:47Z"),
        (("%d.%m.%Y", "%Y-%m-%d"), "2016-02-09", "2016-02-09T05:00:00Z"),
    ],
)
def test_formats(formats: tuple[str, ...], text: str, instant: str) -> None:
    assert time_parser(formats, BOSTON)(text).instant_ms == parse_rfc3339(instant)


@pytest.mark.parametrize(
    "text", ["", "2011-07-01", "2011-13-01 00:00:00", "0001-01-01 00:00:00", "x" * 19]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time as|is absurd"):
        time_parser(PLAIN, BOSTON)(text)


def test_the_next_day_is_a_day_of_the_zone() -> None:
    parsed = time_parser(PLAIN, BOSTON)("2012-03-10 12:00:00")
    assert rfc3339(next_day(parsed, BOSTON)) == "2012-03-11T16:00:00Z"  # 23 hours later


@given(
    st.integers(946_684_800, 1_893_456_000),
    st.sampled_from(
        [BOSTON, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Shanghai", "Africa/Cairo"]
    ),
)
def test_an_instant_shown_locally_is_read_back(seconds: int, zone: str) -> None:
    """Always, but for the second pass through a repeated hour, which reads as the first."""
    universal = datetime.fromtimestamp(seconds, UTC)
    local = universal.astimezone(ZoneInfo(zone))
    parsed = time_parser(PLAIN, zone)(local.strftime(PLAIN[0]))
    assert not parsed.in_gap
    difference = timedelta(milliseconds=to_ms(universal) - parsed.instant_ms)
    assert difference == (timedelta(0) if not local.fold else _repeated(local))


def _repeated(local: datetime) -> timedelta:
    offset, first = local.utcoffset(), local.replace(fold=0).utcoffset()
    assert offset is not None
    assert first is not None
    return first - offset


@given(
    st.lists(st.integers(-40_000, 40_000), min_size=2, max_size=2),
    st.sampled_from(["2012-03-11 02:30:00", "2012-11-04 01:30:00"]),
)
def test_a_later_local_time_is_never_an_earlier_instant(offsets: list[int], around: str) -> None:
    middle = datetime.strptime(around, PLAIN[0]).replace(tzinfo=UTC)
    parse = time_parser(PLAIN, BOSTON)
    early, late = (
        parse((middle + timedelta(seconds=offset)).strftime(PLAIN[0])).instant_ms
        for offset in sorted(offsets)
    )
    assert early <= late
