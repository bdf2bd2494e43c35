"""One source partition and everything that can go wrong around it, step by step and repeatable.

The engine's operations are coroutines that wait only on what is faked here, so they are driven by
hand: each wait is a point at which the worker may be killed, overtaken by a new owner, or told that
something failed (which may have happened all the same).
"""

import random
from collections.abc import AsyncIterator, Coroutine, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.decode import decode, encode
from schemas.events import Closed, Created, Data, Event, Message as Reply, Rejected
from streams.core.business_time import ALWAYS
from streams.core.policy import ClockSpec, Matcher, Policy, PolicyBook, Rule
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from streams.runtime.changelog import FencedError, LogRecord, Message
from streams.runtime.clock import ManualClock
from streams.runtime.memory_log import MemoryLog
from streams.runtime.partition import (
    Limits,
    PartitionEngine,
    SourceRange,
    SourceRecord,
    Surroundings,
)

START_MS = 1_700_000_000_000
TARGET_MS = 60_000
TICKETS = 4
BOOK = PolicyBook(
    (
        Policy(
            id="test",
            version="test@1",
            effective_from_ms=0,
            calendar=ALWAYS,
            clocks=(
                ClockSpec("resolution", start=(Matcher("created"),), stop=(Matcher("closed"),)),
            ),
            rules=(Rule("all", (), {"resolution": TARGET_MS}),),
            future_skew_ms_max=10**9,
        ),
    )
)
LOGIC = TicketLogic(BOOK)
SEMANTIC = (
    "state",
    "verdict",
    "target_ms",
    "due_at",
    "stopped_at",
    "breached",
    "breach_at",
    "breach_reason",
    "flags",
    "removed",
)
Engine = PartitionEngine[TicketState]


class TroubleError(Exception):
    """What the broker answers when it does not say yes."""


@dataclass(slots=True)
class Point:
    """Something asked of the outside; the schedule decides the answer."""

    kind: str
    records: Sequence[tuple[bytes, bytes | None]] = ()
    epoch: int | None = None
    messages: Sequence[Message] = ()

    def __await__(self) -> Generator["Point", Any, Any]:
        answer = yield self
        return answer


