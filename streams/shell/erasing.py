"""One customer forgotten on request, everywhere that the pipeline remembers one.

States: every ticket, call and questionnaire of the customer gets a `customer_erased` event, so its owner scrubs
it like any other change, and says its rows anew. Tables: once the new rows are there, older versions are scrubbed in place,
dead letters that name the customer are deleted, and so are aliases. Topics can't be rewritten: what they
still hold is gone by itself, and the report says when.

Everything may be run again: what is erased is not found any more.
"""

import asyncio
import getpass
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import orjson

from schemas.customers import CustomerIds, customer_of, is_pseudonym
from schemas.encode import encode
from schemas.events import CustomerErased, Event
from schemas.instants import from_ms
from schemas.outcomes import AuditRow
from schemas.problems import Problem, ProblemsError
from schemas.topics import BY_NAME, DAY_MS, OUTCOME_TOPIC_OF_TABLE, changelog_of
from sinks.clickhouse.client import ClickHouse
from streams.core.tickets import snapshot
from streams.core.tickets.state import TicketState
from streams.runtime import changelog
from streams.runtime.portions import portions
from streams.shell.dead_letters import Letter, read_letters
from streams.shell.sealing import SealedError, Sealer
from streams.shell.settings import Settings
from streams.shell.sources import SOURCES, TICKETS, Source
from streams.shell.state_reader import ChangelogReader
from streams.shell.tool_producer import tool_producer

_AT_ONCE = 1_000
_LOOK_SECONDS = 0.5

# source topic → tables whose rows name a customer, the one of the entity itself first
TABLES: Mapping[str, tuple[str, ...]] = {
    "tickets": ("tickets",),
    "calls": ("calls", "call_legs"),
    "surveys": ("surveys", "survey_answers"),
}


class Found(NamedTuple):
    """A ticket, call or questionnaire of the customer."""

    topic: str
    tenant: str
    source: str
    entity_id: str

    @property
    def key(self) -> str:
        return f"{self.tenant}/{self.source}/{self.entity_id}"


@dataclass(slots=True)
class Traces:
    """Where a customer is remembered. `living`: what has a state; `stored`: what has rows."""

    names: frozenset[str]  # every name of the customer, pseudonyms and all
    living: list[Found] = field(default_factory=list)
    stored: list[Found] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    sealed: int = 0  # letters whose key is not known here
    aliases: int = 0

    @property
    def nothing(self) -> bool:
        return not (self.living or self.stored or self.letters or self.aliases)


def names_of(customer: str, tenant: str, ids: CustomerIds) -> frozenset[str]:
    """The names under which the pipeline may know a customer. ProblemsError when there is no way to tell."""
    if is_pseudonym(customer) or ids.mode == "clear":
        return frozenset((customer,))
    if not ids.keys:
        what = "a customer's name can't be looked for without the keys of the pseudonyms"
        hint = "set TICKETPULSE_CUSTOMER_KEYS as the edge has it, or name the pseudonym itself"
        raise ProblemsError(Problem("customer_keys", what, hint))
    # In clear too: a dead letter may hold what was refused at the edge.
    return frozenset((customer, *ids.keys.pseudonyms(tenant, customer)))


async def traces_of(
    settings: Settings, database: ClickHouse, sealer: Sealer, names: frozenset[str]
) -> Traces:
    """Look everywhere; changes nothing."""
    names = await asyncio.to_thread(_with_aliases, database, names)
    traces = Traces(names)
    for source in SOURCES:
        async with ChangelogReader(settings, source) as reader:
            for number in range(reader.partitions):
                found = await reader.restored(number)
                traces.living += _living(source, found.states, names)
    traces.stored = await asyncio.to_thread(_stored, database, names)
    traces.aliases = await asyncio.to_thread(_count_aliases, database, names)
    keys = {one.key.encode() for one in (*traces.living, *traces.stored)}
    letters = await asyncio.to_thread(read_letters, settings, lambda _letter: True)
    for letter in letters:
        try:
            original = sealer.open(letter.sealed)
        except SealedError:
            traces.sealed += 1
            original = b""
        if letter.key in keys or any(name.encode() in original for name in names):
            traces.letters.append(letter)
    return traces


