"""ClickHouse's disk is full: rows wait, and all of them are there once there is room again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.migrate import migrate_up
from sinks.clickhouse.sink import ClickHouseSink
from streams.shell.settings import Settings
from tests.integration.test_writer import (
    publish,
    running,
    settings as settings,  # a fixture
    tickets,
    until,
    writer_of,
)

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.full]

DISK_BYTES = 64 * 1024 * 1024
ROWS = 2_000
# The engine of this process has its own directory, and a process has one engine.
SERVER = """
import sys
from pathlib import Path
from tests.clickhouse_facade import Facade

with Facade(Path(sys.argv[1])) as facade:
    print(facade.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"a small disk can't be mounted here: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def small_clickhouse(small_disk: Path) -> Iterator[ClickHouse]:
    command = [sys.executable, "-c", SERVER, str(small_disk / "clickhouse")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with ClickHouse.connect(url, database="small") as database:
            migrate_up(database)
            yield database
        server.communicate()


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(4_096))
        except OSError:
            pass
    return ballast


async def test_a_full_disk_delays_rows_and_loses_none(
    settings: Settings, small_disk: Path, small_clickhouse: ClickHouse
) -> None:
    writer = writer_of(settings, ClickHouseSink(small_clickhouse))
    async with running(writer) as task:
        await publish(settings, "tickets", tickets(ROWS))
        await until(lambda: writer.counters().rows_total["tickets"] == ROWS)

        ballast = fill(small_disk)
        await publish(settings, "tickets", tickets(ROWS, first=ROWS))
        await until(lambda: writer.counters().failures_total >= 2)
        assert not task.done(), "the writer goes on trying"
        counters = writer.counters()
        assert (counters.rows_total["tickets"], counters.refused_total) == (ROWS, 0)

        ballast.unlink()
        await until(lambda: writer.counters().rows_total["tickets"] == 2 * ROWS)
    (found,) = small_clickhouse.query_rows("SELECT count() AS rows FROM v_tickets")
    assert found["rows"] == 2 * ROWS
