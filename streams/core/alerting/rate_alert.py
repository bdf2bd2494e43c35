"""Alerts on a rate: service level, CSAT and the like, with a minimum sample, a hold and hysteresis."""

from dataclasses import dataclass
from typing import Literal

from streams.core.statistics.proportion import percent, wilson95

Trigger = Literal["point", "interval"]
Change = Literal["fired", "cleared"]


@dataclass(frozen=True, slots=True)
class RateRule:
    """Fires when the value has been below `target_percent` for `hold_ms`; clears at `clear_percent`.

    `interval`: the value is the upper end of the Wilson 95 % interval, so that it fires only when the whole
    interval lies below: for satisfaction, where samples are small. Service levels go by the point.
    """

    trigger: Trigger
    target_percent: float
    clear_percent: float
    min_sample: int
    hold_ms: int


@dataclass(slots=True)
class RateAlert:
    """One rule on one series. Feed it samples in order of time."""

    rule: RateRule
    firing: bool = False
    below_since_ms: int | None = None

    def take(self, at_ms: int, hits: int, sample: int) -> Change | None:
        """What this sample changes. Too small a sample is no data: it breaks a hold, and nothing else."""
        value = self._value(hits, sample)
        if value is None:
            self.below_since_ms = None
            return None
        if self.firing:
            return self._cleared(value)
        if value >= self.rule.target_percent:
            self.below_since_ms = None
            return None
        if self.below_since_ms is None:
            self.below_since_ms = at_ms
        if at_ms - self.below_since_ms < self.rule.hold_ms:
            return None
        self.firing = True
        return "fired"

    def _cleared(self, value: float) -> Change | None:
        if value < self.rule.clear_percent:
            return None
        self.firing, self.below_since_ms = False, None
        return "cleared"

    def _value(self, hits: int, sample: int) -> float | None:
        if sample < self.rule.min_sample:
            return None
        if self.rule.trigger == "point":
            return percent(hits, sample)
        interval = wilson95(hits, sample)
        return None if interval is None else 100 * interval[1]
