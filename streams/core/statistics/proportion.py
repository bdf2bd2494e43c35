"""Shares, with the interval that their sample size allows."""

from math import sqrt

Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution


def share(part: int, whole: int) -> float | None:
    """part / whole; None when there is no whole."""
    return part / whole if whole else None


def percent(part: int, whole: int) -> float | None:
    """The same in percent."""
    return 100 * part / whole if whole else None


def mean_ms(sum_ms: int, count: int) -> int | None:
    """Average in whole milliseconds, floored; None when nothing was counted."""
    return sum_ms // count if count else None


def wilson95(hits: int, sample: int) -> tuple[float, float] | None:
    """Wilson score interval of a share: honest for few answers and near 0 and 1. None without a sample.

    Wilson, E. B. (1927), Probable inference, JASA 22, 209–212.
    """
    if not sample:
        return None
    p, z2 = hits / sample, Z95 * Z95
    middle = p + z2 / (2 * sample)
    spread = Z95 * sqrt(p * (1 - p) / sample + z2 / (4 * sample * sample))
    low, high = ((middle + sign * spread) / (1 + z2 / sample) for sign in (-1, 1))
    return (max(0.0, low) if hits else 0.0, min(1.0, high) if hits < sample else 1.0)
