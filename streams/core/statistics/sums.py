"""What sums have in common: they add up field by field."""

from dataclasses import fields
from typing import Self


class Sums:
    """Base of frozen dataclasses whose fields are counts, or milliseconds, and begin with 0."""

    __slots__ = ()

    def __add__(self, other: Self) -> Self:
        return type(self)(
            *(
                getattr(self, one.name) + getattr(other, one.name)
                for one in fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
            )
        )
