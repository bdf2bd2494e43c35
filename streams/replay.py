"""Drives the ticket core over recorded events with a hand-moved clock: no Kafka, same results.

Events are taken by `ingested_at`; between them every timer fires at its own instant, as it would
have live. Everything known at an instant is read before a timer of that instant fires. Nothing pages.
"""

import heapq
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, cast

import msgspec

from schemas.decode import EVENT_BYTES_MAX, decode
from schemas.events import Event, Rejected
from schemas.instants import to_ms
from schemas.outcomes import TicketClockRow, TicketRow
from schemas.wire import Instant
from streams.core.effects import CoreRejected, Effect, Intent, OutcomeRow, Stamp
from streams.core.policy import PolicyBook
from streams.core.tickets.logic import TicketLogic
from streams.core.tickets.state import TicketState
from streams.importing.reading import open_bytes
from streams.importing.sorting import Message, TimeSorter

Agreement = Literal["equal", "different", "no verdict"]
OnFinal = Callable[[tuple[OutcomeRow, ...]], None]  # all rows of one ticket
OnChange = Callable[[OutcomeRow], None]
Progress = Callable[[int, int], None]  # bytes read, bytes in all

DIFFERENCES_SHOWN_MAX = 20
_PROGRESS_EVERY_LINES = 2_000
_NOT_STAMPED = -1
_LINE_BYTES_MAX = EVENT_BYTES_MAX + 1_024


