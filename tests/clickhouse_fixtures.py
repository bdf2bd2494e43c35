"""ClickHouse for tests: chDB in this process, and the same engine behind HTTP.

chDB serves one path per process, so the engine is shared by all tests of a process and each test
gets a database of its own.
"""

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.migrate import migrate_up

_numbers = itertools.count(1)


@cache
def engine_directory() -> Path:
    """Data directory of this process's engine; kept open until the process ends."""
    directory = Path(tempfile.mkdtemp(prefix="ticketpulse-test-"))
    keep = ClickHouse.connect(path=directory, database="default")

    def end() -> None:
        keep.close()
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(end)
    return directory


def engine_path() -> Path:
    """What chDB itself calls its path: for the HTTP stand-in."""
    return engine_directory().resolve() / "clickhouse"


def fresh_database_name() -> str:
    """A database name that no other test of this process has."""
    return f"test_{next(_numbers)}"


def embedded(database: str) -> ClickHouse:
    """One more handle to a database of the shared engine."""
    return ClickHouse.connect(path=engine_directory(), database=database)


@pytest.fixture
def empty_clickhouse() -> Iterator[ClickHouse]:
    """A new database without tables."""
    pytest.importorskip("chdb", reason="the embedded ClickHouse is not installed")
    with embedded(fresh_database_name()) as database:
        yield database
        database.command(f"DROP DATABASE IF EXISTS {database.database} SYNC")


@pytest.fixture
def clickhouse(empty_clickhouse: ClickHouse) -> ClickHouse:
    """A new database with all tables and views."""
    migrate_up(empty_clickhouse)
    return empty_clickhouse
