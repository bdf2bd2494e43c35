"""SLA compliance: met of those judged, by the period in which the cycle ended. Void, without target and
still open are outside; those open and overdue are shown beside it."""

from dataclasses import dataclass

from streams.core.statistics.proportion import percent, wilson95
from streams.core.statistics.sums import Sums


@dataclass(frozen=True, slots=True)
class ComplianceSums(Sums):
    """Cycles of a clock that ended in a period."""

    met: int = 0
    breached: int = 0

    @property
    def compliance_percent(self) -> float | None:
        return percent(self.met, self.met + self.breached)

    @property
    def wilson95(self) -> tuple[float, float] | None:
        """As shares, not percent."""
        return wilson95(self.met, self.met + self.breached)