class Replayer:
    """The core and a clock moved by hand. Feed events in the order of `ingested_ms`, then `finish`.

    `on_final` gets all rows of a ticket once: when it is over (its horizon has passed), else from
    `finish`. `on_change`, when given, gets every row that changed, step by step; a later row of a key
    replaces an earlier one. `version` counts the steps of the clock. Memory holds the tickets that
    are not over.
    """

    def __init__(
        self, book: PolicyBook, on_final: OnFinal, on_change: OnChange | None = None
    ) -> None:
        self.now_ms: int | None = None
        self.tickets = 0
        self.intents: Counter[str] = Counter()
        self._logic = TicketLogic(book)
        self._on_final = on_final
        self._on_change = on_change
        self._states: dict[str, TicketState] = {}
        self._timers: list[tuple[int, str]] = []
        self._version = 1
        self._changed: dict[str, tuple[TicketState | None, list[Effect]]] = {}

    def feed(self, event: Event) -> CoreRejected | None:
        """Take one event at its `ingested_ms`; returns why when the core can't."""
        if self.now_ms is None or event.ingested_ms > self.now_ms:
            self._move_to(event.ingested_ms)
        assert self.now_ms == event.ingested_ms, "events come in the order of ingested_ms"
        key = event.key
        before = self._states.get(key)
        try:
            after, effects = self._logic.advance(before, event, event.ingested_ms)
        except Exception as error:  # as live: the event is undone, the rest goes on
            return CoreRejected("core_error", f"{type(error).__name__}: {error}")
        self._keep(key, before, after, effects)
        return next((effect for effect in effects if isinstance(effect, CoreRejected)), None)

    def finish(self, until_ms: int) -> None:
        """Let the time pass until `until_ms` and give out the rows of every ticket as of then.

        A due instant that equals `until_ms` has not passed.
        """
        self._move_to(until_ms)
        for state in self._states.values():
            self._give_out(state, until_ms)

    def _move_to(self, instant_ms: int) -> None:
        while self._timers and self._timers[0][0] < instant_ms:
            self._step()
            wake_ms, key = heapq.heappop(self._timers)
            state = self._states.get(key)
            if state is not None and self._logic.wake_ms(state) == wake_ms:
                self._fire(key, state, wake_ms)
        self._step()
        self.now_ms = instant_ms

    def _fire(self, key: str, state: TicketState, wake_ms: int) -> None:
        """At its instant, or now when that lies before what was read last."""
        now_ms = wake_ms if self.now_ms is None else max(wake_ms, self.now_ms)
        self.now_ms = now_ms
        after, effects = self._logic.on_timer(state, now_ms)
        if after is None:
            del self._states[key]
            return
        if after.stub_ms is not None and state.stub_ms is None:
            self._give_out(state, now_ms)
        next_ms = self._logic.wake_ms(after)
        assert next_ms is None or next_ms > wake_ms, f"the timer of {key} does not move on"
        self._keep(key, state, after, effects)

    def _keep(
        self,
        key: str,
        before: TicketState | None,
        after: TicketState | None,
        effects: tuple[Effect, ...],
    ) -> None:
        self.intents.update(effect.level for effect in effects if isinstance(effect, Intent))
        if after is None or after is before:
            return
        if before is None:
            self.tickets += 1
        self._states[key] = after
        wake_ms = self._logic.wake_ms(after)
        if wake_ms is not None and (before is None or wake_ms != self._logic.wake_ms(before)):
            heapq.heappush(self._timers, (wake_ms, key))
        if self._on_change is not None:
            self._changed.setdefault(key, (before, []))[1].extend(effects)

    def _step(self) -> None:
        """One step of the clock is over: tell what it changed."""
        for key, (before, effects) in self._changed.items():
            assert self.now_ms is not None
            assert self._on_change is not None
            stamp = Stamp(0, self._version, self.now_ms)
            for row in self._logic.rows(before, self._states[key], tuple(effects), stamp):
                self._on_change(row)
        self._changed.clear()
        self._version += 1

    def _give_out(self, state: TicketState, now_ms: int) -> None:
        if state.stub_ms is None:
            stamp = Stamp(0, self._version, now_ms)
            self._on_final(tuple(self._logic.rows(None, state, (), stamp)))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A line that became no event, or an event that the core could not take."""

    line: int
    reason: str
    detail: str
    where: str
    original: bytes

    def document(self) -> dict[str, object]:
        """For a file: the original as text, or in base64 when it is none."""
        found: dict[str, object] = {
            "line": self.line,
            "reason": self.reason,
            "detail": self.detail,
            "where": self.where,
        }
        try:
            found["original"] = self.original.decode()
        except UnicodeDecodeError:
            found["original_base64"] = b64encode(self.original).decode()
        return found


@dataclass(slots=True)
class Difference:
    """A cycle that the source judges otherwise."""

    ticket_id: str
    clock: str
    ours: str
    theirs: str


@dataclass(slots=True)
class ReplaySummary:
    """What came of a replay. Verdicts count the final state of each cycle."""

    lines: int = 0
    events: int = 0
    after_until: int = 0
    other_entities: int = 0
    tickets: int = 0
    until_ms: int | None = None
    verdicts: dict[str, Counter[str]] = field(default_factory=dict)  # clock → verdict → cycles
    breaches: Counter[str] = field(default_factory=Counter)  # clock → cycles that were breached
    flags: Counter[str] = field(default_factory=Counter)  # flag → tickets
    rejected: Counter[str] = field(default_factory=Counter)  # reason → lines
    intents: Counter[str] = field(default_factory=Counter)
    agreement: Counter[Agreement] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def count(self, rows: tuple[OutcomeRow, ...]) -> None:
        """Count the final rows of one ticket."""
        latest: dict[str, TicketClockRow] = {}
        for name, row in rows:
            if name == "tickets":
                self.flags.update(cast("TicketRow", row)["flags"])
            elif name == "ticket_clocks":
                clock_row = cast("TicketClockRow", row)
                clock = clock_row["clock"]
                latest[clock] = clock_row  # cycles come oldest first
                self.verdicts.setdefault(clock, Counter())[clock_row["verdict"]] += 1
                self.breaches[clock] += clock_row["breached"]
        for clock_row in latest.values():
            self._compare(clock_row)

    def _compare(self, row: TicketClockRow) -> None:
        """Our verdict of the latest cycle against what the source says of that clock."""
        theirs = row["external_verdict"]
        if theirs is None:
            return
        ours = row["verdict"]
        if ours not in ("met", "breached"):
            self.agreement["no verdict"] += 1
        elif ours == theirs:
            self.agreement["equal"] += 1
        else:
            self.agreement["different"] += 1
            if len(self.differences) < DIFFERENCES_SHOWN_MAX:
                difference = Difference(row["ticket_id"], row["clock"], ours, theirs)
                self.differences.append(difference)


@dataclass(frozen=True, slots=True)
class ReplaySinks:
    """Where a replay puts what it makes; everything may be left out. `history`: also rows on the way,
    not only the final ones."""

    on_row: OnChange | None = None
    on_dead_letter: Callable[[DeadLetter], None] | None = None
    progress: Progress | None = None
    history: bool = False


def replay_file(
    path: Path, book: PolicyBook, sinks: ReplaySinks, until_ms: int | None = None
) -> ReplaySummary:
    """Replay a file of events (JSON lines, also .gz), in any order, up to `until_ms` or else the last
    `ingested_at`. An event without `ingested_at` is taken as known when it occurred.

    Bad lines are counted and handed to `on_dead_letter`, never raised. ProblemsError when the file
    can't be read.
    """
    run = _FileReplay(book, sinks, until_ms)
    if _in_order(path):
        for number, line in _lines(path, sinks.progress):
            run.take(number, line)
    else:
        with TimeSorter() as sorter:
            for number, line in _lines(path, sinks.progress):
                sorter.add(Message(_known_ms(line), 0, number, "", b"", line))
            for message in sorter:
                run.take(message.ordinal, message.value)
    return run.finished()


def recorded_event(line: bytes) -> Event | Rejected:
    """The event of one line; one without `ingested_at` is taken as known when it occurred."""
    event = decode(line, key=None, received_ms=_NOT_STAMPED)
    if isinstance(event, Rejected) or event.ingested_ms != _NOT_STAMPED:
        return event
    return msgspec.structs.replace(event, ingested_ms=event.occurred_ms)


class _FileReplay:
    """One run: decodes, feeds, counts."""

    def __init__(self, book: PolicyBook, sinks: ReplaySinks, until_ms: int | None) -> None:
        self._sinks = sinks
        self._until_ms = until_ms
        self._summary = ReplaySummary()
        self._replayer = Replayer(book, self._final, sinks.on_row if sinks.history else None)

    def take(self, number: int, line: bytes) -> None:
        summary = self._summary
        summary.lines += 1
        event = recorded_event(line)
        if isinstance(event, Rejected):
            self._dead(DeadLetter(number, event.reason, event.detail, event.where, line))
            return
        if event.kind != "ticket":
            summary.other_entities += 1
            return
        if self._until_ms is not None and event.ingested_ms > self._until_ms:
            summary.after_until += 1
            return
        refused = self._replayer.feed(event)
        if refused is None:
            summary.events += 1
        else:
            self._dead(DeadLetter(number, refused.reason, refused.detail, "", line))

    def finished(self) -> ReplaySummary:
        summary, replayer = self._summary, self._replayer
        until_ms = replayer.now_ms if self._until_ms is None else self._until_ms
        if until_ms is not None:
            replayer.finish(until_ms)
        summary.until_ms = until_ms
        summary.tickets = replayer.tickets
        summary.intents = replayer.intents
        return summary

    def _final(self, rows: tuple[OutcomeRow, ...]) -> None:
        self._summary.count(rows)
        if self._sinks.on_row is not None:
            for row in rows:
                self._sinks.on_row(row)

    def _dead(self, letter: DeadLetter) -> None:
        self._summary.rejected[letter.reason] += 1
        if self._sinks.on_dead_letter is not None:
            self._sinks.on_dead_letter(letter)


class _Stamps(msgspec.Struct):
    """Just enough of an event to know its place in time."""

    occurred_at: Instant
    ingested_at: Instant | None = None


_STAMPS = msgspec.json.Decoder(_Stamps)


def _known_ms(line: bytes) -> int:
    """When an event was known; a line that says nothing of it stands first, where it is rejected."""
    try:
        stamps = _STAMPS.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _NOT_STAMPED
    return to_ms(stamps.ingested_at or stamps.occurred_at)


def _in_order(path: Path) -> bool:
    latest_ms = _NOT_STAMPED
    for _number, line in _lines(path, None):
        known_ms = _known_ms(line)
        if known_ms == _NOT_STAMPED:
            continue
        if known_ms < latest_ms:
            return False
        latest_ms = known_ms
    return True


def _lines(path: Path, progress: Progress | None) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without their ends; empty ones are no lines, overlong ones are cut."""
    total = path.stat().st_size if path.exists() else 0
    with open_bytes(path) as (file, content):
        number = 0
        while line := content.readline(_LINE_BYTES_MAX):
            number += 1
            if not line.endswith(b"\n") and len(line) == _LINE_BYTES_MAX:
                _skip_rest(content)
            if progress is not None and number % _PROGRESS_EVERY_LINES == 0:
                progress(file.tell(), total)
            line = line.rstrip(b"\r\n")
            if line.strip():
                yield number, line


def _skip_rest(content: BinaryIO) -> None:
    while rest := content.readline(_LINE_BYTES_MAX):
        if rest.endswith(b"\n"):
            return
