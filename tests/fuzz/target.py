"""The process that fuzzes, started by `python -m tests.fuzz`: libFuzzer's options, then folders of inputs.

`FUZZ_COMMAND` is a file that runs it: libFuzzer starts itself again to merge corpora.
"""

import os
import sys

import atheris

with atheris.instrument_imports(include=["schemas"]):
    from tests.fuzz.properties import check


def main() -> None:
    """Runs until libFuzzer ends the process; non-zero when a property was violated."""
    atheris.Setup([os.environ["FUZZ_COMMAND"], *sys.argv[1:]], check)
    atheris.Fuzz()


main()
