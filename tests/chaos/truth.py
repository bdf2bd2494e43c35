"""What one thread makes of the events that lie in the topic, and how ClickHouse differs from it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.decode import decode
from schemas.events import Event, Rejected
from sinks.clickhouse.client import ClickHouse
from sinks.clickhouse.sink import ClickHouseSink
from sinks.contract import Batch
from streams.core.effects import Stamp
from streams.core.policy import PolicyBook
from streams.core.windows.family import FAMILIES, Family
from streams.core.windows.store import WindowStore
from streams.policies import load_book
from streams.replay import Replayer
from streams.shell.settings import Settings
from streams.shell.sources import SOURCES, TICKETS, Source
from tests.receiver import PagingReceiver

INSERT_ROWS = 5_000

# What an emission adds to a row; and what goes on growing while a clock runs: as of the emission too.
_STAMP = Stamp(0, 1, 0)
_OF_THE_EMISSION = ("version", "source_partition", "judged_at")
_KEYS = {
    "ticket_clocks": "ticket_id, clock, cycle_id",
    "tickets": "ticket_id",
    "calls": "call_id",
    "call_legs": "call_id, leg",
    "surveys": "survey_id",
    "survey_answers": "survey_id, metric, question",
    "shifts": "shift_id",
}
_SEMANTIC = {
    "elapsed_ms": "if(stopped_at IS NULL, 0, elapsed_ms) AS elapsed_ms",
    "largest_team": "if(stopped_at IS NULL, NULL, largest_team) AS largest_team",
}

Letter = tuple[str, int, int, str]  # topic, partition, offset, reason


class SourceRecords(NamedTuple):
    """Everything on the source topics."""

    events: list[Event]
    letters: set[Letter]
    total: int


class Truth(NamedTuple):
    """What has to be found: rows by table, dead letters, cycles to be paged."""

    rows: dict[str, list[bytes]]
    letters: set[Letter]
    breached: set[tuple[str, str, str]]
    paging: set[tuple[str, str, str]]  # of these, the ones whose clock still runs


async def read_sources(settings: Settings) -> SourceRecords:
    """Every record, decoded as compute does it."""
    found = [await _read_source(settings, source) for source in SOURCES]
    return SourceRecords(
        [event for one in found for event in one.events],
        set().union(*(one.letters for one in found)),
        sum(one.total for one in found),
    )


async def _read_source(settings: Settings, source: Source) -> SourceRecords:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker_url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        full = settings.topic_prefix + source.topic
        wheres = [TopicPartition(full, number) for number in range(settings.partitions)]
        consumer.assign(wheres)
        ends = await consumer.end_offsets(wheres)
        events: list[Event] = []
        letters: set[Letter] = set()
        while any([await consumer.position(where) < ends[where] for where in wheres]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    event = decode(record.value, key=record.key, kind=source.kind, received_ms=0)
                    if isinstance(event, Rejected):
                        letters.add((full, record.partition, record.offset, event.reason))
                    else:
                        events.append(event)
    finally:
        await consumer.stop()
    return SourceRecords(events, letters, sum(ends.values()))


def truth_of(source: SourceRecords, settings: Settings, until_ms: int) -> Truth:
    """One pass, one thread, a clock moved by hand."""
    events = sorted(source.events, key=lambda event: event.ingested_ms)
    book = load_book(settings.policy)
    rows: dict[str, list[bytes]] = {table: [] for table in _KEYS}
    breached: set[tuple[str, str, str]] = set()
    paging: set[tuple[str, str, str]] = set()

    def keep(final: Iterable[tuple[str, object]]) -> None:
        for table, content in final:
            rows[table].append(orjson.dumps(content, option=orjson.OPT_UTC_Z))
            if isinstance(content, dict) and content.get("breached"):
                cycle = (content["ticket_id"], content["clock"], content["cycle_id"])
                breached.add(cycle)
                if content["stopped_at"] is None and content["withdrawn_at"] is None:
                    paging.add(cycle)

    replayer = Replayer(book, keep)
    for event in events:
        if event.kind == "ticket":
            assert replayer.feed(event) is None
    replayer.finish(until_ms)
    for table, content in _others(events, book, until_ms):
        rows.setdefault(table, []).append(orjson.dumps(content, option=orjson.OPT_UTC_Z))
    return Truth(rows, source.letters, breached, paging)


def _others(
    events: Sequence[Event], book: PolicyBook, until_ms: int
) -> Iterator[tuple[str, object]]:
    """Rows of calls, questionnaires and shifts, and the windows of all."""
    windows = WindowStore()
    for source in SOURCES:
        logic = source.logic(book)
        told = [event for event in events if event.kind == source.kind]
        for state in _told_by(source, told, book, until_ms):
            windows.move([], logic.parts(state))
            if source is not TICKETS:
                yield from logic.rows(None, state, (), _STAMP)
    for key, _ in windows.changed():
        yield str(key[0]), windows.row(key, _STAMP)


def _told_by(
    source: Source, events: Iterable[Event], book: PolicyBook, until_ms: int
) -> Iterable[Any]:
    """States of every entity in the end, when all that was due has passed."""
    logic = source.logic(book)
    states: dict[str, Any] = {}
    for event in events:
        states[event.key], _ = logic.advance(states.get(event.key), event, event.ingested_ms)
    for state in states.values():
        wake_ms = logic.wake_ms(state)
        if wake_ms is None or wake_ms > until_ms:
            yield state
        else:
            yield logic.on_timer(state, until_ms)[0]


def store(truth: Truth, database: ClickHouse) -> None:
    """The rows as ClickHouse would hold them: compared in one language, by the database itself."""
    sink = ClickHouseSink(database)
    for table, rows in truth.rows.items():
        for start in range(0, len(rows), INSERT_ROWS):
            part = tuple(rows[start : start + INSERT_ROWS])
            sink.write(Batch(table, part, f"{table}-{start}"))


def differences(truth: Truth, found: ClickHouse, wanted: str) -> dict[str, list[str]]:
    """By table: the keys of rows that differ, are missing or too many. Empty lists: all is well."""
    told = {table: _rows_that_differ(found, wanted, table, keys) for table, keys in _KEYS.items()}
    letters = found.query_rows("SELECT topic, `partition`, offset, reason FROM v_dead_letters")
    found_letters = {
        (str(row["topic"]), _int(row["partition"]), _int(row["offset"]), str(row["reason"]))
        for row in letters
    }
    told |= {family.table: _windows_that_differ(found, wanted, family) for family in FAMILIES}
    told["dead_letters"] = [str(letter) for letter in sorted(found_letters ^ truth.letters)]
    pages = found.query_rows(
        "SELECT ticket_id, clock, cycle_id FROM v_alert_intents"
        " WHERE level IN ('breach', 'resolved') AND breach_at IS NOT NULL"
    )
    paged = {(str(row["ticket_id"]), str(row["clock"]), str(row["cycle_id"])) for row in pages}
    told["alert_intents"] = [str(page) for page in sorted(paged ^ truth.breached)]
    return told


def excused(receiver: PagingReceiver, kills_ms: Sequence[int]) -> list[str]:
    """Keys that were paged again after a notifier was killed: it may have been saying the end of the first
    page at that moment, nobody can know. To a pager that knows keys it is the same incident."""
    return [
        key
        for key, first_ms, again_ms in receiver.doubled
        if any(first_ms <= kill_ms <= again_ms for kill_ms in kills_ms)
    ]


def pages_that_differ(
    truth: Truth, receiver: PagingReceiver, kills_ms: Sequence[int]
) -> dict[str, list[str]]:
    """Cycles that should be firing and are not, that should not and are, and that were paged twice without
    an excuse."""
    wanted = {"/".join(cycle) for cycle in truth.paging}
    firing = {_cycle_of(key) for key in receiver.firing()}
    told = _told_in_order(receiver)
    excuses = set(excused(receiver, kills_ms))
    doubled = {_cycle_of(key) for key, _, _ in receiver.doubled if key not in excuses}
    return {
        name: [f"{cycle}: {told.get(cycle, [])}" for cycle in sorted(cycles)]
        for name, cycles in (
            ("pages lost", wanted - firing),
            ("pages that never end", firing - wanted),
            ("pages doubled", doubled),
        )
    }


def _cycle_of(key: str) -> str:
    """ticket/clock/cycle of an alert key `sla:tenant/source/ticket:clock:cycle`."""
    _, ticket, clock, cycle = key.split(":")
    return f"{ticket.rsplit('/', 1)[1]}/{clock}/{cycle}"


def _told_in_order(receiver: PagingReceiver) -> dict[str, list[tuple[str, object]]]:
    """Level or "over", and version, by cycle."""
    told: dict[str, list[tuple[str, object]]] = {}
    for page in receiver.taken:
        level = str(page["level"]) if page["status"] == "firing" else "over"
        told.setdefault(_cycle_of(str(page["key"])), []).append((level, page["version"]))
    return told


def rows_compared(truth: Truth) -> dict[str, int]:
    """How many of each table."""
    counts = {table: len(rows) for table, rows in truth.rows.items()}
    return {**counts, "dead_letters": len(truth.letters), "alert_intents": len(truth.breached)}


def _rows_that_differ(found: ClickHouse, wanted: str, table: str, keys: str) -> list[str]:
    columns = found.query_rows(
        "SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}",
        {"database": found.database, "table": f"v_{table}"},
    )
    names = [str(row["name"]) for row in columns if row["name"] not in _OF_THE_EMISSION]
    shown = ", ".join(_SEMANTIC.get(name, name) for name in names)
    ours = f"SELECT {shown} FROM {found.database}.v_{table}"
    theirs = f"SELECT {shown} FROM {wanted}.v_{table}"
    rows: dict[str, list[dict[str, object]]] = {}
    for side in (f"{ours} EXCEPT {theirs}", f"{theirs} EXCEPT {ours}"):
        for row in found.query_rows(side):
            rows.setdefault("/".join(str(row[key]) for key in keys.split(", ")), []).append(row)
    return [f"{key}: {_difference(sides)}" for key, sides in sorted(rows.items())]


def _windows_that_differ(found: ClickHouse, wanted: str, family: Family) -> list[str]:
    """Sums over the partitions; a window that counts nothing is as good as none."""
    by = ", ".join(("window_start", *family.dimensions))
    sums = [f"sum({name}) AS {name}" for name in family.counts]
    sums += [f"sumMap({name}) AS {name}" for name in family.sketches]
    some = " + ".join(family.counts)

    def asked(database: str) -> str:
        return (
            f"SELECT {by}, {', '.join(sums)} FROM {database}.v_{family.table}"
            f" GROUP BY {by} HAVING {some} > 0"
        )

    ours, theirs = asked(found.database), asked(wanted)
    rows: dict[str, list[dict[str, object]]] = {}
    for side in (f"{ours} EXCEPT {theirs}", f"{theirs} EXCEPT {ours}"):
        for row in found.query_rows(side):
            name = "/".join(str(row[one]) for one in by.split(", "))
            rows.setdefault(name, []).append(row)
    return [f"{name}: {_difference(sides)}" for name, sides in sorted(rows.items())]


def _difference(sides: Sequence[dict[str, object]]) -> str:
    """Columns that differ, as found and as wanted; or that one side has no such row."""
    if len(sides) != 2:
        return f"on one side only: {sides[0]}"
    found, wanted = sides
    return str({name: (found[name], wanted[name]) for name in found if found[name] != wanted[name]})


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def lateness_seconds(intents: Sequence[dict[str, object]]) -> list[float]:
    """Of every breach: how long after its instant it was first said. `intents` as published."""
    first: dict[object, float] = {}
    for row in intents:
        if row["level"] == "breach" and row["key"] not in first:
            first[row["key"]] = _seconds(row["recorded_at"]) - _seconds(row["breach_at"])
    return sorted(first.values())


def _seconds(instant: object) -> float:
    return datetime.fromisoformat(str(instant)).timestamp()
