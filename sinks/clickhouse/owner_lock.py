"""One process owns an embedded data directory; whoever comes second learns who the first is."""

import fcntl
import os
from io import TextIOWrapper
from pathlib import Path

from schemas.problems import Problem, ProblemsError

LOCK_NAME = "owner.lock"
OTHERS = (
    "stop that process, or set TICKETPULSE_DATA_DIR to another folder, "
    "or TICKETPULSE_CLICKHOUSE_URL to a ClickHouse server that processes can share"
)


class OwnerLock:
    """Held from `take` to `release`; the operating system releases it when the process dies."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_NAME
        self._file: TextIOWrapper | None = None

    def take(self) -> None:
        """Make the directory and own it; ProblemsError when that can't be."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise ProblemsError(_unusable(self._path.parent, error)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = self._read_owner()
            self._file.close()
            self._file = None
            raise ProblemsError(owned_by_another(self._path.parent, owner)) from error
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def release(self) -> None:
        """Give it back. May be called twice. The file stays: removing it would race with a taker."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read_owner(self) -> str:
        assert self._file is not None
        self._file.seek(0)
        return self._file.read(32).strip()


def owned_by_another(directory: Path, owner: str) -> Problem:
    """The message for a directory that another process holds open."""
    who = f"process {owner}" if owner else "another process"
    return Problem(str(directory), f"the data directory is in use by {who}", OTHERS)


def _unusable(directory: Path, error: OSError) -> Problem:
    what = f"can't be used as data directory: {error.strerror or error}"
    return Problem(str(directory), what, "choose a writable folder with TICKETPULSE_DATA_DIR")
