"""The page's numbers from real ClickHouse, against numbers worked out by hand."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from schemas.instants import to_ms
from sinks.clickhouse.client import ClickHouse
from streams.dashboard.config import DashboardConfig
from streams.dashboard.server import dashboard_role
from streams.dashboard.snapshot import read_ticket, take_snapshot
from streams.runtime.clock import ManualClock
from tests.dashboard_story import at, insert, report_progress
from tests.outcome_rows import Row, ticket, ticket_clock

pytestmark = pytest.mark.clickhouse

#  The pipeline's now is 14:00 in UTC; "today" began at 00:00.
#
#     yesterday 23:00        11:59   13:58 13:59 | 14:00 now        15:00      16:00    16:00:01
#     |                      |       |     |     |                  |          |        |
#     breach 1               |       3     4, 5  |                  due 10     due 11   due 12
NOW = at("2026-01-19 14:00")
WALL = at("2027-05-01 09:00")
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CONFIG = DashboardConfig(port=0)


def breach(number: int, instant: object, **changes: object) -> Row:
    fields: Row = {"state": "running", "breached": True, "breach_at": instant, "due_at": instant}
    return {**ticket_clock(number), **fields, "next_due_at": None, "team": "B", **changes}


def due(number: int, instant: object, **changes: object) -> Row:
    fields: Row = {"due_at": instant, "next_due_at": instant, "team": "A"}
    return {**ticket_clock(number), **fields, **changes}


CLOCKS = (
    breach(1, NOW - 15 * HOUR, state="breached", stopped_at=NOW - 2 * HOUR),
    breach(3, NOW - 2 * MINUTE, breach_team="C"),
    breach(4, NOW - MINUTE),
    breach(5, NOW - MINUTE, clock="first_reply", state="paused"),
    breach(6, NOW - MINUTE, state="void"),  # excluded: counts nowhere
    breach(7, NOW - MINUTE, removed=True),  # taken away by late truth
    due(10, NOW + HOUR, at_risk_at=NOW - MINUTE),
    due(11, NOW + 2 * HOUR, team=None),
    due(12, NOW + 2 * HOUR + timedelta(seconds=1), at_risk_at=NOW + MINUTE),
    due(13, None, state="paused", at_risk_at=NOW),  # paused: at risk, but nothing runs
    due(14, NOW + HOUR, state="met", next_due_at=None, at_risk_at=NOW - HOUR),
    due(15, NOW + HOUR, tenant="other"),
    # one ticket, two clocks: overdue wins over at risk in its team's row
    breach(20, NOW - 3 * HOUR, team="A"),
    due(20, NOW + 5 * HOUR, clock="update", at_risk_at=NOW - HOUR),
)
OPEN = tuple(
    ticket(number, team=team)
    for number, team in ((3, "B"), (4, "B"), (5, "B"), (10, "A"), (11, None), (12, "A"), (20, "A"))
)
CLOSED = (ticket(1, open=False), ticket(14, open=False), ticket(15, tenant="other"))


@pytest.fixture
def filled(clickhouse: ClickHouse) -> ClickHouse:
    insert(clickhouse, "ticket_clocks", *CLOCKS)
    insert(clickhouse, "tickets", *OPEN, *CLOSED)
    report_progress(clickhouse, NOW, WALL)
    return clickhouse


def look(database: ClickHouse, config: DashboardConfig = CONFIG) -> dict[str, Any]:
    return dict(take_snapshot(database, config, to_ms(WALL), 0).content)


def number_of(row: Row) -> int:
    return int(str(row["ticket_id"]).removeprefix("T-"))


def test_headline(filled: ClickHouse) -> None:
    assert look(filled)["headline"] == {
        "open_tickets": 7,
        "at_risk_tickets": 3,  # 10, 13, 20
        "due_soon_tickets": 2,  # 10, 11 (not 12: a second too late)
        "overdue_tickets": 4,  # 3, 4, 5, 20
        "breached_today": 4,  # 3, 4, 5, 20
        "breached_total": 5,  # and 1
    }


def test_another_tenant_and_all_of_them(filled: ClickHouse) -> None:
    assert look(filled, DashboardConfig(tenant="other"))["headline"]["open_tickets"] == 1
    assert look(filled, DashboardConfig(tenant=""))["headline"]["open_tickets"] == 8
    assert look(filled, DashboardConfig(tenant="other"))["headline"]["breached_total"] == 0


def test_today_is_the_pages_day(filled: ClickHouse) -> None:
    # 14:00Z is 22:00 in Shanghai, whose day began at 16:00Z yesterday: before breach 1 at 23:00Z.
    content = look(filled, DashboardConfig(zone="Asia/Shanghai"))
    assert content["headline"]["breached_today"] == 5


def test_breaches_over_time(filled: ClickHouse) -> None:
    content = look(filled)
    assert content["breaches_by_minute"] == [
        [to_ms(NOW - 15 * HOUR), 1],
        [to_ms(NOW - 3 * HOUR), 1],
        [to_ms(NOW - 2 * MINUTE), 1],
        [to_ms(NOW - MINUTE), 2],
    ]
    assert content["breaches_by_hour"] == [
        [to_ms(NOW - 15 * HOUR), 1],
        [to_ms(NOW - 3 * HOUR), 1],
        [to_ms(NOW - HOUR), 3],
    ]


def test_open_by_team(filled: ClickHouse) -> None:
    rows = [
        (row["team_name"], row["open_tickets"], row["at_risk_tickets"], row["overdue_tickets"])
        for row in look(filled)["teams"]
    ]
    assert rows == [("A", 3, 2, 1), ("B", 3, 0, 3), ("", 1, 0, 0)]


def test_latest_breaches(filled: ClickHouse) -> None:
    rows = look(filled)["latest_breaches"]
    assert [number_of(row) for row in rows] == [4, 5, 3, 20, 1]
    newest, third, oldest = rows[0], rows[2], rows[4]
    assert newest["due_ms"] == newest["breach_ms"] == to_ms(NOW - MINUTE)
    assert newest["ended_ms"] is None
    assert third["team_name"] == "C"  # the holder at the breach
    assert (oldest["state"], oldest["ended_ms"]) == ("breached", to_ms(NOW - 2 * HOUR))


def test_next_due(filled: ClickHouse) -> None:
    rows = look(filled)["next_due"]
    assert [(number_of(row), row["is_at_risk"]) for row in rows] == [
        (10, True),
        (11, False),
        (12, False),
        (20, True),
    ]
    assert rows[0]["due_ms"] == to_ms(NOW + HOUR)


def test_the_same_rows_again_change_nothing(filled: ClickHouse) -> None:
    before = look(filled)
    insert(filled, "ticket_clocks", *reversed(CLOCKS))
    insert(filled, "tickets", *OPEN)
    report_progress(filled, NOW, WALL)

    assert look(filled) == before


def test_a_retraction_vanishes_everywhere(filled: ClickHouse) -> None:
    #  late truth: 4 was stopped in time
    insert(
        filled,
        "ticket_clocks",
        ticket_clock(4, version=2, state="met", verdict="met", stopped_at=NOW - HOUR, team="B"),
    )
    content = look(filled)
    assert [number_of(row) for row in content["latest_breaches"]] == [5, 3, 20, 1]
    assert content["headline"]["breached_today"] == 3
    assert content["headline"]["overdue_tickets"] == 3
    assert content["breaches_by_minute"][-1] == [to_ms(NOW - MINUTE), 1]

    #  an older version that arrives late does not bring it back
    insert(filled, "ticket_clocks", breach(4, NOW - MINUTE))
    assert look(filled) == content


def test_dead_letters_by_reason(filled: ClickHouse) -> None:
    letter = {
        "topic": "tickets",
        "partition": 0,
        "reason": "not_json",
        "detail": "",
        "key": "",
        "original": "eA==",
        "original_bytes": 1,
        "event_time": NOW,
        "recorded_at": NOW,
        "version": 1,
    }
    letters = [{**letter, "offset": offset} for offset in (1, 2, 2)]
    insert(filled, "dead_letters", *letters, {**letter, "offset": 3, "reason": "naive_time"})

    rows = look(filled)["dead_letters"]
    assert [(row["reason"], row["messages"]) for row in rows] == [
        ("not_json", 2),
        ("naive_time", 1),
    ]
    assert rows[0]["labels"]["zh-CN"] == "不是合法的 JSON"


def test_an_empty_database_is_all_zeros(clickhouse: ClickHouse) -> None:
    snapshot = take_snapshot(clickhouse, CONFIG, to_ms(WALL), to_ms(NOW))

    assert snapshot.progress is None
    headline = snapshot.content["headline"]
    assert isinstance(headline, dict)
    assert set(headline.values()) == {0}
    assert snapshot.content["latest_breaches"] == []


def test_one_ticket(filled: ClickHouse) -> None:
    found = read_ticket(filled, "default", "helpdesk", "T-000020")
    assert found is not None
    clocks: Any = found["clocks"]
    assert {clock["clock"]: clock["breached"] for clock in clocks} == {
        "resolution": True,
        "update": False,
    }
    assert read_ticket(filled, "default", "helpdesk", "T-000099") is None
    assert read_ticket(filled, "default", "helpdesk", "' OR 1=1 --") is None


async def test_a_breach_is_on_the_page_within_two_seconds_and_a_retraction_takes_it_off(
    filled: ClickHouse,
) -> None:
    wall = ManualClock(to_ms(WALL))
    role = dashboard_role(CONFIG, filled, ManualClock(to_ms(NOW)), None, wall)
    await role.start()
    running = asyncio.create_task(role.run())

    async def totals(session: aiohttp.ClientSession) -> list[int]:
        async with session.get(role.url + "api/live") as answer:
            told = await answer.json()
        return [told["content"]["headline"]["breached_total"], told["clock"]["now_ms"]]

    try:
        async with aiohttp.ClientSession() as session:
            assert await totals(session) == [5, to_ms(NOW)]
            insert(filled, "ticket_clocks", breach(12, NOW, version=2))
            await asyncio.sleep(2)
            assert (await totals(session))[0] == 6
            insert(filled, "ticket_clocks", due(12, NOW + 9 * HOUR, version=3))
            report_progress(filled, NOW + MINUTE, WALL, version=2)
            await asyncio.sleep(2)
            assert await totals(session) == [5, to_ms(NOW + MINUTE)]
    finally:
        await role.stop()
        await running