async def erase(
    settings: Settings,
    database: ClickHouse,
    traces: Traces,
    now_ms: Callable[[], int],
    wait_seconds: float,
) -> None:
    """Forget. ProblemsError when compute or the writer did not follow in time: nothing is lost by running
    it again."""
    async with tool_producer(settings, "ticketpulse-erase") as producer:
        asked_ms = now_ms()
        for source in SOURCES:
            living = [one for one in traces.living if one.topic == source.topic]
            for part in portions(living, _AT_ONCE):
                requests = [_request(source, one, asked_ms) for one in part]
                await producer.publish(source.topic, requests)
        await _followed(database, traces, wait_seconds)
        await asyncio.to_thread(_scrub, database, traces)
        audit = OUTCOME_TOPIC_OF_TABLE["audit"]
        await producer.publish(audit, [_audit(traces, asked_ms)])


def what_remains(settings: Settings) -> list[tuple[str, str]]:
    """Topics that still hold something, and for how long: from their declaration, not their drift."""
    held = [BY_NAME[source.topic] for source in SOURCES]
    held += [BY_NAME[changelog_of(source.topic)] for source in SOURCES]
    tables = [table for names in TABLES.values() for table in names]
    held += [BY_NAME[OUTCOME_TOPIC_OF_TABLE[name]] for name in (*tables, "dead_letters")]
    return [
        (
            settings.topic_prefix + spec.name,
            f"{(spec.retention_ms if spec.retention_ms > 0 else spec.max_compaction_lag_ms) // DAY_MS} days",
        )
        for spec in held
    ]


