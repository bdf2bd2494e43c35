"""`python -m tests.conformance FILE`: one line per vector, then how many passed and failed."""

import json
import sys
from pathlib import Path

from tests.conformance.check import differences


def main(path: str) -> int:
    """Exit code: 1 when a vector fails."""
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    passed = failed = 0
    for vector in document["vectors"]:
        found = differences(vector, document["calendars"])
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
