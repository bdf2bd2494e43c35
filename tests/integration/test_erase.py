"""`ticketpulse erase`: one customer forgotten in states, rows, dead letters and aliases."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
import pytest
from typer.testing import CliRunner, Result

from schemas.customers import Keys
from schemas.instants import rfc3339
from sinks.clickhouse.client import ClickHouse
from streams.cli.app import app
from streams.runtime.clock import ManualClock
from streams.shell.settings import PREFIX, Settings
from streams.shell.sources import CALLS, SURVEYS, TICKETS
from streams.shell.state_reader import inspected
from streams.shell.writer import writer_role
from tests.clickhouse_facade import Facade
from tests.clickhouse_fixtures import engine_path
from tests.integration.computing import (
    acknowledged,
    new_settings,
    running_compute,
    started_producer,
    until,
)
from tests.integration.test_compute import HOUR_MS, START_MS, message

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

OLD, NEW = "0b" * 32, "a1" * 32
SMITH, OTHER = "0049 30 1234", "0049 30 9999"
KEYS = Keys([NEW, OLD])
NOW, BEFORE = KEYS.pseudonyms("default", SMITH)
(THEIRS,) = Keys([NEW]).pseudonyms("default", OTHER)


@pytest.fixture
def facade() -> Iterator[Facade]:
    with Facade(engine_path()) as found:
        yield found


async def erase(settings: Settings, *arguments: str, **more: str) -> Result:
    names = ("broker_url", "topic_prefix", "clickhouse_url", "clickhouse_database")
    environment = {f"{PREFIX}{name.upper()}": str(getattr(settings, name)) for name in names}
    environment[f"{PREFIX}CUSTOMER_KEYS"] = f"{NEW},{OLD}"
    environment |= {f"{PREFIX}{name.upper()}": value for name, value in more.items()}

    def invoke() -> Result:
        return CliRunner().invoke(app, ["erase", *arguments], env=environment)

    return await asyncio.to_thread(invoke)


def crowd() -> list[tuple[bytes, bytes]]:
    """Three tickets of ours by two keys, one of somebody else, and two events that can't be taken."""
    known = {
        "T1": NOW,
        "T2": BEFORE,  # before the key was changed
        "T3": THEIRS,
        "T4": NOW,
    }
    events = [
        message(ticket, "created", START_MS, customer_id=name, attributes={"city": "Ghent"})
        for ticket, name in known.items()
    ]
    clear = message("T8", "created", START_MS, customer_id=SMITH)  # past the edge
    broken = message("T9", "exploded", START_MS, customer_id=NOW)
    other = message("T9", "exploded", START_MS + 1, customer_id=THEIRS)
    closed = message("T4", "closed", START_MS + 1_000)
    return [*events, clear, broken, other, closed]


def others() -> dict[str, list[tuple[bytes, bytes]]]:
    """A call and a questionnaire of the customer."""

    def told(kind: str, name: str, type_: str, **data: object) -> tuple[bytes, bytes]:
        event = {
            "schema_version": 1, "source": "desk", "event_id": f"{name}-{type_}", "type": type_,
            "occurred_at": rfc3339(START_MS), "ingested_at": rfc3339(START_MS),
            f"{kind}_id": name, "data": data,
        }  # fmt: skip
        return f"default/desk/{name}".encode(), orjson.dumps(event)

    return {
        "calls": [told("call", "C1", "queued", queue="q", customer_id=NOW)],
        "surveys": [
            told("survey", "S1", "sent", customer_id=NOW),
            told("survey", "S1", "answered", metric="csat", question="q", score=5, customer_id=NOW),
        ],
    }


@asynccontextmanager
async def pipeline(settings: Settings, database: ClickHouse) -> AsyncIterator[None]:
    """Compute and the writer, with a crowd of tickets that have reached the database."""
    writer = writer_role(settings, database)
    await writer.start()
    running = asyncio.ensure_future(writer.run())
    try:
        async with running_compute(settings, ManualClock(START_MS + HOUR_MS)) as compute:
            async with started_producer(settings) as producer:
                await producer.publish("tickets", crowd())
                for topic, events in others().items():
                    await producer.publish(topic, events)
                alias = {
                    "tenant": "default", "alias": BEFORE, "customer_id": NOW,
                    "event_time": "2026-01-05T08:00:00Z", "version": 1,
                }  # fmt: skip
                await producer.publish("outcomes-customer-aliases", [(b"a", orjson.dumps(alias))])
            await until(lambda: acknowledged(compute) == 8)
            await until(lambda: count(database, "v_tickets") == 4)
            await until(lambda: count(database, "v_call_legs") == 1)
            await until(lambda: count(database, "v_survey_answers") == 1)
            await until(lambda: count(database, "v_dead_letters") == 3)
            await until(lambda: count(database, "v_customer_aliases") == 1)
            yield
    finally:
        await writer.stop()
        await running


