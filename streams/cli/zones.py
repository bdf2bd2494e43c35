"""The option `--zone`."""

from zoneinfo import ZoneInfo

from schemas.problems import Problem, ProblemsError
from streams.core.business_time.zones import zone


def zone_option(name: str) -> ZoneInfo:
    """ProblemsError, with the names that come near, when there is none of that name."""
    try:
        return zone(name)
    except ValueError as error:
        hint = "an IANA zone, e.g. Asia/Shanghai"
        raise ProblemsError(Problem("--zone", str(error), hint)) from error
