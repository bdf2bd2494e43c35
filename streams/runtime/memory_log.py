"""A changelog partition in memory, with everything a broker's may do to us: for tests.

Other writers can `land` batches of their own; `compact` forgets what Kafka's log cleaner would.
"""

from collections.abc import AsyncIterator, Sequence

from streams.runtime.changelog import LogRecord

_NO_EPOCH = -1


class MemoryLog:
    """Implements `ChangelogPartition`. `now_ms` stamps records; move it by hand."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.end = 0
        self.now_ms = 0

    def land(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        """What the broker does with one record batch: all of it, at once."""
        base = self.end
        stamp = _NO_EPOCH if epoch is None else epoch
        self.records += [
            LogRecord(base + at, key, value, stamp, self.now_ms)
            for at, (key, value) in enumerate(records)
        ]
        self.end += len(records)
        return base

    async def append(self, records: Sequence[tuple[bytes, bytes | None]], epoch: int | None) -> int:
        """See `ChangelogPartition`."""
        return self.land(records, epoch)

    async def read(self, start: int, end: int) -> AsyncIterator[Sequence[LogRecord]]:
        """See `ChangelogPartition`."""
        found = [record for record in self.records if start <= record.offset < end]
        if found:
            yield found

    async def begin(self) -> int:
        """See `ChangelogPartition`."""
        return 0

    def compact(self, lag_ms: int, tombstones_ms: int) -> int:
        """Forget, among the records older than the lag, all but the newest of each key, and tombstones
        that are older still. Returns how many went."""
        old = [record for record in self.records if record.timestamp_ms <= self.now_ms - lag_ms]
        newest = {record.key: record.offset for record in old}
        gone = {
            record.offset
            for record in old
            if newest[record.key] > record.offset
            or (
                record.value is None and record.timestamp_ms <= self.now_ms - lag_ms - tombstones_ms
            )
        }
        self.records = [record for record in self.records if record.offset not in gone]
        return len(gone)
