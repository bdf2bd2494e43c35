"""`ticketpulse policy`: policies checked with the tests they carry, and shown as the core sees them."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from schemas.instants import parse_rfc3339
from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.runtime.clock import SystemClock

policy = typer.Typer(no_args_is_help=True, help="Policies: check them, show what they promise.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(policy, name="policy")


@policy.command("check")
def check(
    paths: Annotated[list[Path], typer.Argument(help="policies, their *.test.yaml, or folders")],
) -> None:
    """Validate policies and run the tests they carry.

    Exit code 1 when a story came out otherwise, 2 when a file has mistakes.
    """
    from streams.policies.checking import check as check_files, counted

    counts: Counter[str] = Counter()
    with told_clearly():
        problems: list[Problem] = []
        for result in check_files(paths):
            problems += result.problems
            if result.version:
                typer.echo(f"{result.path}  {result.version}")
                counts["policies"] += 1
            elif result.stories:
                typer.echo(f"{result.path}")
            for story in result.stories:
                counts["failed" if story.differences else "passed"] += 1
                mark = "FAIL" if story.differences else "ok  "
                typer.echo(f"  {mark} {story.name}  (line {story.line})")
                for difference in story.differences:
                    typer.echo(f"       {difference}")
        policies = counted(counts["policies"], "policy", "policies")
        stories = f"{counts['passed']} passed, {counts['failed']} failed"
        typer.echo(f"{policies} in order; stories: {stories}")
        if problems:
            raise ProblemsError(*problems)
    if counts["failed"]:
        raise typer.Exit(1)


@policy.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="policy file")],
    as_of: Annotated[
        str | None, typer.Option(help="look for holidays from this instant on, else from now")
    ] = None,
) -> None:
    """Print what a policy promises, its version, and what to look after."""
    with told_clearly():
        from streams.policies import load_policy
        from streams.policies.showing import lines_of, warnings_of

        compiled = load_policy(path)
        now_ms = SystemClock().now_ms() if as_of is None else _instant(as_of)
        for line in lines_of(compiled):
            typer.echo(line)
        for warning in warnings_of(compiled, now_ms):
            typer.echo(f"warning: {warning}")


def _instant(text: str) -> int:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        hint = "e.g. 2026-10-01T00:00:00Z"
        raise ProblemsError(Problem("--as-of", str(error), hint)) from error