class Log:
    """One owner's view of the changelog."""

    def __init__(self, memory: MemoryLog) -> None:
        self._memory = memory

    async def append(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        base: int = await Point("append", records=records, epoch=epoch)
        return base

    async def read(self, start: int, end: int) -> AsyncIterator[Sequence[LogRecord]]:
        at = start
        while at < end:
            await Point("read")
            found = [r for r in self._memory.records if at <= r.offset < min(end, at + 7)]
            at += 7
            if found:
                yield found

    async def begin(self) -> int:
        return 0


class Outlet:
    async def publish(self, messages: Sequence[Message]) -> None:
        await Point("publish", messages=messages)


@dataclass(slots=True)
class Owner:
    """A worker that holds, or believes to hold, the partition."""

    engine: Engine
    operation: Coroutine[Point, Any, Any] | None = None
    at: Point | None = None
    opened: bool = False


@dataclass(slots=True)
class World:
    """Source, changelog, published outcomes, and the owners."""

    rng: random.Random
    log: MemoryLog = field(default_factory=MemoryLog)
    clock: ManualClock = field(default_factory=lambda: ManualClock(START_MS))
    source: list[SourceRecord] = field(default_factory=list)
    published: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    owners: list[Owner] = field(default_factory=list)
    late: list[tuple[Sequence[tuple[bytes, bytes | None]], int | None]] = field(
        default_factory=list
    )
    unrepaired: set[bytes] = field(default_factory=set)
    newest_claim: int = -1
    counts: dict[str, int] = field(default_factory=dict)
    latest: Owner | None = None  # whom the group gave the partition

    # -- the outside ------------------------------------------------------------------------

    def produce(self) -> None:
        """One more record: an event, an event again, or something that is none."""
        rng = self.rng
        offset = len(self.source)
        roll = rng.random()
        if roll < 0.1:
            value, key = b"not json", b"k"
        elif roll < 0.2 and self.source:
            old = rng.choice(self.source)
            key, value = old.key or b"", old.value or b""
        else:
            event = self._event(offset)
            key, value = event.key.encode(), encode(event)
        self.source.append(SourceRecord(offset, self.clock.now_ms(), key, value))

    def _event(self, offset: int) -> Event:
        ticket = self.rng.randrange(TICKETS)
        now_ms = self.clock.now_ms()
        data: Data = self.rng.choice([Created(), Closed(), Reply("agent"), Reply("customer")])
        return Event(
            tenant="t",
            source="s",
            kind="ticket",
            entity_id=f"T{ticket}",
            event_id=f"e{offset}" if not isinstance(data, Created) else f"c{ticket}",
            type=str(type(data).__struct_config__.tag),
            occurred_ms=now_ms - self.rng.randrange(2 * TARGET_MS),
            ingested_ms=now_ms,
            data=data,
        )

    def land(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        """A batch reaches the log."""
        self.log.now_ms = self.clock.now_ms()
        base = self.log.land(records, epoch)
        if epoch is None:
            self.newest_claim = base
        elif epoch < self.newest_claim:
            self.unrepaired |= {key for key, _ in records}
            self._count("stale batches")
        else:
            self.unrepaired -= {key for key, _ in records}
        return base

    def deliver(self, messages: Sequence[Message]) -> None:
        """Rows and intents reach their readers, who keep the highest version of each key."""
        for message in messages:
            row = orjson.loads(message.value)
            key = message.key.decode() + "|" + str(row.get("cycle_id", ""))
            kept = self.published.get((message.topic, key))
            if kept is None or kept["version"] <= row["version"]:
                self.published[message.topic, key] = row

    # -- owners -----------------------------------------------------------------------------

    def assign(self) -> None:
        """The group gives the partition to a new owner; the old one may not know."""
        around = Surroundings(
            outlet=Outlet(),
            decode=decode_record,
            clock=self.clock,
            wall_clock=self.clock,
            partition_of=lambda _key, _count: 0,
            limits=Limits(entities_max=3, compaction_lag_ms=10**12),
        )
        owner = self.latest = Owner(Engine("tickets", 0, LOGIC, Log(self.log), around))
        self.owners.append(owner)
        self._count("claims")
        self._begin(owner, owner.engine.open(self._source_now, f"{self.counts['claims']}"))

    async def _source_now(self, _at_least: int) -> SourceRange:
        return SourceRange(0, len(self.source), 1)

    def _begin(self, owner: Owner, operation: Coroutine[Point, Any, Any]) -> None:
        owner.operation = operation
        self._resume(owner, None)

    def _resume(self, owner: Owner, answer: object, error: Exception | None = None) -> None:
        """Let an operation go on to its next point."""
        assert owner.operation is not None
        try:
            if error is not None:
                owner.at = owner.operation.throw(error)
            else:
                owner.at = owner.operation.send(answer)
        except StopIteration:
            owner.operation = owner.at = None
            owner.opened = True
        except TroubleError:
            self._end(owner)
            if owner is self.latest:
                self.assign()  # the group still gives it to this worker: claim again, restore
        except FencedError:
            self._count("fenced")
            self._end(owner)

    def _end(self, owner: Owner) -> None:
        if owner in self.owners:
            self.owners.remove(owner)
        if owner.operation is not None:
            owner.operation.close()
        owner.operation = owner.at = None

    def kill(self, owner: Owner) -> None:
        """Kill -9 at whatever point it stands; what it had sent may still land."""
        if owner.at is not None and owner.at.kind == "append" and self.rng.random() < 0.5:
            self.late.append((owner.at.records, owner.at.epoch))
        self._end(owner)
        self._count("kills")

    def step(self, owner: Owner, *, smooth: bool = False) -> bool:
        """One step of one owner; False when it has nothing to do."""
        if owner.at is not None:
            self._answer(owner, owner.at, smooth=smooth)
            return True
        return self._next_operation(owner, smooth=smooth)

    def _answer(self, owner: Owner, point: Point, *, smooth: bool) -> None:
        roll = 1.0 if smooth else self.rng.random()
        if point.kind == "read":
            self._resume(owner, None)
        elif point.kind == "append":
            if roll < 0.06:
                self.land(point.records, point.epoch)
                self._fail(owner, "append landed, told that it failed")
            elif roll < 0.12:
                self.late.append((point.records, point.epoch))
                self._fail(owner, "append may land later, told that it failed")
            elif roll < 0.18:
                self._fail(owner, "append lost")
            else:
                self._resume(owner, self.land(point.records, point.epoch))
        elif roll < 0.1:
            some = self.rng.randrange(len(point.messages) + 1)
            self.deliver(point.messages[:some])
            self._fail(owner, "publish failed half-way")
        else:
            self.deliver(point.messages)
            self._resume(owner, None)

    def _fail(self, owner: Owner, what: str) -> None:
        self._count(what)
        self._resume(owner, None, TroubleError(what))

    def _next_operation(self, owner: Owner, *, smooth: bool) -> bool:
        engine = owner.engine
        due_ms = engine.next_timer_ms()
        if (
            due_ms is not None
            and due_ms <= self.clock.now_ms()
            and engine.position == len(self.source)
            and engine.fire_timers(self.clock.now_ms())
        ):
            return True
        choices = []
        if engine.position < len(self.source) and engine.has_room:
            choices.append("apply")
        if engine.is_dirty or not engine.has_room:
            choices.append("checkpoint")
        if not choices:
            return False
        if (choices[0] if smooth else self.rng.choice(choices)) == "apply":
            self._apply(engine)
        else:
            self.checkpoint(owner)
        return True

    def checkpoint(self, owner: Owner) -> None:
        """Begin one, whether there is something to say or not."""
        self._begin(owner, owner.engine.checkpoint())

    def _apply(self, engine: Engine) -> None:
        """A fetch: sometimes from an old offset, so that records come again."""
        start = max(0, engine.position - self.rng.randrange(3))
        end = min(len(self.source), start + 1 + self.rng.randrange(6))
        if engine.fits(start):
            engine.apply(self.source[start:end], end)

    def compact(self) -> None:
        """The log cleaner, any time when a fenced writer's records have been repaired."""
        if not self.unrepaired and self.log.compact(0, 0):
            self._count("compactions")

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def decode_record(record: SourceRecord) -> Event | Rejected:
    """As compute does it."""
    return decode(record.value, key=record.key, kind="ticket", received_ms=record.timestamp_ms)
