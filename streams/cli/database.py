"""`ticketpulse migrate` and `ticketpulse query`: the database by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.ddl import Dialect
from sinks.clickhouse.migrate import (
    available,
    migrate_down,
    migrate_up,
    plan_down,
    read_applied,
    status,
)
from sinks.clickhouse.retention import apply_retention
from sinks.contract import SinkError
from streams.cli.errors import told_clearly
from streams.shell.database import keeping_of, open_database
from streams.shell.settings import load_settings

migrations = typer.Typer(
    no_args_is_help=True, help="Bring the database to the schema of this program, and back."
)


Cluster = Annotated[
    str, typer.Option(help="make replicated tables on every server of this cluster")
]


class Format(StrEnum):
    """How `query` prints rows."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(migrations, name="migrate")
    app.command("query")(query)


@migrations.command("up")
def up(
    to: Annotated[
        int | None, typer.Option(help="stop after this migration; else the newest")
    ] = None,
    cluster: Cluster = "",
) -> None:
    """Apply what is missing. Does nothing when the database is up to date."""
    with told_clearly(), opened_database() as database:
        steps = migrate_up(database, to, Dialect(cluster))
        for step in steps:
            typer.echo(f"applied {step.title}")
        if not steps:
            typer.echo("the database is up to date")
        if to is None:
            for table in apply_retention(database, keeping_of(load_settings()), Dialect(cluster)):
                typer.echo(f"{table}: rows are kept as the settings say")


@migrations.command("down")
def down(
    to: Annotated[int, typer.Option(help="the last migration to keep; 0 keeps none")],
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
    cluster: Cluster = "",
) -> None:
    """Undo migrations, newest first. Tables that go take their rows with them."""
    with told_clearly(), opened_database() as database:
        steps = plan_down(read_applied(database), available(), to)
        if not steps:
            typer.echo("there is nothing to undo")
            return
        for step in steps:
            typer.echo(f"would undo {step.title}")
        if not yes:
            typer.confirm("The data of these tables will be lost. Go on?", abort=True)
        for step in migrate_down(database, to, Dialect(cluster)):
            typer.echo(f"undone {step.title}")


@migrations.command("status")
def show_status() -> None:
    """Tell which migrations the database has. Exit code 1 when some are missing."""
    with told_clearly(), opened_database() as database:
        found = status(database)
        for item in found.applied:
            when = f"{item.at:%Y-%m-%d %H:%M:%S} UTC" if item.at else ""
            typer.echo(f"applied {item.title}  {when}")
        for pending in found.pending:
            typer.echo(f"pending {pending.title}")
        if found.pending:
            raise typer.Exit(1)


@migrations.command("plan")
def plan(cluster: Cluster = "") -> None:
    """Print the statements that `up` would run. Changes nothing."""
    with told_clearly(), opened_database() as database:
        for step in status(database).pending:
            typer.echo(f"-- {step.title}\n{Dialect(cluster).render(step.up)}")


def query(
    sql: Annotated[
        str, typer.Argument(help="a SELECT; the current rows are in v_ticket_clocks, …")
    ],
    output: Annotated[Format, typer.Option("--format", help="how to print")] = Format.TABLE,
) -> None:
    """Ask the database; read-only. While `ticketpulse up` runs on the embedded one, ask its API."""
    with told_clearly(), opened_database() as database:
        rows = database.query_read_only(sql)
        if output is Format.JSON:
            for row in rows:
                typer.echo(orjson.dumps(row, default=str, option=orjson.OPT_UTC_Z))
        elif rows:
            _print_table(rows)


def _print_table(rows: list[dict[str, object]]) -> None:
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)


@contextmanager
def opened_database() -> Iterator[ClickHouse]:
    """The database of the settings, closed in the end; its errors as one clear line."""
    with open_database(load_settings()) as database:
        try:
            yield database
        except SinkError as error:
            hint = "try again" if error.retriable else ""
            raise ProblemsError(Problem("ClickHouse", str(error), hint)) from error
