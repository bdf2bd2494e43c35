"""The data of every page, asked over HTTP from a database that the engines filled."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sinks.clickhouse.client import ClickHouse
from streams.dashboard.config import DashboardConfig
from streams.dashboard.server import dashboard_role
from streams.policies import load_book
from streams.reporting.texts import WORDS
from streams.runtime.clock import ManualClock
from tests.engine_room import EngineRoom
from tests.unit.measuring.story import HOUR_MS, POLICY, START_MS, day, event

pytestmark = pytest.mark.clickhouse
NOW_MS = START_MS + 23 * HOUR_MS
VIEWS = ("service", "calls", "satisfaction", "people", "complaints", "customers", "quality")


class Site:
    def __init__(self, client: aiohttp.ClientSession, url: str) -> None:
        self._client, self._url = client, url

    async def get(self, path: str) -> Any:
        async with self._client.get(self._url + path) as answer:
            assert answer.status == 200, (path, await answer.text())
            return await answer.json()

    async def refused(self, path: str) -> tuple[int, str]:
        async with self._client.get(self._url + path) as answer:
            return answer.status, (await answer.json())["detail"]

    async def text(self, path: str) -> str:
        async with self._client.get(self._url + path) as answer:
            assert answer.status == 200
            return (await answer.read()).decode("utf-8-sig")


@pytest.fixture
async def site(clickhouse: ClickHouse, tmp_path: Path) -> AsyncIterator[Site]:
    path = tmp_path / "story.yaml"
    path.write_text(POLICY, encoding="utf-8")
    room = EngineRoom(load_book(path), clickhouse, NOW_MS)
    await room.open()
    waiting = [
        event("calls", "w1", 23 * 3_600 - 90, "queued", queue="sales"),
        event("shifts", "yan-1", 22 * 3_600, "began", agent="yan", team="blue"),
        event("shifts", "zed-1", 22 * 3_600, "began", agent="zed", team="blue"),
        event("shifts", "zed-1", 23 * 3_600 - 60, "state_changed", state="on_contact"),
    ]
    for topic in room.engines:
        told = [(key, value) for of, key, value in (*day(), *waiting) if of == topic]
        await room.feed(topic, told)
    await room.settle(NOW_MS)
    clock = ManualClock(NOW_MS)
    role = dashboard_role(DashboardConfig(port=0), clickhouse, clock, None, clock)
    await role.start()
    work = asyncio.create_task(role.run())
    try:
        async with aiohttp.ClientSession() as client:
            yield Site(client, role.url.rstrip("/"))
    finally:
        await role.stop()
        await work


async def test_every_view_has_sections_in_both_languages(site: Site) -> None:
    for name in VIEWS:
        english = await site.get(f"/api/views/{name}?lang=en")
        chinese = await site.get(f"/api/views/{name}?lang=zh-CN")
        assert [one["name"] for one in english["sections"]] == [
            one["name"] for one in chinese["sections"]
        ]
        assert any(section["rows"] for section in english["sections"]) or name == "quality", name
        for section, other in zip(english["sections"], chinese["sections"], strict=True):
            assert (section["title"], other["title"]) == WORDS[section["name"]]
            assert [[cell["value"] for cell in row[1:]] for row in section["rows"]] == [
                [cell["value"] for cell in row[1:]] for row in other["rows"]
            ]


async def test_the_numbers_are_those_of_the_day(site: Site) -> None:
    found = await site.get("/api/views/calls")
    (calls,) = (one for one in found["sections"] if one["name"] == "calls")
    asa = next(row for row in calls["rows"] if row[0]["text"] == "Average speed of answer")
    assert (asa[1]["text"], asa[1]["value"]) == ("21.0 s", 21_000)
    assert len(calls["chart"]["labels"]) == 23
    vip = await site.get("/api/views/calls?scope=queue%3Dvip")
    (calls,) = (one for one in vip["sections"] if one["name"] == "calls")
    asa = next(row for row in calls["rows"] if row[0]["text"] == "Average speed of answer")
    assert asa[1]["value"] == 32_500
    month = await site.get("/api/views/calls?range=30d&zone=Asia/Shanghai")
    assert month["zone"] == "Asia/Shanghai"
    assert len(month["sections"][0]["chart"]["labels"]) == 31


async def test_the_wall_knows_who_waits(site: Site) -> None:
    wall = await site.get("/api/views/wall")
    assert wall["numbers"]["csat"]["sample"] == 3
    assert wall["numbers"]["sl.offered"]["value"] == 50.0
    (waiting,) = wall["waiting"]
    assert (waiting["queue_name"], waiting["waiting"]) == ("sales", 1)
    assert NOW_MS - waiting["longest_since_ms"] == 90_000
    assert wall["agents"] == {"there": 2, "free": 1}


async def test_the_board_filters_and_searches(site: Site) -> None:
    board = await site.get("/api/board")
    assert {row["ticket_id"] for row in board["rows"]} == {"T2", "T3", "T4"}
    assert [row["due_ms"] for row in board["rows"]] == sorted(
        row["due_ms"] for row in board["rows"] if not row["breached"]
    ) + [row["due_ms"] for row in board["rows"] if row["breached"]]
    assert board["choices"]["clocks"] == ["follow_up", "resolution"]
    only = await site.get("/api/board?clock=resolution")
    assert {row["clock"] for row in only["rows"]} == {"resolution"}
    found = await site.get("/api/board?q=t3&team=blue")
    assert {row["ticket_id"] for row in found["rows"]} == {"T3"}
    assert (await site.get("/api/board?team=nobody"))["rows"] == []


async def test_open_alerts_and_a_ticket(site: Site) -> None:
    alerts = await site.get("/api/alerts")
    assert [(row["ticket_id"], row["level"], row["action"]) for row in alerts["rows"]] == [
        ("T4", "breach", "")
    ]
    assert (await site.get("/api/alerts?level=at_risk"))["rows"] == []
    ticket = await site.get("/api/tickets/default/centre/T2")
    assert ticket["complaint_number"] is None
    assert ticket["ticket"]["reopen_count"] == 1


async def test_a_view_as_a_sheet(site: Site) -> None:
    text = await site.text("/api/views/calls.csv?lang=zh-CN")
    assert text.splitlines()[0] == "section,line,column,value"
    assert "calls,平均应答速度,value,21000" in text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/views/nonsense", 404, "one of wall"),
        ("/api/views/calls?range=2y", 400, "range is one of"),
        ("/api/views/calls?zone=Mars", 400, "no IANA zone"),
        ("/api/views/calls?scope=colour=red", 400, "scope is dimension=value"),
        ("/api/views/calls?lang=fr", 400, "lang is one of"),
        ("/api/alerts?level=loud", 400, "level is"),
    ],
)
async def test_a_wrong_question_is_told(site: Site, path: str, status: int, said: str) -> None:
    found, detail = await site.refused(path)
    assert found == status
    assert said in detail
