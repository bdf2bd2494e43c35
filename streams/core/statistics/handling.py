"""Handle time and occupancy."""

from dataclasses import dataclass

from streams.core.statistics.proportion import mean_ms, percent
from streams.core.statistics.sums import Sums


@dataclass(frozen=True, slots=True)
class HandlingSums(Sums):
    """Time that agents spent on contacts, and waiting for one."""

    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    after_call_ms: int = 0
    idle_ms: int = 0

    @property
    def handle_ms(self) -> int:
        """Talk, hold and after-call work."""
        return self.talk_ms + self.hold_ms + self.after_call_ms

    @property
    def average_handle_ms(self) -> int | None:
        return mean_ms(self.handle_ms, self.handled)

    @property
    def occupancy_percent(self) -> float | None:
        """Handle time of the time that agents were there for contacts."""
        return percent(self.handle_ms, self.handle_ms + self.idle_ms)
