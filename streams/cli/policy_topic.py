"""`ticketpulse policy publish`, `list` and `rejudge`: versions on their topic, for running workers."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from schemas.instants import parse_rfc3339, rfc3339, to_ms
from schemas.policy_records import NOTE_LENGTH_MAX, PublishedPolicy
from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.core.policy import PolicyBook
from streams.policies import load_book
from streams.policies.loading import read_policy_text
from streams.policies.publishing import (
    LEAD_MS,
    Listed,
    PolicyShelf,
    PublishRequest,
    RejudgeRequest,
    ordered,
    prepared,
)
from streams.runtime.clock import SystemClock
from streams.shell.policy_feed import read_policies, send_record
from streams.shell.settings import Settings, load_settings

GROUP = "policy"
NOW = "now"

Broker = Annotated[str | None, typer.Option(help="host:port of Kafka, else the setting broker_url")]


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return "unknown"


By = Annotated[str, typer.Option(help="who does it, for the audit", default_factory=_login)]


def register(app: typer.Typer) -> None:
    """Add the commands to the group `policy`, which other modules add to as well."""
    group = next((one.typer_instance for one in app.registered_groups if one.name == GROUP), None)
    if group is None:
        group = typer.Typer(no_args_is_help=True, help="Check policies, publish them to workers.")
        app.add_typer(group, name=GROUP)
    group.command("publish")(publish)
    group.command("list")(list_)
    group.command("rejudge")(rejudge)


def publish(
    file: Annotated[Path, typer.Argument(help="policy file")],
    by: By,
    effective_from: Annotated[
        str | None,
        typer.Option(help="instant (RFC 3339) or `now`; else the file's own effective_from"),
    ] = None,
    retroactive: Annotated[
        bool, typer.Option("--retroactive", help="also when its time has begun already")
    ] = False,
    note: Annotated[str, typer.Option(help="what has changed, for the audit")] = "",
    broker: Broker = None,
) -> None:
    """Put a version of a policy on its topic; running workers judge by it from its instant on.

    What was judged before stays. A file with mistakes publishes nothing.
    """
    with told_clearly():
        settings = _settings(broker)
        _check_length("--note", note)
        now_ms = SystemClock().now_ms()
        request = PublishRequest(
            text=read_policy_text(file),
            file=str(file),
            beside=lambda name: (file.parent / name).read_bytes(),
            by=by,
            note=note,
            effective_from_ms=_effective_ms(effective_from, now_ms),
            retroactive=retroactive,
        )
        shelf = asyncio.run(read_policies(settings, _base(settings)))
        record = prepared(request, shelf, now_ms)
        known = shelf.get(record.version)
        if known is not None and known.record is record:
            at, who = rfc3339(to_ms(record.published_at)), record.published_by
            typer.echo(f"{record.version} was published at {at} by {who}: nothing to do")
            return
        asyncio.run(send_record(settings, record))
        typer.echo(_told(record))


def list_(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    broker: Broker = None,
) -> None:
    """Show every version with the time in which it is in force, and every rejudgement."""
    with told_clearly():
        settings = _settings(broker)
        shelf = asyncio.run(read_policies(settings, _base(settings)))
        if as_json:
            typer.echo(orjson.dumps(_document(shelf)).decode())
        else:
            _show(shelf)


def rejudge(
    version: Annotated[str, typer.Option(help="the version to judge by, as `list` names it")],
    since: Annotated[
        str, typer.Option(help="instant (RFC 3339): what happened from then on is judged anew")
    ],
    reason: Annotated[str, typer.Option(help="why, for the audit")],
    by: By,
    yes: Annotated[bool, typer.Option("--yes", help="don't ask")] = False,
    broker: Broker = None,
) -> None:
    """Order that history is judged anew by a version: verdicts change, breaches come and go.

    It concerns tickets that are remembered (until the horizon of the policy after their end) and have
    an event since that instant. The order stays on the topic of policies.
    """
    with told_clearly():
        settings = _settings(broker)
        _check_length("--reason", reason)
        now_ms = SystemClock().now_ms()
        request = RejudgeRequest(version, _instant("--since", since), reason, by)
        shelf = asyncio.run(read_policies(settings, _base(settings)))
        record = ordered(request, shelf, now_ms)
        if not yes:
            question = f"judge anew by {version} what happened since {since}? alerts may follow"
            typer.confirm(question, abort=True)
        asyncio.run(send_record(settings, record))
        typer.echo(f"ordered: {version} since {rfc3339(request.since_ms)}; workers begin at once")


def _settings(broker: str | None) -> Settings:
    settings = load_settings(broker_url=broker)
    if settings.broker_url == "embedded":
        what = "the embedded broker lives inside one process: its worker knows its own file only"
        hint = "name a Kafka: --broker host:port, or TICKETPULSE_BROKER_URL"
        raise ProblemsError(Problem("broker_url", what, hint))
    return settings


def _base(settings: Settings) -> PolicyBook | None:
    """What the workers' own file says; not every machine that publishes has it."""
    return load_book(settings.policy) if settings.policy.exists() else None


