"""A wall clock that the harness sets wrong: every process reads the same offset from a small file."""

import mmap
import struct
from pathlib import Path

from streams.runtime.clock import SystemClock

_OFFSET = struct.Struct("<q")


class SharedOffset:
    """Milliseconds by which all clocks are wrong."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_OFFSET.pack(0))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _OFFSET.size)

    def get(self) -> int:
        return int(_OFFSET.unpack_from(self._memory)[0])

    def set(self, offset_ms: int) -> None:
        _OFFSET.pack_into(self._memory, 0, offset_ms)


class WrongClock(SystemClock):
    """The machine's clock and the offset of the moment."""

    def __init__(self, offset: SharedOffset) -> None:
        self._offset = offset

    def now_ms(self) -> int:
        return super().now_ms() + self._offset.get()
