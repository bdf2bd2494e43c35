"""`ticketpulse state summary`, `inspect` and `reemit`: what the workers' changelog holds."""

import asyncio
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas.instants import rfc3339
from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.runtime.clock import SystemClock
from streams.shell.reemit import reemit
from streams.shell.settings import load_settings
from streams.shell.sources import BY_TOPIC
from streams.shell.state_reader import PartitionSummary, inspected, summaries

state = typer.Typer(no_args_is_help=True, help="See what the changelog holds; say it again.")
Broker = Annotated[str | None, typer.Option(help="host:port of Kafka, else the setting broker_url")]
Topic = Annotated[str, typer.Option(help="source topic: tickets, calls, surveys or shifts")]
_COLUMNS = (
    "topic",
    "partition",
    "checkpoint",
    "position",
    "watermark",
    "entities",
    "windows",
    "bytes",
    "epoch",
    "trouble",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(state, name="state")


@state.command("summary")
def summary(broker: Broker = None) -> None:
    """Show each partition: last checkpoint, position, tickets, bytes, claims, what awaits repair."""
    with told_clearly():
        found = asyncio.run(summaries(load_settings(broker_url=broker)))
        table = Table(*_COLUMNS, box=None)
        for one in found:
            table.add_row(*_row(one))
        Console(width=140).print(table)
        entities, size = sum(one.entities for one in found), sum(one.state_bytes for one in found)
        typer.echo(
            f"{entities:,} entities, {size:,} bytes, {sum(one.records for one in found):,} records"
        )


@state.command("inspect")
def inspect(
    entity: Annotated[str, typer.Argument(help="tenant/source/id, or the id alone")],
    source: Annotated[str, typer.Option(help="its source, when the id is given alone")] = "",
    topic: Topic = "tickets",
    broker: Broker = None,
) -> None:
    """Show the state of one ticket, call or survey as JSON: facts, events, clock cycles, what has been said."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        if topic not in BY_TOPIC:
            raise ProblemsError(
                Problem(topic, "is no source topic", "one of " + ", ".join(BY_TOPIC))
            )
        key = entity if entity.count("/") >= 2 else f"{settings.tenant}/{source}/{entity}"
        found = asyncio.run(inspected(settings, BY_TOPIC[topic], key))
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@state.command("reemit")
def say_again(
    partition: Annotated[int | None, typer.Option(help="only this one")] = None,
    broker: Broker = None,
) -> None:
    """Publish the rows of all living entities and open windows again, for a database that has lost some.
    Pages nobody; what a worker says later replaces them."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        for one in asyncio.run(reemit(settings, partition, SystemClock().now_ms())):
            typer.echo(
                f"{one.topic}/{one.partition}: {one.rows:,} rows of {one.entities:,} entities"
            )


def _row(one: PartitionSummary) -> tuple[str, ...]:
    marker = one.marker
    trouble = [
        *(
            [f"{one.unconfirmed_outboxes} outboxes unconfirmed"]
            if one.unconfirmed_outboxes > 1
            else []
        ),
        *([f"{one.unrepaired} keys to repair"] if one.unrepaired else []),
    ]
    if marker is None:
        none = ("none", "", "", "", "", "")
        return (one.topic, str(one.partition), *none, str(one.epoch), ", ".join(trouble))
    watermark = "" if marker.watermark_ms is None else rfc3339(marker.watermark_ms)
    return (
        one.topic,
        str(one.partition),
        str(marker.number),
        str(marker.position),
        watermark,
        f"{one.entities:,}",
        f"{one.windows:,}",
        f"{one.state_bytes:,}",
        f"{one.epoch} ({one.claims} claims)",
        ", ".join(trouble),
    )
