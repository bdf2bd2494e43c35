"""One bad row must not hold up the others: find it by halving, store the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sinks.batching import SourceRow, batch_of
from sinks.contract import Sink, SinkRefused

REFUSED_ALONE_MAX = 50


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that the database refuses even alone, and what it said."""

    row: SourceRow
    detail: str


@dataclass(slots=True)
class _Outcome:
    stored: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


def write_isolating(sink: Sink, table: str, rows: Sequence[SourceRow]) -> list[RefusedRow]:
    """Store every row that can be stored; return the others. Costs one write when all are good.

    Raises SinkError when the sink is unwell, and SinkRefused when nothing at all is accepted: then
    the table is wrong, not the rows, and calling them bad would throw good data away.
    """
    outcome = _Outcome()
    _write(sink, table, rows, outcome)
    return outcome.refused


def _write(sink: Sink, table: str, rows: Sequence[SourceRow], outcome: _Outcome) -> None:
    try:
        sink.write(batch_of(table, rows))
    except SinkRefused as error:
        if not error.rows_at_fault:
            raise
        if len(rows) > 1:
            middle = len(rows) // 2
            _write(sink, table, rows[:middle], outcome)
            _write(sink, table, rows[middle:], outcome)
            return
        outcome.refused.append(RefusedRow(rows[0], str(error)))
        if outcome.stored == 0 and len(outcome.refused) >= REFUSED_ALONE_MAX:
            message = f"{table}: the first {REFUSED_ALONE_MAX} rows were all refused: {error}"
            raise SinkRefused(message) from error
    else:
        outcome.stored += len(rows)
