"""A writer process killed with -9 in the middle of a stream: nothing lost, nothing doubled."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.shell.settings import Settings, load_settings
from tests.integration.broker import broker_address
from tests.integration.test_writer import create_topics, publish
from tests.outcome_rows import as_json, ticket

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
ROWS = 3_000
# A process that writes until its input ends, and says how far it is.
WRITER = """
import asyncio, sys
from sinks.clickhouse.migrate import migrate_up
from streams.shell.database import open_database
from streams.shell.settings import Settings, load_settings
from streams.shell.writer import writer_role

async def main():
    settings = load_settings()
    with open_database(settings) as database:
        migrate_up(database)
        writer = writer_role(settings, database)
        await writer.start()
        running = asyncio.create_task(writer.run())
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        while not ended.done():
            (row,) = database.query_rows("SELECT count() AS rows FROM v_tickets")
            print(row["rows"], flush=True)
            await asyncio.sleep(0.02)
        await writer.stop()
        await running
        (row,) = database.query_rows(
            "SELECT count() AS rows, uniqExact(ticket_id) AS tickets FROM v_tickets")
        print("end", row["rows"], row["tickets"], flush=True)

asyncio.run(main())
"""


class WriterProcess:
    def __init__(self, data: Path, prefix: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ
            | {
                "TICKETPULSE_BROKER_URL": broker_address(),
                "TICKETPULSE_TOPIC_PREFIX": prefix,
                "TICKETPULSE_SESSION_TIMEOUT_SECONDS": "2",
                "TICKETPULSE_WRITER_FLUSH_SECONDS": "0.05",
                "TICKETPULSE_DATA_DIR": str(data),
            },
        )

    def wait_for_rows(self, count: int) -> int:
        """Return when so many rows can be queried."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if int(line) >= count:
                return int(line)
        pytest.fail("the writer ended by itself")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def finish(self) -> str:
        """Stop in good order; the last line."""
        out, _ = self.process.communicate("", timeout=60)
        return out.splitlines()[-1]


async def trickle(settings: Settings) -> None:
    """Publish all rows, a few at a time, as a living pipeline does."""
    for first in range(0, ROWS, 100):
        await publish(settings, "tickets", [as_json(ticket(first + n)) for n in range(100)])
        await asyncio.sleep(0.05)


async def test_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    settings = load_settings(broker_url=broker_address(), topic_prefix=f"killed-{os.getpid()}-")
    await create_topics(settings)
    publishing = asyncio.create_task(trickle(settings))
    for rows in (1, ROWS // 3, ROWS // 2):
        writer = WriterProcess(tmp_path, settings.topic_prefix)
        await asyncio.to_thread(writer.wait_for_rows, rows)
        writer.kill()
    await publishing

    last = WriterProcess(tmp_path, settings.topic_prefix)
    await asyncio.to_thread(last.wait_for_rows, ROWS)
    assert await asyncio.to_thread(last.finish) == f"end {ROWS} {ROWS}"
