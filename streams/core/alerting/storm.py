"""A storm of breaches becomes few notices: one soon after the first, then one per interval with news."""

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

    def notice(self) -> int:
        """It goes: the number of breaches so far."""
        assert self.tick_ms is not None, "there is nothing to tell"
        self.told = self.count
        self.tick_ms += self.interval_ms
        return self.count
