"""`ticketpulse replay`: recorded events through the core, without Kafka."""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from schemas.instants import parse_rfc3339, rfc3339
from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.cli.progress import progress_bar
from streams.core.effects import OutcomeRow
from streams.importing.output import RejectedFile, check_distinct, whole_file
from streams.replay import ReplaySinks, ReplaySummary, replay_file

_JSON = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    events: Annotated[Path, typer.Argument(help="events as JSON lines (also .gz), in any order")],
    policy: Annotated[list[Path], typer.Option(help="policy file; repeat it for several versions")],
    until: Annotated[
        str | None, typer.Option(help="judge as of this instant (RFC 3339), else the last event")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="file of rows to write: one per clock cycle (JSON lines)")
    ] = None,
    tickets_out: Annotated[Path | None, typer.Option(help="the same, one per ticket")] = None,
    dead_letters: Annotated[
        Path | None, typer.Option(help="where lines go that can't be taken, with reasons")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="also the rows on the way, not only the final ones")
    ] = False,
) -> None:
    """Judge recorded events by a policy, with a clock moved by hand. Nothing pages.

    Each row replaces an earlier one of the same tenant, source, ticket_id, clock and cycle_id.
    """
    with told_clearly(), ExitStack() as files:
        until_ms = _instant(until)
        from streams.policies import load_book

        book = load_book(policy)
        letters_path = dead_letters or events.with_suffix(".dead-letters.jsonl")
        check_distinct(events, out=out, tickets_out=tickets_out, dead_letters=letters_path)
        letters = files.enter_context(RejectedFile(letters_path))
        rows = _Rows(files, out, tickets_out)
        progress = files.enter_context(progress_bar(events.name))
        sinks = ReplaySinks(
            on_row=rows.write,
            on_dead_letter=lambda letter: letters.add(letter.document()),
            progress=progress,
            history=history,
        )
        started_ns = time.perf_counter_ns()
        summary = replay_file(events, book, sinks, until_ms)
        seconds = (time.perf_counter_ns() - started_ns) / 1e9
        letters.finish()
        if not summary.lines:
            hint = "make some with `ticketpulse import`"
            raise ProblemsError(Problem(str(events), "there are no events in it", hint))
    tell(summary, seconds, letters)


def _instant(text: str | None) -> int | None:
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError as error:
        hint = "e.g. 2011-10-01T00:00:00Z"
        raise ProblemsError(Problem("--until", str(error), hint)) from error


class _Rows:
    """Rows to files by table; each file appears whole at the end."""

    def __init__(self, files: ExitStack, clocks: Path | None, tickets: Path | None) -> None:
        self._outputs: dict[str, IO[bytes]] = {
            table: files.enter_context(whole_file(path))
            for table, path in (("ticket_clocks", clocks), ("tickets", tickets))
            if path is not None
        }

    def write(self, row: OutcomeRow) -> None:
        output = self._outputs.get(row[0])
        if output is not None:
            output.write(orjson.dumps(row[1], option=_JSON))


def tell(summary: ReplaySummary, seconds: float, letters: RejectedFile) -> None:
    """Print the summary."""
    until = "-" if summary.until_ms is None else rfc3339(summary.until_ms)
    rate = summary.events / seconds if seconds else 0.0
    typer.echo(
        f"events    {summary.events:>9,}  in {seconds:.1f} s, {rate:,.0f}/s; judged as of {until}"
    )
    typer.echo(f"tickets   {summary.tickets:>9,}")
    for clock, verdicts in sorted(summary.verdicts.items()):
        cycles = sum(verdicts.values())
        typer.echo(f"cycles    {cycles:>9,}  {clock}: {_listed(verdicts)}")
        typer.echo(f"breaches  {summary.breaches[clock]:>9,}  {clock}")
    if summary.flags:
        typer.echo(f"flags     {sum(summary.flags.values()):>9,}  {_listed(summary.flags)}")
    if summary.after_until:
        typer.echo(
            f"later     {summary.after_until:>9,}  events known only after that instant, left out"
        )
    if summary.other_entities:
        typer.echo(f"other     {summary.other_entities:>9,}  call and survey events, left out")
    if summary.rejected:
        count = sum(summary.rejected.values())
        typer.echo(f"rejected  {count:>9,}  {_listed(summary.rejected)} → {letters.path}")
    _tell_agreement(summary)


def _tell_agreement(summary: ReplaySummary) -> None:
    compared = sum(summary.agreement.values())
    if not compared:
        return
    agreement = summary.agreement
    typer.echo(
        f"source's  {compared:>9,}  verdicts: {agreement['equal']:,} equal, "
        f"{agreement['different']:,} different, {agreement['no verdict']:,} without one of ours"
    )
    for item in summary.differences:
        typer.echo(
            f"          {item.ticket_id} {item.clock}: ours {item.ours}, theirs {item.theirs}"
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
