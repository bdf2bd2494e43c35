"""The wheel carries what runs, and nobody else ships our top-level names."""

import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = ("schemas", "sinks", "streams")
SHIPPED_SUFFIXES = {".sql", ".json", ".yaml", ".html", ".js", ".css", ".gz", ".svg", ".txt"}


def test_top_level_names_belong_to_us_alone() -> None:
    owners = packages_distributions()

    assert {name: set(owners[name]) for name in TOP_LEVEL} == {
        name: {"ticketpulse"} for name in TOP_LEVEL
    }


@pytest.mark.slow
def test_wheel_holds_every_data_file(tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(tmp_path),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", *TOP_LEVEL], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    wanted = {name for name in tracked if Path(name).suffix in SHIPPED_SUFFIXES | {".py"}}

    assert sorted(wanted - packed) == []
    assert {name.split("/")[0] for name in packed if ".dist-info" not in name} <= set(TOP_LEVEL)
