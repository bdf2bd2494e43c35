"""`python -m tests.fuzz --seconds 600`: coverage-guided fuzzing of everything that reads foreign bytes.

Begins with the kept corpus and the golden messages, ends by keeping what reaches new code. Exits with 1
and names the input when a property of `properties.py` is violated, when one input takes longer than
five seconds, or when memory grows beyond a gigabyte.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz import corpus

INPUT_BYTES_MAX = 8_192
INPUT_SECONDS_MAX = 5
MEMORY_MIB_MAX = 1_024
KEPT_BYTES_MAX = 2_048  # larger ones are seldom needed for code that smaller ones don't reach


def main() -> None:
    """Parse the command line, fuzz, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        sys.exit("atheris is not installed: `make fuzz` installs it (Linux and macOS)")
    with tempfile.TemporaryDirectory(prefix="ticketpulse-fuzz-") as name:
        folder = Path(name)
        grown, smallest, found = (folder / one for one in ("grown", "smallest", "found"))
        for one in (grown, smallest, found):
            one.mkdir()
        command = folder / "fuzz"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.fuzz.target "$@"\n')
        command.chmod(0o700)
        for number, content in enumerate([*corpus.inputs(), *corpus.examples()]):
            (grown / f"{number:05}").write_bytes(content)
        dictionary = folder / "words"
        dictionary.write_text("\n".join(corpus.words()) + "\n")
        guided = [f"-max_total_time={options.seconds}", f"-dict={dictionary}"]
        code = _fuzz(command, grown, found, guided)
        if code != 0:
            for path in found.iterdir():
                sys.stdout.write(f"{path.name}: {path.read_bytes()!r}\n")
            sys.exit(1)
        merged = [f"-max_len={KEPT_BYTES_MAX}", "-merge=1"]
        assert _fuzz(command, smallest, found, merged, grown) == 0
        corpus.keep(path.read_bytes() for path in smallest.iterdir())
    kept = corpus.inputs()
    sys.stdout.write(f"kept {len(kept)} inputs, {corpus.PATH.stat().st_size:,} bytes\n")


def _fuzz(command: Path, folder: Path, found: Path, options: list[str], *more: Path) -> int:
    limits = [
        f"-max_len={INPUT_BYTES_MAX}",
        f"-timeout={INPUT_SECONDS_MAX}",
        f"-rss_limit_mb={MEMORY_MIB_MAX}",
        f"-artifact_prefix={found}/",
        "-print_final_stats=1",
    ]
    arguments = [str(command), *limits, *options, *(str(one) for one in (folder, *more))]
    environment = {**os.environ, "FUZZ_COMMAND": str(command)}
    return subprocess.run(arguments, check=False, env=environment).returncode


if __name__ == "__main__":
    main()
