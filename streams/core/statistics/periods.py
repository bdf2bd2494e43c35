"""The period that an instant belongs to, in the zone of the report.

The same answer is January in Berlin and February in Shanghai, so a metric's definition names the zone, and
by which of its instants (the answer's, the solve's) a thing is counted.
"""

from zoneinfo import ZoneInfo

from schemas.instants import from_ms


def month_of(instant_ms: int, zone: ZoneInfo) -> str:
    """`YYYY-MM`."""
    return from_ms(instant_ms).astimezone(zone).strftime("%Y-%m")
