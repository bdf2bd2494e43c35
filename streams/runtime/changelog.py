"""What stands in a changelog partition, and what a new owner makes of it. Pure.

Five kinds of record, told apart by their key:

  c/<unique>   claim: its offset is the epoch of the owner that wrote it. Never tombstoned.
  s/<entity>   state of one entity: snapshot version (one byte), then the snapshot
  w/<window>   sums of one window
  o/<number>   outbox of one checkpoint: messages to publish; a tombstone once all are confirmed
  m            marker: the last record of every checkpoint

Every record but a claim carries the epoch of its writer in a header, tombstones too. A checkpoint is
one record batch, which the broker appends whole or not at all.
"""

from collections.abc import Iterable
from typing import NamedTuple

import cramjam
import msgspec

from streams.runtime.stop_rule import StopCounts

CLAIM_PREFIX = b"c/"
STATE_PREFIX = b"s/"
WINDOW_PREFIX = b"w/"
OUTBOX_PREFIX = b"o/"
MARKER_KEY = b"m"

EPOCH_HEADER = "e"
_NO_EPOCH = -1


class LogRecord(NamedTuple):
    """One record as read. `epoch` is -1 for claims, whose offset is what counts."""

    offset: int
    key: bytes
    value: bytes | None
    epoch: int
    timestamp_ms: int

    @property
    def is_claim(self) -> bool:
        return self.key.startswith(CLAIM_PREFIX)


class Marker(msgspec.Struct, array_like=True, frozen=True):
    """Where a checkpoint stands. `number` is the version of its rows and only grows."""

    number: int
    position: int  # next source offset
    partitions: int  # of the source topic
    snapshot_version: int
    epoch: int
    events_total: int
    rejected_total: int
    watermark_ms: int | None
    stop_counts: StopCounts = StopCounts()
    now_ms: int = 0  # the latest now by which anything was judged
    windows_line_ms: int = -(2**62)  # no window before it begins anew
    windows_late_total: int = 0  # changes that came too late for their window


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Something to publish on an outcome topic."""

    topic: str
    key: bytes
    value: bytes


class ChangelogError(Exception):
    """This changelog can't be worked with; says what to do."""


class FencedError(ChangelogError):
    """A newer owner has claimed the partition: stop, publish nothing, never claim again."""


class LostTailError(ChangelogError):
    """The log is shorter than it was: records that the broker had acknowledged are gone."""


_marker_encoder = msgspec.msgpack.Encoder()
_marker_decoder = msgspec.msgpack.Decoder(Marker)
_outbox_decoder = msgspec.msgpack.Decoder(tuple[Message, ...])


def claim_key(unique: str) -> bytes:
    """Key of a claim; `unique` is never used twice, so that compaction keeps every claim."""
    return CLAIM_PREFIX + unique.encode()


def state_key(entity: str) -> bytes:
    """Key of an entity's state."""
    return STATE_PREFIX + entity.encode()


def entity_of(key: bytes) -> str:
    """The entity of a state key."""
    return key[len(STATE_PREFIX) :].decode()


def window_key(name: bytes) -> bytes:
    """Key of a window's sums."""
    return WINDOW_PREFIX + name


def window_name(key: bytes) -> bytes:
    """The window of a window key."""
    return key[len(WINDOW_PREFIX) :]


def outbox_key(number: int) -> bytes:
    """Key of a checkpoint's outbox."""
    return OUTBOX_PREFIX + str(number).encode()


def outbox_number(key: bytes) -> int:
    """The checkpoint of an outbox key."""
    return int(key[len(OUTBOX_PREFIX) :])


def dump_marker(marker: Marker) -> bytes:
    """Positional msgpack."""
    return _marker_encoder.encode(marker)


def dump_outbox(messages: Iterable[Message]) -> bytes:
    """Positional msgpack, compressed: rows of one checkpoint repeat each other's words."""
    return bytes(cramjam.lz4.compress_block(_marker_encoder.encode(tuple(messages))))


def load_outbox(value: bytes) -> tuple[Message, ...]:
    """The messages of an outbox record."""
    return _outbox_decoder.decode(bytes(cramjam.lz4.decompress_block(value)))


