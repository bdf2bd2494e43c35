"""The shipped sample is lively on the demo's clock: counted straight from its rows."""

from itertools import pairwise

from schemas.instants import parse_rfc3339
from streams.importing import (
    BOSTON_SAMPLE,
    BOSTON_SAMPLE_SPEED,
    BOSTON_SAMPLE_START,
    messages_of,
)
from tests.integration.test_boston_verdicts import cases_of, instant_of

TEN_MINUTES = 600.0


def breach_seconds() -> list[float]:
    """Wall seconds from the demo's start at which a promise is broken."""
    start = parse_rfc3339(BOSTON_SAMPLE_START)
    found = []
    for case in cases_of(BOSTON_SAMPLE):
        opened, due, closed = (
            instant_of(case[name]) for name in ("open_dt", "target_dt", "closed_dt")
        )
        if opened is not None and due is not None and (closed is None or closed > due):
            found.append((max(due, opened) - start) / 1_000 / BOSTON_SAMPLE_SPEED)
    return sorted(found)


def test_breaches_begin_at_once_and_go_on() -> None:
    seconds = [second for second in breach_seconds() if 0 < second <= TEN_MINUTES]
    assert seconds[0] < 5
    assert sum(second <= 20 for second in seconds) >= 70
    assert sum(second <= 60 for second in seconds) >= 100
    assert len(seconds) >= 300
    assert max(late - early for early, late in pairwise([0.0, *seconds, TEN_MINUTES])) < 80


def test_there_is_a_past_to_find_and_a_future_to_live() -> None:
    start = parse_rfc3339(BOSTON_SAMPLE_START)
    known = [message.ingested_ms for message in messages_of(BOSTON_SAMPLE, "boston311")]
    assert known == sorted(known)
    past = sum(instant <= start for instant in known)
    ten_minutes = sum(0 < instant - start <= TEN_MINUTES * 1_000 * BOSTON_SAMPLE_SPEED for instant in known)  # fmt: skip
    assert 1_000 < past < 5_000
    assert ten_minutes > 3_000
