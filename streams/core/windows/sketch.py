"""Quantile sketches that add up and can be taken back: counts of durations in buckets of equal relative width.

The bucket scheme of DDSketch (Masson, Rim, Lee 2019, VLDB 12): a value in (γ^(k-1), γ^k] is counted in bucket k
and read back as 2γ^k / (γ + 1), which is within 1 % of it. Bucket 0 also holds what took no time.
ClickHouse merges sketches by `sumMap`.
"""

from collections.abc import Mapping
from math import ceil, log

RELATIVE_ERROR = 0.01
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = log(GAMMA)


def bucket_of(duration_ms: int) -> int:
    """The bucket that counts a duration; one below 1 ms is counted as 1 ms."""
    return ceil(log(duration_ms) / _LOG_GAMMA - 1e-9) if duration_ms > 1 else 0


def value_of(bucket: int) -> float:
    """The duration (ms) that a bucket stands for."""
    return 2 * GAMMA**bucket / (GAMMA + 1)


def quantile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The value below which that share lies, by the lower rank; None of nothing."""
    total = sum(counts.values())
    if not total:
        return None
    rank = share * (total - 1)
    below = 0
    for bucket in sorted(counts):
        below += counts[bucket]
        if below > rank:
            return value_of(bucket)
    raise AssertionError(share)
