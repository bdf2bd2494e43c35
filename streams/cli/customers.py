"""`ticketpulse erase` and `ticketpulse customers`: pseudonyms, and one customer forgotten on request."""

import asyncio
from typing import Annotated

import typer

from schemas.customers import is_pseudonym, new_key
from schemas.problems import Problem, ProblemsError
from sinks.contract import SinkError
from streams.cli.errors import told_clearly
from streams.runtime.clock import SystemClock
from streams.shell.customers import customer_ids_of
from streams.shell.database import open_database
from streams.shell.erasing import (
    TABLES,
    Traces,
    erase as forget,
    hashed,
    names_of,
    traces_of,
    what_remains,
)
from streams.shell.sealing import sealer_of
from streams.shell.settings import Settings, load_settings

customers = typer.Typer(no_args_is_help=True, help="Pseudonyms of customers, and their keys.")
Tenant = Annotated[str | None, typer.Option(help="whose customer, else the setting tenant")]
Broker = Annotated[str | None, typer.Option(help="host:port of Kafka, else the setting broker_url")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(customers, name="customers")
    app.command("erase")(erase)


@customers.command("new-key")
def print_new_key() -> None:
    """Print a new key for TICKETPULSE_CUSTOMER_KEYS, which makes pseudonyms at the edge."""
    typer.echo(new_key())


@customers.command("pseudonym")
def pseudonym(
    customer: Annotated[str, typer.Argument(help="the customer's id at its source")],
    tenant: Tenant = None,
) -> None:
    """Print what the edge makes of an id: by the key that counts, then by older ones."""
    with told_clearly():
        settings = load_settings(tenant=tenant)
        keys = customer_ids_of(settings).keys
        if not keys:
            hint = "set TICKETPULSE_CUSTOMER_KEYS as the edge has it"
            raise ProblemsError(Problem("customer_keys", "there is no key", hint))
        for one in keys.pseudonyms(settings.tenant, customer):
            typer.echo(one)


def erase(
    customer: Annotated[str, typer.Argument(help="the id at its source, or a pseudonym")],
    tenant: Tenant = None,
    dry_run: Annotated[
        bool, typer.Option(help="only say where the customer is remembered")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
    wait_seconds: Annotated[
        float, typer.Option(min=0, help="for compute and the writer to follow")
    ] = 120.0,
    broker: Broker = None,
) -> None:
    """Forget one customer: states, rows, dead letters and aliases; what topics hold runs out. Verdicts and
    counts stay. It may be run again at any time."""
    with told_clearly():
        settings = load_settings(broker_url=broker, tenant=tenant)
        names = names_of(customer, settings.tenant, customer_ids_of(settings))
        try:
            _erase(settings, names, dry_run=dry_run, yes=yes, wait_seconds=wait_seconds)
        except SinkError as error:
            hint = (
                "try again" if error.retriable else "has the user the right to ALTER these tables?"
            )
            raise ProblemsError(Problem("ClickHouse", str(error), hint)) from error


def _erase(
    settings: Settings, names: frozenset[str], *, dry_run: bool, yes: bool, wait_seconds: float
) -> None:
    with open_database(settings) as database:
        traces = asyncio.run(traces_of(settings, database, sealer_of(settings), names))
        _tell(traces)
        if traces.sealed:
            typer.echo(
                f"note: {traces.sealed} dead letters are sealed with keys that are not in"
                " TICKETPULSE_DEAD_LETTER_KEYS; they were judged by their record's key only",
                err=True,
            )
        if traces.nothing or dry_run:
            typer.echo("nothing is to be erased" if traces.nothing else "nothing was changed")
            return
        if not yes:
            typer.confirm("This can't be undone. Go on?", abort=True)
        asyncio.run(forget(settings, database, traces, SystemClock().now_ms, wait_seconds))
    typer.echo("erased. Topics hold what they have until it runs out:")
    for topic, how_long in what_remains(settings):
        typer.echo(f"  {topic}: {how_long} at most")


def _tell(traces: Traces) -> None:
    shown = sorted(name for name in traces.names if is_pseudonym(name))
    typer.echo(f"customer     {', '.join(shown) or 'in clear'} (audit: {hashed(traces.names)})")
    for name, found in (("states", traces.living), ("rows", set(traces.stored))):
        counts = [f"{sum(one.topic == topic for one in found)} {topic}" for topic in TABLES]
        typer.echo(f"{name:<12} {', '.join(counts)}")
    typer.echo(f"dead letters {len(traces.letters)}")
    typer.echo(f"aliases      {traces.aliases}")
