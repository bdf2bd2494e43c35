"""`ticketpulse topics`: topics as they should be, against topics as they are."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from schemas.problems import Problem, ProblemsError
from schemas.topics import TOPICS
from streams.cli.errors import told_clearly
from streams.shell.kafka_rights import grant, rights_of
from streams.shell.kafka_security import security_of
from streams.shell.settings import load_settings
from streams.shell.topics_admin import TopicsPlan, ensure_topics, plan_topics

topics = typer.Typer(no_args_is_help=True, help="Create the topics, show what differs.")
Broker = Annotated[str | None, typer.Option(help="host:port of Kafka, else the setting broker_url")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(topics, name="topics")


@topics.command("plan")
def plan(broker: Broker = None) -> None:
    """Show what `apply` would create, and what differs from the declaration. Exit code 1 if anything."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        found = plan_topics(
            _address(settings.broker_url),
            settings.partitions,
            settings.topic_prefix,
            security_of(settings),
        )
        tell(found)
        if found.missing or found.drift:
            raise typer.Exit(1)


@topics.command("apply")
def apply(
    broker: Broker = None,
    replication: Annotated[
        int, typer.Option(min=-1, help="copies of each partition; -1: the broker's default")
    ] = -1,
) -> None:
    """Create what is missing. What exists is never changed: see the hints of `plan`."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        address = _address(settings.broker_url)
        security = security_of(settings)
        made = ensure_topics(
            address, settings.partitions, settings.topic_prefix, replication, security
        )
        for name in made.missing:
            typer.echo(f"created {name}")
        tell(plan_topics(address, settings.partitions, settings.topic_prefix, security))


class Role(StrEnum):
    """Whom rights are for."""

    COMPUTE = "compute"
    WRITER = "writer"
    NOTIFIER = "notifier"
    REGISTRAR = "registrar"
    DASHBOARD = "dashboard"


@topics.command("grant")
def grant_rights(
    role: Annotated[Role, typer.Argument(help="the role whose rights are given")],
    user: Annotated[str, typer.Argument(help="the user of Kafka who gets them")],
    dry_run: Annotated[bool, typer.Option(help="only show them")] = False,
    broker: Broker = None,
) -> None:
    """Give a user of Kafka what a role needs, and nothing else (ACLs; the broker needs an authorizer)."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        rights = rights_of(role.value, settings)
        for right in rights:
            operations = ", ".join(right.operations)
            typer.echo(f"{right.resource.lower():8} {right.name}: {operations}")
        if not dry_run:
            _address(settings.broker_url)
            grant(settings, rights, user)
            typer.echo(f"given to {user}")


def _address(broker_url: str) -> str:
    if broker_url == "embedded":
        what = "the embedded broker makes its topics itself"
        hint = "name a Kafka: --broker host:port, or TICKETPULSE_BROKER_URL"
        raise ProblemsError(Problem("broker_url", what, hint))
    return broker_url


def tell(found: TopicsPlan) -> None:
    """Print a plan."""
    table = Table("topic", "state", "what it holds", box=None, pad_edge=False)
    meanings = {spec.name: spec.meaning for spec in TOPICS}
    drift = {item.topic: item for item in found.drift}
    for name in sorted({*found.missing, *found.fine, *drift}):
        state = "missing" if name in found.missing else "differs" if name in drift else "fine"
        own = max((own for own in meanings if name.endswith(own)), key=len)  # without the prefix
        table.add_row(name, state, meanings[own])
    Console().print(table)
    for item in found.drift:
        for setting, (wanted, is_) in item.settings.items():
            typer.echo(f"{item.topic}: {setting} is {is_}, should be {wanted}. {_hint(setting)}")


def _hint(setting: str) -> str:
    if setting == "partitions":
        return (
            "Keys would move: never add partitions to a live topic; set TICKETPULSE_PARTITIONS to"
            " what is there."
        )
    return "Correct it with your Kafka's own tools."
