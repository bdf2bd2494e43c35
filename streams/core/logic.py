"""What a partition engine drives: the pure core of one kind of entity, seen from the runtime."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from schemas.events import Event
from streams.core.effects import Effect, OutcomeRow, Stamp
from streams.core.windows.family import Part

S = TypeVar("S")


class EntityLogic(Protocol[S]):
    """State and event in, state and effects out. No method changes its arguments.

    `S` is immutable as seen from outside: `advance` and `on_timer` return a new state (or the same
    object when nothing changed), so that the runtime can undo a poisoned event and compare the state
    before a checkpoint with the state after it.
    """

    snapshot_version: int  # of what `dump` writes; `load` restores this and older ones

    @property
    def window_horizon_ms(self) -> int:
        """How far behind the watermark a window is closed, once no entity can change it."""
        ...

    def advance(
        self, state: S | None, event: Event, now_ms: int
    ) -> tuple[S | None, tuple[Effect, ...]]:
        """Take one event. An exception means a core error: the runtime dead-letters the event."""
        ...

    def on_timer(self, state: S, now_ms: int) -> tuple[S | None, tuple[Effect, ...]]:
        """The instant `wake_ms` asked for has been reached (never before it). None: forget it."""
        ...

    def shrank(self, before: S, after: S | None) -> bool:
        """Whether rows can no longer be made of what `before` knew. The runtime then lets the timer wait
        until everything that `before` brought is in a checkpoint."""
        ...

    def wake_ms(self, state: S) -> int | None:
        """The next instant at which something happens by itself, else None."""
        ...

    def rows(
        self, before: S | None, after: S, effects: tuple[Effect, ...], stamp: Stamp
    ) -> Iterable[OutcomeRow]:
        """Rows that changed between two states (`before`: as of the last published checkpoint) and
        the intents among `effects`, rendered; at most one row per table and key."""
        ...

    def parts(self, state: S) -> list[Part]:
        """What an entity adds to windows: a function of its state alone, whatever has been learned since."""
        ...

    def dump(self, state: S) -> bytes:
        """Compact snapshot."""
        ...

    def load(self, data: bytes, version: int) -> S:
        """The state of a snapshot; ValueError when `version` is newer than `snapshot_version`."""
        ...
