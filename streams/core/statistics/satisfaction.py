"""What customers answered: CSAT, NPS, CES, each with its sample size and the interval that it allows."""

from dataclasses import dataclass
from math import sqrt

from streams.core.statistics.proportion import Z95, share, wilson95
from streams.core.statistics.sums import Sums

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class CsatSums(Sums):
    """Answers to a satisfaction question; satisfied is the top of the scale by the metric's definition."""

    satisfied: int = 0
    responses: int = 0
    sent: int = 0
    score_sum: float = 0

    @property
    def csat(self) -> float | None:
        """Share of satisfied answers."""
        return share(self.satisfied, self.responses)

    @property
    def csat_wilson95(self) -> Interval | None:
        return wilson95(self.satisfied, self.responses)

    @property
    def response_rate(self) -> float | None:
        """Answers per question sent."""
        return share(self.responses, self.sent)

    @property
    def mean_score(self) -> float | None:
        return self.score_sum / self.responses if self.responses else None


@dataclass(frozen=True, slots=True)
class NpsSums(Sums):
    """Answers to "would you recommend us", 0 to 10: 9–10, 7–8, 0–6."""

    promoters: int = 0
    passives: int = 0
    detractors: int = 0

    @property
    def responses(self) -> int:
        return self.promoters + self.passives + self.detractors

    @property
    def nps(self) -> float | None:
        """Promoters % less detractors %, from -100 to 100."""
        return 100 * (self.promoters - self.detractors) / self.responses if self.responses else None

    @property
    def wald95(self) -> Interval | None:
        """The textbook interval; for few answers it leaves the scale, and is then wrong."""
        if not self.responses:
            return None
        return _nps_wald(self.promoters, self.detractors, self.responses)

    @property
    def adjusted_wald95(self) -> Interval | None:
        """With three answers more, spread evenly over the weights: 3/4 promoters, 3/4 detractors.

        Rocks, B. (2016), Interval estimation for the "net promoter score", The American Statistician
        70, 365–372.
        """
        if not self.responses:
            return None
        return _nps_wald(self.promoters + 0.75, self.detractors + 0.75, self.responses + 3)


def _nps_wald(promoters: float, detractors: float, sample: int) -> Interval:
    p, d = promoters / sample, detractors / sample
    spread = Z95 * sqrt((p + d - (p - d) ** 2) / sample)
    return 100 * (p - d - spread), 100 * (p - d + spread)


@dataclass(frozen=True, slots=True)
class CesSums(Sums):
    """Answers to "how easy was it"; `top_box` are the two best of the scale."""

    responses: int = 0
    score_sum: float = 0
    top_box: int = 0

    @property
    def mean_score(self) -> float | None:
        return self.score_sum / self.responses if self.responses else None

    @property
    def top_box_share(self) -> float | None:
        return share(self.top_box, self.responses)

    @property
    def top_box_wilson95(self) -> Interval | None:
        return wilson95(self.top_box, self.responses)
