"""Real cases of Boston through the whole pipeline: broker, compute, outcome topics, writer, ClickHouse.
The verdicts are those of the city, as they are by replay."""

import asyncio
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.migrate import migrate_up
from streams.importing import BOSTON_SAMPLE, messages_of
from streams.runtime.clock import ManualClock
from streams.shell.writer import writer_role
from tests.integration.computing import (
    acknowledged,
    in_slices,
    new_settings,
    running_compute,
    started_producer,
    until,
)
from tests.integration.test_boston_verdicts import WHOLE, cases_of, published

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]

VERDICTS = "SELECT ticket_id, verdict FROM v_ticket_clocks WHERE clock = 'resolution'"
DOUBLED = "SELECT count() AS rows, uniqExact(ticket_id, clock) AS keys FROM v_ticket_clocks"


async def check_through_the_pipeline(path: Path, folder: Path) -> Counter[str]:
    """Every case's verdict in ClickHouse is the city's; returns how often each came."""
    wanted = {case["case_enquiry_id"]: published(case) for case in cases_of(path)}
    messages = messages_of(path, "boston311")
    settings = await new_settings(data_dir=folder, checkpoint_seconds=1.0)
    clock = ManualClock(messages[-1].ingested_ms + 1)
    async with started_producer(settings) as producer:
        for part in in_slices([(message.key, message.value) for message in messages], 20_000):
            await producer.publish("tickets", part)
    with ClickHouse.connect("embedded", database="boston", path=folder) as database:
        migrate_up(database)
        writer = writer_role(settings, database)
        await writer.start()
        writing = asyncio.ensure_future(writer.run())
        async with running_compute(settings, clock) as compute:
            await until(lambda: acknowledged(compute) == len(messages), 100)
        with suppress(TimeoutError):  # the assertion below says more
            await until(lambda: verdicts_in(database) == wanted, 60)
        await writer.stop()
        await writing
        assert verdicts_in(database) == wanted
        (doubled,) = database.query_rows(DOUBLED)
    assert doubled["rows"] == doubled["keys"]
    return Counter(wanted.values())


def verdicts_in(database: ClickHouse) -> dict[str, str]:
    return {str(row["ticket_id"]): str(row["verdict"]) for row in database.query_rows(VERDICTS)}


async def test_the_shipped_sample(tmp_path: Path) -> None:
    counts = await check_through_the_pipeline(BOSTON_SAMPLE, tmp_path)

    assert counts["breached"] > 500


async def test_the_whole_set(tmp_path: Path) -> None:
    if not WHOLE.exists():
        pytest.skip("the whole set is not beside this checkout")
    counts = await check_through_the_pipeline(WHOLE, tmp_path)

    assert counts["breached"] > 6_000
