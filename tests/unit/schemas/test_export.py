"""What is made from the contract is up to date, and says what the contract says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from schemas import export, outcomes
from schemas.asyncapi import PUBLIC_TOPICS, asyncapi
from schemas.events import EntityKind
from schemas.fields import FIELDS
from schemas.json_schema import event_schema, row_schema
from schemas.outcomes import ROWS
from schemas.topics import OUTCOME_TOPIC_OF_TABLE, TOPICS
from schemas.wire import TYPES, Envelope
from streams.core.windows.family import BY_TABLE
from tests import outcome_rows
from tests.unit.schemas.golden import ACCEPTED, REJECTED, name_of

# JSON Schema can't say these, or judges documents only after they were read
BEYOND_SCHEMAS = {
    *("empty", "invalid_utf8", "not_json", "not_finite", "too_deep", "duplicate_field"),
    "absurd_time",
}
BEYOND_FILES = {  # the same, for single values
    "bad_value_no_such_day",
    "bad_value_off_the_scale",
    "bad_value_nps_scale",
    "bad_value_servqual_without_dimension",
    "bad_value_reputation_without_dimension",
    "bad_value_dimension_of_another_metric",
    "bad_value_dimension_on_csat",
}
SAMPLE_ROWS: dict[str, Mapping[str, object]] = {
    "ticket_clocks": outcome_rows.ticket_clock(),
    "tickets": outcome_rows.ticket(),
    "alert_intents": outcome_rows.alert_intent(),
    "dead_letters": outcomes.DeadLetterRow(
        topic="tickets",
        partition=0,
        offset=7,
        reason="not_json",
        detail="",
        key="",
        original="e30=",
        original_bytes=2,
        event_time=outcome_rows.OPENED,
        recorded_at=outcome_rows.OPENED,
        version=1,
    ),
    "partition_progress": outcome_rows.partition_progress(),
    "customer_aliases": outcome_rows.customer_alias(),
    "audit": outcome_rows.audit(),
    "calls": outcome_rows.call(),
    "call_legs": outcome_rows.call_leg(),
    "surveys": outcome_rows.survey(),
    "survey_answers": outcome_rows.survey_answer(),
    "shifts": outcome_rows.shift(),
    **{table: outcome_rows.window(table) for table in BY_TABLE},
    "complaint_numbers": outcome_rows.complaint_number(),
    "alert_actions": outcome_rows.alert_action(),
}


def test_what_is_made_from_the_contract_is_up_to_date() -> None:
    assert [str(path) for path in export.stale()] == [], "run: python -m schemas.export"


def test_the_command_mends_what_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(export, "ROOT", tmp_path)
    monkeypatch.setattr(export.stale, "__defaults__", (tmp_path,))
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "left_over.json").write_text("{}")
    readme = (Path(export.__file__).parent / "README.md").read_text(encoding="utf-8")
    (tmp_path / "README.md").write_text(
        readme.replace("| `not_json` |", "| `nonsense` |"), encoding="utf-8"
    )

    assert export.main(["--check"]) == 1
    assert "differs: README.md" in capsys.readouterr().out
    assert (tmp_path / "json" / "left_over.json").exists()
    assert export.main([]) == 0
    assert export.main(["--check"]) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme
    assert not (tmp_path / "json" / "left_over.json").exists()


def test_the_command_knows_one_option() -> None:
    assert export.main(["--force"]) == 2


def test_every_field_has_one_meaning_and_every_type_says_what_it_is() -> None:
    models = [model for types in TYPES.values() for model, _inside in types.values()]
    used = {name for model in models for name in model.model_fields}

    assert set(FIELDS) == used | set(Envelope.model_fields) | {"data"}
    assert [model.__name__ for model in models if not model.__doc__] == []


def test_the_readme_links_to_files_that_exist() -> None:
    root = Path(export.__file__).parent
    links = re.findall(r"\]\(([^)#]+)\)", (root / "README.md").read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (root / link).exists()] == []


def test_the_readme_names_every_module() -> None:
    root = Path(export.__file__).parent
    told = (root / "README.md").read_text(encoding="utf-8").split("## An event")[0]
    modules = {path.name for path in root.glob("*.py")} - {"__init__.py", "problems.py"}

    assert [name for name in sorted(modules) if f"`{name}`" not in told] == []


@pytest.mark.parametrize("kind", TYPES)
def test_event_schemas_are_schemas(kind: EntityKind) -> None:
    Draft202012Validator.check_schema(event_schema(kind))


@pytest.mark.parametrize(("kind", "path"), ACCEPTED, ids=name_of)
def test_the_schema_takes_golden_messages(kind: EntityKind, path: Path) -> None:
    Draft202012Validator(event_schema(kind)).validate(orjson.loads(path.read_bytes()))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (kind, path)
        for kind, path in REJECTED
        if path.stem not in BEYOND_FILES
        and not any(path.stem.startswith(reason) for reason in BEYOND_SCHEMAS)
    ],
    ids=name_of,
)
def test_the_schema_refuses_their_twins(kind: EntityKind, path: Path) -> None:
    document = orjson.loads(path.read_bytes())

    assert not Draft202012Validator(event_schema(kind)).is_valid(document)


def test_what_is_beyond_schemas_is_no_more_than_that() -> None:
    """Or the lists above would hide twins that a schema could refuse."""
    taken = {
        path.stem
        for kind, path in REJECTED
        if path.stem in BEYOND_FILES
        and Draft202012Validator(event_schema(kind)).is_valid(orjson.loads(path.read_bytes()))
    }

    assert taken == BEYOND_FILES


@pytest.mark.parametrize("table", ROWS)
def test_rows_are_what_their_schema_says(table: str) -> None:
    schema = row_schema(table)
    row = orjson.loads(orjson.dumps(SAMPLE_ROWS[table]))

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(row)
    assert not Draft202012Validator(schema).is_valid({**row, "unknown": 1})
    for name in row:
        assert not Draft202012Validator(schema).is_valid({k: row[k] for k in row if k != name})


def test_every_outcome_topic_has_its_row() -> None:
    assert list(ROWS) == list(OUTCOME_TOPIC_OF_TABLE)


def test_asyncapi_describes_every_public_topic_and_refers_to_what_exists() -> None:
    document: Any = asyncapi()
    root = Path(export.__file__).parent / "json"

    assert list(document["channels"]) == [spec.name for spec in PUBLIC_TOPICS]
    assert {spec.role for spec in TOPICS if spec not in PUBLIC_TOPICS} == {"changelog"}
    for reference in re.findall(rb'"\$ref":"([^"]+)"', orjson.dumps(document)):
        file, _, pointer = reference.decode().partition("#")
        if file:
            assert (root / file).is_file()
            continue
        node = document
        for step in pointer.strip("/").split("/"):
            node = node[step]
        assert node
    actions = {name: operation["action"] for name, operation in document["operations"].items()}
    assert actions["receive-tickets"] == "receive"
    assert actions["send-outcomes-ticket-clocks"] == "send"
