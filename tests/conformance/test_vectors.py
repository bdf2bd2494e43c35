"""The SLA vectors as tests: the given file, and worked cases of our own for what it leaves out."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conformance.__main__ import main
from tests.conformance.check import KINDS, checked

HERE = Path(__file__).parent
FILES = ("vectors.json", "more_vectors.json")
ORIGINALS = HERE.parents[1].parent / "shared" / "sla"

Json = Mapping[str, Any]


def read(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def vectors() -> list[Any]:
    return [
        pytest.param(vector, document["calendars"], id=f"{vector['id']} {vector['title']}")
        for document in map(read, FILES)
        for vector in document["vectors"]
        if vector["kind"] in KINDS
    ]


@pytest.mark.parametrize(("vector", "calendars"), vectors())
def test_vector(vector: Json, calendars: Json) -> None:
    assert checked(vector, calendars) == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_of_the_schema(name: str) -> None:
    jsonschema.validate(read(name), read("schema.json"))


@pytest.mark.parametrize("name", ["vectors.json", "schema.json"])
def test_the_copies_are_the_originals(name: str) -> None:
    original = ORIGINALS / name
    if not original.is_file():
        pytest.skip(f"{name} is not at ../shared/sla")
    assert (HERE / name).read_bytes() == original.read_bytes()


def test_a_line_per_vector_then_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    document = read("vectors.json")
    judged = sum(vector["kind"] in KINDS for vector in document["vectors"])
    assert main(str(HERE / "vectors.json")) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [vector["id"] for vector in document["vectors"]]
    assert [line.split()[1] for line in lines].count("ok") == judged
    assert last == f"{judged} passed, 0 failed"


def wrong(vector: Json) -> list[Json]:
    """The same vector with one expectation changed at a time: each must be noticed."""
    spoiled = []
    changes: dict[str, Any] = {
        "state": "void" if vector["expect"]["cycles"][0]["state"] != "void" else "met",
        "elapsed_ms": vector["expect"]["cycles"][0]["elapsed_ms"] + 1,
        "due_at": "2001-01-01T00:00:00Z",
        "breached": not vector["expect"]["cycles"][0]["breached"],
        "withdrawn_at": "2001-01-01T00:00:00Z",
    }
    for name, value in changes.items():
        spoiled.append(copy.deepcopy(vector))
        spoiled[-1]["expect"]["cycles"][0][name] = value
    for name, value in (
        ("cycles", []),
        ("emissions", [*vector["expect"].get("emissions", []), "more"]),
        ("flags", [{"flag": "partial_history", "event_id": None, "skew_ms": None}]),
        ("holders", [{"cycle_id": "e1", "team": "nobody"}]),
    ):
        spoiled.append(copy.deepcopy(vector))
        spoiled[-1]["expect"][name] = value
    return spoiled


def test_a_wrong_expectation_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = read("vectors.json")
    vector = next(v for v in document["vectors"] if "emissions" in v["expect"])
    document["vectors"] = wrong(vector)
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert main(str(path)) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    assert all(line.startswith(f"{vector['id']} FAIL ") for line in lines)
    assert last == f"0 passed, {len(document['vectors'])} failed"


def test_missing_flags_mean_no_flags() -> None:
    document = read("vectors.json")
    vector = next(v for v in document["vectors"] if "flags" in v["expect"])
    assert checked(vector, document["calendars"]) == []
    del vector["expect"]["flags"]
    assert checked(vector, document["calendars"])


def test_a_core_that_falls_over_fails_the_vector_and_not_the_run() -> None:
    document = read("vectors.json")
    vector = document["vectors"][0]
    assert checked(vector, {})  # its calendar is unknown
    assert checked({**vector, "kind": "of another engine"}, {}) is None


@pytest.mark.parametrize("content", [None, b"\xff", b"[", b"[]", b"{}"])
def test_a_file_that_holds_no_vectors_is_named(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no.json"
    if content is not None:
        path.write_bytes(content)
    assert main(str(path)) == 2
    assert f"{path}: not a file of SLA vectors" in capsys.readouterr().err
