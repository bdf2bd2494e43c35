"""Zone rules from the pinned `tzdata` package, never from the machine: the same everywhere."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

TZDATA_VERSION: str = tzdata.IANA_VERSION


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone; ValueError when there is none of that name."""
    if not name or any(not part or part.startswith(".") for part in name.split("/")):
        message = f"unknown zone {name!r}"
        raise ValueError(message)
    place = files("tzdata.zoneinfo").joinpath(*name.split("/"))
    if not place.is_file() or place.name.endswith((".py", ".tab", ".zi")):
        message = f"unknown zone {name!r}"
        raise ValueError(message)
    with place.open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


@cache
def zone_names() -> tuple[str, ...]:
    """Every known zone name, for suggestions."""
    return tuple(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
