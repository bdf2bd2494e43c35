"""`ticketpulse report`: daily log, weekly and monthly report, complaint statistics."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.instants import from_ms
from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.migrate import status
from streams.cli.database import opened_database
from streams.cli.errors import told_clearly
from streams.cli.zones import zone_option
from streams.measuring.catalogue import SOURCES
from streams.policies import load_book
from streams.reporting.html import page_of
from streams.reporting.periods import Kind, span_of
from streams.reporting.report import Asked, Report, make_report
from streams.reporting.sheets import csv_of, write_workbook
from streams.reporting.texts import Language
from streams.runtime.clock import SystemClock
from streams.shell.settings import load_settings

report = typer.Typer(no_args_is_help=True, help="Reports: as a page, a workbook, or CSV.")


class Form(StrEnum):
    """Of the file."""

    HTML = "html"
    XLSX = "xlsx"
    CSV = "csv"


class Tongue(StrEnum):
    """Of the words."""

    EN = "en"
    ZH = "zh-CN"


Day = Annotated[str, typer.Option("--date", help="a day of the period, YYYY-MM-DD; else yesterday")]
Zone = Annotated[str, typer.Option(help="IANA zone whose days are counted")]
Scope = Annotated[str, typer.Option(help="limit to one value, e.g. team=billing or queue=vip")]
FormOption = Annotated[Form, typer.Option("--format", help="of the file")]
TongueOption = Annotated[Tongue, typer.Option("--language", help="of the words")]
Out = Annotated[Path | None, typer.Option(help="file to write; CSV and HTML go to the screen else")]
Tenant = Annotated[str, typer.Option(help="one tenant; else all")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(report, name="report")


@report.command("daily")
def daily(
    day: Day = "", zone: Zone = "UTC", scope: Scope = "", form: FormOption = Form.HTML,
    language: TongueOption = Tongue.EN, out: Out = None, tenant: Tenant = "",
) -> None:  # fmt: skip
    """The daily log (日志): the day against the day before."""
    _write("daily", day, zone, scope, form, language, out, tenant)


@report.command("weekly")
def weekly(
    day: Day = "", zone: Zone = "UTC", scope: Scope = "", form: FormOption = Form.HTML,
    language: TongueOption = Tongue.EN, out: Out = None, tenant: Tenant = "",
) -> None:  # fmt: skip
    """The weekly report (周报): Monday to Sunday against the week before."""
    _write("weekly", day, zone, scope, form, language, out, tenant)


@report.command("monthly")
def monthly(
    day: Day = "", zone: Zone = "UTC", scope: Scope = "", form: FormOption = Form.HTML,
    language: TongueOption = Tongue.EN, out: Out = None, tenant: Tenant = "",
) -> None:  # fmt: skip
    """The monthly report (月报) against the month before."""
    _write("monthly", day, zone, scope, form, language, out, tenant)


@report.command("complaints")
def complaints(
    day: Day = "", zone: Zone = "UTC", scope: Scope = "", form: FormOption = Form.HTML,
    language: TongueOption = Tongue.EN, out: Out = None, tenant: Tenant = "",
) -> None:  # fmt: skip
    """Complaints of a month by cause (投诉分类统计表), with corrective actions, against the month before."""
    _write("complaints", day, zone, scope, form, language, out, tenant)


def _write(
    kind: Kind, day: str, zone: str, scope: str, form: Form, language: Tongue, out: Path | None,
    tenant: str,
) -> None:  # fmt: skip
    with told_clearly():
        local = zone_option(zone)
        now_ms = SystemClock().now_ms()
        # Yesterday: of today there is not all yet.
        wanted = _day(day) or from_ms(now_ms - 86_400_000).astimezone(local).date()
        span, only = span_of(kind, wanted, local), _scope(scope)
        rules = load_book(load_settings().policy).as_of(now_ms).measures.customers
        asked = Asked(kind, span, local, now_ms, tenant, only, rules)
        if form is Form.XLSX and out is None:
            raise ProblemsError(
                Problem("--out", "a workbook needs a file", "e.g. --out report.xlsx")
            )
        with opened_database() as database:
            if status(database).pending:
                hint = "run `ticketpulse migrate up`, or check TICKETPULSE_DATA_DIR and TICKETPULSE_CLICKHOUSE_URL"
                raise ProblemsError(
                    Problem("database", "it lacks the tables of this program", hint)
                )
            made = make_report(database, asked)
        if made.empty:
            hint = "is the date right, and has the pipeline run? `ticketpulse query 'SELECT …'`"
            raise ProblemsError(Problem(str(wanted), "there is no data of that period", hint))
        _save(made, form, "zh-CN" if language is Tongue.ZH else "en", out)


def _save(made: Report, form: Form, language: Language, out: Path | None) -> None:
    try:
        if form is Form.XLSX:
            assert out is not None
            write_workbook(made, language, out)
        else:
            text = page_of(made, language) if form is Form.HTML else csv_of(made, language)
            if out is None:
                typer.echo(text)
                return
            # A byte order mark: a spreadsheet would take the Chinese for something else.
            out.write_text(text, encoding="utf-8-sig" if form is Form.CSV else "utf-8")
    except OSError as error:
        what = f"can't be written: {error.strerror or error}"
        raise ProblemsError(Problem(str(out), what)) from error
    typer.echo(f"written: {out}")


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        what, hint = f"{text!r} is no day", "write it as 2026-11-25"
        raise ProblemsError(Problem("--date", what, hint)) from error


def _scope(text: str) -> tuple[str, str] | None:
    if not text:
        return None
    name, _, value = text.partition("=")
    known = sorted({one for source in SOURCES.values() for one in source.dimensions})
    if not value or name not in known:
        hint = f"dimension=value; dimensions: {', '.join(known)}"
        raise ProblemsError(Problem("--scope", f"{text!r} is no scope", hint))
    return name, value
