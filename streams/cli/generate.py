"""`ticketpulse generate`: seeded events of a service centre that never was."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import typer

from schemas.instants import to_ms
from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.generating import Centre, Size
from streams.runtime.portions import portions
from streams.shell.settings import load_settings
from streams.shell.tool_producer import tool_producer

_AT_ONCE = 5_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate")(generate)


def generate(
    to: Annotated[
        str, typer.Option(help="a file of JSON lines, `-` for the screen, or `kafka`")
    ] = "-",
    seed: Annotated[int, typer.Option(help="the same seed and size give the same events")] = 1,
    days: Annotated[int, typer.Option(min=1, max=3_660)] = 1,
    calls: Annotated[int, typer.Option(min=0, help="in all days together")] = 1_000,
    tickets: Annotated[int, typer.Option(min=0, help="in all days together")] = 300,
    first: Annotated[str, typer.Option("--from", help="first day, YYYY-MM-DD")] = "2026-01-01",
) -> None:
    """Make events of calls, tickets and questionnaires: peaks by the hour of the week, skewed queues and teams,
    callers who give up, people who don't answer. For demonstrations and load tests; nobody in them is real."""
    with told_clearly():
        centre = Centre(seed, _start_ms(first), Size(days, calls, tickets))
        if to == "kafka":
            count = asyncio.run(_publish(centre))
        else:
            with _out(to) as out:
                count = 0
                for told in centre.days():
                    out.writelines(one.value + b"\n" for one in told)
                    count += len(told)
        if to != "-":
            typer.echo(f"{count:,} events: {to}")


async def _publish(centre: Centre) -> int:
    """Day by day, each topic in order."""
    count = 0
    async with tool_producer(load_settings(), "ticketpulse-generate") as producer:
        for told in centre.days():
            for topic in ("tickets", "calls", "surveys"):
                records = [(one.key, one.value) for one in told if one.topic == topic]
                for part in portions(records, _AT_ONCE):
                    await producer.publish(topic, part)
            count += len(told)
    return count


@contextlib.contextmanager
def _out(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdout.buffer
        return
    try:
        with Path(name).open("wb") as file:
            yield file
    except OSError as error:
        what = f"can't be written: {error.strerror or error}"
        raise ProblemsError(Problem(name, what)) from error


def _start_ms(text: str) -> int:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ProblemsError(
            Problem("--from", f"{text!r} is no day", "write it as 2026-01-31")
        ) from error
    return to_ms(datetime.combine(day, time(0), tzinfo=ZoneInfo("UTC")))
