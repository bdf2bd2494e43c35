"""Files that appear whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO

import orjson

from schemas.problems import Problem, ProblemsError


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only when everything has been written; else nothing changes.

    What is no regular file (a pipe, a terminal, /dev/null) is written to as it is.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    target = path.resolve()
    try:
        with tempfile.NamedTemporaryFile(
            dir=target.parent, prefix=f".{target.name}.", suffix=".partial", delete=False
        ) as file:
            partial = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.chmod(0o644)
                partial.replace(target)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except FileNotFoundError as error:
        if target.parent.is_dir():
            raise
        hint = "create the folder first"
        raise ProblemsError(Problem(str(path), f"no folder {path.parent}", hint)) from error


def check_distinct(source: Path, **outputs: Path | None) -> None:
    """ProblemsError when an output (by its option's name) is the file that is read, or another one."""
    taken = {source.resolve(): "the file that is read"}
    for option, path in outputs.items():
        if path is None or (path.exists() and not path.is_file()):
            continue
        name = "--" + option.replace("_", "-")
        other = taken.setdefault(path.resolve(), f"that of {name}")
        if other != f"that of {name}":
            raise ProblemsError(Problem(f"{name} {path}", f"is {other}", "name another file"))


class RejectedFile:
    """Rejected rows as JSON lines: a context manager. `finish` makes the file appear whole, or takes
    away the one of an earlier run when there is nothing to say; without it nothing changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._spool: IO[bytes] | None = None

    def __enter__(self) -> "RejectedFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._spool is not None:
            self._spool.close()

    def add(self, document: dict[str, object]) -> None:
        if self._spool is None:
            self._spool = tempfile.TemporaryFile(prefix="ticketpulse-rejected-")  # noqa: SIM115  # __exit__ closes it
        self.rows += 1
        self._spool.write(orjson.dumps(_printable(document), option=orjson.OPT_APPEND_NEWLINE))

    def finish(self) -> None:
        """After the last `add`."""
        if self._spool is None:
            if self.path.is_file():
                self.path.unlink()
            return
        self._spool.seek(0)
        with whole_file(self.path) as file:
            shutil.copyfileobj(self._spool, file)


def _printable(value: object) -> object:
    """Bytes foreign to the encoding (kept as surrogates) as `\\xNN`: JSON has no other way."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {str(_printable(key)): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value
