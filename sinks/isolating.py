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
    rows: Sequence[SourceRow]
    stored: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


def write_isolating(sink: Sink, table: str, rows: Sequence[SourceRow]) -> list[RefusedRow]:
    """Store every row that can be stored; return the others. Costs one write when all are good.

    Raises SinkError when the sink is unwell, and SinkRefused when nothing at all is accepted: then
    the table is wrong, not the rows, and calling them bad would throw good data away.
    """
    outcome = _Outcome(rows)
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
        if outcome.stored == 0 and len(outcome.refused) == REFUSED_ALONE_MAX:
            outcome.stored = _probe(sink, table, outcome.rows)
        if outcome.stored == 0 and len(outcome.refused) >= REFUSED_ALONE_MAX:
            message = f"{table}: not one of {len(outcome.rows)} rows is accepted: {error}"
            raise SinkRefused(message) from error
    else:
        outcome.stored += len(rows)


def _probe(sink: Sink, table: str, rows: Sequence[SourceRow]) -> int:
    """How many of some rows from all over the batch are accepted, each alone."""
    accepted = 0
    for row in rows[:: max(1, len(rows) // REFUSED_ALONE_MAX)]:
        try:
            sink.write(batch_of(table, [row]))
        except SinkRefused:
            continue
        accepted += 1
    return accepted
