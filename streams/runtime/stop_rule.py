"""When to stop instead of going on: a bad deploy must not drain a topic into the dead letters. Pure.

Counts of a sliding sample in two halves, so that they fit into a checkpoint's marker: a restart goes on
counting where the last checkpoint stood, and can't let a little more through each time.
"""

from typing import NamedTuple

import msgspec

# What blames the code or the contract. An event that is too late, say, is one ticket's own affair.
_OTHER_REASONS = frozenset(("too_late", "state_too_large"))


class StopLimits(NamedTuple):
    """`share` of the last `sample` records, or so many in a row; 0 turns either off."""

    share: float = 0.0
    sample: int = 1_000
    consecutive: int = 0


NEVER = StopLimits()


class StopCounts(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a partition's marker carries."""

    consecutive: int = 0
    seen: int = 0  # of the half that is being counted
    rejected: int = 0
    seen_before: int = 0  # of the half before it
    rejected_before: int = 0


class StopRuleError(Exception):
    """Too much of what comes in can't be processed; says what to do."""


def counts(reason: str | None) -> bool:
    """Whether a rejection for that reason speaks against the deploy; None: it was taken."""
    return reason is not None and reason not in _OTHER_REASONS


class StopRule:
    """Of one partition. `note` every record."""

    def __init__(self, limits: StopLimits, before: StopCounts | None = None) -> None:
        self._limits = limits
        self._half = max(1, limits.sample // 2)
        before = before or StopCounts()
        self._consecutive = before.consecutive
        self._seen, self._rejected = before.seen, before.rejected
        self._seen_before, self._rejected_before = before.seen_before, before.rejected_before
        self.tripped: str | None = None  # why, in words
        self._look()

    def counts(self) -> StopCounts:
        """As of now, for the marker."""
        return StopCounts(
            self._consecutive,
            self._seen,
            self._rejected,
            self._seen_before,
            self._rejected_before,
        )

    def note(self, *, rejected: bool) -> None:
        """One record was taken, or rejected for a reason that counts."""
        self._seen += 1
        if rejected:
            self._rejected += 1
            self._consecutive += 1
            self._look()
        else:
            self._consecutive = 0
        if self._seen >= self._half:
            self._seen_before, self._rejected_before = self._seen, self._rejected
            self._seen = self._rejected = 0

    def _look(self) -> None:
        limits = self._limits
        if limits.consecutive and self._consecutive >= limits.consecutive:
            self.tripped = f"{self._consecutive} records in a row can't be processed"
            return
        seen, rejected = self._seen + self._seen_before, self._rejected + self._rejected_before
        if limits.share and seen >= self._half and rejected >= limits.share * limits.sample:
            self.tripped = f"{rejected} of the last {seen} records can't be processed"
