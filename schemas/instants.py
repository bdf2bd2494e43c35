"""Instants: aware on the outside (RFC 3339), integer milliseconds since 1970 UTC inside, floored."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_MS = timedelta(milliseconds=1)
_REMEMBERED = 16_384  # rows of one ticket repeat each other's instants


def to_ms(instant: datetime) -> int:
    """Milliseconds since the epoch, floored; the datetime must be aware."""
    assert instant.tzinfo is not None, "a naive time has no instant"
    return (instant - EPOCH) // _ONE_MS


@lru_cache(maxsize=_REMEMBERED)
def from_ms(instant_ms: int) -> datetime:
    """The aware UTC datetime of an instant, exact to the millisecond."""
    return EPOCH + timedelta(milliseconds=instant_ms)


@lru_cache(maxsize=_REMEMBERED)
def from_ms_or_none(instant_ms: int | None) -> datetime | None:
    """As `from_ms`; no instant stays no instant."""
    return None if instant_ms is None else EPOCH + timedelta(milliseconds=instant_ms)


def rfc3339(instant_ms: int) -> str:
    """`2026-01-19T08:00:00.123Z`; a whole second has no fraction."""
    text = from_ms(instant_ms).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def parse_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 instant; ValueError when malformed or without a zone."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        message = f"{text!r} has no zone; write e.g. {text}Z"
        raise ValueError(message)
    return to_ms(instant)
