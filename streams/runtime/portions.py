"""A long sequence, as much of it at a time as somebody takes at once."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def portions(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """In order; the last may be shorter, and there is none of nothing."""
    for start in range(0, len(things), size):
        yield things[start : start + size]
