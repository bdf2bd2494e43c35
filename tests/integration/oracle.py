"""What a single thread without Kafka makes of the same messages, and what came out of a broker."""

import random
from collections.abc import Sequence
from typing import cast

import orjson

from schemas.decode import decode
from schemas.events import Event
from schemas.instants import rfc3339
from streams.policies import load_book
from streams.replay import Replayer
from streams.shell.settings import Settings
from tests.integration.computing import Row, current
from tests.integration.test_compute import HOUR_MS, START_MS, message

Messages = list[tuple[bytes, bytes]]
Outcome = dict[str, dict[tuple[str, ...], Row]]

_KEYS = {"ticket_clocks": ("clock", "cycle_id"), "tickets": ()}
_OF_THE_EMISSION = ("version", "source_partition", "judged_at")


def history(tickets: int, seed: int, notes_bytes: int = 0) -> Messages:
    """Tickets opened one after the other, most of them changed and closed, in time or late; in the
    order of time."""
    rng = random.Random(seed)
    found: list[tuple[int, tuple[bytes, bytes]]] = []
    for number in range(tickets):
        ticket, at_ms = f"T{number}", START_MS + 1_000 * number
        notes = {f"note{n}": rng.randbytes(500).hex() for n in range(notes_bytes // 1_000)}
        targets = {"resolution": rfc3339(at_ms + HOUR_MS)}
        opened = message(ticket, "created", at_ms, team="L1", targets=targets, attributes=notes)
        found.append((at_ms, opened))
        if rng.random() < 0.5:
            moved_ms = at_ms + rng.randrange(2, HOUR_MS)
            found.append((moved_ms, message(ticket, "assigned", moved_ms, team="L2", agent="a1")))
        if rng.random() < 0.8:
            over_ms = at_ms + rng.randrange(2, 2 * HOUR_MS)
            found.append((over_ms, message(ticket, "closed", over_ms)))
    return [item for _at_ms, item in sorted(found)]


def expected(messages: Sequence[tuple[bytes, bytes]], settings: Settings, until_ms: int) -> Outcome:
    """Final rows by table and key, as one thread makes them."""
    outcome: Outcome = {table: {} for table in _KEYS}

    def keep(rows: Sequence[tuple[str, object]]) -> None:
        for table, content in rows:
            row = cast("Row", orjson.loads(orjson.dumps(content, option=orjson.OPT_UTC_Z)))
            entity = f"{row['tenant']}/{row['source']}/{row['ticket_id']}"
            key = (entity, *(str(row[part]) for part in _KEYS[table]))
            outcome[table][key] = _said(row)

    replayer = Replayer(load_book(settings.policy), keep)
    for key, value in messages:
        event = decode(value, key=key, kind="ticket", received_ms=0)
        assert isinstance(event, Event), event
        assert replayer.feed(event) is None
    replayer.finish(until_ms)
    return outcome


async def published(settings: Settings) -> Outcome:
    """Final rows by table and key, as the outcome topics hold them: the highest version of each."""
    return {
        table: {key: _said(row) for key, row in (await current(settings, table, *parts)).items()}
        for table, parts in _KEYS.items()
    }


async def paged(settings: Settings) -> set[tuple[str, str, str]]:
    """Clock cycles that a supervisor has finally heard of as breached: ticket, clock, cycle."""
    return {
        (row["ticket_id"], row["clock"], row["cycle_id"])
        for row in (await current(settings, "alert_intents")).values()
        if row["level"] in ("breach", "resolved") and row["breach_at"] is not None
    }


def breached(outcome: Outcome) -> set[tuple[str, str, str]]:
    """Clock cycles that are breached."""
    return {
        (row["ticket_id"], row["clock"], row["cycle_id"])
        for row in outcome["ticket_clocks"].values()
        if row["breached"]
    }


async def check(settings: Settings, messages: Sequence[tuple[bytes, bytes]], until_ms: int) -> None:
    """Row by row, and page by page."""
    wanted, found = expected(messages, settings, until_ms), await published(settings)
    for table, rows in wanted.items():
        assert found[table].keys() == rows.keys(), table
        different = [key for key, row in rows.items() if found[table][key] != row]
        assert not different, (len(different), found[table][different[0]], rows[different[0]])
    assert breached(wanted), "a history without a breach shows little"
    pages = await paged(settings)
    assert pages == breached(wanted), (len(pages), sorted(pages ^ breached(wanted))[:3])


def _said(row: Row) -> Row:
    """What it says, without when and by whom it was emitted."""
    return {name: value for name, value in row.items() if name not in _OF_THE_EMISSION}
