"""The calendar inferred for Boston gives the city's own promises, on real cases."""

from pathlib import Path

import pytest

from benchmarks.boston_calendar import FLOORS, POLICY, WHOLE, Shares, shares_of
from streams.importing import BOSTON_SAMPLE
from streams.policies import load_book


def check_floors(path: Path) -> Shares:
    shares = shares_of(path, load_book(POLICY))
    for kind, floor in FLOORS.items():
        assert shares.share(kind) >= floor, kind
    return shares


def test_the_shipped_sample() -> None:
    shares = check_floors(BOSTON_SAMPLE)
    assert shares.equal.total() >= 0.85 * shares.cases.total()


@pytest.mark.slow
@pytest.mark.skipif(not WHOLE.exists(), reason="the whole set is not beside this checkout")
def test_the_whole_set() -> None:
    shares = check_floors(WHOLE)
    assert shares.cases.total() == 20_918
    assert shares.within_a_day.total() >= 0.99 * shares.cases.total()
