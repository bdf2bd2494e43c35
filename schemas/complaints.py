"""The log that numbers complaints (客诉编号): what stands on its topic."""

import msgspec


class NumberRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint asks for its number. The first record of a complaint counts; its number is how many
    complaints of its scope and month asked before it, and one."""

    tenant: str
    source: str
    ticket_id: str
    scope: str
    month: str  # YYYYMM of the complaint's beginning
    created_ms: int
    asked_ms: int  # the pipeline's now
