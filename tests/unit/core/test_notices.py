"""What a receiver must hear of a clock cycle: by example, and laws over any sequence of intents."""

import random
from typing import Any

from hypothesis import given, settings, strategies as st

from schemas.notifications import Heard, Notice, Notification, Wanted
from streams.core.notices import (
    Decision,
    Unsaid,
    Wait,
    about_to_say,
    again,
    decide,
    is_over,
    merged,
    told,
    unsaid,
)

HOUR_MS = 3_600_000
R = "webhook"


def wanted(version: int, level: str, *, open_: bool = True, **more: Any) -> Wanted:
    given_: dict[str, Any] = {"breach_ms": None if level == "at_risk" else 1_000}
    return Wanted(version, level, open_, "T1", "resolution", "c1", 1_000, **(given_ | more))


def asked(notice: Notice, now_ms: int = 2_000) -> Decision:
    return decide("k", notice, R, now_ms, HOUR_MS)


def after(notice: Notice, newer: Wanted) -> Notice:
    return merged(notice, Notice(newer))


def heard(notice: Notice) -> Notice:
    decision = asked(notice)
    assert isinstance(decision, Notification)
    return told(notice, R, decision)


def test_a_breach_is_said_once_and_its_end_once() -> None:
    notice = Notice(wanted(1, "breach", page_ms=1_000))
    decision = asked(notice)
    assert isinstance(decision, Notification)
    assert (decision.status, decision.level, decision.once) == ("firing", "breach", "k@1")
    notice = told(notice, R, decision)
    assert asked(notice) is None
    notice = after(notice, wanted(2, "resolved", open_=False))
    decision = asked(notice)
    assert isinstance(decision, Notification)
    assert (decision.status, decision.level) == ("resolved", "breach")
    notice = told(notice, R, decision)
    assert asked(notice) is None
    assert is_over(notice, [R])


def test_a_page_waits_for_its_grace() -> None:
    notice = Notice(wanted(1, "breach", page_ms=5_000))
    assert asked(notice, 4_999) == Wait(5_000)
    assert isinstance(asked(notice, 5_000), Notification)


def test_what_is_over_before_it_was_said_is_not_said() -> None:
    for level in ("resolved", "retracted"):
        assert asked(Notice(wanted(3, level, open_=False))) == Unsaid()
    assert asked(Notice(wanted(3, "breach", open_=False))) == Unsaid()


def test_the_same_breach_at_another_instant_is_no_second_page() -> None:
    notice = heard(Notice(wanted(1, "breach")))
    corrected = after(notice, wanted(2, "breach", breach_ms=1_500))
    assert asked(corrected) == Unsaid()
    still = unsaid(corrected, R)
    assert still.heard[R] == Heard(2, "firing", "breach")
    assert isinstance(asked(after(still, wanted(3, "retracted"))), Notification)


def test_a_warning_becomes_a_breach_under_the_same_key() -> None:
    notice = heard(Notice(wanted(1, "at_risk", team="L1")))
    decision = asked(after(notice, wanted(2, "breach", team="L2")))
    assert isinstance(decision, Notification)
    assert (decision.status, decision.level, decision.team) == ("firing", "breach", "L2")
    assert decision.was == Heard(1, "firing", "at_risk", "L1")


def test_a_breach_taken_back_to_a_warning_stands_as_a_warning() -> None:
    notice = heard(Notice(wanted(1, "breach")))
    decision = asked(after(notice, wanted(3, "at_risk")))
    assert isinstance(decision, Notification)
    assert (decision.status, decision.level) == ("firing", "at_risk")
    assert decision.was is not None


def test_an_end_is_said_under_the_team_that_heard_of_the_beginning() -> None:
    notice = heard(Notice(wanted(1, "breach", team="L1")))
    decision = asked(after(notice, wanted(2, "resolved", open_=False, team="L2")))
    assert isinstance(decision, Notification)
    assert decision.team == "L1"


def test_a_breach_found_late_is_marked_late_while_somebody_waits() -> None:
    late = Wanted(1, "breach", True, "T1", "resolution", "c1", 1_000 + 2 * HOUR_MS, breach_ms=1_000)
    decision = asked(Notice(late))
    assert isinstance(decision, Notification)
    assert decision.late


