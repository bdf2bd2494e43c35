"""`ticketpulse state`: what the changelog holds, read beside a running worker."""

import asyncio

import orjson
import pytest
from typer.testing import CliRunner, Result

from streams.cli.app import app
from streams.runtime.clock import ManualClock
from streams.runtime.producer import partition_of
from streams.shell.settings import PREFIX, Settings
from streams.shell.sources import SOURCES
from tests.integration.computing import (
    Row,
    acknowledged,
    current,
    new_settings,
    records_of,
    running_compute,
    started_producer,
    until,
)
from tests.integration.test_compute import HOUR_MS, START_MS, created, message

TABLES: dict[str, tuple[str, ...]] = {"ticket_clocks": ("clock", "cycle_id"), "tickets": ()}
COUNTED = (*TABLES, "alert_intents")
pytestmark = [pytest.mark.kafka, pytest.mark.slow]


async def say(settings: Settings, *arguments: str) -> Result:
    environment = {
        f"{PREFIX}{name.upper()}": str(getattr(settings, name))
        for name in ("broker_url", "topic_prefix", "policy")
    }

    def invoke() -> Result:
        return CliRunner().invoke(app, ["state", *arguments], env=environment)

    return await asyncio.to_thread(invoke)


async def test_states_are_shown_as_the_next_owner_would_find_them() -> None:
    settings = await new_settings()
    empty = await say(settings, "summary")
    assert empty.exit_code == 0, empty.output
    assert "0 entities, 0 bytes" in empty.output
    async with running_compute(settings, ManualClock(START_MS + 1)) as compute:
        async with started_producer(settings) as producer:
            crowd = [created(f"T{n}", START_MS, START_MS + HOUR_MS) for n in range(20)]
            await producer.publish("tickets", crowd)
        await until(lambda: acknowledged(compute) == 20)
        told = await say(settings, "summary")
        assert "20 entities" in told.output, told.output

        shown = await say(settings, "inspect", "default/desk/T7")
        assert shown.exit_code == 0, shown.output
        found = orjson.loads(shown.output)
        assert found["partition"] == partition_of(b"default/desk/T7", settings.partitions)
        assert found["state"]["facts"]["team"] == "L1"
        assert [entry["data"]["team"] for entry in found["state"]["log"]] == ["L1"]
        assert {cycle["clock"] for cycle in found["state"]["last"]} == {"resolution", "first_reply"}
        assert found["checkpoint"]["position"] > 0
        assert (await say(settings, "inspect", "T7", "--source", "desk")).output == shown.output

        unknown = await say(settings, "inspect", "default/desk/nobody")
        assert (unknown.exit_code, "holds no state" in unknown.stderr) == (2, True)


async def test_rows_are_said_again_as_they_stand_and_nobody_is_paged() -> None:
    settings = await new_settings()
    late = START_MS + 2 * HOUR_MS
    async with running_compute(settings, ManualClock(late)) as compute:
        async with started_producer(settings) as producer:
            crowd = [created(f"T{n}", START_MS, START_MS + HOUR_MS) for n in range(20)]
            await producer.publish("tickets", [*crowd, message("T3", "closed", START_MS + 1)])
        await until(lambda: acknowledged(compute) == 21)
        await until(lambda: not any(one.timer_overdue_ms for one in compute.counters().values()))
        await asyncio.sleep(1.0)  # and a checkpoint has said what they brought
        before = {table: await current(settings, table, *key) for table, key in TABLES.items()}
        published = {table: len(await records_of(settings, table)) for table in COUNTED}
        said = await say(settings, "reemit")
        assert said.exit_code == 0, said.output
        assert len(said.output.splitlines()) == len(SOURCES) * settings.partitions

        for table, key in TABLES.items():
            after = await current(settings, table, *key)
            assert after.keys() == before[table].keys()
            for name, row in after.items():
                assert plain(row) == plain(before[table][name])
                assert row["version"] >= before[table][name]["version"]
            assert len(await records_of(settings, table)) == published[table] + len(after)
        assert len(await records_of(settings, "alert_intents")) == published["alert_intents"]

        only = await say(settings, "reemit", "--partition", "2")
        assert only.output.startswith("tickets/2: ")
        none = await say(settings, "reemit", "--partition", "9")
        assert (none.exit_code, "0 to 3" in none.stderr) == (2, True)


def plain(row: Row) -> Row:
    """Without what belongs to the emission, or grows with the time of day."""
    return {
        name: value
        for name, value in row.items()
        if name not in ("version", "judged_at", "elapsed_ms")
    }


async def test_mistakes_are_told() -> None:
    settings = await new_settings()
    other = settings.model_copy(update={"topic_prefix": "nobody-made-these-"})
    assert "ticketpulse topics apply" in (await say(other, "summary")).stderr
    embedded = settings.model_copy(update={"broker_url": "embedded"})
    assert "end with it" in (await say(embedded, "summary")).stderr