def dump_state(version: int, snapshot: bytes) -> bytes:
    """A state record's value."""
    return bytes((version,)) + snapshot


def split_state(value: bytes) -> tuple[int, bytes]:
    """Snapshot version and snapshot of a state record's value."""
    return value[0], value[1:]


def epoch_header(epoch: int) -> list[tuple[str, bytes]]:
    """Headers of every record that is no claim."""
    return [(EPOCH_HEADER, epoch.to_bytes(8, "big"))]


def epoch_of(headers: Iterable[tuple[str, bytes]]) -> int:
    """The writer's epoch; -1 when there is none."""
    for name, value in headers:
        if name == EPOCH_HEADER:
            return int.from_bytes(value, "big")
    return _NO_EPOCH


class Restored(NamedTuple):
    """What counts in a changelog below a claim.

    `reput`: keys whose newest physical record does not count. They must be written again (a
    tombstone where nothing is known), before compaction takes the older record that does count.
    """

    states: dict[bytes, bytes]
    windows: dict[bytes, bytes]
    outbox: dict[bytes, bytes]
    marker: Marker | None
    reput: frozenset[bytes]


class Restoration:
    """Reads a changelog from its beginning up to the own claim.

    What stands before a claim counts, whatever its epoch; a record of an epoch older than any claim
    that precedes it never does: its writer had been fenced without knowing.
    """

    def __init__(self) -> None:
        self.records = 0
        self.claims = 0
        self._epoch = _NO_EPOCH
        self._values: dict[bytes, bytes | None] = {}
        self._ignored_since: dict[bytes, int] = {}

    @property
    def epoch(self) -> int:
        """Of the newest claim; -1: there was none."""
        return self._epoch

    def add(self, record: LogRecord) -> None:
        """Take the next record by offset."""
        self.records += 1
        key, epoch = record.key, record.epoch
        if (
            epoch < 0 and record.is_claim
        ):  # told first by what is cheaper to ask, of a million records
            self._epoch = max(self._epoch, record.offset)
            self.claims += 1
            return
        if epoch < self._epoch:
            self._ignored_since.setdefault(key, record.timestamp_ms)
            return
        self._epoch = epoch
        if self._ignored_since:
            self._ignored_since.pop(key, None)
        self._values[key] = record.value

    def finish(self, now_ms: int, compaction_lag_ms: int) -> Restored:
        """ChangelogError when compaction may already have taken what counts.

        `now_ms` is the wall clock's, as the broker stamps records by it.
        """
        outlived = [
            key
            for key, since_ms in self._ignored_since.items()
            if now_ms - since_ms > compaction_lag_ms
        ]
        if outlived:
            message = (
                f"{len(outlived)} records of a fenced worker are older than the changelog's compaction"
                " lag and were never repaired, so older truth may be gone: rebuild the state from the"
                " source topic (see the runbook: rebuild)"
            )
            raise ChangelogError(message)
        marker = self._values.get(MARKER_KEY)
        return Restored(
            states=self._of_kind(STATE_PREFIX),
            windows=self._of_kind(WINDOW_PREFIX),
            outbox=self._of_kind(OUTBOX_PREFIX),
            marker=None if marker is None else _marker_decoder.decode(marker),
            reput=frozenset(self._ignored_since),
        )

    def _of_kind(self, prefix: bytes) -> dict[bytes, bytes]:
        return {
            key: value
            for key, value in self._values.items()
            if value is not None and key.startswith(prefix)
        }


def keys_to_repair(gap: Iterable[LogRecord], start: int, end: int, epoch: int) -> frozenset[bytes]:
    """Keys that a fenced writer touched in [start, end), between two appends of ours.

    FencedError unless every offset is there and of an older epoch: anything else may be a newer
    claim, or hide one.
    """
    found = list(gap)
    complete = [record.offset for record in found] == list(range(start, end))
    if not complete or any(record.is_claim or record.epoch >= epoch for record in found):
        message = "another worker has claimed this partition; this one stops and publishes nothing"
        raise FencedError(message)
    return frozenset(record.key for record in found)
