"""`python -m tests.conformance FILE`: one line per vector, then how many passed and failed."""

import json
import sys
from pathlib import Path

from tests.conformance.check import checked


def main(path: str) -> int:
    """Exit code: 1 when a vector fails, 2 when the file can't be used."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        vectors, calendars = document["vectors"], document["calendars"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{path}: not a file of SLA vectors: {type(error).__name__}: {error}\n")
        return 2
    passed = failed = 0
    for vector in vectors:
        found = checked(vector, calendars)
        if found is None:
            line = "skipped"
        elif found:
            failed += 1
            line = "FAIL " + "; ".join(found)
        else:
            passed += 1
            line = "ok"
        sys.stdout.write(f"{vector['id']} {line}\n")
    sys.stdout.write(f"{passed} passed, {failed} failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.conformance FILE")
    sys.exit(main(sys.argv[1]))
