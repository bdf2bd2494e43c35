"""`ticketpulse up`, `demo`, and each role on its own."""

import asyncio
import logging
import webbrowser
from typing import Annotated

import typer

from streams.cli.errors import told_clearly
from streams.dashboard.server import Dashboard
from streams.importing import BOSTON_SAMPLE_SPEED
from streams.shell.application import ROLES, Told, run_roles
from streams.shell.demo import run_demo
from streams.shell.settings import Settings, load_settings

Port = Annotated[
    int | None, typer.Option(min=0, max=65_535, help="port of the live page; 0 takes a free one")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("demo")(demo)
    app.command("compute")(compute)
    app.command("writer")(writer)
    app.command("notifier")(notifier)
    app.command("registrar")(registrar)
    app.command("dashboard")(dashboard)


def up(port: Port = None) -> None:
    """Run everything in one process; broker and ClickHouse embedded, or yours by URL."""
    _run(load_with(http_port=port), ROLES)


def demo(
    port: Port = None,
    speed: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="virtual seconds per second")
    ] = BOSTON_SAMPLE_SPEED,
    browser: Annotated[bool, typer.Option(help="open the page in the browser")] = True,
) -> None:
    """Run everything on the shipped sample of real service requests, on a virtual clock."""
    with told_clearly():
        settings = load_settings(http_port=port)
        _log_to_stderr(settings, "WARNING")
        asyncio.run(run_demo(settings, _told(settings, open_page=browser), speed))
        typer.echo("stopped")


def compute() -> None:
    """Run the compute role alone: events in, outcomes out."""
    _run(load_with(), ("compute",))


def writer() -> None:
    """Run the writer role alone: outcomes into ClickHouse."""
    _run(load_with(), ("writer",))


def notifier() -> None:
    """Run the notifier alone: breaches and their ends to Alertmanager or a webhook."""
    _run(load_with(), ("notifier",))


def registrar() -> None:
    """Run the registrar alone: complaints get their numbers."""
    _run(load_with(), ("registrar",))


def dashboard(port: Port = None) -> None:
    """Run the live page, its API and the ingest edge alone."""
    _run(load_with(http_port=port), ("dashboard",))


def load_with(**overrides: object) -> Settings:
    """The settings; mistakes are told, and the program ends."""
    with told_clearly():
        return load_settings(**overrides)
    raise AssertionError  # told_clearly has ended the program


def _run(settings: Settings, roles: tuple[str, ...]) -> None:
    with told_clearly():
        _log_to_stderr(settings, settings.log_level)
        asyncio.run(run_roles(settings, roles, _told(settings, open_page=False)))
        typer.echo("stopped")


def _told(settings: Settings, *, open_page: bool) -> Told:
    async def told(page: Dashboard | None) -> None:
        if page is None:
            typer.echo("running; Ctrl-C stops")
            return
        typer.echo(f"live page: {page.url}")
        if open_page:
            # In a thread: some browsers keep the caller waiting. Without a display nothing happens.
            await asyncio.to_thread(webbrowser.open, page.url)

    return told


def _log_to_stderr(settings: Settings, level: str) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    if settings.log_level != "DEBUG":
        for name in ("aiokafka", "faust", "mode", "kafka", "aiohttp.access"):
            logging.getLogger(name).setLevel(logging.ERROR)
