"""A storm of breaches becomes few notices: one soon after the first, then one per interval with news."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class StormGroup:
    """Breaches that are told together. Feed it in order of time; ask `due_ms` before anything later.

    The first notice goes `wait_ms` after the first breach, the ticks then stand `interval_ms` apart for ever.
    """

    wait_ms: int
    interval_ms: int
    count: int = 0  # breaches so far
    told: int = 0  # of them in the last notice
    tick_ms: int | None = None  # the next one; None: no breach yet

    def add(self, at_ms: int) -> None:
        """One more breach."""
        if self.tick_ms is None:
            self.tick_ms = at_ms + self.wait_ms
        elif self.count == self.told and self.tick_ms < at_ms:
            missed = -(-(at_ms - self.tick_ms) // self.interval_ms)
            self.tick_ms += missed * self.interval_ms  # ticks without news were silent
        self.count += 1

    @property
    def due_ms(self) -> int | None:
        """When the next notice goes; None: there is no news. A breach of that very instant is in it."""
        return self.tick_ms if self.count > self.told else None

    def is_silent(self, now_ms: int) -> bool:
        """Whether a tick has passed, or passes now, without news."""
        return self.due_ms is None and self.tick_ms is not None and self.tick_ms <= now_ms

    def notice(self) -> int:
        """It goes: the number of breaches so far."""
        assert self.tick_ms is not None, "there is nothing to tell"
        self.told = self.count
        self.tick_ms += self.interval_ms
        return self.count


class Storms:
    """Of one receiver: with which tick of its group each notice goes.

    A group that had no news at a tick is over, so whatever stands alone goes `wait_ms` after it came. Nothing here
    outlives a process; the next one tells what was held with the first tick of a new group.
    """

    def __init__(self, wait_ms: int, interval_ms: int) -> None:
        self._wait_ms, self._interval_ms = wait_ms, interval_ms
        self._groups: dict[Hashable, StormGroup] = {}
        self._told_ms: dict[str, tuple[Hashable, int]] = {}

    def told_ms(self, key: str, group: Hashable, now_ms: int) -> int:
        """When a notice may go; the same answer for the same key and group until `done`."""
        if self._interval_ms <= 0:
            return now_ms
        known = self._told_ms.get(key)
        if known is not None and known[0] == group:
            return known[1]
        storm = self._groups.get(group)
        if storm is not None and storm.due_ms is not None and storm.due_ms < now_ms:
            storm.notice()
        if storm is None or storm.is_silent(now_ms):
            storm = self._groups[group] = StormGroup(self._wait_ms, self._interval_ms)
        storm.add(now_ms)
        assert storm.due_ms is not None, "there is news"
        self._told_ms[key] = group, storm.due_ms
        return storm.due_ms

    def done(self, keys: Iterable[str]) -> None:
        """These were told, or need not be."""
        for key in keys:
            self._told_ms.pop(key, None)