def test_reminders_say_what_was_heard() -> None:
    notice = Notice(wanted(1, "breach", team="L1"))
    assert again("k", notice, R) is None
    notice = heard(notice)
    reminder = again("k", notice, R)
    assert reminder is not None
    assert (reminder.status, reminder.level, reminder.team) == ("firing", "breach", "L1")
    assert again("k", heard(after(notice, wanted(2, "resolved", open_=False))), R) is None


LEVELS = st.sampled_from(["at_risk", "breach", "retracted", "resolved"])
HISTORIES = st.lists(st.tuples(LEVELS, st.booleans()), min_size=1, max_size=12)


class World:
    """A notifier's memory, its records on a topic, and what the receiver got."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.notice: Notice | None = None
        self.over = 0
        self.records: list[Notice] = []
        self.said: list[Notification] = []

    def take(self, intent: Wanted) -> None:
        known = self.over if self.notice is None else self.notice.wanted.version
        if intent.version > known:
            self._keep(merged(self.notice, Notice(intent)))

    def shrink(self) -> None:
        """Of what is over its version is enough, in memory; the records stay."""
        if self.notice is not None and is_over(self.notice, [R]):
            self.over, self.notice = self.notice.wanted.version, None

    def step(self, *, may_be_lost: bool) -> None:
        """Say what is to be said; its answer, or our end before it is written down, may be lost."""
        if self.notice is None:
            return
        decision = asked(self.notice)
        if isinstance(decision, Notification):
            self._keep(about_to_say(self.notice, R, decision))
            self.said.append(decision)
            if not (may_be_lost and self.rng.random() < 0.3):
                self._keep(told(self.notice, R, decision))
        elif isinstance(decision, Unsaid):
            self._keep(unsaid(self.notice, R))

    def restart(self) -> None:
        """Everything is read again, doubled and in whatever order."""
        self.rng.shuffle(self.records)
        self.notice, self.over = None, 0
        for record in [*self.records, *self.records]:
            self.notice = merged(self.notice, record)

    def _keep(self, notice: Notice) -> None:
        self.notice = notice
        self.records.append(notice)


@settings(max_examples=1_000)
@given(HISTORIES, st.randoms(use_true_random=False))
def test_a_receiver_ends_where_the_newest_intent_stands(
    history: list[tuple[str, bool]], rng: random.Random
) -> None:
    """Intents come in any order and doubled; deliveries happen between them, or not, and their answers
    are lost. Nothing new is said twice, nothing after its end, and in the end the receiver knows what
    is true."""
    intents = [
        wanted(version, level, open_=open_ or level == "at_risk")
        for version, (level, open_) in enumerate(history, 1)
    ]
    arriving = [*intents, *rng.sample(intents, rng.randrange(len(intents) + 1))]
    rng.shuffle(arriving)
    world = World(rng)
    for one in arriving:
        world.take(one)
        if rng.random() < 0.6:
            world.step(may_be_lost=True)
        if rng.random() < 0.2:
            world.shrink()
        if rng.random() < 0.2:
            world.restart()
    world.restart()
    world.step(may_be_lost=False)
    assert world.notice is not None
    assert asked(world.notice) is None

    state = stands(world.said)
    newest = intents[-1]
    firing = newest.open and newest.level in ("at_risk", "breach")
    assert state == (newest.level if firing else "quiet")
    assert is_over(world.notice, [R]) == (not firing)


def stands(said: list[Notification]) -> str:
    """How the key stands for a receiver that drops what it has seen; checks what it may be told."""
    once = [one for at, one in enumerate(said) if one.once not in {old.once for old in said[:at]}]
    versions = [one.wanted.version for one in once]
    assert versions == sorted(versions)
    state = "quiet"
    for one in once:
        assert (state, one.level, one.status) != ("breach", "breach", "firing"), "a second page"
        state = "quiet" if one.status == "resolved" else one.level
    return state


def test_a_mark_is_its_maker_s_until_another_makes_it_his_own() -> None:
    notice = Notice(wanted(1, "breach"))
    decision = asked(notice)
    assert isinstance(decision, Notification)
    ours = about_to_say(notice, R, decision, by="a")
    assert about_to_say(ours, R, decision, by="a") is ours
    theirs = about_to_say(ours, R, decision, by="b")
    assert (theirs.heard[R].by, theirs.heard[R].tried) == ("b", ours.heard[R].tried)
    assert merged(ours, theirs) == merged(theirs, ours)
    assert merged(ours, theirs).heard[R].by == "", "who has tried is not known any more"
    assert merged(ours, ours) == ours
