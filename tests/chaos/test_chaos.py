"""A short run of the harness: whatever happens, every row and page is what one thread makes of it."""

from pathlib import Path

import pytest

from tests.chaos.harness import Plan, run_chaos
from tests.integration.real_kafka import RealKafka

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]


@pytest.mark.parametrize(
    ("seed", "seconds"),
    [
        pytest.param(1, 20.0, id="short"),
        *(pytest.param(seed, 300.0, id=f"{seed}", marks=pytest.mark.full) for seed in (11, 12, 13)),
    ],
)
async def test_nothing_is_lost_or_doubled(
    real_kafka: RealKafka, tmp_path: Path, seed: int, seconds: float
) -> None:
    report = await run_chaos(Plan(seed, seconds), real_kafka, tmp_path)
    assert report.differences == {table: [] for table in report.differences}, report.text()
    assert min(report.compared.values()) > 0, report.text()