def _check_length(option: str, text: str) -> None:
    if len(text) > NOTE_LENGTH_MAX:
        raise ProblemsError(Problem(option, f"longer than {NOTE_LENGTH_MAX} characters"))


def _effective_ms(text: str | None, now_ms: int) -> int | None:
    if text is None:
        return None
    return now_ms + LEAD_MS if text == NOW else _instant("--effective-from", text)


def _instant(option: str, text: str) -> int:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        hint = "e.g. 2026-01-19T08:00:00Z"
        raise ProblemsError(Problem(option, f"no instant: {error}", hint)) from error


def _told(record: PublishedPolicy) -> str:
    from_ = rfc3339(to_ms(record.effective_from))
    text = f"published {record.version}, in force from {from_}"
    if record.retroactive:
        text += (
            "\nits time has begun: it judges what comes in from now on; what was judged stays, unless"
            f"\n  ticketpulse policy rejudge --version {record.version} --since {from_} --reason ..."
        )
    return text


def _document(shelf: PolicyShelf) -> dict[str, object]:
    return {
        "versions": [
            {
                "version": one.policy.version,
                "effective_from": rfc3339(one.policy.effective_from_ms),
                "published_at": None if one.record is None else one.record.published_at,
                "published_by": None if one.record is None else one.record.published_by,
                "retroactive": one.record is not None and one.record.retroactive,
                "note": "" if one.record is None else one.record.note,
            }
            for one in shelf.listed()
        ],
        "rejudgements": [one.model_dump(mode="json") for one in shelf.rejudgements],
        "problems": [str(problem) for problem in shelf.problems],
    }


def _show(shelf: PolicyShelf) -> None:
    now_ms = SystemClock().now_ms()
    listed = shelf.listed()
    in_force = shelf.book().as_of(now_ms).version if listed else None
    table = Table("version", "in force from", "published", "by", "note", box=None, pad_edge=False)
    for one in listed:
        mark = " *" if one.policy.version == in_force else ""
        table.add_row(one.policy.version + mark, rfc3339(one.policy.effective_from_ms), *_who(one))
    for order in shelf.rejudgements:
        table.add_row(
            f"judged anew by {order.version}",
            rfc3339(to_ms(order.since)),
            rfc3339(to_ms(order.ordered_at)),
            order.ordered_by,
            order.reason,
        )
    Console().print(table)
    typer.echo("* in force now" if in_force is not None else "no version is known")
    for problem in shelf.problems:
        typer.echo(f"ignored: {problem}", err=True)


def _who(one: Listed) -> tuple[str, str, str]:
    if one.record is None:
        return "from the policy file", "", ""
    note = "retroactive. " if one.record.retroactive else ""
    at = rfc3339(to_ms(one.record.published_at))
    return at, one.record.published_by, (note + one.record.note).strip()
