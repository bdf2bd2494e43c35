"""The partition engine: state, timers and checkpoints of one source partition.

State first, effects after. A checkpoint appends changed states, the outbox with everything that has
to be said, and the marker as one atomic record batch; only then are the effects published, and only
then is the input acknowledged. A crash in between repeats effects, which are absolute and versioned,
and never invents or forgets one.

Everything that touches the state is synchronous, so that batches and timers share one critical section
by construction; between the awaits of a checkpoint further input may be applied, it belongs to the
next one.
"""

import heapq
import logging
from base64 import b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, Protocol, TypeVar

import orjson

from schemas.events import Event, Rejected
from schemas.instants import from_ms
from schemas.outcomes import DeadLetterRow, PartitionProgressRow
from schemas.topics import OUTCOME_TOPIC_OF_TABLE
from streams.core.effects import CoreRejected, Effect, Intent, OutcomeRow, Stamp
from streams.core.logic import EntityLogic
from streams.core.windows.family import WindowKey
from streams.core.windows.store import WindowStore, name_of
from streams.runtime import changelog
from streams.runtime.changelog import (
    ChangelogError,
    LogRecord,
    LostTailError,
    Marker,
    Message,
    Restoration,
)
from streams.runtime.clock import Clock
from streams.runtime.fill import RECORD_BYTES, Fill
from streams.runtime.stop_rule import NEVER, StopLimits, StopRule, StopRuleError, counts

S = TypeVar("S")

_JSON = orjson.OPT_UTC_Z
_TOPIC_OF = OUTCOME_TOPIC_OF_TABLE
_URGENT_LEVELS = frozenset(("breach", "retracted", "resolved"))
_STALE_TIMERS_MAX = 10_000
_WINDOWS_BYTES = 600  # what a changed entity lets a checkpoint write of its windows, about
CLOCK_BACK_MS_MAX = 10 * 60_000

log = logging.getLogger(__name__)


class SourceRecord(NamedTuple):
    """A record of the source topic, as fetched."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class SourceRange(NamedTuple):
    """What the source partition holds: offsets [begin, end), and how many partitions there are."""

    begin: int
    end: int
    partitions: int


class Durable(NamedTuple):
    """What the last checkpoint says. Its counts never go back, whoever owns the partition."""

    position: int
    events_total: int
    rejected_total: int


class ChangelogPartition(Protocol):
    """One partition of the changelog topic."""

    async def append(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        """Append ONE atomic record batch, each record with the epoch (None: a claim), and return its
        first offset. Raises when it did not happen or when that is not known."""
        ...

    def read(self, start: int, end: int) -> AsyncIterator[Sequence[LogRecord]]:
        """The records that are left in [start, end), by offset, in chunks."""
        ...

    async def begin(self) -> int:
        """First offset that is left."""
        ...


class Outlet(Protocol):
    """Publishes messages."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return when every message is acknowledged; raise otherwise. Repeating is harmless."""
        ...


Decode = Callable[[SourceRecord], Event | Rejected]
SourceNow = Callable[[int], Awaitable[SourceRange]]  # takes the end that is expected at least
PartitionOf = Callable[[bytes, int], int]  # key, partitions → partition
Seal = Callable[[bytes], str]  # how the original of a dead letter is kept


def in_base64(original: bytes) -> str:
    """Kept plain."""
    return b64encode(original).decode()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one checkpoint may hold. The input is cut to keep within, never a state set.

    States are counted by bounds, which are made exact where they fill the room. The outbox is not: its
    rows are made at the checkpoint, and compressed are smaller than the states but for contrived texts.
    `state_bytes_max` leaves it one and a half times its own room in an append; see also `halved`.
    """

    entities_max: int = 20_000
    input_bytes_max: int = 16 * 1024 * 1024
    state_bytes_max: int = 12 * 1024 * 1024
    entity_bytes_max: int = 1024 * 1024  # an event that lets a state outgrow it is refused
    timers_at_once_max: int = 1_000
    compaction_lag_ms: int = 6 * 3_600_000
    stop: StopLimits = NEVER

    def halved(self) -> "Limits":
        """For input of which even this much did not fit into one append."""
        return replace(
            self,
            entities_max=max(1, self.entities_max // 2),
            input_bytes_max=max(1, self.input_bytes_max // 2),
            state_bytes_max=max(1, self.state_bytes_max // 2),
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all engines of a process share. `clock` is the pipeline's (maybe virtual), `wall_clock` the
    machine's."""

    outlet: Outlet
    decode: Decode
    clock: Clock
    wall_clock: Clock
    partition_of: PartitionOf
    limits: Limits = field(default_factory=Limits)
    seal: Seal = in_base64


