"""What a receiver is told about a clock cycle, and what is remembered of it on the topic `notifications`."""

from typing import Literal

import msgspec

Status = Literal["firing", "resolved", "unsaid", "maybe"]


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """The newest intent of a key; instants in ms. See `schemas.outcomes.AlertIntentRow`."""

    version: int
    level: str
    open: bool
    ticket_id: str
    clock: str
    cycle_id: str
    recorded_ms: int
    due_ms: int | None = None
    breach_ms: int | None = None
    page_ms: int | None = None
    team: str | None = None
    agent: str | None = None
    tier: str | None = None
    priority: str | None = None
    policy_version: str = ""
    tenant: str = ""
    source: str = ""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """What a receiver has been told last. "unsaid": a version of which it need not hear; "maybe": it may
    have heard a newer one, so what is true must be said in any case."""

    version: int
    status: Status
    level: str = ""
    team: str | None = None
    tried: int = 0  # of "maybe": the version with which this began to be tried
    ending: bool = False  # of "maybe": what was tried is an end
    by: str = ""  # of "maybe": the process that marked it, before its first try; empty: several
    step: int = 0  # of the ladder, from 1; 0: of no ladder
    severity: str = ""  # of that rung


class Notice(msgspec.Struct, frozen=True, gc=False):
    """One key: what is wanted, and what each receiver has heard, by its name."""

    wanted: Wanted
    heard: dict[str, Heard] = {}


class Notification(msgspec.Struct, frozen=True, gc=False):
    """How a key stands now, for a receiver. `once` names the delivery: a receiver that has seen it may
    drop the repeat, also when the same breach is meanwhile known more exactly. `level` and `team` of one that is resolved are those under
    which the receiver has heard it.

    `step`: the rung of the ladder, from 1, which asks `to` by name; `severity` is the rung's, empty: that of the level.

    `was`: what it has heard firing and is now replaced, level or team. `late`: a breach that became known
    so long after its instant that the time may surprise.
    """

    key: str
    once: str
    status: Literal["firing", "resolved"]
    level: str
    team: str | None
    wanted: Wanted
    was: Heard | None = None
    late: bool = False
    step: int = 0
    to: str | None = None
    severity: str = ""
