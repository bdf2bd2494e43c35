"""Outcome rows into ClickHouse, as the bytes they came in."""

from sinks.clickhouse.client import ClickHouse
from sinks.contract import Batch


class ClickHouseSink:
    """A `Sink` over one database. The rows are JSON objects already; nothing is parsed here."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def write(self, batch: Batch) -> None:
        """One insert. Either all rows are stored or SinkError tells; a repeat changes nothing."""
        if batch.rows:
            self._database.insert_raw(batch.table, b"\n".join(batch.rows), batch.token)

    def close(self) -> None:
        """The database belongs to who opened it; nothing to release here."""
