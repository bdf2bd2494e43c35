"""Brings a database to the schema of this program, and back.

A migration is a pair of files, `NNNN_name.up.sql` and `NNNN_name.down.sql`, never changed once
released. Every statement may run twice (IF [NOT] EXISTS), so one that was cut off is simply repeated.
What has been applied stands in the table `schema_migrations`, with a checksum.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import cast

from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.ddl import Dialect, statements_of

LEDGER = "schema_migrations"
ONE_SERVER = Dialect()

_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.(up|down)\.sql")
_CREATE_LEDGER = f"""
CREATE TABLE IF NOT EXISTS {LEDGER}${{on_cluster}}
(
    number UInt32 COMMENT 'number of the migration',
    name String COMMENT 'its name',
    checksum String COMMENT 'of its up file, as it was applied',
    applied Bool COMMENT 'false: it has been undone',
    recorded_at DateTime64(3, 'UTC') COMMENT 'when that was recorded',
    version UInt64 COMMENT 'the highest wins'
)
ENGINE = ${{replicated}}ReplacingMergeTree(version)
ORDER BY number
COMMENT 'which migrations this database has'
"""
_RECORD = f"""
INSERT INTO {LEDGER} (number, name, checksum, applied, recorded_at, version)
SELECT {{number:UInt32}}, {{name:String}}, {{checksum:String}}, {{applied:Bool}}, now64(3, 'UTC'),
       (SELECT coalesce(max(version), 0) + 1 FROM {LEDGER})
"""  # noqa: S608 - the table name is ours, the values are bound by the server


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema, forth and back."""

    number: int
    name: str
    up: str
    down: str

    @property
    def checksum(self) -> str:
        """Of the up file: what makes a database what it is."""
        return hashlib.sha256(self.up.encode()).hexdigest()

    @property
    def title(self) -> str:
        return f"{self.number:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Applied:
    """What the database says about a migration that it has."""

    number: int
    name: str
    checksum: str
    at: datetime | None = None

    @property
    def title(self) -> str:
        return f"{self.number:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Status:
    """Applied and pending migrations, in order."""

    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]


def available() -> tuple[Migration, ...]:
    """The migrations of this program, in order."""
    scripts: dict[tuple[int, str], dict[str, str]] = {}
    for file in files("sinks.clickhouse").joinpath("migrations").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match is not None:
            number, name, direction = match.groups()
            scripts.setdefault((int(number), name), {})[direction] = file.read_text("utf-8")
    return tuple(
        Migration(number, name, pair["up"], pair["down"])
        for (number, name), pair in sorted(scripts.items())
    )


def plan_up(
    applied: Sequence[Applied], known: Sequence[Migration], target: int | None = None
) -> list[Migration]:
    """What to apply, in order, to reach `target` (default: the newest).

    ProblemsError when the database is not one that these migrations made: a changed or unknown
    migration, a database newer than the program, a migration left out.
    """
    check(applied, known)
    done = {item.number for item in applied}
    highest = known[-1].number if known else 0
    limit = highest if target is None else _existing(target, known)
    return [item for item in known if item.number not in done and item.number <= limit]


def plan_down(
    applied: Sequence[Applied], known: Sequence[Migration], target: int
) -> list[Migration]:
    """What to undo, newest first, so that `target` is the last one left (0: none)."""
    check(applied, known)
    if target:
        _existing(target, known)
    done = {item.number for item in applied}
    return [item for item in reversed(known) if item.number in done and item.number > target]


def check(applied: Sequence[Applied], known: Sequence[Migration]) -> None:
    """ProblemsError with everything that does not fit between database and program."""
    ours = {item.number: item for item in known}
    problems = [problem for item in applied if (problem := _misfit(item, ours)) is not None]
    highest = max((item.number for item in applied), default=0)
    done = {item.number for item in applied}
    problems += [
        Problem(
            item.title,
            "is missing although a later migration is applied",
            "migrate down below it, then up",
        )
        for item in known
        if item.number < highest and item.number not in done
    ]
    if problems:
        raise ProblemsError(*problems)


def migrate_up(
    database: ClickHouse, target: int | None = None, dialect: Dialect = ONE_SERVER
) -> list[Migration]:
    """Apply what is missing; return it. Does nothing on a database that is up to date."""
    steps = plan_up(read_applied(database), available(), target)
    if steps:
        database.command(dialect.render(_CREATE_LEDGER))
    for step in steps:
        _run(database, step.up, dialect)
        _record(database, step, applied=True)
    return steps


def migrate_down(
    database: ClickHouse, target: int, dialect: Dialect = ONE_SERVER
) -> list[Migration]:
    """Undo everything above `target`; return it. The data of dropped tables is gone."""
    steps = plan_down(read_applied(database), available(), target)
    for step in steps:
        _run(database, step.down, dialect)
        _record(database, step, applied=False)
    if steps and not read_applied(database):
        database.command(dialect.render(f"DROP TABLE IF EXISTS {LEDGER}${{on_cluster}}"))
    return steps


def status(database: ClickHouse) -> Status:
    """Where the database stands; ProblemsError when it doesn't fit this program."""
    applied = read_applied(database)
    return Status(tuple(applied), tuple(plan_up(applied, available())))


def read_applied(database: ClickHouse) -> list[Applied]:
    """What the database has, in order; nothing when it was never migrated."""
    known = database.query_rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {name:String}",
        {"name": LEDGER},
    )
    if not known:
        return []
    rows = database.query_rows(
        f"SELECT number, name, checksum, recorded_at FROM {LEDGER} FINAL WHERE applied ORDER BY number"  # noqa: S608
    )
    return [
        Applied(
            cast("int", row["number"]),
            cast("str", row["name"]),
            cast("str", row["checksum"]),
            cast("datetime", row["recorded_at"]),
        )
        for row in rows
    ]


def _misfit(item: Applied, ours: dict[int, Migration]) -> Problem | None:
    same = ours.get(item.number)
    if same is None and item.number > max(ours, default=0):
        what = "the database is newer than this program"
        return Problem(item.title, what, "upgrade ticketpulse, or migrate down with the newer one")
    if same is None or same.name != item.name:
        what = "the database has a migration that this program does not know"
        return Problem(item.title, what, "use the database of this program")
    if same.checksum != item.checksum:
        what = "the migration was changed after it had been applied"
        return Problem(item.title, what, "restore its file; put changes into a new migration")
    return None


def _existing(target: int, known: Sequence[Migration]) -> int:
    numbers = [item.number for item in known]
    if target not in numbers:
        what = f"there is no migration {target}"
        choice = ", ".join(map(str, numbers))
        raise ProblemsError(Problem("migrate", what, f"one of {choice}"))
    return target


def _run(database: ClickHouse, script: str, dialect: Dialect) -> None:
    for statement in statements_of(script):
        database.command(dialect.render(statement))


def _record(database: ClickHouse, step: Migration, *, applied: bool) -> None:
    database.command(
        _RECORD,
        {"number": step.number, "name": step.name, "checksum": step.checksum, "applied": applied},
    )
