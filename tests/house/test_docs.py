"""Documentation says what the code has: settings, commands, topics."""

import re
import subprocess
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

from streams.cli.app import app
from streams.measuring.catalogue import CATALOGUE, SOURCES
from streams.shell.metrics import METRICS
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


def metrics_table() -> str:
    """The metrics as the table that deploy/METRICS.md must contain."""
    lines = ["| metric | of | kind | unit | labels | meaning |", "|---|---|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(metric.labels)
        cells = (f"`{metric.name}`", metric.part, metric.kind, metric.unit, labels, metric.help)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measures_table() -> str:
    """The catalogue as the table that deploy/MEASURES.md must contain."""
    lines = [
        "| id | name | 名称 | unit | formula | attribution | interval | over | SQL |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in CATALOGUE:
        over = ("v_" if SOURCES[one.source].is_view else "") + one.source
        sql = "`" + one.value.replace("|", "\\|") + "`"
        cells = (
            f"`{one.id}`", one.label, one.label_zh, one.unit, one.formula, one.attribution,
            one.interval, over, sql,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def test_every_measure_is_documented() -> None:
    assert measures_table() in (ROOT / "deploy/MEASURES.md").read_text()


def test_every_metric_is_documented() -> None:
    assert metrics_table() in (ROOT / "deploy/METRICS.md").read_text()


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


DOCUMENTS = [
    path
    for path in (
        ROOT / line
        for line in subprocess.run(
            ["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.splitlines()
    )
    if path.exists()
]


def written_commands() -> list[tuple[str, list[str]]]:
    """Every `ticketpulse …` in the documents: where it stands, its words."""
    return [
        (f"{path.relative_to(ROOT)}: {written}", written.split()[1:])
        for path in DOCUMENTS
        for written in re.findall(r"(?:`|bin/)(ticketpulse [^`\n|&]+)", path.read_text())
    ]


def problem_of(words: list[str]) -> str | None:
    """What the command line would not understand."""
    command: Any = typer.main.get_command(app)
    while words and (commands := getattr(command, "commands", None)):
        if words[0] not in commands:
            return None if not words[0].islower() else f"no command {words[0]!r}"
        command, words = commands[words[0]], words[1:]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    written = {re.split(r"[=\])]", word)[0] for word in words if word.startswith("--")}
    unknown = written - known - {"--help"}
    return f"no option {', '.join(sorted(unknown))}" if unknown else None


def test_every_written_command_and_option_exists() -> None:
    commands = written_commands()
    problems = {where: problem_of(words) for where, words in commands}

    assert len(commands) > 20
    assert {where: problem for where, problem in problems.items() if problem} == {}
    assert problem_of(["import", "x.csv", "--maping", "y"]) == "no option --maping"
    assert problem_of(["policy", "chek"]) == "no command 'chek'"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    inside = [link.split("#")[0] for link in links if "://" not in link]

    assert [link for link in inside if link and not (path.parent / link).exists()] == []


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (path.name, target)
        for path in DOCUMENTS
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE)
    }

    assert {target for _, target in named} >= {"demo", "test", "check"}
    assert {(name, target) for name, target in named if target not in targets} == set()


def test_every_variable_that_is_named_is_a_setting() -> None:
    """In documents and in what a person is told to do about a mistake."""
    sources = [path for folder in ("streams", "sinks") for path in (ROOT / folder).rglob("*.py")]
    named = {
        (path.name, name)
        for path in (*sources, *DOCUMENTS)
        for name in re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", path.read_text())
    }
    settings = {PREFIX + name.upper() for name in Settings.model_fields}

    assert {name for _, name in named} >= {f"{PREFIX}BROKER_URL", f"{PREFIX}HTTP_PORT"}
    assert {(where, name) for where, name in named if name not in settings} == set()
