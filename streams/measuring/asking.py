"""Metrics out of ClickHouse: one query per source gives any number of them, by period and dimension."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Literal, Protocol

from sinks.clickhouse.queries import read_query
from streams.core.measures import USUAL, CustomerMeasures
from streams.measuring.catalogue import BY_ID, SOURCES, Definition, Source

Period = Literal["all", "hour", "day", "week", "month"]

# A week begins on Monday; all of them in the zone of the question.
_BUCKETS: Mapping[Period, str] = {
    "all": "fromUnixTimestamp64Milli({from_ms:Int64})",
    "hour": "toStartOfInterval(AT, INTERVAL 1 HOUR, {zone:String})",
    "day": "toStartOfDay(AT, {zone:String})",
    "week": "toDateTime(toStartOfWeek(AT, 1, {zone:String}), {zone:String})",
    "month": "toDateTime(toStartOfMonth(AT, {zone:String}), {zone:String})",
}


class Reader(Protocol):
    """Asks a database."""

    def query_rows(self, sql: str, params: Mapping[str, object]) -> list[dict[str, object]]:
        """Rows by column name; parameters stand as `{name:Type}` in the SQL."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a span of event time [from, to), and how it is split. `by`: dimensions, which every
    source of the metrics must have. `only`: dimension → values. `now_ms` decides what is provisional, `customers`
    how long."""

    from_ms: int
    to_ms: int
    now_ms: int
    tenant: str = ""
    zone: str = "UTC"
    period: Period = "all"
    by: tuple[str, ...] = ()
    only: Mapping[str, Sequence[str]] | None = None
    customers: CustomerMeasures = USUAL.customers


@dataclass(frozen=True, slots=True)
class Measured:
    """One number. `value` None: nothing was counted. `period_ms`: beginning of its period."""

    metric: str
    period_ms: int
    by: tuple[str, ...]
    value: float | None
    low: float | None
    high: float | None
    sample: int


def measure(reader: Reader, metrics: Iterable[str], question: Question) -> list[Measured]:
    """The numbers of the metrics named, by source, period and dimensions. KeyError: no such metric.

    A source that lacks a dimension asked for is a mistake of the caller (ValueError).
    """
    of_source: dict[str, list[Definition]] = defaultdict(list)
    for name in metrics:
        definition = BY_ID[name]
        of_source[definition.source].append(definition)
    found: list[Measured] = []
    for name, definitions in of_source.items():
        rows = reader.query_rows(
            query_of(SOURCES[name], definitions, question), _parameters(question)
        )
        found += [
            _measured(definition, at, row, question)
            for row in rows
            for at, definition in enumerate(definitions)
        ]
    return found


def query_of(source: Source, definitions: Sequence[Definition], question: Question) -> str:
    """The SQL that gives these metrics of one source."""
    missing = {*question.by, *(question.only or ())} - set(source.dimensions)
    if missing:
        message = f"{source.name} has no dimension {', '.join(sorted(missing))}"
        raise ValueError(message)
    origin = f"v_{source.name}"
    if not source.is_view:
        origin = "(\n" + read_query("streams.measuring.sources", source.name) + ")"
    dimensions = [f"ifNull(toString({name}), '') AS by_{name}" for name in question.by]
    bucket = _BUCKETS[question.period].replace("AT", source.at)
    columns = [f"toUnixTimestamp64Milli(toDateTime64({bucket}, 3)) AS period_ms", *dimensions]
    for at, one in enumerate(definitions):
        columns += [
            f"toFloat64({one.value}) AS value_{at}",
            f"toInt64({one.sample}) AS sample_{at}",
            f"toFloat64({one.low or 'NULL'}) AS low_{at}",
            f"toFloat64({one.high or 'NULL'}) AS high_{at}",
        ]
    conditions = [
        f"{source.at} >= fromUnixTimestamp64Milli({{from_ms:Int64}})",
        f"{source.at} < fromUnixTimestamp64Milli({{to_ms:Int64}})",
        "({tenant:String} = '' OR tenant = {tenant:String})",
        *(
            f"has({{only_{name}:Array(String)}}, ifNull(toString({name}), ''))"
            for name in question.only or ()
        ),
    ]
    groups = ", ".join(["period_ms", *(f"by_{name}" for name in question.by)])
    return (
        "SELECT\n    "
        + ",\n    ".join(columns)
        + f"\nFROM {origin}\nWHERE "
        + "\n    AND ".join(conditions)
        + f"\nGROUP BY {groups}\nORDER BY {groups}"
    )


def share_of(reader: Reader, query: str, question: Question, before_ms: int) -> tuple[int, int]:
    """Hits and whole of a metric that compares periods: one of `streams.measuring.queries`."""
    sql = read_query("streams.measuring.queries", query)
    (row,) = reader.query_rows(sql, {**_parameters(question), "before_ms": before_ms})
    return int(str(row["hits"])), int(str(row["whole"]))


def _parameters(question: Question) -> dict[str, object]:
    only = {f"only_{name}": list(values) for name, values in (question.only or {}).items()}
    return {
        "from_ms": question.from_ms,
        "to_ms": question.to_ms,
        "now_ms": question.now_ms,
        "tenant": question.tenant,
        "zone": question.zone,
        "window_ms": question.customers.first_contact_within_ms,
        **only,
    }


def _measured(
    definition: Definition, at: int, row: Mapping[str, object], question: Question
) -> Measured:
    return Measured(
        definition.id,
        int(str(row["period_ms"])),
        tuple(str(row[f"by_{name}"]) for name in question.by),
        _number(row[f"value_{at}"]),
        _number(row[f"low_{at}"]),
        _number(row[f"high_{at}"]),
        int(str(row[f"sample_{at}"])),
    )


def _number(value: object) -> float | None:
    if value is None:
        return None
    number = float(str(value))
    return None if isnan(number) else number
