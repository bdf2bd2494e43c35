"""What a single clock may have of its own: a promise by date, a calendar, a supplier's team."""

from dataclasses import dataclass, replace

from streams.core.policy import Rule
from tests.unit.core.tickets.stories import (
    CLOCK,
    HOUR_MS,
    at,
    begun,
    clock,
    ev,
    hours,
    judged,
    only,
    policy,
    status,
    told,
    verdict_of,
    weekdays,
)


@dataclass(frozen=True)
class HoursLater:
    """Due so many hours of the wall clock after the opening."""

    hours: int

    def due_ms(self, opened_ms: int) -> int | None:
        return opened_ms + self.hours * HOUR_MS


BY_DATE = policy(hours=None, rules=(Rule("all", (), {}, due_rules={CLOCK: HoursLater(4)}),))


def test_a_promise_by_date_is_settled_at_the_opening_and_no_pause_moves_it() -> None:
    #  08:00 created   09:00 held ...   12:00 due
    events = [begun(), status("e2", "09:00", "pending")]
    assert verdict_of(only(events, "11:00", BY_DATE)) == ("paused", "12:00", None, None)
    assert verdict_of(only(events, "13:00", BY_DATE)) == ("paused", "12:00", "12:00", "deadline")


def test_the_source_knows_better_than_a_promise_by_date() -> None:
    given = begun(targets={CLOCK: at("10:00")})
    assert told(only([given], "09:00", BY_DATE).due_ms) == "10:00"


def test_a_new_cycle_gets_a_date_of_its_own() -> None:
    anew = replace(BY_DATE, clocks=(clock(on_reopen="reset"),))
    events = [begun(), ev("e2", "09:00", "solved"), ev("e3", "10:00", "reopened")]
    first, second = judged(events, "11:00", anew)
    assert (told(first.due_ms), told(second.due_ms)) == ("12:00", "14:00")


def test_a_clock_keeps_its_own_calendar_whatever_the_tier() -> None:
    own = clock(id="own", calendar=weekdays("own", "08:00", "09:00"))
    mixed = policy(clock(), own, calendars={"gold": weekdays("gold", "08:00", "10:00")})
    events = [begun(tier="gold"), ev("e2", "08:30", "priority_changed", priority="P2")]
    usual, apart = judged(events, "12:00", mixed)
    assert (usual.clock, hours(usual.elapsed_ms)) == (CLOCK, 2)
    assert (apart.clock, hours(apart.elapsed_ms)) == ("own", 1)
    assert {stretch.calendar.split("@")[0] for stretch in apart.stretches} == {"own"}


def test_a_contract_with_a_supplier_runs_while_the_supplier_has_the_ticket() -> None:
    contract = policy(clock(kind="uc", team="acme"))
    events = [
        begun("08:00", team="desk"),
        ev("e2", "09:00", "assigned", team="acme"),
        ev("e3", "10:00", "assigned", team="desk"),
        ev("e4", "11:00", "assigned", team="acme"),
    ]
    cycle = only(events, "12:00", contract)
    assert (told(cycle.opened_ms), hours(cycle.elapsed_ms)) == ("09:00", 2)
