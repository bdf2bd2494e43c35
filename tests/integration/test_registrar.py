"""Registrars on a broker: two at once, and one that is started anew, hand out each number once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.runtime.clock import ManualClock
from streams.shell.registrar import Registrar
from streams.shell.settings import Settings
from tests import outcome_rows
from tests.integration.computing import new_settings, records_of, started_producer, until

pytestmark = [pytest.mark.kafka]
TICKETS = OUTCOME_TOPIC_OF_TABLE["tickets"]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Registrar]:
    async with started_producer(settings) as producer:
        registrar = Registrar(settings, ManualClock(1_800_000_000_000), producer)
        await registrar.start()
        work = asyncio.create_task(registrar.run())
        try:
            yield registrar
        finally:
            await registrar.stop()
            await work


async def say(settings: Settings, *rows: outcome_rows.Row) -> None:
    async with started_producer(settings) as producer:
        records = [
            (str(row["ticket_id"]).encode(), orjson.dumps(row, option=orjson.OPT_UTC_Z))
            for row in rows
        ]
        await producer.publish(TICKETS, records)


async def numbers(settings: Settings) -> dict[str, str]:
    """Ticket → number; a row that comes twice is the same."""
    found: dict[str, str] = {}
    for _, row in await records_of(settings, "complaint_numbers"):
        assert (
            found.setdefault(row["ticket_id"], row["complaint_number"]) == row["complaint_number"]
        )
    return found


async def test_every_complaint_gets_one_number_and_none_is_left_out() -> None:
    settings = await new_settings(complaint_zone="Asia/Shanghai")
    complaints = [outcome_rows.ticket(number) for number in range(40)]
    others = [
        outcome_rows.ticket(900, ticket_type="repair"),
        outcome_rows.ticket(
            901, flags=["partial_history"]
        ),  # its beginning may lie in another month
    ]
    async with running(settings) as first, running(settings) as second:
        await say(settings, *complaints[:20], *others)
        await say(settings, *complaints[:20], *complaints[20:])  # rows come again with every change
        await until(lambda: min(len(first.numbering), len(second.numbering)) == 40)
    found = await numbers(settings)
    assert set(found) == {str(row["ticket_id"]) for row in complaints}
    assert sorted(found.values()) == [f"202601-{number:04d}" for number in range(1, 41)]

    async with running(settings) as again:
        await say(settings, outcome_rows.ticket(77), *complaints[:3])
        await until(lambda: len(again.numbering) == 41)
        assert again.healthy() is None
    later = await numbers(settings)
    assert later.pop("T-000077") == "202601-0041"
    assert later == found
