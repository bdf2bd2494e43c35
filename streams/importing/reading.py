"""Files → rows, one at a time, with the place each came from."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

import orjson

from schemas.mapping import Input, suggestion
from schemas.problems import Problem, ProblemsError
from streams.importing.faults import Fault

GZIP_MAGIC = b"\x1f\x8b"
FIELD_CHARS_MAX = 1_000_000


@dataclass(slots=True)
class Row:
    """A data row: its number (1 is the first after the header), its values by column position, the
    text as it stood when the values can't be had, and what is wrong with it already."""

    number: int
    values: list[str]
    raw: str | None = None
    fault: Fault | None = None


@dataclass(slots=True)
class Table:
    """An open file: its columns, its rows, and how many bytes of it have been read."""

    columns: tuple[str, ...]
    rows: Iterator[Row]
    bytes_total: int
    bytes_read: Callable[[], int]


@contextmanager
def open_table(path: Path, input_: Input, needed: frozenset[str]) -> Iterator[Table]:
    """Open a file as `input_` says. ProblemsError, in words, for what can't be opened or read."""
    with open_bytes(path) as (file, binary):
        encoding = "utf-8-sig" if input_.encoding.lower() in ("utf-8", "utf8") else input_.encoding
        text = io.TextIOWrapper(binary, encoding=encoding, errors="surrogateescape", newline="")
        if input_.format == "jsonl":
            columns, rows = _json_rows(text, needed)
        else:
            columns, rows = _csv_rows(path, text, input_)
            _check_columns(path, columns, needed)
        cleaned = _cleaned(rows, frozenset(input_.blank))
        yield Table(columns, cleaned, path.stat().st_size, file.tell)


@contextmanager
def open_bytes(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file itself (for its position) and its content, unpacked when it is gzip.

    ProblemsError for what can't be opened or read, also later, while it is being read.
    """
    with _told_as_problems(path), path.open("rb") as file:
        yield file, _unpacked(path, file)


@contextmanager
def _told_as_problems(path: Path) -> Iterator[None]:
    try:
        yield
    except gzip.BadGzipFile as error:
        raise ProblemsError(Problem(str(path), f"damaged gzip file: {error}")) from error
    except (EOFError, zlib.error) as error:
        hint = "copy or download it again"
        raise ProblemsError(Problem(str(path), "the gzip file is cut off", hint)) from error
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        if error.filename not in (None, str(path), path):
            raise
        raise ProblemsError(Problem(str(path), error.strerror or str(error))) from error


def _unpacked(path: Path, file: BinaryIO) -> BinaryIO:
    magic = file.read(len(GZIP_MAGIC))
    file.seek(0)
    if magic == GZIP_MAGIC:
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]  # a binary file in all we use
    if path.suffix == ".gz":
        hint = "unpack or rename it if it is plain text"
        raise ProblemsError(Problem(str(path), "named .gz but not gzip", hint))
    return file


def _csv_rows(path: Path, text: TextIO, input_: Input) -> tuple[tuple[str, ...], Iterator[Row]]:
    csv.field_size_limit(FIELD_CHARS_MAX)
    delimiter = input_.delimiter or ("\t" if input_.format == "tsv" else ",")
    reader = csv.reader(text, delimiter=delimiter)
    header: list[str] | tuple[str, ...] | None = input_.header
    if header is None:
        try:
            header = next(reader, None)
        except csv.Error as error:
            raise ProblemsError(Problem(f"{path}:1", f"no header line: {error}")) from error
    if not header:
        raise ProblemsError(Problem(str(path), "the file is empty", "it needs a header line"))
    columns = _distinct(header)
    return columns, _numbered(reader, len(columns), input_.ragged)


def _distinct(header: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """A name given again is told apart by a number: `Variant`, `Variant #2`."""
    seen: dict[str, int] = {}
    names: list[str] = []
    for name in (name.strip() for name in header):
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return tuple(names)


def _numbered(reader: Iterator[list[str]], width: int, ragged: bool) -> Iterator[Row]:
    number = 0
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield Row(number, [], "", Fault("unreadable_row", str(error)))
            continue
        if not values:
            continue  # an empty line is no row
        number += 1
        if ragged:  # what is missing is blank, what is too much is nobody's column
            values = (values + [""] * width)[:width]
        if len(values) == width:
            yield Row(number, values)
        else:
            detail = f"{len(values)} columns, the header has {width}"
            raw = ",".join(values)
            yield Row(number, values, raw, Fault("wrong_column_count", detail))


def _json_rows(text: TextIO, needed: frozenset[str]) -> tuple[tuple[str, ...], Iterator[Row]]:
    columns = tuple(sorted(needed))
    return columns, _json_objects(text, columns)


def _json_objects(text: TextIO, columns: tuple[str, ...]) -> Iterator[Row]:
    number = 0
    for line in text:
        if not line.strip():
            continue
        number += 1
        try:
            document = orjson.loads(line.encode(errors="surrogateescape"))
        except orjson.JSONDecodeError as error:
            yield Row(
                number, [], line.rstrip("\r\n"), Fault("unreadable_row", f"not JSON: {error}")
            )
            continue
        if not isinstance(document, dict):
            fault = Fault("not_an_object", f"a {type(document).__name__}")
            yield Row(number, [], line.rstrip("\r\n"), fault)
            continue
        values = [_json_text(_found(document, column)) for column in columns]
        yield Row(number, values, line.rstrip("\r\n"))


def _found(document: dict[str, object], column: str) -> object:
    """The value of a key, or along a path `a.b` of keys."""
    if column in document:
        return document[column]
    value: object = document
    for part in column.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _json_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _cleaned(rows: Iterator[Row], blank: frozenset[str]) -> Iterator[Row]:
    """Blanks around values go, texts that mean nothing become empty, foreign bytes are a fault."""
    for row in rows:
        values = [value.strip() for value in row.values]
        row.values = ["" if value in blank else value for value in values] if blank else values
        try:
            "".join(values).encode()
        except UnicodeEncodeError:
            row.fault = row.fault or Fault("invalid_encoding", "bytes foreign to the encoding")
        yield row


def _check_columns(path: Path, columns: tuple[str, ...], needed: frozenset[str]) -> None:
    missing = sorted(needed.difference(columns))
    if not missing:
        return
    problems = [
        Problem(str(path), f"no column {name!r}", suggestion(name, columns)) for name in missing
    ]
    shown = ", ".join(columns)[:400]
    problems.append(Problem(str(path), f"the file has: {shown}", "is this the right mapping?"))
    raise ProblemsError(*problems)
