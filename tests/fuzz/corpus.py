"""Inputs that reach different code, kept as one file: found by fuzzing, replayed by a test."""

import re
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

PATH = Path(__file__).with_name("corpus.zip")
EXAMPLES = Path(__file__).parents[2] / "schemas/examples"
# places in `properties.TARGETS`: of the messages of each kind, and of a line at the HTTP edge
_KINDS = {"ticket": 0, "call": 1, "survey": 2, "shift": 5}
_LINE = 3
_STAMP = (2020, 1, 1, 0, 0, 0)  # the same inputs make the same file


def inputs() -> list[bytes]:
    """What is kept; empty before the first run."""
    if not PATH.exists():
        return []
    with zipfile.ZipFile(PATH) as file:
        return [file.read(name) for name in sorted(file.namelist())]


def examples() -> list[bytes]:
    """The golden messages, each for its own target and for the HTTP edge."""
    found = []
    for kind, number in _KINDS.items():
        for path in sorted((EXAMPLES / kind).rglob("*.json")):
            content = path.read_bytes()
            found += [bytes([number]) + content, bytes([_LINE]) + content]
    return found


def words() -> list[str]:
    """Names that a message is made of, in libFuzzer's dictionary form: chance would not find them."""
    found = {word for one in examples() for word in re.findall(rb'"[a-z_]{3,30}"', one)}
    return [f'"\\"{word.decode()[1:-1]}\\""' for word in sorted(found)]


def keep(some: Iterable[bytes]) -> None:
    """Write the file anew."""
    named = {sha256(one).hexdigest()[:20]: one for one in some}
    with zipfile.ZipFile(PATH, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, one in sorted(named.items()):
            file.writestr(zipfile.ZipInfo(name, _STAMP), one, zipfile.ZIP_DEFLATED)
