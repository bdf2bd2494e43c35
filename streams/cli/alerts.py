"""`ticketpulse alerts`: what is open, what is done about it, and whether a page gets through."""

import asyncio
import getpass
import os
import secrets
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import orjson
import typer
from msgspec.structs import replace
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from schemas.instants import rfc3339
from schemas.notifications import Notification, Wanted
from schemas.outcomes import AlertActionRow, AuditRow
from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.queries import read_query
from sinks.receivers.contract import Receiver, ReceiverError
from streams.cli.database import opened_database
from streams.cli.errors import told_clearly
from streams.dashboard.access import Identity
from streams.dashboard.acting import ACTIONS_TOPIC, AUDIT_TOPIC, Asked, rows_of
from streams.runtime.clock import SystemClock
from streams.shell.receivers import receivers_of
from streams.shell.settings import load_settings
from streams.shell.tool_producer import tool_producer

ROWS_MAX = 500
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


@alerts.command("list")
def show(
    team: Annotated[str, typer.Option(help="only this team's")] = "",
    level: Annotated[str, typer.Option(help="only at_risk, or only breach")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per line")] = False,
) -> None:
    """List open alerts, the gravest and oldest first, and what was done about them."""
    with told_clearly(), opened_database() as database:
        rows = database.query_rows(
            read_query("streams.dashboard.queries", "alerts"),
            {"tenant": "", "team": team, "level": level, "search": "", "rows_max": ROWS_MAX},
        )
        if as_json:
            for row in rows:
                typer.echo(orjson.dumps(row).decode())
            return
        table = Table("level", "due", "team", "alert", "handling", box=None)
        for row in rows:
            due = "" if row["due_ms"] is None else rfc3339(int(str(row["due_ms"])))
            handling = f"{row['action']} by {row['actor']}" if row["action"] else ""
            cells = (row["level"], due, row["team_name"], row["key"], handling)
            table.add_row(*map(str, cells))
        Console(width=200).print(table)
        typer.echo(f"{len(rows)} open")


Key = Annotated[str, typer.Argument(help="key of the alert, as `alerts list` shows it: sla:…")]
Reason = Annotated[str, typer.Option(help="why; stands in the audit")]


@alerts.command("ack")
def acknowledge(
    key: Key,
    minutes: Annotated[
        int | None, typer.Option(min=1, help="it holds; else as the file says")
    ] = None,
    reason: Reason = "",
) -> None:
    """Acknowledge an alert: the next rung of its ladder waits until that expires."""
    _act(key, "acknowledge", minutes, reason)


@alerts.command("release")
def release(key: Key, reason: Reason = "") -> None:
    """Take an acknowledgement back."""
    _act(key, "release", None, reason)


@alerts.command("silence")
def silence(
    key: Key,
    minutes: Annotated[int, typer.Option(min=1, help="nothing is told of it for so long")] = 60,
    reason: Reason = "",
) -> None:
    """Say nothing of an alert for a while. Its end is told all the same."""
    _act(key, "silence", minutes, reason)


def _act(
    key: str, action: Literal["acknowledge", "release", "silence"], minutes: int | None, reason: str
) -> None:
    """Write it down, and who did it, as the page does."""
    with told_clearly():
        try:
            asked = Asked(key=key, action=action, minutes=minutes, reason=reason)
        except ValidationError as error:
            first = error.errors()[0]
            raise ProblemsError(
                Problem(key, first["msg"], "see `ticketpulse alerts list`")
            ) from error
        now_ms = SystemClock().now_ms()
        who = Identity(getpass.getuser(), "admin")
        asyncio.run(_written(*rows_of(asked, who, now_ms, secrets.token_hex(6))))
        typer.echo(f"{action}: {key}")


async def _written(action: AlertActionRow, audit: AuditRow) -> None:
    async with tool_producer(load_settings(), "ticketpulse-alerts") as producer:
        for topic, key, row in (
            (AUDIT_TOPIC, audit["audit_id"], audit),
            (ACTIONS_TOPIC, action["key"], action),
        ):
            await producer.publish(
                topic, [(key.encode(), orjson.dumps(row, option=orjson.OPT_UTC_Z))]
            )


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
