"""The process that fuzzes: `python -m tests.fuzz.target [libFuzzer options] CORPUS_FOLDER …`."""

import sys

import atheris

with atheris.instrument_imports(include=["schemas"]):
    from tests.fuzz.properties import check


def main() -> None:
    """Runs until libFuzzer ends the process; non-zero when a property was violated."""
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


main()
