"""Documentation says what the code has: settings, commands, topics."""

import re
from itertools import takewhile
from pathlib import Path

import typer

from streams.cli.app import app
from streams.shell.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


def settings_table() -> str:
    """The settings as the table that ARCHITECTURE.md must contain."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        text = "" if shown is None or shown == "" else f"`{shown}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {text} | {field.description} |")
    return "\n".join(lines)


def test_every_setting_is_documented() -> None:
    assert settings_table() in (ROOT / "ARCHITECTURE.md").read_text()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def commands_of(group: typer.Typer, before: str = "ticketpulse") -> set[str]:
    """Every command with its groups, as it is typed."""
    found = set()
    for command in group.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "").replace("_", "-")
        found.add(f"{before} {name}")
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        found |= commands_of(sub.typer_instance, f"{before} {sub.name}")
    return found


def documented_commands() -> set[str]:
    """Commands of README's table; `a` · `b` in one cell share their first words."""
    found = set()
    for row in re.findall(
        r"^\| (`ticketpulse .*?`) \|", (ROOT / "README.md").read_text(), re.MULTILINE
    ):
        first, *others = re.findall(r"`([^`]+)`", row)
        words = takewhile(lambda word: word.isalpha() and word.islower(), first.split())
        name = " ".join(words)
        found.add(name)
        found |= {" ".join([*name.split()[:-1], other]) for other in others}
    return found


def test_every_command_is_documented() -> None:
    assert documented_commands() == commands_of(app)
