"""Wall clock → instant, by the stated conventions for the hours that DST skips or repeats."""

from datetime import UTC, date, datetime, timedelta, tzinfo

from schemas.instants import from_ms, to_ms


def instant_of(day: date, minute: int, zone: tzinfo) -> int:
    """The instant (ms) of a local time `minute` minutes of wall clock after the day's midnight.

    A time in a DST gap snaps to the transition; one in a repeated hour is its first occurrence.
    """
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001  # a wall clock reading
    first = local.replace(tzinfo=zone, fold=0)
    instant = first.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return to_ms(instant)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _transition_ms(to_ms(min(instant, second)), to_ms(max(instant, second)), zone)


def _transition_ms(before_ms: int, after_ms: int, zone: tzinfo) -> int:
    """The instant in (before, after] at which the zone's offset changes, to the second."""
    offset = from_ms(before_ms).astimezone(zone).utcoffset()
    low, high = before_ms // 1000, after_ms // 1000
    while high - low > 1:
        middle = (low + high) // 2
        if from_ms(middle * 1000).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high * 1000
