"""Why a clock says what it says: segment by segment, with rules and versions."""

from streams.explaining.explanation import (
    ClockExplanation,
    Explanation,
    Holder,
    Said,
    Segment,
    explain,
    explain_entries,
    only_clock,
)

__all__ = [
    "ClockExplanation",
    "Explanation",
    "Holder",
    "Said",
    "Segment",
    "explain",
    "explain_entries",
    "only_clock",
]
