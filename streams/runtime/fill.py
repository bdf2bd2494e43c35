"""How full a checkpoint is: the bytes of the states it will write, by bounds that cost nothing per event.

Dumping every state at every event would be exact, and cost a fifth of the throughput. Instead a state
is known to be small, or remembered as large, and each event lets it grow by no more than is said
here (under a policy of a few clocks); where the bounds fill the room, the changed states are measured.
"""

from collections.abc import Callable

RECORD_BYTES = 100  # what a record costs beside its value: key, header, offsets
_SMALL_BYTES = 1_024  # states up to here are counted as this much; only larger ones are remembered
_EVENT_BYTES = 512  # what an event or a timer adds at most to a state, beside twice its own length

Measure = Callable[[str], int]  # entity → bytes of its state as dumped now; 0 when it is forgotten


class Fill:
    """Of one engine. `add` what changes; `reset` at every checkpoint."""

    def __init__(self) -> None:
        self.total_bytes = 0  # at most
        self._changed: dict[str, int] = {}  # the same by entity
        self._large: dict[str, int] = {}
        self._measured_bytes = 0

    def bound(self, entity: str, event_bytes: int) -> int:
        """Bytes of a state, at most, once it has taken an event of that length."""
        known = self._changed.get(entity)
        if known is None:
            known = self._large.get(entity, _SMALL_BYTES)
        return known + _EVENT_BYTES + 2 * event_bytes

    def add(self, entity: str, event_bytes: int, *, new: bool) -> None:
        """A state has taken an event; a timer is one of no length. `new`: there was none before."""
        grown = _EVENT_BYTES + 2 * event_bytes
        known = self._changed.get(entity)
        if known is None:
            known = 0
            grown += RECORD_BYTES + (0 if new else self._large.get(entity, _SMALL_BYTES))
        self._changed[entity] = known + grown
        self.total_bytes += grown

    def add_beside(self, size: int) -> None:
        """Something else that goes into the checkpoint."""
        self.total_bytes += size

    def has_room(self, bytes_max: int, measure: Measure) -> bool:
        """Whether more fits. Where the bounds say no, the states are asked, as long as a quarter of the
        room came of it the last time: then measuring pays."""
        if self.total_bytes < bytes_max:
            return True
        enough = bytes_max * 3 // 4
        if self._measured_bytes > enough:
            return False
        for entity, known in self._changed.items():
            exact = RECORD_BYTES + measure(entity)
            self._changed[entity] = exact
            self.total_bytes += exact - known
        self._measured_bytes = self.total_bytes
        return self.total_bytes <= enough

    def reset(self) -> None:
        """Everything has been captured."""
        self._changed = {}
        self.total_bytes = self._measured_bytes = 0

    def remember(self, entity: str, state_bytes: int) -> None:
        """How long a state is, as dumped; 0: forgotten."""
        if state_bytes > _SMALL_BYTES:
            self._large[entity] = state_bytes
        else:
            self._large.pop(entity, None)
