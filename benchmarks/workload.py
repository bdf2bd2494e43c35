"""Ticket lives for benchmarks and load tests: seeded, realistic in shape, as wire messages."""

import random
from collections.abc import Iterator
from functools import cache

import orjson

from schemas.customers import Keys
from schemas.instants import rfc3339

START_MS = 1_767_600_000_000  # 2026-01-05T08:00:00Z, a Monday
TIERS = ("vip", "major", "ordinary", "small")
PRIORITIES = ("P1", "P2", "P3", "P4")
TEAMS = ("L1", "L2", "network", "billing", "field")
MINUTE_MS = 60_000
INTERVAL_MS = 500  # between two tickets
_KEYS = Keys([b"no secret: these customers never were".hex()])


@cache
def _pseudonym(number: int) -> str:
    """As the edge makes them: a customer in clear would be refused."""
    return _KEYS.pseudonyms("default", f"customer-{number}")[0]


def _steps(rng: random.Random) -> list[tuple[str, dict[str, object]]]:
    """Types and data of one ticket's life, in order."""
    steps: list[tuple[str, dict[str, object]]] = [
        (
            "created",
            {
                "status": "new",
                "priority": rng.choice(PRIORITIES),
                "tier": rng.choice(TIERS),
                "ticket_type": "complaint" if rng.random() < 0.1 else "service_request",
                "channel": rng.choice(("phone", "mail", "chat")),
                "team": "L1",
                "customer_id": _pseudonym(rng.randrange(50_000)),
            },
        ),
        ("assigned", {"team": "L1", "agent": f"a{rng.randrange(200)}"}),
        ("message", {"author": "agent", "public": True}),
    ]
    if rng.random() < 0.4:
        steps += [("status_changed", {"status": "pending"}), ("status_changed", {"status": "open"})]
    if rng.random() < 0.3:
        steps.append(("assigned", {"team": rng.choice(TEAMS), "agent": f"a{rng.randrange(200)}"}))
    if rng.random() < 0.9:
        steps.append(("solved", {}))
    return steps


def ticket_messages(
    tickets: int, seed: int = 1, start_ms: int = START_MS, *, solved: bool = True
) -> Iterator[tuple[bytes, bytes]]:
    """(key, value) of about five events per ticket, all tickets together in the order of time.

    `solved` False: they all stay open.
    """
    rng = random.Random(seed)
    stamped: list[tuple[int, int, int, str, dict[str, object]]] = []
    for number in range(tickets):
        at_ms = start_ms + number * INTERVAL_MS
        for step, (kind, data) in enumerate(_steps(rng)):
            if kind == "solved" and not solved:
                continue
            stamped.append((at_ms, number, step, kind, data))
            at_ms += rng.randrange(1, 240) * MINUTE_MS
    stamped.sort(key=lambda item: item[:3])
    for at_ms, number, step, kind, data in stamped:
        stamp = rfc3339(at_ms)
        ticket = f"T{number}"
        event = {
            "schema_version": 1,
            "source": "bench",
            "event_id": f"{ticket}-{step}",
            "type": kind,
            "occurred_at": stamp,
            "ingested_at": stamp,
            "ticket_id": ticket,
            "data": data,
        }
        yield f"default/bench/{ticket}".encode(), orjson.dumps(event)
