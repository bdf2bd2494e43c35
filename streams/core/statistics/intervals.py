"""To which interval of the day a contact's time belongs. Intervals are aligned to the epoch, half open.

Handle time is reported where the contact ended; occupancy needs the time where it was spent.
"""

from collections.abc import Iterator


def interval_start_ms(instant_ms: int, interval_ms: int) -> int:
    """Beginning of the interval that holds an instant."""
    return instant_ms - instant_ms % interval_ms


def by_completion(started_ms: int, ended_ms: int, interval_ms: int) -> tuple[int, int]:
    """Start of the interval that holds the end, and the whole duration (ms)."""
    return interval_start_ms(ended_ms, interval_ms), ended_ms - started_ms


def by_overlap(started_ms: int, ended_ms: int, interval_ms: int) -> Iterator[tuple[int, int]]:
    """Start of each interval touched, and the time spent in it (ms); they add up to the duration. What took
    no time at all belongs to the interval in which it happened."""
    start_ms = interval_start_ms(started_ms, interval_ms)
    yield start_ms, min(ended_ms, start_ms + interval_ms) - started_ms
    start_ms += interval_ms
    while start_ms < ended_ms:
        yield start_ms, min(ended_ms, start_ms + interval_ms) - start_ms
        start_ms += interval_ms
