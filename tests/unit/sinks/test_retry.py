"""The waits between tries."""

import pytest

from sinks.contract import SinkBusy, SinkUnreachable
from sinks.retry import Backoff


@pytest.mark.parametrize(
    ("failures", "wait_seconds"),
    [(1, 0.2), (2, 0.4), (3, 0.8), (4, 1.6), (7, 12.8), (8, 15.0), (5_000, 15.0)],
)
def test_waits_double_up_to_the_most(failures: int, wait_seconds: float) -> None:
    assert Backoff().wait_seconds(failures) == pytest.approx(wait_seconds)


def test_a_busy_database_is_left_alone_as_long_as_it_asks() -> None:
    busy = SinkBusy("too many parts", retry_after_seconds=5.0)

    assert Backoff().wait_seconds(1, busy) == 5.0
    assert Backoff(first_seconds=8.0).wait_seconds(1, busy) == 8.0
    assert Backoff().wait_seconds(1, SinkUnreachable("no answer")) == 0.2
