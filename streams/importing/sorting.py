"""Puts any number of messages into time order with bounded memory: sorted runs on disk, then a merge."""

import heapq
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO

import msgspec

RUN_MESSAGES_MAX = 100_000
_LENGTH_BYTES = 4

_Run = IO[bytes]


class Message(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """A message and its place: by when it was known, then when it happened, then as it came."""

    ingested_ms: int
    occurred_ms: int
    ordinal: int
    topic: str
    key: bytes
    value: bytes


class TimeSorter:
    """Takes messages in any order, gives them back sorted. A context manager: runs are temporary."""

    def __init__(self, run_messages_max: int = RUN_MESSAGES_MAX) -> None:
        self._run_messages_max = run_messages_max
        self._messages: list[Message] = []
        self._runs: list[_Run] = []
        self._decoder = msgspec.msgpack.Decoder(Message)

    def __enter__(self) -> "TimeSorter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for run in self._runs:
            run.close()

    def add(self, message: Message) -> None:
        self._messages.append(message)
        if len(self._messages) >= self._run_messages_max:
            self._spill()

    def __iter__(self) -> Iterator[Message]:
        """Once, after the last `add`."""
        self._messages.sort(key=_place)
        if not self._runs:
            return iter(self._messages)
        return heapq.merge(*map(self._read, self._runs), self._messages, key=_place)

    def _spill(self) -> None:
        self._messages.sort(key=_place)
        run = tempfile.TemporaryFile(prefix="ticketpulse-run-")  # noqa: SIM115  # closed on exit
        for message in self._messages:
            packed = msgspec.msgpack.encode(message)
            run.write(len(packed).to_bytes(_LENGTH_BYTES))
            run.write(packed)
        self._runs.append(run)
        self._messages = []

    def _read(self, run: _Run) -> Iterator[Message]:
        run.seek(0)
        while head := run.read(_LENGTH_BYTES):
            yield self._decoder.decode(run.read(int.from_bytes(head)))


def _place(message: Message) -> tuple[int, int, int]:
    return message.ingested_ms, message.occurred_ms, message.ordinal
