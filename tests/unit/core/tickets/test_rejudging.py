"""A book that learns: what was judged stays, until somebody orders it to be judged anew."""

from dataclasses import replace

from streams.core.policy import Policy, PolicyBook, Rejudgement
from streams.core.tickets import snapshot
from streams.core.tickets.logic import TicketLogic
from tests.conformance.live import LiveTicket
from tests.unit.core.tickets.stories import at, begun, ev, live, play, policy, told

OLD = policy(hours=4)
SHORT = replace(policy(hours=1), version="desk@2", effective_from_ms=at("12:00"))
LONG = replace(policy(hours=8), version="desk@3", effective_from_ms=at("20:00"))


def order(when: str, by: Policy, since: str) -> Rejudgement:
    return Rejudgement(at(when), by.version, at(since))


def judged_by(ticket: LiveTicket) -> list[tuple[str | None, str]]:
    """Due instant and version of each cycle."""
    assert ticket.state is not None
    return [(told(cycle.due_ms), cycle.policy) for cycle in ticket.state.last]


def levels(ticket: LiveTicket) -> list[tuple[str | None, str]]:
    """What was said, and when."""
    return [(told(intent.recorded_ms), intent.level) for intent in ticket.intents]


def in_force(book: PolicyBook, *times: str) -> list[str]:
    return [book.as_of(at(when)).version for when in times]


def test_a_rejudgement_moves_the_beginning_of_its_version_back_and_no_other() -> None:
    other = replace(policy(), version="desk@0", effective_from_ms=at("10:00"))
    versions = (OLD, other, SHORT, LONG)
    times = ("08:59", "09:00", "10:00", "12:00", "20:00")
    assert in_force(PolicyBook(versions), *times) == [
        "desk@1",
        "desk@1",
        "desk@0",
        "desk@2",
        "desk@3",
    ]
    moved = PolicyBook(versions, (order("21:00", SHORT, "09:00"),))
    assert in_force(moved, *times) == ["desk@1", "desk@2", "desk@2", "desk@2", "desk@3"]
    late = PolicyBook(versions, (order("21:00", SHORT, "13:00"),))
    assert in_force(late, *times) == in_force(PolicyBook(versions), *times)


def test_of_two_rejudgements_the_later_one_counts() -> None:
    orders = (order("22:00", LONG, "09:00"), order("21:00", SHORT, "08:00"))
    book = PolicyBook((OLD, SHORT, LONG), orders)
    assert in_force(book, "07:59", "08:00", "09:00", "12:00", "20:00") == [
        "desk@1",
        "desk@2",
        "desk@3",
        "desk@3",
        "desk@3",
    ]


def test_of_versions_in_force_from_the_same_instant_the_one_given_last_counts() -> None:
    again = replace(SHORT, version="desk@4")
    assert in_force(PolicyBook((OLD, SHORT, again)), "12:00") == ["desk@4"]


def test_a_version_that_is_learned_judges_what_begins_after_it() -> None:
    ticket = play(live(OLD), begun("08:00"), until="09:00")
    ticket.logic.learn(PolicyBook((OLD, SHORT)))
    play(ticket, until="12:01")
    assert judged_by(ticket) == [("12:00", "desk@1")]
    later = LiveTicket(ticket.logic)
    play(later, begun("12:30"))
    assert judged_by(later) == [("13:30", "desk@2")]


def test_a_version_whose_time_has_begun_leaves_what_was_judged() -> None:
    ticket = play(live(OLD), begun("08:00"), until="09:00")
    early = replace(SHORT, effective_from_ms=at("07:00"))
    ticket.logic.learn(PolicyBook((OLD, early)))
    play(ticket, ev("e2", "11:00", "message", author="agent"), until="11:30")
    assert judged_by(ticket) == [("12:00", "desk@1")]


def test_what_a_rejudgement_asks_for_is_judged_anew_once() -> None:
    ticket = play(live(OLD), begun("08:00"), until="10:00")
    assert ticket.state is not None
    book = PolicyBook((OLD, SHORT), (order("10:00", SHORT, "08:00"),))
    ticket.logic.learn(book)
    wake_ms = ticket.logic.wake_ms(ticket.state)
    assert wake_ms is not None
    assert wake_ms < at("08:00")  # at once
    ticket.settle(at("10:00"))
    assert judged_by(ticket) == [("09:00", "desk@2")]
    assert levels(ticket) == [("10:00", "breach")]
    assert ticket.state.rejudged_ms == at("10:00")
    assert ticket.logic.wake_ms(ticket.state) is None

    again = TicketLogic(book)  # after a restart
    restored = again.load(again.dump(ticket.state), snapshot.VERSION)
    assert again.wake_ms(restored) is None


def test_a_longer_target_takes_the_breach_back() -> None:
    ticket = play(live(OLD), begun("08:00"), until="13:00")
    ticket.logic.learn(PolicyBook((OLD, LONG), (order("13:00", LONG, "08:00"),)))
    ticket.settle(at("13:00"))
    assert judged_by(ticket) == [("16:00", "desk@3")]
    assert levels(ticket) == [("12:00", "breach"), ("13:00", "retracted")]


def test_before_its_instant_nothing_is_judged_anew() -> None:
    ticket = play(live(OLD), begun("08:00"), until="10:00")
    before = ticket.state
    ticket.logic.learn(PolicyBook((OLD, SHORT), (order("10:00", SHORT, "08:01"),)))
    assert before is not None
    assert ticket.logic.wake_ms(before) == at("12:00")
    assert judged_by(play(ticket, until="10:30")) == [("12:00", "desk@1")]


def test_a_ticket_that_came_later_was_judged_by_the_order_from_the_start() -> None:
    book = PolicyBook((OLD, SHORT), (order("10:00", SHORT, "08:00"),))
    ticket = play(LiveTicket(TicketLogic(book)), begun("10:30"))
    assert ticket.state is not None
    assert ticket.state.rejudged_ms == at("10:00")
    assert judged_by(ticket) == [("11:30", "desk@2")]


def test_what_is_left_of_a_forgotten_ticket_is_left_alone() -> None:
    short_lived = replace(OLD, horizon_ms=3_600_000)
    ticket = play(live(short_lived), begun("08:00"), ev("e2", "09:00", "closed"), until="12:00")
    assert ticket.state is not None
    assert ticket.state.stub_ms is not None
    wake_ms = ticket.logic.wake_ms(ticket.state)
    ticket.logic.learn(PolicyBook((short_lived, SHORT), (order("12:00", SHORT, "08:00"),)))
    assert ticket.logic.wake_ms(ticket.state) == wake_ms
