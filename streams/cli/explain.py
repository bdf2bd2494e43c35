"""`ticketpulse explain`: why a clock says what it says, from a file or from a running system."""

import urllib.error
import urllib.parse
import urllib.request
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from schemas.events import Event, Rejected
from schemas.instants import parse_rfc3339, rfc3339
from schemas.problems import Problem, ProblemsError
from streams.cli.errors import told_clearly
from streams.cli.zones import zone_option
from streams.explaining import explain, only_clock
from streams.explaining.rendering import document_of, text_of
from streams.importing.reading import open_bytes
from streams.policies import load_book
from streams.replay import recorded_event

ANSWER_SECONDS_MAX = 15.0


class Language(StrEnum):
    """Of the text."""

    EN = "en"
    ZH_CN = "zh-CN"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain_ticket)


def explain_ticket(
    ticket: Annotated[
        str, typer.Argument(help="the ticket as its source names it, or tenant/source/ticket")
    ],
    events: Annotated[
        Path | None, typer.Option(help="events as JSON lines (also .gz), in any order")
    ] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="policy file; repeat it for several versions")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="ask a running system, e.g. http://127.0.0.1:8311")
    ] = None,
    token: Annotated[
        str, typer.Option(envvar="TICKETPULSE_HTTP_TOKEN", help="its token, if it needs one")
    ] = "",
    as_of: Annotated[
        str | None, typer.Option(help="as of this instant (RFC 3339), else the last event")
    ] = None,
    clock: Annotated[str | None, typer.Option(help="only this clock")] = None,
    zone_name: Annotated[
        str | None, typer.Option("--zone", help="zone of the times shown, else the calendar's")
    ] = None,
    lang: Annotated[Language, typer.Option(help="language of the text")] = Language.EN,
    json_: Annotated[bool, typer.Option("--json", help="the whole explanation as JSON")] = False,
) -> None:
    """Explain one ticket: each clock's segments, how its due instant follows, who held it, what was said."""
    with told_clearly():
        if url is not None:
            if events is not None or policy or as_of is not None:
                hint = "leave out --events, --policy and --as-of, or --url"
                raise ProblemsError(Problem("--url", "a running system explains its now", hint))
            query = {"form": "json" if json_ else "text", "lang": lang.value}
            query |= {} if zone_name is None else {"zone": zone_name}
            query |= {} if clock is None else {"clock": clock}
            typer.echo(_ask(url, token, ticket, query).rstrip("\n"))
            return
        if events is None or not policy:
            hint = "give --events FILE and --policy FILE, or --url of a running system"
            raise ProblemsError(Problem("explain", "nothing to explain from", hint))
        found = _events_of(events, ticket)
        known = [event.ingested_ms for event in found]
        until_ms = max(known) if as_of is None else _instant(as_of)
        if until_ms < min(known):
            hint = f"its first event was known at {rfc3339(min(known))}"
            raise ProblemsError(Problem("--as-of", "nothing was known of the ticket then", hint))
        explanation = explain(found, load_book(policy), until_ms)
        if clock is not None:
            explanation = only_clock(explanation, clock)
        tz = None if zone_name is None else zone_option(zone_name)
        if json_:
            document = document_of(explanation, tz, lang.value)
            typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
            return
        typer.echo(text_of(explanation, tz, lang.value), nl=False)


def _events_of(path: Path, ticket: str) -> list[Event]:
    """Every event of one ticket. ProblemsError when there is none, or the name is ambiguous."""
    found: dict[str, list[Event]] = {}
    needle = ticket.rpartition("/")[2].encode()
    with open_bytes(path) as (_file, content):
        for line in content:
            # A quick look first, as most lines are of others; JSON may escape what it likes.
            if needle not in line and b"\\" not in line:
                continue
            event = recorded_event(line.strip())
            if isinstance(event, Rejected) or event.kind != "ticket":
                continue
            if ticket not in (event.entity_id, event.key):
                continue
            found.setdefault(event.key, []).append(event)
    if not found:
        hint = "is it spelt as the source spells it?"
        raise ProblemsError(Problem(str(path), f"no event of ticket {ticket!r}", hint))
    if len(found) > 1:
        hint = f"say which: {', '.join(sorted(found))}"
        raise ProblemsError(Problem(ticket, "several sources have a ticket of this name", hint))
    return next(iter(found.values()))


def _instant(text: str) -> int:
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        hint = "e.g. 2026-01-19T08:00:00Z"
        raise ProblemsError(Problem("--as-of", str(error), hint)) from error


def _ask(url: str, token: str, ticket: str, query: dict[str, str]) -> str:
    """The explanation that a running system gives."""
    parts = ticket.split("/", 2)
    if len(parts) != 3:
        raise ProblemsError(Problem(ticket, "of which source?", "write tenant/source/ticket"))
    path = "/".join(urllib.parse.quote(name, safe="") for name in parts)
    address = f"{url.rstrip('/')}/api/explain/{path}?{urllib.parse.urlencode(query)}"
    if not address.startswith(("http://", "https://")):
        raise ProblemsError(
            Problem("--url", f"{url!r} is no address", "e.g. http://127.0.0.1:8311")
        )
    request = urllib.request.Request(address)  # noqa: S310  # checked above
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS_MAX) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        try:
            detail = orjson.loads(error.read()).get("detail", error.reason)
        except orjson.JSONDecodeError:
            detail = error.reason
        raise ProblemsError(Problem(url, f"{error.code}: {detail}")) from error
    except (urllib.error.URLError, TimeoutError) as error:
        hint = "is `ticketpulse up` running there?"
        raise ProblemsError(Problem(url, f"can't be reached: {error}", hint)) from error
