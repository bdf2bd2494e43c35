"""From alert intents to what a receiver must be told: the highest version of a key, and nothing twice.

A key is one cycle of one clock. What the pipeline says about it is absolute and versioned, so what is
wanted is the newest intent, and what is to be done is the difference to what the receiver has heard.
Merging is the maximum of both, so records of a notice may be read doubled or in any order.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from schemas.notifications import Heard, Notice, Notification, Wanted
from streams.core.alerting.escalation import NOWHERE, Standing
from streams.core.alerting.page_age import paging_of

FIRING_LEVELS = frozenset(("at_risk", "breach"))
_MAYBE_FIRING = frozenset(("firing", "maybe"))
_RANKS = {"maybe": 0, "unsaid": 1, "firing": 2, "resolved": 3}


class Wait(msgspec.Struct, frozen=True):
    """Nothing before this instant: the grace of a page."""

    until_ms: int


class Unsaid(msgspec.Struct, frozen=True):
    """This version need not be heard; remember so."""


Decision = Notification | Wait | Unsaid | None


def decide(
    key: str,
    notice: Notice,
    receiver: str,
    now_ms: int,
    page_age_ms_max: int,
    standing: Standing = NOWHERE,
) -> Decision:
    """What a receiver must hear of a key now; None: it has heard it all. `standing`: of a firing alert, on its
    ladder; a further rung is a further page of the same key.

    A breach that is over before anybody has heard of it is not paged; it is in the outcome rows all the
    same. One that is found after `page_age_ms_max` is paged while somebody still waits, marked late.
    """
    wanted, heard = notice.wanted, notice.heard.get(receiver)
    if heard is not None and heard.version >= wanted.version:
        return _climb(key, wanted, heard, standing, now_ms)
    firing = heard if heard is not None and heard.status in _MAYBE_FIRING else None
    if not wanted.open or wanted.level not in FIRING_LEVELS:
        if firing is None:
            return Unsaid()
        once = _once(key, wanted.version)
        return Notification(
            key, once, "resolved", firing.level, firing.team, wanted,
            step=firing.step, severity=firing.severity,
        )  # fmt: skip
    if firing is not None and _stands(firing, wanted):
        return Unsaid()  # the same at another instant: no second page
    if wanted.level == "breach" and wanted.page_ms is not None and now_ms < wanted.page_ms:
        return Wait(wanted.page_ms)
    if standing.held_ms is not None and standing.held_ms > now_ms:
        return Wait(standing.held_ms)
    age_ms = 0 if wanted.breach_ms is None else wanted.recorded_ms - wanted.breach_ms
    late = paging_of("live", age_ms, page_age_ms_max, clock_open=wanted.open) == "late"
    same = firing is None or (firing.level, firing.team) == (wanted.level, wanted.team)
    was = None if same else firing
    repeat = firing is not None and _as_tried(firing) == (wanted.level, False)
    once = _once(key, firing.tried if repeat and firing is not None else wanted.version)
    ladder = standing.step, standing.to, standing.severity or ""
    return Notification(key, once, "firing", wanted.level, wanted.team, wanted, was, late, *ladder)


def _climb(
    key: str, wanted: Wanted, heard: Heard, standing: Standing, now_ms: int
) -> Notification | Wait | None:
    """The next rung of what has been told; nothing at or after the end."""
    if heard.status not in _MAYBE_FIRING or heard.ending or not wanted.open:
        return None
    if heard.level != wanted.level:
        return None
    to_say = standing.step > heard.step or heard.status == "maybe"
    if to_say and standing.held_ms is not None and standing.held_ms > now_ms:
        return Wait(standing.held_ms)
    if to_say:
        step = max(standing.step, heard.step)
        once = f"{_once(key, wanted.version)}+{step}"
        ladder = step, standing.to, standing.severity or ""
        return Notification(
            key, once, "firing", heard.level, heard.team, wanted, heard, False, *ladder
        )
    return None if standing.next_ms is None else Wait(standing.next_ms)


def again(key: str, notice: Notice, receiver: str) -> Notification | None:
    """What fires, as the receiver has heard it, for one that forgets."""
    heard = notice.heard.get(receiver)
    if heard is None or heard.status != "firing":
        return None
    once = _once(key, heard.version)
    return Notification(
        key, once, "firing", heard.level, heard.team, notice.wanted,
        step=heard.step, severity=heard.severity,
    )  # fmt: skip


def about_to_say(notice: Notice, receiver: str, notification: Notification, by: str = "") -> Notice:
    """Before a delivery is tried: its answer may be lost, or we may end before it is written down. The
    same notice when there is nothing to remember. `by` names who tries: a mark of another's is made ours
    first, so that its maker can tell, should it come back, whether anybody has tried since."""
    heard = notice.heard.get(receiver, Heard(0, "unsaid"))
    ending = notification.status == "resolved"
    known = heard.status, heard.level, heard.ending, heard.step
    if known == ("maybe", notification.level, ending, notification.step):
        return notice if heard.by == by else _with(notice, receiver, replace(heard, by=by))
    tried = notification.wanted.version
    one = notification
    ladder = one.step, one.severity
    return _with(
        notice,
        receiver,
        Heard(heard.version, "maybe", one.level, one.team, tried, ending, by, *ladder),
    )


def as_heard(notice: Notice, receiver: str, before: Notice) -> Notice:
    """Unmark: what was about to be said was not tried, so the receiver knows what it knew."""
    known = before.heard.get(receiver)
    if known is not None:
        return _with(notice, receiver, known)
    return Notice(notice.wanted, {k: v for k, v in notice.heard.items() if k != receiver})


def told(notice: Notice, receiver: str, notification: Notification) -> Notice:
    """After a delivery that was acknowledged."""
    version = notification.wanted.version
    heard = Heard(
        version, notification.status, notification.level, notification.team,
        step=notification.step, severity=notification.severity,
    )  # fmt: skip
    return _with(notice, receiver, heard)


def unsaid(notice: Notice, receiver: str) -> Notice:
    """After a version that need not be heard: what fires goes on firing."""
    before = notice.heard.get(receiver, Heard(0, "unsaid"))
    heard = replace(before, version=notice.wanted.version, tried=0, ending=False, by="")
    return _with(notice, receiver, heard)


def merged(one: Notice | None, other: Notice) -> Notice:
    """The newer of both in every part: commutative, associative, idempotent."""
    if one is None:
        return other
    wanted = max(one.wanted, other.wanted, key=lambda wanted: wanted.version)
    heard = dict(one.heard)
    for receiver, told_ in other.heard.items():
        known = heard.get(receiver)
        if known is None or _rank(told_) > _rank(known):
            heard[receiver] = told_
        elif _rank(told_) == _rank(known) and told_.by != known.by:
            heard[receiver] = replace(known, by="")
    return Notice(wanted, heard)


def is_over(notice: Notice, receivers: Iterable[str]) -> bool:
    """Whether nothing is firing at any of these, nor wanted to."""
    if notice.wanted.open and notice.wanted.level in FIRING_LEVELS:
        return False
    version = notice.wanted.version
    return all(
        (heard := notice.heard.get(name)) is not None
        and heard.version >= version
        and heard.status not in _MAYBE_FIRING
        for name in receivers
    )


def _with(notice: Notice, receiver: str, heard: Heard) -> Notice:
    return Notice(notice.wanted, {**notice.heard, receiver: heard})


def _stands(firing: Heard, wanted: Wanted) -> bool:
    """Whether what is wanted was heard, and is known to have been. A warning follows the ticket to another
    team; a page does not ring twice for it."""
    if (firing.status, firing.level) != ("firing", wanted.level):
        return False
    return wanted.level == "breach" or firing.team == wanted.team


def _as_tried(heard: Heard) -> tuple[str, bool] | None:
    return (heard.level, heard.ending) if heard.status == "maybe" else None


def _once(key: str, version: int) -> str:
    return f"{key}@{version}"


def _rank(heard: Heard) -> tuple[int, int, int, str, str, str]:
    """How far things were: a try is as far as the version and rung that was tried; its answer is farther."""
    progress = max(heard.version, heard.tried)
    return progress, heard.step, _RANKS[heard.status], heard.level, heard.team or "", heard.severity