def count(database: ClickHouse, table: str, where: str = "1") -> int:
    (row,) = database.query_rows(f"SELECT count() AS n FROM {table} WHERE {where}")
    return int(str(row["n"]))


async def settings_for(database: ClickHouse, facade: Facade) -> Settings:
    return await new_settings(
        clickhouse_url=facade.url, clickhouse_database=database.database, writer_flush_seconds=0.2
    )


async def test_a_customer_is_forgotten_everywhere_and_the_others_are_not(
    clickhouse: ClickHouse, facade: Facade
) -> None:
    settings = await settings_for(clickhouse, facade)
    clocks = "SELECT * EXCEPT (version, judged_at, elapsed_ms) FROM v_ticket_clocks ORDER BY ALL"
    async with pipeline(settings, clickhouse):
        before = clickhouse.query_rows(clocks)

        looked = await erase(settings, SMITH, "--dry-run")
        assert looked.exit_code == 0, looked.output
        for line in (
            "states       3 tickets, 1 calls, 1 surveys",
            "dead letters 2",
            "aliases      1",
        ):
            assert line in looked.output
        assert "nothing was changed" in looked.output
        assert SMITH not in looked.output
        assert count(clickhouse, "tickets", f"customer_id = '{NOW}'") >= 2

        done = await erase(settings, SMITH, "--yes")
        assert done.exit_code == 0, done.output + done.stderr
        assert "tickets-changelog: 7 days at most" in done.output

        # Every version that is still stored, not only those that count.
        names = f"('{SMITH}', '{NOW}', '{BEFORE}')"
        assert count(clickhouse, "tickets", f"customer_id IN {names}") == 0
        assert count(clickhouse, "tickets", f"customer_id = '{THEIRS}'") >= 1
        assert count(clickhouse, "v_tickets", "empty(attributes)") == 3
        assert count(clickhouse, "customer_aliases") == 0
        assert count(clickhouse, "dead_letters") == 1
        for table in ("calls", "call_legs", "surveys", "survey_answers"):
            assert count(clickhouse, table, "customer_id IS NOT NULL") == 0, table
            assert count(clickhouse, f"v_{table}") == 1, "what happened stays"
        for source, name in ((CALLS, "C1"), (SURVEYS, "S1")):
            shown = str(await inspected(settings, source, f"default/desk/{name}"))
            assert not any(one in shown for one in (SMITH, NOW, BEFORE))
        assert clickhouse.query_rows(clocks) == before, "no verdict has changed"
        for ticket in ("T1", "T2", "T4"):
            shown = str(await inspected(settings, TICKETS, f"default/desk/{ticket}"))
            assert not any(name in shown for name in (SMITH, NOW, BEFORE, "Ghent"))
        assert THEIRS in str(await inspected(settings, TICKETS, "default/desk/T3"))

        await until(lambda: count(clickhouse, "v_audit") == 1)
        (audit,) = clickhouse.query_rows("SELECT * FROM v_audit")
        assert (audit["action"], '"tickets":3' in str(audit["detail"])) == ("erase", True)
        assert not any(name in str(audit) for name in (SMITH, NOW, BEFORE))

        again = await erase(settings, SMITH, "--yes")
        # The letters stay on their topic, and are deleted from the table once more.
        assert "states       0 tickets, 0 calls" in again.output
        assert count(clickhouse, "dead_letters") == 1


async def test_without_compute_it_tells_and_can_be_run_again(
    clickhouse: ClickHouse, facade: Facade
) -> None:
    settings = await settings_for(clickhouse, facade)
    async with pipeline(settings, clickhouse):
        pass
    alone = await erase(settings, NOW, "--yes", "--wait-seconds", "0.5")
    assert alone.exit_code == 2
    assert "are compute and the writer running?" in alone.stderr
    assert count(clickhouse, "tickets", f"customer_id = '{NOW}'") >= 2, "nothing is half done"


async def test_a_name_can_not_be_looked_for_without_its_key(
    clickhouse: ClickHouse, facade: Facade
) -> None:
    settings = await settings_for(clickhouse, facade)
    refused = await erase(settings, SMITH, customer_keys="")
    assert (refused.exit_code, "name the pseudonym itself" in refused.stderr) == (2, True)
    nobody = await erase(settings, "nobody")
    assert (nobody.exit_code, "nothing is to be erased" in nobody.output) == (0, True)
