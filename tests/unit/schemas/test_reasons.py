"""The list of reason codes is closed: every code in use is on it, and every one on it is in use."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.decode import _REASON_OF_ERROR, EVENT_BYTES_MAX
from schemas.documents import DEPTH_MAX
from schemas.reasons import REASONS
from schemas.timestamps import YEAR_MAX, YEAR_MIN

ROOT = Path(__file__).parents[3]
# call → which argument is the reason, where it stands by place
REASON_ARGUMENT = {"Rejected": None, "CoreRejected": 0, "DeadLetterRow": None, "_reject": 2}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for package in ("schemas", "streams", "sinks"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path.name != "reasons.py":
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def reasons_given(tree: ast.AST) -> Iterator[str]:
    """Codes that are written out where something is rejected."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name not in REASON_ARGUMENT:
            continue
        place = REASON_ARGUMENT[name]
        given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
        given += node.args[place : place + 1] if place is not None else []
        for value in given:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def test_every_code_in_use_is_on_the_list() -> None:
    used = {reason for _path, tree in trees() for reason in reasons_given(tree)}

    assert used | set(_REASON_OF_ERROR.values()) <= set(REASONS)
    assert len(used) > 10  # the search finds them


def test_every_code_on_the_list_is_in_use() -> None:
    written = {
        node.value
        for _path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert set(REASONS) <= written


@pytest.mark.parametrize("code", REASONS)
def test_each_is_told_in_both_languages_with_a_way_out(code: str) -> None:
    reason = REASONS[code]

    assert re.fullmatch(r"[a-z0-9_]+", code)
    assert reason.en
    assert reason.remedy
    assert re.search(r"[\u4e00-\u9fff]", reason.zh_cn)


def test_limits_in_the_words_are_the_limits_in_force() -> None:
    assert f"{EVENT_BYTES_MAX // 1024} KiB" in REASONS["too_large"].en
    assert f"{EVENT_BYTES_MAX // 1024} KiB" in REASONS["too_large"].zh_cn
    assert f"at most {DEPTH_MAX} levels" in REASONS["too_deep"].remedy
    assert f"before {YEAR_MIN} or after {YEAR_MAX}" in REASONS["absurd_time"].en
