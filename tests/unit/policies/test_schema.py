"""The schemas for editors accept every policy and test that we ship, and refuse what is misspelt."""

from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.policy_schema import policy_file_schema, story_file_schema
from streams.importing.documents import parse_yaml
from streams.policies.stories import SUFFIX

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "deploy/policies").rglob("*.yaml"))


def plain(value: object) -> object:
    """As JSON has it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def errors_of(path: Path, text: str) -> list[str]:
    is_test = path.name.endswith(SUFFIX)
    schema = story_file_schema() if is_test else policy_file_schema()
    data = plain(parse_yaml(text, path.name).data)
    return [error.message for error in Draft202012Validator(schema).iter_errors(data)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_what_we_ship_is_accepted(path: Path) -> None:
    assert errors_of(path, path.read_text()) == []


def test_a_misspelt_key_is_refused() -> None:
    path = ROOT / "deploy/policies/boston311.yaml"
    assert errors_of(path, path.read_text().replace("at_risk", "at_rsk", 1))
    tests = path.with_suffix(SUFFIX)
    assert errors_of(tests, tests.read_text().replace("events:", "evnts:", 1))


def test_there_are_policies() -> None:
    assert len(SHIPPED) > 2
