"""Writes what is made from the contract: JSON Schemas, AsyncAPI, the tables of schemas/README.md.

python -m schemas.export            writes what differs
python -m schemas.export --check    writes nothing; exit code 1 when something differs
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas import reference
from schemas.asyncapi import asyncapi, control_file, event_file, row_file
from schemas.documents import Document
from schemas.json_schema import (
    complaints_schema,
    event_schema,
    notifications_schema,
    policy_records_schema,
    row_schema,
)
from schemas.outcomes import ROWS
from schemas.policy_schema import escalation_schema, policy_file_schema, story_file_schema
from schemas.wire import TYPES

ROOT = Path(__file__).parent


def exported(root: Path = ROOT) -> dict[Path, str]:
    """Every file that is made, with its content as it should be."""
    documents: dict[str, Document] = {
        **{event_file(kind): event_schema(kind) for kind in TYPES},
        **{row_file(table): row_schema(table) for table in ROWS},
        control_file("notifications"): notifications_schema(),
        control_file("complaint-requests"): complaints_schema(),
        control_file("policies"): policy_records_schema(),
        "asyncapi.json": asyncapi(),
        "policy.v1.schema.json": policy_file_schema(),
        "policy-test.v1.schema.json": story_file_schema(),
        "escalation.v1.schema.json": escalation_schema(),
    }
    readme = root / "README.md"
    return {
        **{root / "json" / name: _rendered(document) for name, document in documents.items()},
        readme: reference.filled(readme.read_text(encoding="utf-8")),
    }


def stale(root: Path = ROOT) -> dict[Path, str | None]:
    """What differs: file → what it should be, None where it should not be."""
    wanted = exported(root)
    found = {*(root / "json").rglob("*.json")}
    return {
        **{path: text for path, text in wanted.items() if _content(path) != text},
        **dict.fromkeys(sorted(found - wanted.keys())),
    }


def main(arguments: Sequence[str]) -> int:
    """The command; returns the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"{__doc__}\n")
        return 2
    different = stale()
    for path, text in different.items():
        if not arguments:
            _write(path, text)
        sys.stdout.write(f"{'differs' if arguments else 'written'}: {path.relative_to(ROOT)}\n")
    return 1 if arguments and different else 0


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _rendered(document: Document) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
