"""Where the messages go: a file that appears whole or not at all, or Kafka."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import orjson

from schemas.problems import Problem, ProblemsError
from streams.importing.sorting import Message


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only when everything has been written; else nothing changes."""
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".partial", delete=False
        ) as file:
            partial = Path(file.name)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.chmod(0o644)
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except FileNotFoundError as error:
        if path.parent.is_dir():
            raise
        hint = "create the folder first"
        raise ProblemsError(Problem(str(path), f"no folder {path.parent}", hint)) from error


class RejectedFile:
    """Rejected rows as JSON lines. The file appears with the first one, and whole on `finish`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._spool: IO[bytes] = tempfile.TemporaryFile(prefix="ticketpulse-rejected-")  # noqa: SIM115  # closed by finish

    def add(self, document: dict[str, object]) -> None:
        self.rows += 1
        self._spool.write(orjson.dumps(_printable(document), option=orjson.OPT_APPEND_NEWLINE))

    def finish(self) -> None:
        """Write the file when there is something to say; take away the one of an earlier run."""
        with self._spool as spool:
            if not self.rows:
                self.path.unlink(missing_ok=True)
                return
            spool.seek(0)
            with whole_file(self.path) as file:
                while chunk := spool.read(1 << 20):
                    file.write(chunk)


def _printable(value: object) -> object:
    """Bytes foreign to the encoding (kept as surrogates) as `\\xNN`: JSON has no other way."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {str(_printable(key)): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value


class Publisher(Protocol):
    """Sends one message; `close` returns when every one has been acknowledged, or raises."""

    def send(self, message: Message) -> None: ...

    def close(self) -> None: ...
