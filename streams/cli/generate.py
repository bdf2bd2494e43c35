"""`ticketpulse generate`: seeded events of a service centre that never was."""

import asyncio
import contextlib
import heapq
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, BinaryIO
from zoneinfo import ZoneInfo

import typer

from schemas.instants import to_ms
from schemas.problems import Problem, ProblemsError
from schemas.wire import TOPIC_OF
from streams.cli.errors import told_clearly
from streams.generating import Centre, Size, Told
from streams.runtime.clock import SystemClock
from streams.runtime.portions import portions
from streams.shell.settings import load_settings
from streams.shell.tool_producer import tool_producer

_AT_ONCE = 5_000
_DAY_MS = 86_400_000
_LIVE_DAYS = 3_650
_LIVE_SECONDS = 0.2


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
    live: Annotated[
        bool,
        typer.Option(
            help="from yesterday on, each event when it happens; calls and tickets per day"
        ),
    ] = False,
) -> None:
    """Make events of calls, tickets and questionnaires: peaks by the hour of the week, skewed queues and teams,
    callers who give up, people who don't answer. For demonstrations and load tests; nobody in them is real."""
    with told_clearly():
        if live:
            if to != "kafka":
                raise ProblemsError(Problem("--live", "needs somebody who listens", "--to kafka"))
            with contextlib.suppress(KeyboardInterrupt):
                asyncio.run(_publish_live(seed, calls, tickets))
            return
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
            for topic in TOPIC_OF.values():
                records = [(one.key, one.value) for one in told if one.topic == topic]
                for part in portions(records, _AT_ONCE):
                    await producer.publish(topic, part)
            count += len(told)
    return count


async def _publish_live(seed: int, calls: int, tickets: int) -> None:
    """Until stopped. What a day's tickets bring later waits for its instant."""
    clock = SystemClock()
    began_ms = clock.now_ms() // _DAY_MS * _DAY_MS - _DAY_MS
    centre = Centre(seed, began_ms, Size(_LIVE_DAYS, calls * _LIVE_DAYS, tickets * _LIVE_DAYS))
    waiting: list[tuple[int, int, Told]] = []
    async with tool_producer(load_settings(), "ticketpulse-generate") as producer:
        for day, told in enumerate(centre.days()):
            for at, one in enumerate(told):
                heapq.heappush(waiting, (one.at_ms, day * _AT_ONCE * 1_000 + at, one))
            ends_ms = began_ms + (day + 1) * _DAY_MS
            while waiting and waiting[0][0] < ends_ms:
                now_ms = clock.now_ms()
                due: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
                for _ in range(_AT_ONCE):
                    if not waiting or waiting[0][0] > min(now_ms, ends_ms - 1):
                        break
                    _, _, one = heapq.heappop(waiting)
                    due[one.topic].append((one.key, one.value))
                for topic, records in due.items():
                    await producer.publish(topic, records)
                if not due:
                    await asyncio.sleep(_LIVE_SECONDS)


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
