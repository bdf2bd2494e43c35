"""Zone rules from the pinned `tzdata` package, never from the machine: the same everywhere."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata

TZDATA_VERSION: str = tzdata.IANA_VERSION


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone; ValueError, with the names that come near, when there is none of that name."""
    if name not in zone_names():  # also keeps every path but the package's own out
        near = get_close_matches(name, zone_names(), n=2)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; write e.g. Asia/Shanghai"
        message = f"unknown zone {name!r}{hint}"
        raise ValueError(message)
    with files("tzdata.zoneinfo").joinpath(*name.split("/")).open("rb") as stream:
        return ZoneInfo.from_file(stream, key=name)


@cache
def zone_names() -> tuple[str, ...]:
    """Every known zone name, for suggestions."""
    return tuple(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
