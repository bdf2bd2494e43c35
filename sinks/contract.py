"""What a sink promises, and how it fails.

    data is wrong   -> SinkRefused(rows_at_fault=True)    a row can't be stored: isolate it, keep the rest
    I/O is unwell   -> SinkError, retriable               nothing is lost: keep the batch, try again
                        ├ SinkBusy(retry_after_seconds)   alive but overloaded: wait, then repeat
                        └ SinkUnreachable                 not answering: repeat with backoff
    schema drift    -> SinkRefused(rows_at_fault=False)   no retry helps: stop and say so
    settings wrong  -> ProblemsError                      all at once, before anything starts

Callers ask the error (`error.retriable`) instead of keeping lists of its types.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol


class SinkError(Exception):
    """Rows were not stored, or it is unknown whether they were. Repeating a write is harmless."""

    retriable: ClassVar[bool] = True


class SinkBusy(SinkError):  # noqa: N818 - reads as what it says
    """The database is there but can't take it now; try again after the given time."""

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SinkUnreachable(SinkError):  # noqa: N818 - as above
    """No answer, or a lost one: the rows may or may not be stored."""


class SinkRefused(SinkError):  # noqa: N818 - as above
    """The database says no and will say so again."""

    retriable: ClassVar[bool] = False

    def __init__(self, message: str, *, rows_at_fault: bool = False) -> None:
        super().__init__(message)
        self.rows_at_fault = rows_at_fault


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one table, each one JSON object as bytes.

    `token` names the content: the same token means the same rows, so a sink may drop a repeat.
    """

    table: str
    rows: Sequence[bytes]
    token: str = ""


class Sink(Protocol):
    """Stores outcome rows. Rows are absolute: of one natural key the highest version counts, whatever
    was written in which order and how often."""

    def write(self, batch: Batch) -> None:
        """Return when every row is stored; raise SinkError otherwise (some may be stored even then).

        May block; may be called from several threads. An empty batch, or an empty row, is nothing.
        """
        ...

    def close(self) -> None:
        """Release everything. May be called twice."""
        ...
