"""A file through a mapping: messages in time order, rejected rows with their reasons, a tally."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from schemas.customers import ALIAS_TOPIC, REFUSED_IN_CLEAR, Alias, CustomerIds
from schemas.mapping import Mapping
from schemas.problems import Problem, ProblemsError
from streams.importing.compiled import CompiledMapping, MadeEvent, RowView
from streams.importing.faults import Fault, RowFaultsError
from streams.importing.reading import Row, Table, open_table
from streams.importing.sorting import Message, TimeSorter

PROGRESS_EVERY_ROWS = 500
ROWS_PER_ID_MAX = 100_000

Progress = Callable[[int, int], None]  # bytes read, bytes in all


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that became no event, as people need it to mend the source."""

    number: int
    faults: tuple[Fault, ...]
    original: dict[str, str] | str

    def document(self) -> dict[str, object]:
        return {
            "row": self.number,
            "reasons": [
                {"reason": fault.reason, "detail": fault.detail, "where": fault.where}
                for fault in self.faults
            ],
            "original": self.original,
        }


@dataclass(slots=True)
class Tally:
    """What came of a file."""

    rows: int = 0
    rejected: int = 0
    events: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    entities: int = 0
    gaps: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    export_ms: int | None = None

    @property
    def accepted(self) -> int:
        return self.rows - self.rejected


OnRejected = Callable[[RejectedRow], None]


@dataclass(frozen=True, slots=True)
class Source:
    """What to convert, and how. `exported_ms`: when the file was exported, if that is known.
    `customers`: what becomes of the customer ids in it."""

    path: Path
    mapping: Mapping
    tenant: str = "default"
    rows_max: int | None = None
    exported_ms: int | None = None
    customers: CustomerIds = REFUSED_IN_CLEAR


def convert(
    source: Source, sorter: TimeSorter, on_rejected: OnRejected, progress: Progress | None = None
) -> Tally:
    """Put every event of the file into `sorter`; a row that can't be taken goes to `on_rejected`.

    Memory is bounded by the sorter's run, the rows of one id, and a hash per id.
    ProblemsError when the file can't be read or lacks columns.
    """
    mapping = source.mapping
    tally = Tally(export_ms=source.exported_ms)
    if tally.export_ms is None and mapping.exported_at is not None:
        tally.export_ms = _exported_ms(source)
    with open_table(source.path, mapping.input, mapping.columns()) as table:
        compiled = CompiledMapping(mapping, table.columns, source.tenant, source.customers)
        conversion = _Conversion(compiled, tally, sorter, on_rejected)
        rows = _watched(islice(table.rows, source.rows_max), table, progress)
        if mapping.history is None:
            for row in rows:
                conversion.take(row, RowView(row.values, export_ms=tally.export_ms))
        else:
            conversion.take_groups(rows)
        tally.gaps = compiled.gaps
    if not tally.rows:
        raise ProblemsError(Problem(str(source.path), "the file has no rows"))
    return tally


def _exported_ms(source: Source) -> int | None:
    """One second after the newest time that the export knows of; a pass over the file of its own."""
    mapping = source.mapping
    newest: int | None = None
    with open_table(source.path, mapping.input, mapping.columns()) as table:
        compiled = CompiledMapping(mapping, table.columns, source.tenant)
        for row in table.rows:
            found = compiled.newest_ms(row.values) if row.fault is None else None
            if found is not None and (newest is None or found > newest):
                newest = found
    return None if newest is None else newest + 1_000


def _watched(rows: Iterable[Row], table: Table, progress: Progress | None) -> Iterator[Row]:
    for row in rows:
        if progress is not None and row.number % PROGRESS_EVERY_ROWS == 0:
            progress(table.bytes_read(), table.bytes_total)
        yield row
    if progress is not None:
        progress(table.bytes_total, table.bytes_total)


class _Conversion:
    """One run over a file."""

    def __init__(
        self, compiled: CompiledMapping, tally: Tally, sorter: TimeSorter, on_rejected: OnRejected
    ) -> None:
        self._compiled = compiled
        self._columns = compiled.columns
        self._tally = tally
        self._sorter = sorter
        self._on_rejected = on_rejected
        self._ordinal = 0
        self._aliases: set[Alias] = set()
        self._entities: set[int] = set()  # hashes: eight bytes of an id are enough to count

    def take(self, row: Row, view: RowView) -> bool:
        """Convert one row; False when it was rejected."""
        if row.fault is not None:
            return self._reject(row, (row.fault,))
        try:
            made = self._compiled.events(view)
        except RowFaultsError as error:
            return self._reject(row, error.faults)
        mapping = self._compiled.mapping
        if not made and mapping.history is None and mapping.other_rows == "reject":
            return self._reject(row, (Fault("no_event", "no event's conditions hold"),))
        self._tally.rows += 1
        for event in made:
            self._keep(event)
        return True

    def take_groups(self, rows: Iterable[Row]) -> None:
        """Convert a file with history: rows of one id stand together and know the row before."""
        group: list[Row] = []
        group_id: str | None = None
        done: set[int] = set()
        for row in rows:
            row_id = "" if row.fault is not None else self._compiled.id_of(row.values)
            if not row_id:
                self.take(row, RowView(row.values))
                continue
            if row_id == group_id and len(group) < ROWS_PER_ID_MAX:
                group.append(row)
                continue
            self._take_group(group)
            group, group_id = [row], row_id
            if hash(row_id) in done:
                detail = f"rows of {row_id} stand apart; sort the file by id"
                self._reject(row, (Fault("scattered_id", detail),))
                group, group_id = [], None
            done.add(hash(row_id))
        self._take_group(group)

    def _take_group(self, group: list[Row]) -> None:
        previous: list[str] | None = None
        position = 0
        for row in self._ordered(group):
            view = RowView(row.values, previous, position, self._tally.export_ms)
            if self.take(row, view):
                previous = row.values
                position += 1

    def _ordered(self, group: list[Row]) -> list[Row]:
        """By the mapping's order; a row whose order can't be read is rejected."""
        placed: list[tuple[tuple[float, ...], int, Row]] = []
        for row in group:
            try:
                placed.append((self._compiled.order_of(row.values), row.number, row))
            except RowFaultsError as error:
                self._reject(row, error.faults)
        return [row for _order, _number, row in sorted(placed, key=lambda item: item[:2])]

    def _keep(self, made: MadeEvent) -> None:
        event = made.event
        tally = self._tally
        tally.events[event.type] += 1
        if tally.first_ms is None or event.ingested_ms < tally.first_ms:
            tally.first_ms = event.ingested_ms
        if tally.last_ms is None or event.ingested_ms > tally.last_ms:
            tally.last_ms = event.ingested_ms
        self._entities.add(hash(event.entity_id))
        tally.entities = len(self._entities)
        self._ordinal += 1
        place = (event.ingested_ms, event.occurred_ms, self._ordinal)
        self._sorter.add(Message(*place, made.topic, made.key, made.value))
        for alias in made.aliases:
            if alias not in self._aliases:
                self._aliases.add(alias)
                record = alias.record(event.ingested_ms)
                self._sorter.add(Message(*place, ALIAS_TOPIC, *record))

    def _reject(self, row: Row, faults: tuple[Fault, ...]) -> bool:
        self._tally.rows += 1
        self._tally.rejected += 1
        self._tally.reasons.update({fault.reason for fault in faults})
        original: dict[str, str] | str
        if row.raw is not None:
            original = row.raw
        else:
            original = dict(zip(self._columns, row.values, strict=True))
        self._on_rejected(RejectedRow(row.number, faults, original))
        return False
