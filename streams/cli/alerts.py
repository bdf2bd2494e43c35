"""`ticketpulse alerts test`: does a page get through?"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from msgspec.structs import replace

from schemas.notifications import Notification, Wanted
from schemas.problems import Problem, ProblemsError
from sinks.receivers.contract import Receiver, ReceiverError
from streams.cli.errors import told_clearly
from streams.runtime.clock import SystemClock
from streams.shell.receivers import receivers_of
from streams.shell.settings import load_settings

TICKET = "TEST"
alerts = typer.Typer(no_args_is_help=True, help="Pages to people.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(alerts, name="alerts")


@alerts.callback()
def group() -> None:
    """Pages to people."""


@alerts.command("test")
def send_test(
    only: Annotated[
        list[str] | None, typer.Option("--receiver", help="only this one; may be repeated")
    ] = None,
) -> None:
    """Send a page of a ticket named TEST, and its end, to every receiver that is set. Exit code 1 when one
    did not take them."""
    with told_clearly():
        receivers = _chosen(receivers_of(load_settings()), only)
        failed = asyncio.run(_tell_all(receivers))
        if failed:
            raise typer.Exit(1)


def _chosen(receivers: Sequence[Receiver], only: list[str] | None) -> list[Receiver]:
    names = [receiver.name for receiver in receivers]
    if not receivers:
        what = "no receiver is set"
        hint = "set TICKETPULSE_ALERTMANAGER_URL, _WEBHOOK_URL, _SLACK_URL or another"
        raise ProblemsError(Problem("receivers", what, hint))
    for name in only or ():
        if name not in names:
            hint = f"set are: {', '.join(names)}"
            raise ProblemsError(Problem("--receiver", f"{name!r} is not set", hint))
    return [receiver for receiver in receivers if not only or receiver.name in only]


async def _tell_all(receivers: Sequence[Receiver]) -> int:
    """How many did not take it."""
    failed = 0
    for receiver in receivers:
        try:
            for notification in _page(SystemClock().now_ms()):
                await receiver.deliver([notification], SystemClock().now_ms())
        except ReceiverError as error:
            failed += 1
            typer.echo(f"{receiver.name}: FAILED: {error}")
        else:
            typer.echo(f"{receiver.name}: taken")
        finally:
            await receiver.stop()
    return failed


def _page(now_ms: int) -> Iterator[Notification]:
    """A breach that begins and ends now, under a key of its own."""
    name = f"{now_ms:x}-{os.getpid():x}"
    key = f"sla:test/ticketpulse/{TICKET}:test:{name}"
    wanted = Wanted(
        version=1,
        level="breach",
        open=True,
        ticket_id=TICKET,
        clock="test",
        cycle_id=name,
        recorded_ms=now_ms,
        due_ms=now_ms,
        breach_ms=now_ms,
        team="test",
        tenant="test",
        source="ticketpulse",
    )
    yield Notification(key, f"{key}@1", "firing", "breach", "test", wanted)
    over = replace(wanted, version=2, level="resolved", open=False)
    yield Notification(key, f"{key}@2", "resolved", "breach", "test", over)
