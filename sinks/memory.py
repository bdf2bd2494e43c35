"""A sink without a database: for tests, replays and demos. Same promises as the real one."""

import threading
from collections.abc import Sequence
from typing import cast

import orjson

from sinks.clickhouse.tables import BY_NAME, TableSpec
from sinks.contract import Batch, SinkRefused

Row = dict[str, object]
Key = tuple[object, ...]


class MemorySink:
    """Keeps, per table and natural key, the row of the highest version."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[Key, Row]] = {name: {} for name in BY_NAME}
        self._lock = threading.Lock()

    def write(self, batch: Batch) -> None:
        """All rows or none: SinkRefused when one of them is not a row of the table."""
        spec = BY_NAME.get(batch.table)
        if spec is None:
            message = f"no table is called {batch.table!r}"
            raise SinkRefused(message)
        rows = [_parse(value, spec) for value in batch.rows if value.strip()]
        with self._lock:
            kept = self._rows[batch.table]
            for row in rows:
                key = tuple(row[name] for name in spec.key)
                known = kept.get(key)
                # Of equal versions the later one, as ReplacingMergeTree does.
                if known is None or _version(row) >= _version(known):
                    kept[key] = row

    def rows(self, table: str) -> Sequence[Row]:
        """Current rows in order of their key, without the removed ones."""
        spec = BY_NAME[table]
        with self._lock:
            kept = sorted(self._rows[table].items(), key=lambda item: tuple(map(str, item[0])))
        return [row for _, row in kept if not (spec.removed and row.get(spec.removed))]

    def close(self) -> None:
        """Nothing to release; the rows stay readable."""


def _version(row: Row) -> int:
    return cast("int", row["version"])


def _parse(value: bytes, spec: TableSpec) -> Row:
    try:
        row = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        message = f"{spec.name}: not JSON: {error}"
        raise SinkRefused(message, rows_at_fault=True) from error
    if not isinstance(row, dict):
        message = f"{spec.name}: not an object"
        raise SinkRefused(message, rows_at_fault=True)
    missing = [name for name in (*spec.key, "version") if row.get(name) is None]
    if missing:
        message = f"{spec.name}: without {', '.join(missing)}"
        raise SinkRefused(message, rows_at_fault=True)
    version = row["version"]
    if type(version) is not int or version < 0:
        message = f"{spec.name}: {version!r} is not a version"
        raise SinkRefused(message, rows_at_fault=True)
    return row
