"""Wall clock → instant, by the stated conventions for the hours that DST skips or repeats."""

from datetime import date, datetime, timedelta, tzinfo

from schemas.instants import from_ms

MS_PER_MINUTE = 60_000
MS_PER_DAY = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ONE_MS = timedelta(milliseconds=1)


def instant_of(day: date, minute: int, zone: tzinfo) -> int:
    """The instant (ms) of a local time `minute` minutes of wall clock after the day's midnight.

    A time in a DST gap snaps to the transition; one in a repeated hour is its first occurrence. So
    a later wall time never gives an earlier instant.
    """
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001  # a wall clock reading
    wall_ms = (day.toordinal() - _EPOCH_DAY) * MS_PER_DAY + minute * MS_PER_MINUTE
    first_ms = wall_ms - _offset_ms(local, zone)
    second_ms = wall_ms - _offset_ms(local.replace(fold=1), zone)
    if first_ms <= second_ms:  # equal: an ordinary time; else: a repeated one
        return first_ms
    return _transition_ms(second_ms, first_ms, zone)


def local_date(instant_ms: int, zone: tzinfo) -> date:
    """The date that a wall calendar in the zone shows."""
    return from_ms(instant_ms).astimezone(zone).date()


def _offset_ms(local: datetime, zone: tzinfo) -> int:
    offset = zone.utcoffset(local)
    assert offset is not None, "every zone of the zone data has an offset"
    return offset // _ONE_MS


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
