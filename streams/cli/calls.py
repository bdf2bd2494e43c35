"""`ticketpulse calls`: recorded calls as one table, every service level by its name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas.events import Event, Rejected
from schemas.problems import Problem, ProblemsError
from streams.callreport import CallReport, QueueHour, report_of
from streams.cli.errors import told_clearly
from streams.cli.zones import zone_option
from streams.core.measures import CallMeasures, QueueMeasures
from streams.core.statistics.service_level import VARIANTS
from streams.importing.reading import open_bytes
from streams.replay import recorded_event


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("calls")(calls)


def calls(
    events: Annotated[Path, typer.Argument(help="events of calls as JSON lines (also .gz)")],
    zone: Annotated[str, typer.Option(help="IANA zone of the hours")] = "UTC",
    threshold_seconds: Annotated[
        float, typer.Option(min=0, help="an answer up to this wait is within the service level")
    ] = 20.0,
    short_abandon_seconds: Annotated[
        float, typer.Option(min=0, help="who gives up by then could not have been answered")
    ] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per line")] = False,
) -> None:
    """Show what each queue did in each hour of the day: abandonment, speed of answer, and the service level
    by every formula in use."""
    with told_clearly():
        measures = CallMeasures(
            QueueMeasures(round(threshold_seconds * 1_000), round(short_abandon_seconds * 1_000))
        )
        rejected: list[Rejected] = []
        report = report_of(_events(events, rejected), measures, zone_option(zone))
        if not report.calls:
            hint = "`ticketpulse import FILE --mapping bank_calls` makes some"
            raise ProblemsError(Problem(str(events), "there is no event of a call in it", hint))
        if as_json:
            for line in report.lines:
                typer.echo(orjson.dumps(line.document()).decode())
        else:
            _print(report)
        _tell(report, rejected)


def _events(path: Path, rejected: list[Rejected]) -> Iterator[Event]:
    with open_bytes(path) as (_file, content):
        for line in content:
            if not line.strip():
                continue
            event = recorded_event(line.strip())
            if isinstance(event, Rejected):
                rejected.append(event)
            elif event.kind == "call":
                yield event


def _print(report: CallReport) -> None:
    table = Table(box=None)
    for title in ("hour", "queue", "queued", "answered", "abandoned", "aband. %", "ASA s"):
        table.add_column(title, justify="left" if title == "queue" else "right")
    for variant in VARIANTS:
        # Words, so that they can be broken into lines; the ids stand in --json.
        table.add_column(variant.replace("_", " "), justify="right", max_width=12)
    for line in report.lines:
        table.add_row(*_cells(line))
    Console(width=170).print(table)


def _cells(line: QueueHour) -> Iterator[str]:
    document = line.document()
    yield "all" if line.hour is None else f"{line.hour:02}"
    yield line.queue
    for name in ("queued", "answered", "abandoned"):
        yield f"{document[name]:,}"
    yield _number(document["abandonment_percent"])
    speed_ms = line.sums.average_speed_of_answer_ms
    yield _number(None if speed_ms is None else speed_ms / 1_000)
    for variant in VARIANTS:
        yield _number(document[variant])


def _number(value: object) -> str:
    """A dash where there is no data: that is not 0."""
    return f"{value:.1f}" if isinstance(value, int | float) else "–"


def _tell(report: CallReport, rejected: list[Rejected]) -> None:
    oddities = ", ".join(f"{count} {name}" for name, count in sorted(report.oddities.items()))
    typer.echo(
        f"{report.calls:,} calls, {report.undecided:,} without an end"
        + (f"; left out, as they can't be true: {oddities}" if oddities else ""),
        err=True,
    )
    if rejected:
        first = rejected[0]
        typer.echo(
            f"{len(rejected):,} lines are no events: {first.reason}: {first.detail}", err=True
        )
