"""Quiet hours: what may wait is told when they end; what may not is told at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta, tzinfo

from streams.core.business_time.localtime import instant_of, local_date


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Every day from `from_minute` to `to_minute` of the wall clock of `zone`, half open; over midnight when it
    ends no later than it begins. `deferred`: the severities that wait. Breaches are not among them."""

    zone: tzinfo
    from_minute: int
    to_minute: int
    deferred: Collection[str]

    def ends_ms(self, instant_ms: int) -> int | None:
        """When the quiet hours that hold an instant end; None: it is not quiet then.

        A time in a gap of the zone is the transition, one in a repeated hour its first occurrence.
        """
        day = local_date(instant_ms, self.zone)
        overnight = self.to_minute <= self.from_minute
        for first in (day - timedelta(days=1), day):
            last = first + timedelta(days=1) if overnight else first
            starts_ms = instant_of(first, self.from_minute, self.zone)
            ends_ms = instant_of(last, self.to_minute, self.zone)
            if starts_ms <= instant_ms < ends_ms:
                return ends_ms
        return None

    def told_ms(self, instant_ms: int, severity: str) -> int:
        """When something of an instant and severity may be told."""
        if severity not in self.deferred:
            return instant_ms
        return self.ends_ms(instant_ms) or instant_ms
