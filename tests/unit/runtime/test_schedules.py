"""The checkpoint protocol under random schedules: kills at every step, zombies, doubtful appends,
half-published outboxes, records that come again, compaction. At rest everything equals an oracle that
read the same events once, in one thread.
"""

import random
from collections import Counter
from typing import Any

import orjson
import pytest

from schemas.events import Rejected
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.core.effects import Stamp
from streams.core.tickets.state import TicketState
from streams.core.windows.family import FAMILIES
from streams.core.windows.store import WindowStore, name_of
from streams.runtime import changelog
from streams.runtime.partition import PartitionEngine, SourceRecord
from tests.unit.runtime.world import (
    LOGIC,
    SEMANTIC,
    START_MS,
    TARGET_MS,
    Engine,
    World,
    decode_record,
)

CLOCKS = OUTCOME_TOPIC_OF_TABLE["ticket_clocks"]
INTENTS = OUTCOME_TOPIC_OF_TABLE["alert_intents"]
WINDOWS = {OUTCOME_TOPIC_OF_TABLE[family.table] for family in FAMILIES}
LETTERS = OUTCOME_TOPIC_OF_TABLE["dead_letters"]
STEPS = 300


def disturbed(seed: int) -> World:
    """A world after a random schedule, then brought to rest."""
    world = World(random.Random(seed))
    world.assign()
    for _ in range(STEPS):
        act(world)
    come_to_rest(world)
    return world


