"""Windows against a computation that shares nothing with them: SQL over the raw events.

A seeded centre (`streams.generating`), everything fed in disorder with copies, through decoding, core and
checkpoints into the tables; the queries in `batch/` read the raw file, their `…_windows` the tables.
"""

import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.instants import parse_rfc3339
from sinks.clickhouse.client import ClickHouse
from streams.generating import Centre, Size, Told
from streams.measuring.asking import Question, measure
from streams.policies import load_book
from tests.engine_room import EngineRoom

BATCH = Path(__file__).parent / "batch"
START_MS = parse_rfc3339("2026-03-01T00:00:00Z")
DAY_MS = 86_400_000
FAMILIES = ("calls", "menu", "answers", "clocks", "tickets", "agents")
DOUBLED = 20  # one of so many events comes twice
pytestmark = pytest.mark.clickhouse


def sql(name: str) -> str:
    return (BATCH / f"{name}.sql").read_text(encoding="utf-8")


async def run(database: ClickHouse, folder: Path, size: Size, seed: int) -> int:
    """Everything into the tables, and the raw file beside them; returns how many events there were."""
    end_ms = START_MS + (size.days + 60) * DAY_MS
    room = EngineRoom(load_book(BATCH / "policy.yaml"), database, end_ms)
    await room.open()
    rng, events = random.Random(seed), 0
    for day, told in enumerate(Centre(seed, START_MS, size).days()):
        events += len(told)
        (folder / f"{day:02d}.jsonl").write_bytes(b"\n".join(one.value for one in told) + b"\n")
        await feed(room, told, rng)
    await room.settle(end_ms)
    database.command(sql("raw").replace("FOLDER", str(folder)))
    database.command(sql("legs"))
    return events


async def feed(room: EngineRoom, told: Sequence[Told], rng: random.Random) -> None:
    """One day, shuffled, some of it twice."""
    mixed = [*told, *rng.sample(told, len(told) // DOUBLED)]
    rng.shuffle(mixed)
    for topic in room.engines:
        await room.feed(topic, [(one.key, one.value) for one in mixed if one.topic == topic])


def compare(database: ClickHouse, family: str) -> int:
    """How many rows there are; every one must be equal."""
    wanted = [tuple(row.values()) for row in database.query_rows(sql(family))]
    found = [tuple(row.values()) for row in database.query_rows(sql(f"{family}_windows"))]
    assert wanted, family
    different = [pair for pair in zip(wanted, found, strict=False) if pair[0] != pair[1]]
    assert (len(found), different[:5]) == (len(wanted), []), family
    return len(wanted)


def quantiles(database: ClickHouse, size: Size) -> None:
    """Sketches are within their bound of the exact values."""
    question = Question(START_MS, START_MS + (size.days + 60) * DAY_MS, START_MS)
    found = {one.metric: one.value for one in measure(database, EXACT, question)}
    for name, query in EXACT.items():
        (row,) = database.query_rows(query)
        assert found[name] == pytest.approx(float(str(row["exact"])), rel=0.011), name


EXACT = {
    "calls.wait_p90": "SELECT quantileExactLow(0.9)(lasted_ms) AS exact FROM legs WHERE step = 'queued' AND outcome = 'answered'",
    "calls.handle_p90": "SELECT quantileExactLow(0.9)(lasted_ms + after_ms) AS exact FROM legs WHERE step = 'answered'",
}


async def test_a_day_of_windows_equals_the_batch(clickhouse: ClickHouse, tmp_path: Path) -> None:
    size = Size(days=1, calls=6_000, tickets=2_000)
    assert await run(clickhouse, tmp_path, size, seed=1) > 40_000
    for family in FAMILIES:
        assert compare(clickhouse, family) > 20
    quantiles(clickhouse, size)


@pytest.mark.full
@pytest.mark.timeout(7_200)
async def test_a_month_of_a_million_equals_the_batch(
    clickhouse: ClickHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = Size(days=30, calls=560_000, tickets=160_000)
    began = time.monotonic()
    events = await run(clickhouse, tmp_path, size, seed=2)
    entities = sum(
        int(str(row["n"]))
        for table in ("calls", "tickets", "surveys")
        for row in clickhouse.query_rows(f"SELECT count() AS n FROM v_{table}")
    )
    assert entities >= 1_000_000
    rows = {family: compare(clickhouse, family) for family in FAMILIES}
    quantiles(clickhouse, size)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{entities:,} calls, tickets and questionnaires, {events:,} events in"
            f" {time.monotonic() - began:.0f} s; differences 0 in {rows}\n"
        )