@dataclass(slots=True)
class _Change(Generic[S]):
    """What happened to one entity since the last checkpoint."""

    before: S | None
    effects: list[Effect] = field(default_factory=list)


class _Capture(NamedTuple):
    marker: Marker
    records: list[tuple[bytes, bytes | None]]
    messages: list[Message]
    progress: Message


class PartitionEngine(Generic[S]):
    """One owner's hold on one source partition. Made anew for every assignment.

    `open` first. Then `apply` and `fire_timers` as input and time come, and `checkpoint`, one at a
    time. After an exception from `open` or `checkpoint` the engine is spent.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        logic: EntityLogic[S],
        store: ChangelogPartition,
        around: Surroundings,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.position = -1
        self.acknowledged = -1  # source offset up to which everything is durable and published
        self.events_total = self.rejected_total = 0
        self.watermark_ms: int | None = None
        self.urgent = False  # an alert waits for the next checkpoint
        self.failed_timers: dict[str, str] = {}  # entity → error; a state of alarm
        self.repaired_keys_total = 0  # of the changelog, put again after a former owner's writes
        self.limits = around.limits
        self._logic = logic
        self._store = store
        self._outlet, self._decode = around.outlet, around.decode
        self._clock = around.clock
        self._wall_clock = around.wall_clock
        self._partition_of, self._seal = around.partition_of, around.seal
        self._states: dict[str, S] = {}
        self._windows = WindowStore()
        self._timers: list[tuple[int, str]] = []
        self._shrinking: list[tuple[int, str]] = []  # timers that wait for the next checkpoint
        self._changes: dict[str, _Change[S]] = {}
        self._letters: list[DeadLetterRow] = []  # of what can't be decoded; have no state
        self._effect_letters: list[DeadLetterRow] = []  # decided by state: belong to the outbox
        self._input_bytes = self._latest_ms = 0
        self._fill = Fill()
        self._stop_rule = StopRule(around.limits.stop)
        self._number: int | None = None
        self.source = SourceRange(0, 0, 0)  # as of `open`
        self._epoch = -1
        self._next_append = -1
        self._inherited: list[
            tuple[bytes, bytes]
        ] = []  # a former owner's outboxes, to publish first
        self._confirmed: list[bytes] = []
        self._reput: frozenset[bytes] = frozenset()
        self.durable = Durable(-1, 0, 0)
        self._busy = False

    # -- opening ------------------------------------------------------------------------------

    async def open(self, source_now: SourceNow, unique: str) -> int:
        """Claim the partition, restore its state; returns the source offset to read from.

        `unique` names this claim and is never used twice. `source_now` is asked after the claim: before
        it, a former owner may still be reading on. ChangelogError when what is found can't be
        trusted or doesn't fit the source; the text says what to do.
        """
        started_ms = self._wall_clock.now_ms()
        self._epoch = await self._store.append([(changelog.claim_key(unique), b"")], None)
        self._next_append = self._epoch + 1
        restoration = Restoration()
        async for chunk in self._store.read(await self._store.begin(), self._epoch):
            for record in chunk:
                restoration.add(record)
        now_ms = self._wall_clock.now_ms()
        if now_ms - started_ms > self.limits.compaction_lag_ms:
            message = (
                "restoring took longer than the changelog's compaction lag: raise the lag"
                " (see the runbook: restore takes too long)"
            )
            raise ChangelogError(message)
        restored = restoration.finish(now_ms, self.limits.compaction_lag_ms)
        source = await source_now(0 if restored.marker is None else restored.marker.position)
        self.source = source
        self.position = self._position_of(restored.marker, source)
        self.acknowledged = self.position
        if restored.marker is not None:
            self._number = restored.marker.number
            self.events_total = restored.marker.events_total
            self.rejected_total = restored.marker.rejected_total
            self.watermark_ms = restored.marker.watermark_ms
            self._stop_rule = StopRule(self.limits.stop, restored.marker.stop_counts)
            self._latest_ms = restored.marker.now_ms
            self._windows.line_ms = restored.marker.windows_line_ms
            self._windows.late_total = restored.marker.windows_late_total
        self.durable = Durable(self.position, self.events_total, self.rejected_total)
        self._reput = restored.reput
        self.repaired_keys_total = len(restored.reput)
        self._inherited = sorted(
            restored.outbox.items(), key=lambda item: changelog.outbox_number(item[0])
        )
        self._load(restored.states)
        for key, snapshot in restored.windows.items():
            self._windows.load(changelog.window_name(key), snapshot)
        return self.position

    def _position_of(self, marker: Marker | None, source: SourceRange) -> int:
        if marker is None:
            return source.begin
        where = f"{self.topic}/{self.partition}"
        if marker.partitions != source.partitions:
            message = (
                f"{where}: the topic has {source.partitions} partitions, its state was made with"
                f" {marker.partitions}; keys have moved. Create it anew with {marker.partitions}"
                " partitions, or rebuild the state (see the runbook: partitions changed)"
            )
            raise ChangelogError(message)
        if marker.position > source.end:
            message = (
                f"{where}: the state has read up to {marker.position}, but the topic ends at"
                f" {source.end}: it was recreated or lost its tail. Delete the changelog topic to"
                " start anew (see the runbook: topic recreated)"
            )
            raise ChangelogError(message)
        if marker.position < source.begin:
            message = (
                f"{where}: the state has read up to {marker.position}, but the topic begins at"
                f" {source.begin}: events were deleted unread. Lengthen the retention; to go on"
                " without them see the runbook: retention too short"
            )
            raise ChangelogError(message)
        return marker.position

    def _load(self, states: dict[bytes, bytes]) -> None:
        for key, value in states.items():
            version, snapshot = changelog.split_state(value)
            try:
                state = self._logic.load(snapshot, version)
            except ValueError as error:
                raise ChangelogError(str(error)) from error
            entity = changelog.entity_of(key)
            self._states[entity] = state
            self._fill.remember(entity, len(value))
            wake_ms = self._logic.wake_ms(state)
            if wake_ms is not None:
                self._timers.append((wake_ms, entity))
        heapq.heapify(self._timers)

    # -- input --------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Whether more input may be applied before the next checkpoint."""
        return (
            len(self._changes) < self.limits.entities_max
            and self._input_bytes < self.limits.input_bytes_max
            and self._fill.has_room(self.limits.state_bytes_max, self._measured)
        )

    def _measured(self, entity: str) -> int:
        state = self._states.get(entity)
        return 0 if state is None else len(self._dumped(state))

    def fits(self, fetch_start: int) -> bool:
        """Whether a batch fetched from there may be applied. If not, something between was missed:
        seek to `position`."""
        return fetch_start <= self.position

    def apply(self, records: Iterable[SourceRecord], next_offset: int) -> None:
        """Take records of one batch that fits, in order; those before the live position are skipped.

        `next_offset` is the offset after them (offsets may have holes). Where there is no more room it
        stops, and `position` stays below `next_offset`: give it the same again after a checkpoint.
        StopRuleError when too much of it can't be processed: then nothing since the last checkpoint is
        acknowledged, now or later.
        """
        now_ms = self._now_ms()
        position = self.position
        for record in records:
            if record.offset < position:
                continue
            if not self.has_room:
                return
            self.position = record.offset + 1
            self._stop_rule.note(rejected=counts(self._take(record, now_ms)))
            if self._stop_rule.tripped is not None:
                raise self._stopped()
        self.position = max(self.position, next_offset)

    def _stopped(self) -> StopRuleError:
        reasons = Counter(letter["reason"] for letter in (*self._letters, *self._effect_letters))
        (worst, _), *_ = reasons.most_common(1) or [("", 0)]
        last = next(
            one for one in (*self._letters, *self._effect_letters) if one["reason"] == worst
        )
        return StopRuleError(
            f"{self.topic}/{self.partition}: {self._stop_rule.tripped}, most of them for {worst}, e.g. at"
            f" offset {last['offset']}: {last['detail'][:300]}. Nothing more is read. If the deploy is at"
            " fault, go back to the one before; if the source is, raise TICKETPULSE_STOP_SHARE and"
            " TICKETPULSE_STOP_CONSECUTIVE (0: never stop) until it is mended"
            " (see the runbook: stopped by rule)"
        )

    def _take(self, record: SourceRecord, now_ms: int) -> str | None:
        """Returns why it was rejected, if it was."""
        self.events_total += 1
        self._input_bytes += 200 if record.value is None else 200 + len(record.value)
        event = self._decode(record)
        if isinstance(event, Rejected):
            return self._reject(self._letters, record, event.reason, _told(event))
        entity = event.key
        before = self._states.get(entity)
        # The key's own partition is asked for new entities only: murmur2 costs more than decoding.
        if before is None and (home := self._home_of(record)) != self.partition:
            detail = f"{entity} belongs to partition {home}, not {self.partition}"
            return self._reject(self._letters, record, "misrouted", detail)
        try:
            after, effects = self._logic.advance(before, event, now_ms)
            too_large = after is not before and self._outgrows(entity, after, record)
        except (
            Exception
        ) as error:  # whatever the core trips over: this event is undone, others go on
            detail = f"{type(error).__name__}: {error}"
            return self._reject(self._effect_letters, record, "core_error", detail)
        if effects and isinstance(effects[0], CoreRejected):
            rejected = effects[0]
            return self._reject(self._effect_letters, record, rejected.reason, rejected.detail)
        if too_large:
            detail = f"with it the state of {entity} takes more than {self.limits.entity_bytes_max:,} bytes"
            return self._reject(self._effect_letters, record, "state_too_large", detail)
        instant_ms = min(event.occurred_ms, event.ingested_ms)
        if self.watermark_ms is None or instant_ms > self.watermark_ms:
            self.watermark_ms = instant_ms
        if 0 < event.ingested_ms - self._latest_ms <= CLOCK_BACK_MS_MAX:
            self._latest_ms = event.ingested_ms  # it has come in, so that instant has passed
        if after is not before:
            self._keep(entity, before, after, effects, len(record.value or b""))
        return None

    def _outgrows(self, entity: str, after: S | None, record: SourceRecord) -> bool:
        """Whether a state is too large to be written; looked at closely only where it may be."""
        bytes_max = self.limits.entity_bytes_max
        if after is None or self._fill.bound(entity, len(record.value or b"")) <= bytes_max:
            return False
        return len(self._dumped(after)) > bytes_max

    def _now_ms(self) -> int:
        """The pipeline's now, which never runs back in a partition, not even over a restart: a row made by
        a clock that was set back would deny what has been announced, and no timer says it again.
        A clock that had been far ahead is not believed in for so long."""
        now_ms = self._clock.now_ms()
        if not 0 < self._latest_ms - now_ms <= CLOCK_BACK_MS_MAX:
            self._latest_ms = now_ms
        return self._latest_ms

    def _home_of(self, record: SourceRecord) -> int:
        return self._partition_of(record.key or b"", self.source.partitions)

    def _reject(
        self, letters: list[DeadLetterRow], record: SourceRecord, reason: str, detail: str
    ) -> str:
        self.rejected_total += 1
        if letters is self._effect_letters:
            in_base64 = 2 * len(record.value or b"")
            self._fill.add_beside(in_base64 + len(detail))
        letters.append(
            DeadLetterRow(
                topic=self.topic,
                partition=self.partition,
                offset=record.offset,
                reason=reason,
                detail=detail[:2_000],
                key=b64encode(record.key or b"").decode(),
                original=self._seal(record.value or b""),
                original_bytes=len(record.value or b""),
                event_time=from_ms(max(0, record.timestamp_ms)),
                recorded_at=from_ms(self._now_ms()),
                version=self._next_number(),
            )
        )
        return reason

    def _keep(
        self,
        entity: str,
        before: S | None,
        after: S | None,
        effects: Sequence[Effect],
        event_bytes: int = 0,
    ) -> None:
        change = self._changes.get(entity)
        if change is None:
            change = self._changes[entity] = _Change(before)
            self._fill.add_beside(_WINDOWS_BYTES)
        self._fill.add(entity, event_bytes, new=before is None)
        if effects:
            change.effects.extend(effects)
            if not self.urgent:
                self.urgent = any(
                    isinstance(effect, Intent) and effect.level in _URGENT_LEVELS
                    for effect in effects
                )
        if after is None:
            self._states.pop(entity, None)
            return
        self._states[entity] = after
        wake_ms = self._logic.wake_ms(after)
        if wake_ms is not None and (before is None or self._logic.wake_ms(before) != wake_ms):
            heapq.heappush(self._timers, (wake_ms, entity))
            if len(self._timers) > 2 * len(self._states) + _STALE_TIMERS_MAX:
                self.ask_timers_again()

    # -- timers -------------------------------------------------------------------------------

    def ask_timers_again(self) -> None:
        """Ask the logic when each entity wants to be woken: it has learned something."""
        self._timers = [
            (wake_ms, entity)
            for entity, state in self._states.items()
            if (wake_ms := self._logic.wake_ms(state)) is not None
        ]
        heapq.heapify(self._timers)

    def next_timer_ms(self) -> int | None:
        """The next instant at which an entity wants to be woken."""
        timers = self._timers
        while timers:
            wake_ms, entity = timers[0]
            state = self._states.get(entity)
            if state is not None and self._logic.wake_ms(state) == wake_ms:
                return wake_ms
            heapq.heappop(timers)
        return None

    def fire_timers(self, read_up_to_ms: int) -> int:
        """Wake what is due at an instant up to which the partition has been read; returns how many.

        The caller has sampled the partition's end at or after that instant and applied everything
        before it (or has waited long enough). Stops early to keep the checkpoint small.
        """
        fired = 0
        while fired < self.limits.timers_at_once_max and self.has_room:
            wake_ms = self.next_timer_ms()
            if wake_ms is None or wake_ms > read_up_to_ms:
                break
            _, entity = heapq.heappop(self._timers)
            self._wake(entity, wake_ms, read_up_to_ms)
            fired += 1
        return fired

    def _wake(self, entity: str, wake_ms: int, read_up_to_ms: int) -> None:
        """One entity's timer. One that the core trips over is told and set aside; others go on."""
        before = self._states[entity]
        try:
            after, effects = self._logic.on_timer(before, read_up_to_ms)
            assert after is None or self._logic.wake_ms(after) != wake_ms, "it does not move on"
        except Exception as error:
            log.exception("%s/%d: the timer of %s failed", self.topic, self.partition, entity)
            self.failed_timers[entity] = f"{type(error).__name__}: {error}"
            return
        self.failed_timers.pop(entity, None)
        if entity in self._changes and self._logic.shrank(before, after):
            self._shrinking.append((wake_ms, entity))  # its rows are still to be made
            return
        self._keep(entity, before, after, effects)

    # -- checkpoint ---------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether a checkpoint has something to say (else an idle one only shows that we live)."""
        return bool(
            self._changes
            or self._letters
            or self._effect_letters
            or self._inherited
            or self._reput
            or self.position != self.durable.position
        )

    async def checkpoint(self) -> None:
        """Make everything applied so far durable, publish its effects; then `acknowledged` moves.

        FencedError: a newer owner exists; stop. LostTailError: the log lost records. Any other
        exception: it is not known what happened; only a new engine, with a new claim, may go on.
        """
        if self._stop_rule.tripped is not None:
            raise self._stopped()
        assert not self._busy, "one checkpoint at a time"
        self._busy = True
        await self._publish_inherited()
        while self._letters:
            await self._publish_letters()
        capture = self._capture()  # since the last look at `_letters` nothing can have come between
        base = await self._store.append(capture.records, self._epoch)
        await self._check(base, capture)
        self._number = capture.marker.number
        marker = capture.marker
        self.durable = Durable(marker.position, marker.events_total, marker.rejected_total)
        await self._outlet.publish([*capture.messages, capture.progress])
        if capture.messages:
            self._confirmed.append(changelog.outbox_key(capture.marker.number))
        self.acknowledged = capture.marker.position
        self._busy = False

    async def _publish_inherited(self) -> None:
        """Effects of a former owner that nobody has confirmed."""
        while self._inherited:
            key, outbox = self._inherited[0]
            await self._outlet.publish(changelog.load_outbox(outbox))
            self._confirmed.append(key)
            self._inherited.pop(0)

    async def _publish_letters(self) -> None:
        """Dead letters without state must be safe before the marker passes them."""
        letters = list(self._letters)
        await self._outlet.publish([_letter_message(letter) for letter in letters])
        del self._letters[: len(letters)]

    def _next_number(self) -> int:
        if self._number is None:
            # A new changelog counts from the wall clock, so that a recreated one stays above its past.
            self._number = self._wall_clock.now_ms()
        return self._number + 1

    def _capture(self) -> _Capture:
        number = self._next_number()
        stamp = Stamp(self.partition, number, self._now_ms())
        records: dict[bytes, bytes | None] = {}
        messages: list[Message] = []
        for entity, change in self._changes.items():
            state = self._states.get(entity)
            self._count(change.before, state)
            if state is None:
                records[changelog.state_key(entity)] = None
                self._fill.remember(entity, 0)
                continue
            dumped = records[changelog.state_key(entity)] = self._dumped(state)
            self._fill.remember(entity, len(dumped))
            rows = self._logic.rows(change.before, state, tuple(change.effects), stamp)
            key = entity.encode()
            messages += [row_message(key, row) for row in rows]
        for window, snapshot in self._windows.changed():
            records[changelog.window_key(name_of(window))] = snapshot
            messages.append(window_message(window, self._windows.row(window, stamp)))
        records.update(self._closed_windows())
        messages += map(_letter_message, self._effect_letters)
        records.update(self._repairs(records))
        records.update(dict.fromkeys(self._confirmed))
        if messages:
            records[changelog.outbox_key(number)] = changelog.dump_outbox(messages)
        marker = self._marker(number)
        records[changelog.MARKER_KEY] = changelog.dump_marker(marker)
        self._changes, self._effect_letters = {}, []
        for timer in self._shrinking:
            heapq.heappush(self._timers, timer)
        self._shrinking = []
        self._confirmed = []
        self._reput = self._reput.difference(records)
        self._input_bytes = 0
        self._fill.reset()
        self.urgent = False
        return _Capture(marker, list(records.items()), messages, self._progress(marker, stamp))

    def _count(self, before: S | None, after: S | None) -> None:
        """Windows follow an entity. What a forgotten one added to them stays."""
        parts = [] if before is None else self._logic.parts(before)
        if before is not None and self._logic.shrank(before, after):
            self._windows.settle(parts)
        elif after is not None:
            self._windows.move(parts, self._logic.parts(after))

    def _closed_windows(self) -> dict[bytes, bytes | None]:
        """Tombstones of windows that nothing can change any more."""
        if self.watermark_ms is None:
            return {}
        line_ms = self.watermark_ms - self._logic.window_horizon_ms
        return {changelog.window_key(name): None for name in self._windows.advance_line(line_ms)}

    def _dumped(self, state: S) -> bytes:
        return changelog.dump_state(self._logic.snapshot_version, self._logic.dump(state))

    def _repairs(self, records: Mapping[bytes, bytes | None]) -> dict[bytes, bytes | None]:
        """What has to be written again, as much as this checkpoint still holds: the rest is for the next.
        A quarter is for repairs in any case: they must be done before compaction."""
        bytes_max = self.limits.state_bytes_max
        repairs: dict[bytes, bytes | None] = {}
        size = min(self._fill.total_bytes, bytes_max * 3 // 4)
        for key in sorted(self._reput):
            if key in records or key == changelog.MARKER_KEY:
                continue
            if size >= bytes_max or len(repairs) >= self.limits.entities_max:
                break
            value = repairs[key] = self._known(key)
            size += RECORD_BYTES + len(key) + len(value or b"")
        return repairs

    def _known(self, key: bytes) -> bytes | None:
        """What we know under a key; None (a tombstone) when nothing. At a capture every outbox that
        was ever written has been confirmed."""
        if key.startswith(changelog.WINDOW_PREFIX):
            return self._windows.snapshot(changelog.window_name(key))
        if not key.startswith(changelog.STATE_PREFIX):
            return None
        state = self._states.get(changelog.entity_of(key))
        return None if state is None else self._dumped(state)

    def _marker(self, number: int) -> Marker:
        return Marker(
            number=number,
            position=self.position,
            partitions=self.source.partitions,
            snapshot_version=self._logic.snapshot_version,
            epoch=self._epoch,
            events_total=self.events_total,
            rejected_total=self.rejected_total,
            watermark_ms=self.watermark_ms,
            stop_counts=self._stop_rule.counts(),
            now_ms=self._latest_ms,
            windows_line_ms=self._windows.line_ms,
            windows_late_total=self._windows.late_total,
        )

    async def _check(self, base: int, capture: _Capture) -> None:
        """Nobody else may have written since our last append."""
        start, self._next_append = self._next_append, base + len(capture.records)
        if base == start:
            return
        if base < start:
            message = (
                f"the changelog of {self.topic}/{self.partition} lost its tail: {start - base} records"
                " that the broker had acknowledged are gone. Check acks, min.insync.replicas and"
                " unclean leader election, then rebuild (see the runbook: lost tail)"
            )
            raise LostTailError(message)
        gap: list[LogRecord] = []
        async for chunk in self._store.read(start, base):
            gap.extend(chunk)
        repaired = changelog.keys_to_repair(gap, start, base, self._epoch)
        self.repaired_keys_total += len(repaired)
        self._reput |= repaired

    def _progress(self, marker: Marker, stamp: Stamp) -> Message:
        row = PartitionProgressRow(
            topic=self.topic,
            partition=self.partition,
            version=marker.number,
            position=marker.position,
            event_time=from_ms(stamp.now_ms if self.watermark_ms is None else self.watermark_ms),
            clock_now=from_ms(stamp.now_ms),
            recorded_at=from_ms(self._wall_clock.now_ms()),
            entities=len(self._states),
            open_timers=len(self._timers),
            events_total=self.events_total,
            rejected_total=self.rejected_total,
        )
        topic = OUTCOME_TOPIC_OF_TABLE["partition_progress"]
        return Message(
            topic, f"{self.topic}/{self.partition}".encode(), orjson.dumps(row, option=_JSON)
        )

    # -- looking ------------------------------------------------------------------------------

    @property
    def entities(self) -> int:
        """How many entities are alive."""
        return len(self._states)

    @property
    def timers(self) -> int:
        """How many entities want to be woken; some may be counted twice."""
        return len(self._timers)

    @property
    def windows(self) -> int:
        """How many windows may still change."""
        return len(self._windows)

    @property
    def windows_late_total(self) -> int:
        """Changes that came too late for their window."""
        return self._windows.late_total

    def state_of(self, entity: str) -> S | None:
        """The live state of one entity."""
        return self._states.get(entity)


def _told(rejected: Rejected) -> str:
    return f"{rejected.where}: {rejected.detail}" if rejected.where else rejected.detail


def row_message(key: bytes, row: OutcomeRow) -> Message:
    """A row as it goes onto its topic; `key` is the entity's."""
    table, content = row
    if table == "alert_intents":
        key = content["key"].encode()  # type: ignore[typeddict-item]  # told apart by the table
    return Message(_TOPIC_OF[table], key, orjson.dumps(content, option=_JSON))


def window_message(window: WindowKey, row: dict[str, object]) -> Message:
    """A window's row as it goes onto its topic."""
    return Message(_TOPIC_OF[str(window[0])], name_of(window), orjson.dumps(row, option=_JSON))


def _letter_message(letter: DeadLetterRow) -> Message:
    key = f"{letter['topic']}/{letter['partition']}/{letter['offset']}"
    return Message(
        OUTCOME_TOPIC_OF_TABLE["dead_letters"], key.encode(), orjson.dumps(letter, option=_JSON)
    )
