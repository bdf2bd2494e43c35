"""Documentation says what the code has: settings, commands, topics."""

from pathlib import Path

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
