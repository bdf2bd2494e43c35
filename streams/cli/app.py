"""The `ticketpulse` command: every subcommand is a module here with `register(app)`."""

import typer

from streams.cli import (
    alerts,
    calls,
    customers,
    database,
    deadletters,
    explain,
    generate,
    importing,
    policy,
    policy_topic,
    replay,
    report,
    running,
    state,
    topics,
    whatif,
)

app = typer.Typer(
    name="ticketpulse",
    help="Service-ticket pipeline: SLA breaches at the instant they are due.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for module in (
    running,
    importing,
    generate,
    replay,
    explain,
    whatif,
    calls,
    report,
    database,
    topics,
    policy,
    policy_topic,
    deadletters,
    state,
    customers,
    alerts,
):
    module.register(app)