def hashed(names: Iterable[str]) -> str:
    """Names a customer in the audit without telling who it was."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


# -- looking ----------------------------------------------------------------------------------


def _living(source: Source, states: dict[bytes, bytes], names: frozenset[str]) -> list[Found]:
    found = []
    for key, value in states.items():
        version, data = changelog.split_state(value)
        # Far quicker than to decode every state: a name stands in the bytes as it is.
        if not any(name.encode() in data for name in names):
            continue
        # Of calls and questionnaires the bytes are enough: nothing in them is free text.
        if source is TICKETS and not names & set(_customers(snapshot.load(data, version))):
            continue
        tenant, origin, entity_id = changelog.entity_of(key).split("/", 2)
        found.append(Found(source.topic, tenant, origin, entity_id))
    return found


def _customers(state: TicketState) -> Iterable[str]:
    found = [state.facts.customer_id]
    if state.base is not None:
        found.append(state.base.facts.customer_id)
    found += (customer_of(entry.data) for entry in (*state.log, *state.waiting))
    return filter(None, found)


def _with_aliases(database: ClickHouse, names: frozenset[str]) -> frozenset[str]:
    """What the alias table calls them as well, by keys that nobody may have any more."""
    while True:
        rows = database.query_rows(
            "SELECT alias, customer_id FROM v_customer_aliases"
            " WHERE alias IN {names:Array(String)} OR customer_id IN {names:Array(String)}",
            {"names": sorted(names)},
        )
        more = names | {str(row[name]) for row in rows for name in ("alias", "customer_id")}
        if more == names:
            return names
        names = more


def _stored(database: ClickHouse, names: frozenset[str]) -> list[Found]:
    found: list[Found] = []
    for topic, (table, *_) in TABLES.items():
        rows = database.query_rows(
            f"SELECT DISTINCT tenant, source, {topic[:-1]}_id AS id FROM {table}"  # noqa: S608  # names of ours
            " WHERE customer_id IN {names:Array(String)} ORDER BY ALL",
            {"names": sorted(names)},
        )
        found += [
            Found(topic, str(row["tenant"]), str(row["source"]), str(row["id"])) for row in rows
        ]
    return found


def _count_aliases(database: ClickHouse, names: frozenset[str]) -> int:
    (row,) = database.query_rows(
        "SELECT count() AS found FROM v_customer_aliases WHERE alias IN {names:Array(String)}",
        {"names": sorted(names)},
    )
    return int(str(row["found"]))


# -- forgetting -------------------------------------------------------------------------------


def _request(source: Source, one: Found, now_ms: int) -> tuple[bytes, bytes]:
    event = Event(
        tenant=one.tenant,
        source=one.source,
        kind=source.kind,
        entity_id=one.entity_id,
        event_id=f"erased:{now_ms}",
        type="customer_erased",
        occurred_ms=now_ms,
        ingested_ms=now_ms,
        data=CustomerErased(),
    )
    return event.key.encode(), encode(event)


async def _followed(database: ClickHouse, traces: Traces, wait_seconds: float) -> None:
    """Return when the newest rows of everything that lives are without the customer: rows of one entity come in
    order, so no older one is under way any more."""
    until = time.monotonic() + wait_seconds
    while left := await asyncio.to_thread(_still_named, database, traces):
        if time.monotonic() > until:
            what = f"{left} rows still name the customer in the database"
            hint = "are compute and the writer running? Then run it again, it goes on where it was"
            raise ProblemsError(Problem("erase", what, hint))
        await asyncio.sleep(_LOOK_SECONDS)


def _still_named(database: ClickHouse, traces: Traces) -> int:
    living = set(traces.living)
    left = 0
    for topic, tables in TABLES.items():
        names = [one.entity_id for one in traces.living if one.topic == topic]
        for part in portions(names, _AT_ONCE):
            for table in tables:
                rows = database.query_rows(
                    f"SELECT tenant, source, {topic[:-1]}_id AS id FROM v_{table}"  # noqa: S608  # names of ours
                    " WHERE customer_id IN {names:Array(String)} AND id IN {ids:Array(String)}",
                    {"names": sorted(traces.names), "ids": list(part)},
                )
                left += sum(
                    Found(topic, str(row["tenant"]), str(row["source"]), str(row["id"])) in living
                    for row in rows
                )
    return left


def _scrub(database: ClickHouse, traces: Traces) -> None:
    """Every version that a table still holds, merged or not. Returns when it is done."""
    waiting = " SETTINGS mutations_sync = 2"
    for topic, tables in TABLES.items():
        keys = sorted({one.key for one in (*traces.living, *traces.stored) if one.topic == topic})
        for part in portions(keys, _AT_ONCE):
            for table in tables:
                more = ", attributes = map()" if table == "tickets" else ""
                database.command(
                    f"ALTER TABLE {table} UPDATE customer_id = NULL{more}"
                    " WHERE has({keys:Array(String)},"
                    f" concat(tenant, '/', source, '/', {topic[:-1]}_id))"
                    " AND customer_id IS NOT NULL" + waiting,
                    {"keys": list(part)},
                )
    for some in portions(traces.letters, _AT_ONCE):
        database.command(
            "ALTER TABLE dead_letters DELETE"
            " WHERE has({names:Array(String)}, concat(topic, '/', toString(partition), '/', toString(offset)))"
            + waiting,
            {"names": [letter.name for letter in some]},
        )
    database.command(
        "ALTER TABLE customer_aliases DELETE WHERE alias IN {names:Array(String)}"
        " OR customer_id IN {names:Array(String)}" + waiting,
        {"names": sorted(traces.names)},
    )


def _audit(traces: Traces, now_ms: int) -> tuple[bytes, bytes]:
    subject = hashed(traces.names)
    found = {*traces.living, *traces.stored}
    counts = {
        **{topic: sum(one.topic == topic for one in found) for topic in TABLES},
        "dead_letters": len(traces.letters),
        "aliases": traces.aliases,
    }
    row = AuditRow(
        audit_id=f"erase:{subject}:{now_ms}",
        event_time=from_ms(now_ms),
        actor=getpass.getuser(),
        action="erase",
        subject=f"customer {subject}",
        detail=msgspec.json.encode(counts).decode(),
        version=now_ms,
    )
    return row["audit_id"].encode(), orjson.dumps(row, option=orjson.OPT_UTC_Z)
