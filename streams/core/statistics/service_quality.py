"""SERVQUAL (服务质量五维度) and the reputation index (美誉度 … 销售力), from sums by dimension."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from schemas.events import ReputationDimension, ServqualDimension
from streams.core.statistics.proportion import share, wilson95
from streams.core.statistics.sums import Sums

SERVQUAL: tuple[ServqualDimension, ...] = get_args(ServqualDimension)
REPUTATION: tuple[ReputationDimension, ...] = get_args(ReputationDimension)


@dataclass(frozen=True, slots=True)
class GapSums(Sums):
    """Answers to one SERVQUAL dimension that name both what was expected and what was perceived."""

    pairs: int = 0
    perception_sum: float = 0
    expectation_sum: float = 0

    @property
    def gap(self) -> float | None:
        """Mean perception less mean expectation; negative: less than was expected.

        Parasuraman, Zeithaml, Berry (1988), SERVQUAL, Journal of Retailing 64, 12–40.
        """
        return (self.perception_sum - self.expectation_sum) / self.pairs if self.pairs else None


def overall_gap(by_dimension: Mapping[str, GapSums]) -> float | None:
    """Unweighted mean over the dimensions that were asked; None when none was."""
    gaps = [sums.gap for sums in by_dimension.values() if sums.gap is not None]
    return sum(gaps) / len(gaps) if gaps else None


@dataclass(frozen=True, slots=True)
class YesSums(Sums):
    """Answers to one yes-or-no question of the reputation index."""

    yes: int = 0
    responses: int = 0

    @property
    def share(self) -> float | None:
        return share(self.yes, self.responses)

    @property
    def wilson95(self) -> tuple[float, float] | None:
        return wilson95(self.yes, self.responses)
