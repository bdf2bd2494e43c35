"""`ticketpulse deadletters list`, `show` and `retry`: what could not be processed, and another try."""

import asyncio
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.instants import parse_rfc3339
from schemas.problems import Problem, ProblemsError
from schemas.reasons import REASONS
from streams.cli.errors import told_clearly
from streams.runtime.clock import SystemClock
from streams.shell.dead_letters import (
    RETRIED,
    Letter,
    Wanted,
    read_letters,
    retriable,
    retry_letters,
)
from streams.shell.sealing import SealedError, new_key, sealer_of
from streams.shell.settings import load_settings

SHOWN_MAX = 100
_BYTES_SHOWN = 4_000

deadletters = typer.Typer(no_args_is_help=True, help="See what could not be processed; try again.")
Broker = Annotated[str | None, typer.Option(help="host:port of Kafka, else the setting broker_url")]
OfReason = Annotated[str | None, typer.Option("--reason", help="only this reason code")]
OfTopic = Annotated[str | None, typer.Option("--topic", help="only of this topic, prefix and all")]
Since = Annotated[str | None, typer.Option(help="only recorded at or after, RFC 3339")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(deadletters, name="deadletters")


@deadletters.command("list")
def list_(
    reason: OfReason = None,
    topic: OfTopic = None,
    since: Since = None,
    retried: Annotated[bool, typer.Option(help="also those that were put back")] = False,
    limit: Annotated[int, typer.Option(min=1, help="how many to show")] = SHOWN_MAX,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per line")] = False,
    broker: Broker = None,
) -> None:
    """Show dead letters, the newest last, and how many there are by reason."""
    with told_clearly():
        wanted = _wanted(reason, topic, since, retried=retried or reason == RETRIED)
        letters = read_letters(load_settings(broker_url=broker), wanted)
        if as_json:
            for letter in letters[-limit:]:
                typer.echo(orjson.dumps(letter.row).decode())
            return
        _tell(letters, limit)


@deadletters.command("show")
def show(
    name: Annotated[str, typer.Argument(help="topic/partition/offset")], broker: Broker = None
) -> None:
    """Show one dead letter: why, what helps, and the original record."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        letter = _only(read_letters(settings, lambda one: one.name == name), name)
        code = REASONS.get(letter.reason)
        typer.echo(f"letter    {letter.name}")
        typer.echo(f"reason    {letter.reason}" + (f": {code.en} ({code.zh_cn})" if code else ""))
        typer.echo(f"detail    {_printable(letter.detail)}")
        if code:
            typer.echo(f"to do     {code.remedy}")
        typer.echo(f"recorded  {letter.recorded_at}")
        typer.echo(f"key       {_printable(letter.key.decode(errors='backslashreplace'))}")
        try:
            original = sealer_of(settings).open(letter.sealed)
        except SealedError as error:
            raise ProblemsError(Problem(letter.name, str(error))) from error
        shown = original[:_BYTES_SHOWN].decode(errors="backslashreplace")
        typer.echo(f"original  {len(original)} bytes\n{_printable(shown)}")


@deadletters.command("retry")
def retry(
    names: Annotated[list[str] | None, typer.Argument(help="topic/partition/offset …")] = None,
    reason: OfReason = None,
    topic: OfTopic = None,
    since: Since = None,
    everything: Annotated[bool, typer.Option("--all", help="every one of them")] = False,
    dry_run: Annotated[bool, typer.Option(help="only say what would be put back")] = False,
    broker: Broker = None,
) -> None:
    """Put originals back onto their topic, under their key: an event that had counted already changes
    nothing, and one that fails again is a new dead letter."""
    with told_clearly():
        if not (names or reason or topic or since or everything):
            hint = "name letters, or --reason, --topic, --since; or --all"
            raise ProblemsError(Problem("deadletters retry", "nothing is selected", hint))
        settings = load_settings(broker_url=broker)
        chosen = _wanted(reason, topic, since, retried=bool(names))
        named = frozenset(names or ())
        letters = read_letters(settings, lambda one: (one.name in named) if named else chosen(one))
        for name in sorted(named - {letter.name for letter in letters}):
            _only([], name)
        fine, problems = retriable(letters, settings.topic_prefix, sealer_of(settings))
        for problem in problems:
            typer.echo(f"left: {problem}", err=True)
        if not dry_run:
            asyncio.run(retry_letters(settings, fine, SystemClock().now_ms()))
        typer.echo(f"{'would put' if dry_run else 'put'} back {len(fine)}, left {len(problems)}")


@deadletters.command("new-key")
def print_new_key() -> None:
    """Print a new key for TICKETPULSE_DEAD_LETTER_KEYS, which seals originals."""
    typer.echo(new_key())


def _wanted(reason: str | None, topic: str | None, since: str | None, *, retried: bool) -> Wanted:
    if reason is not None and reason not in REASONS:
        raise ProblemsError(
            Problem("--reason", f"no reason {reason!r}", f"one of {', '.join(REASONS)}")
        )
    since_ms = None
    if since is not None:
        try:
            since_ms = parse_rfc3339(since)
        except ValueError as error:
            raise ProblemsError(
                Problem("--since", str(error), "e.g. 2026-01-19T08:00:00Z")
            ) from error

    def wanted(letter: Letter) -> bool:
        return (
            (retried or letter.reason != RETRIED)
            and reason in (None, letter.reason)
            and topic in (None, letter.topic)
            and (since_ms is None or parse_rfc3339(letter.recorded_at) >= since_ms)
        )

    return wanted


def _only(letters: list[Letter], name: str) -> Letter:
    if not letters:
        hint = "`ticketpulse deadletters list` shows them; letters are kept for 7 days"
        raise ProblemsError(Problem(name, "there is no such dead letter", hint))
    return letters[0]


def _printable(text: str) -> str:
    """What came from outside must not steer the terminal."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def _tell(letters: list[Letter], limit: int) -> None:
    table = Table(box=None)
    for title in ("letter", "reason", "recorded", "detail"):
        table.add_column(title, overflow="fold")
    for letter in letters[-limit:]:
        table.add_row(
            letter.name, letter.reason, letter.recorded_at, escape(_printable(letter.detail[:200]))
        )
    console = Console()
    if letters:
        console.print(table)
    counts: dict[str, int] = {}
    for letter in letters:
        counts[letter.reason] = counts.get(letter.reason, 0) + 1
    by_reason = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    typer.echo(f"{len(letters)} dead letters" + (f": {by_reason}" if by_reason else ""))
