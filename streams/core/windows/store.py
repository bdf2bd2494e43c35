"""The windows of one source partition.

An entity's part of a window is a function of its state, so a change is the difference of the parts before
and after. A window remembers how many living entities have a part in it: once it lies before the line and
the last of them is gone, nothing can change it any more and it is forgotten; its last row stands. What
comes for a window before the line that is not there comes too late to be counted, and is told.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from schemas.instants import from_ms
from streams.core.effects import Stamp
from streams.core.windows.family import BY_TABLE, Part, WindowKey
from streams.core.windows.sketch import bucket_of


class Window(msgspec.Struct, array_like=True):
    """Sums of one window. `members`: living entities that have a part in it."""

    counts: list[int]
    sketches: list[dict[int, int]]
    members: int = 0


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Window)
_key_decoder = msgspec.json.Decoder(tuple[str | int, ...])


class WindowStore:
    """Windows by key, those changed since they were last told, and the line before which none begins anew."""

    def __init__(self) -> None:
        self.line_ms = -(2**62)
        self.late_total = 0  # changes that came too late for their window
        self._windows: dict[WindowKey, Window] = {}
        self._changed: set[WindowKey] = set()
        self._alone: list[tuple[int, WindowKey]] = []  # without members, by start

    def __len__(self) -> int:
        return len(self._windows)

    def move(self, before: Sequence[Part], after: Sequence[Part]) -> None:
        """An entity that had these parts has those now."""
        if before == after:
            return
        for part in before:
            self._add(part, -1)
        for part in after:
            self._add(part, 1)
        had = {part.key for part in before}
        has = {part.key for part in after}
        self._leave(had - has)
        for key in has - had:
            window = self._windows.get(key)
            if window is not None:
                window.members += 1
                self._changed.add(key)

    def settle(self, parts: Iterable[Part]) -> None:
        """An entity is forgotten; what it added stays."""
        self._leave({part.key for part in parts})

    def advance_line(self, line_ms: int) -> Iterator[bytes]:
        """Move the line (never back); the names of windows that are forgotten by it."""
        self.line_ms = max(self.line_ms, line_ms)
        while self._alone and self._alone[0][0] < self.line_ms:
            _, key = heapq.heappop(self._alone)
            window = self._windows.get(key)
            if window is not None and not window.members and key not in self._changed:
                del self._windows[key]
                yield name_of(key)

    def changed(self) -> Iterator[tuple[WindowKey, bytes]]:
        """Those that changed since the last time, with their snapshots."""
        for key in self._changed:
            yield key, _encoder.encode(self._windows[key])
        for key in self._changed:
            if not self._windows[key].members:
                heapq.heappush(self._alone, (_start_of(key), key))
        self._changed = set()

    def snapshot(self, name: bytes) -> bytes | None:
        """The snapshot of a window by its name; None when there is none."""
        window = self._windows.get(key_of(name))
        return None if window is None else _encoder.encode(window)

    def load(self, name: bytes, snapshot: bytes) -> None:
        """Restore one."""
        key = key_of(name)
        window = _decoder.decode(snapshot)
        family = BY_TABLE[str(key[0])]
        window.counts += [0] * (len(family.counts) - len(window.counts))
        window.sketches += [{} for _ in range(len(family.sketches) - len(window.sketches))]
        self._windows[key] = window
        if not window.members:
            heapq.heappush(self._alone, (_start_of(key), key))

    def row(self, key: WindowKey, stamp: Stamp) -> dict[str, object]:
        """The row of a window, absolute."""
        table, start_ms, tenant, source, *dimensions = key
        family, window = BY_TABLE[str(table)], self._windows[key]
        assert isinstance(start_ms, int)
        return {
            "tenant": tenant,
            "source": source,
            "source_partition": stamp.source_partition,
            "version": stamp.version,
            "window_start": from_ms(start_ms),
            **dict(zip(family.dimensions, dimensions, strict=True)),
            **dict(zip(family.counts, window.counts, strict=True)),
            **{
                name: {str(bucket): count for bucket, count in sorted(sketch.items())}
                for name, sketch in zip(family.sketches, window.sketches, strict=True)
            },
        }

    def _add(self, part: Part, sign: int) -> None:
        window = self._windows.get(part.key)
        if window is None:
            if _start_of(part.key) < self.line_ms:
                self.late_total += 1
                return
            family = BY_TABLE[str(part.key[0])]
            window = Window([0] * len(family.counts), [{} for _ in family.sketches])
            self._windows[part.key] = window
        counts = window.counts
        for at, count in enumerate(part.counts):
            if count:
                counts[at] += sign * count
        for sketch, duration_ms in zip(window.sketches, part.observed, strict=False):
            if duration_ms is not None:
                bucket = bucket_of(duration_ms)
                left = sketch.get(bucket, 0) + sign
                if left:
                    sketch[bucket] = left
                else:
                    del sketch[bucket]
        self._changed.add(part.key)

    def _leave(self, keys: Iterable[WindowKey]) -> None:
        for key in keys:
            window = self._windows.get(key)
            if window is not None:
                window.members -= 1
                self._changed.add(key)


def name_of(key: WindowKey) -> bytes:
    """A window's name in a log."""
    return msgspec.json.encode(key)


def key_of(name: bytes) -> WindowKey:
    """The key of a name."""
    return _key_decoder.decode(name)


def _start_of(key: WindowKey) -> int:
    start_ms = key[1]
    assert isinstance(start_ms, int)
    return start_ms
