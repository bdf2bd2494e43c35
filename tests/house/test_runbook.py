"""Messages that send somebody to the runbook send them to a section that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SECTIONS = set(re.findall(r"^## (.+)$", (ROOT / "deploy/RUNBOOK.md").read_text(), re.MULTILINE))


def referred() -> dict[str, str]:
    """Section → file, of everything in the code that says "see the runbook: …"."""
    found = {}
    for folder in ("schemas", "streams", "sinks"):
        for path in (ROOT / folder).rglob("*.py"):
            for section in re.findall(r"see the runbook: ([a-z ]+)", path.read_text()):
                found[section.strip()] = path.name
    return found


def test_every_section_that_a_message_names_exists() -> None:
    assert len(referred()) >= 6
    assert {section: file for section, file in referred().items() if section not in SECTIONS} == {}


def test_sections_are_written_once() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "deploy/RUNBOOK.md").read_text(), re.MULTILINE)
    assert len(headings) == len(set(headings))
