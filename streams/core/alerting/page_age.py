"""Whether a breach that becomes known is paged, and as late or not."""

from typing import Literal

Mode = Literal["live", "replay"]
Paging = Literal["page", "late", "silent"]


def paging_of(mode: Mode, age_ms: int, age_ms_max: int, *, clock_open: bool) -> Paging:
    """Replays and what-ifs record and never page. An old live breach is paged, marked late, while somebody
    still waits; once its clock has stopped nobody needs to get up for it."""
    if mode == "replay":
        return "silent"
    if age_ms <= age_ms_max:
        return "page"
    return "late" if clock_open else "silent"
