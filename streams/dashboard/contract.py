"""What the dashboard needs from others: a reader of rows and a publisher of events."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from streams.explaining import Explanation

Row = dict[str, object]


class Reader(Protocol):
    """Answers SQL. Called from threads; may block; raises when the database can't answer."""

    def query_rows(self, sql: str, params: Mapping[str, object]) -> list[Row]:
        """Rows by column name; parameters stand as `{name:Type}` in the SQL."""
        ...


class Publisher(Protocol):
    """Hands records to the broker."""

    async def publish(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Return when the broker has acknowledged every (key, value); raise otherwise."""
        ...


@runtime_checkable
class Explainer(Protocol):
    """Explains live tickets: the compute role, when it runs in this process."""

    def explain(self, tenant: str, source: str, ticket_id: str) -> Explanation | None:
        """As of the pipeline's now; None when no such ticket is alive here."""
        ...