def act(world: World) -> None:
    rng = world.rng
    roll = rng.random()
    if roll < 0.12:
        world.produce()
    elif roll < 0.17:
        world.clock.move_to(world.clock.now_ms() + rng.randrange(TARGET_MS // 2))
    elif roll < 0.19:
        world.assign()  # the old owner, if any, goes on as a zombie
    elif roll < 0.21 and world.owners:
        world.kill(rng.choice(world.owners))
        if world.latest not in world.owners:
            world.assign()
    elif roll < 0.25 and world.late:
        world.land(*world.late.pop(rng.randrange(len(world.late))))
    elif roll < 0.30:
        world.compact()
    elif world.latest not in world.owners:
        world.assign()
    else:
        world.step(rng.choice(world.owners))


def come_to_rest(world: World) -> None:
    """No more trouble: zombies end, everything in flight lands, all timers pass."""
    for owner in [owner for owner in world.owners if owner is not world.latest]:
        while owner in world.owners and world.step(owner, smooth=True):
            pass
    while world.late:
        world.land(*world.late.pop())
    if world.latest not in world.owners:
        world.assign()
    for _ in range(2):
        settle(world)
        world.clock.move_to(world.clock.now_ms() + 3 * TARGET_MS)
        settle(world)


def settle(world: World) -> None:
    """Until nothing is left to do, idle checkpoints included: they notice what a zombie wrote."""
    idle = 2
    for _ in range(2_000):
        owner = world.latest
        if owner is None or owner not in world.owners:
            world.assign()  # a claim of the dead has fenced it: the worker is started again
            idle = 2
        elif not world.step(owner, smooth=True):
            if not idle:
                return
            idle -= 1
            world.checkpoint(owner)
    pytest.fail("it does not come to rest")


def oracle(world: World) -> dict[str, TicketState]:
    """The states that a single thread gives, without any trouble."""
    now_ms = world.clock.now_ms()
    states: dict[str, TicketState] = {}
    for record in world.source:
        event = decode_record(record)
        if not isinstance(event, Rejected):
            states[event.key], _ = LOGIC.advance(states.get(event.key), event, now_ms)
    for key, state in states.items():
        after, _ = LOGIC.on_timer(state, now_ms)
        assert after is not None
        states[key] = after
    return states


def clock_rows(states: dict[str, TicketState], now_ms: int) -> dict[str, dict[str, Any]]:
    rows = {}
    for key, state in states.items():
        for table, row in LOGIC.rows(None, state, (), Stamp(0, 1, now_ms)):
            if table == "ticket_clocks":
                plain = orjson.loads(orjson.dumps(row, option=orjson.OPT_UTC_Z))
                rows[f"{key}|{plain['cycle_id']}"] = {name: plain[name] for name in SEMANTIC}
    return rows


def check(world: World) -> None:
    states = oracle(world)
    wanted = clock_rows(states, world.clock.now_ms())
    published = {
        key: {name: row[name] for name in SEMANTIC}
        for (topic, key), row in world.published.items()
        if topic == CLOCKS and not row["removed"]
    }
    assert published == wanted

    firing = {
        row["cycle_id"]
        for (topic, _), row in world.published.items()
        if topic == INTENTS and row["level"] == "breach"
    }
    open_breaches = {
        key.partition("|")[2]
        for key, row in wanted.items()
        if row["breached"] and row["stopped_at"] is None
    }
    assert open_breaches <= firing

    bad = {record.offset for record in world.source if isinstance(decode_record(record), Rejected)}
    letters = {row["offset"] for (topic, _), row in world.published.items() if topic == LETTERS}
    assert letters == bad

    assert world.latest is not None
    engine = world.latest.engine
    live = {key: state for key in states if (state := engine.state_of(key)) is not None}
    assert {key: state.log for key, state in live.items()} == {
        key: state.log for key, state in states.items()
    }
    assert restored(world) == {key: LOGIC.dump(state) for key, state in live.items()}

    told = {
        (topic, key.removesuffix("|")): counts_of(row)
        for (topic, key), row in world.published.items()
        if topic in WINDOWS and any(counts_of(row).values())
    }
    assert told == windows_of(states, world.clock.now_ms())


def windows_of(
    states: dict[str, TicketState], now_ms: int
) -> dict[tuple[str, str], dict[str, Any]]:
    """What the tickets add up to, each counted once."""
    store = WindowStore()
    for state in states.values():
        store.move([], LOGIC.parts(state))
    found = {}
    for key, _ in store.changed():
        row = orjson.loads(orjson.dumps(store.row(key, Stamp(0, 1, now_ms))))
        if any(counts_of(row).values()):
            found[OUTCOME_TOPIC_OF_TABLE[str(key[0])], name_of(key).decode()] = counts_of(row)
    return found


def counts_of(row: dict[str, Any]) -> dict[str, Any]:
    names = {name for family in FAMILIES for name in (*family.counts, *family.sketches)}
    return {name: value for name, value in row.items() if name in names}


def restored(world: World) -> dict[str, bytes]:
    """What the next owner would find, after the cleaner has been through the whole log."""
    assert not world.unrepaired
    world.log.now_ms += 10**6
    world.log.compact(0, 0)
    restoration = changelog.Restoration()
    for record in world.log.records:
        restoration.add(record)
    found = restoration.finish(world.clock.now_ms(), 10**12)
    assert not found.reput
    assert found.marker is not None
    assert found.marker.position == len(world.source)
    return {
        changelog.entity_of(key): changelog.split_state(value)[1]
        for key, value in found.states.items()
    }


def run(seeds: range) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in seeds:
        world = disturbed(seed)
        try:
            check(world)
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        seen.update(world.counts)
    return seen


def test_random_schedules_end_like_the_oracle() -> None:
    seen = run(range(150))

    # The schedules did what they are for.
    for what in ("kills", "fenced", "stale batches", "compactions", "append lost"):
        assert seen[what] > 20, (what, seen)


@pytest.mark.full
@pytest.mark.timeout(1_800)
def test_many_random_schedules_end_like_the_oracle() -> None:
    run(range(1_000, 6_000))


# -- each rule of the protocol matters: without it some schedule ends wrong ---------------------------


def _no_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of fenced writers count."""

    def add(self: changelog.Restoration, record: changelog.LogRecord) -> None:
        if not record.is_claim:
            self._values[record.key] = record.value

    monkeypatch.setattr(changelog.Restoration, "add", add)


def _no_repair_at_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    finish = changelog.Restoration.finish

    def forgetful(self: changelog.Restoration, now_ms: int, lag_ms: int) -> changelog.Restored:
        return finish(self, now_ms, lag_ms)._replace(reput=frozenset())

    monkeypatch.setattr(changelog.Restoration, "finish", forgetful)


def _no_look_into_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(self: Engine, base: int, capture: Any) -> None:
        self._next_append = base + len(capture.records)

    monkeypatch.setattr(PartitionEngine, "_check", check)


def _no_inherited_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    async def publish(self: Engine) -> None:
        self._inherited.clear()

    monkeypatch.setattr(PartitionEngine, "_publish_inherited", publish)


def _no_cut_at_the_position(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = PartitionEngine.apply

    def greedy(self: Engine, records: list[SourceRecord], next_offset: int) -> None:
        position, self.position = self.position, 0
        apply(self, records, next_offset)
        self.position = max(position, self.position)

    monkeypatch.setattr(PartitionEngine, "apply", greedy)


def _dead_letters_after_the_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = PartitionEngine.checkpoint

    async def late(self: Engine) -> None:
        letters, self._letters = self._letters, []
        await checkpoint(self)
        self._letters += letters
        if self._letters:
            await self._publish_letters()

    monkeypatch.setattr(PartitionEngine, "checkpoint", late)


def _numbers_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions of a new owner start over."""
    opened = PartitionEngine.open

    async def open_(self: Engine, source_now: Any, unique: str) -> int:
        position = await opened(self, source_now, unique)
        self._number = START_MS
        return position

    monkeypatch.setattr(PartitionEngine, "open", open_)


@pytest.mark.parametrize(
    "without",
    [
        _no_epochs,
        _no_repair_at_restore,
        _no_look_into_gaps,
        _no_inherited_outbox,
        _dead_letters_after_the_marker,
        _numbers_begin_anew,
    ],
)
def test_without_a_rule_some_schedule_ends_wrong(
    without: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch)

    with pytest.raises((AssertionError, pytest.fail.Exception, changelog.ChangelogError)):
        run(range(400))
