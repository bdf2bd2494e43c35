"""The shared snapshot, its freshness, its clock and the event stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest
from yarl import URL

from streams.dashboard.config import DashboardConfig, DemoClock
from streams.dashboard.snapshot import Progress, day_start_ms
from tests.unit.dashboard.fakes import (
    MINUTE_MS,
    PIPELINE_MS,
    WALL_MS,
    Running,
    later,
    progress_row,
    running,
)

Told = dict[str, Any]


async def live(page: Running) -> Told:
    answer = await page.client.get(page.url("/api/live"))
    assert answer.status == 200
    told: Told = await answer.json()
    return told


async def test_numbers_clock_and_freshness() -> None:
    async with running() as page:
        told = await live(page)

    assert told["content"]["headline"] == {
        "open_tickets": 7,
        "at_risk_tickets": 3,
        "due_soon_tickets": 2,
        "overdue_tickets": 1,
        "breached_today": 4,
        "breached_total": 9,
    }
    assert told["clock"] == {"now_ms": PIPELINE_MS, "speed": 1.0, "virtual": False}
    assert told["fresh"]["state"] == "live"
    assert told["fresh"]["as_of_ms"] == WALL_MS


async def test_the_virtual_now_is_the_pipelines_word_moved_on_at_its_speed() -> None:
    #  wall      recorded ----- 2 s ----- looked at
    #  pipeline  14:35:00 -- 2 s x 600 -- 14:55:00
    config = DashboardConfig(port=0, demo=DemoClock(0, 600.0))
    async with running(config) as page:
        later(page.wall, 2)
        told = await live(page)

    now_ms = PIPELINE_MS + 20 * MINUTE_MS
    assert told["clock"] == {"now_ms": now_ms, "speed": 600.0, "virtual": True}
    asked = {name: params for name, params in page.reader.asked if name == "clocks"}
    assert asked["clocks"]["now_ms"] == now_ms
    assert asked["clocks"]["soon_ms"] == now_ms + 120 * MINUTE_MS


def test_a_wall_clock_that_is_behind_does_not_move_the_pipeline_back() -> None:
    progress = Progress(PIPELINE_MS, WALL_MS, WALL_MS, (WALL_MS,), 0, 0)

    assert progress.pipeline_now_ms(WALL_MS - 5_000, 600.0) == PIPELINE_MS


async def test_before_the_first_word_the_pipelines_own_clock_holds() -> None:
    async with running() as page:
        page.reader.rows["progress"] = []
        told = await live(page)

    assert told["clock"]["now_ms"] == PIPELINE_MS
    assert told["fresh"]["state"] == "waiting"


@pytest.mark.parametrize(("age_seconds", "state"), [(45, "live"), (45.001, "stale")])
async def test_older_than_the_limit_is_stale(age_seconds: float, state: str) -> None:
    async with running(DashboardConfig(port=0, stale_after_seconds=45)) as page:
        later(page.wall, age_seconds)
        told = await live(page)

    assert told["fresh"]["state"] == state


async def test_one_silent_partition_makes_the_page_stale() -> None:
    async with running() as page:
        later(page.wall, 60)
        page.reader.rows["progress"] = [
            progress_row(0, recorded_ms=WALL_MS + 60_000),
            progress_row(1, recorded_ms=WALL_MS),
        ]
        fresh = (await live(page))["fresh"]

    assert (fresh["state"], fresh["partitions"], fresh["partitions_behind"]) == ("stale", 2, 1)
    assert fresh["as_of_ms"] == WALL_MS


async def test_everybody_shares_one_question() -> None:
    async with running() as page:
        await asyncio.gather(*(live(page) for _ in range(20)))

    assert page.reader.times_asked("clocks") == 1


async def test_nobody_looking_nothing_asked() -> None:
    async with running() as page:
        await asyncio.sleep(0.3)

    assert page.reader.asked == []


async def test_a_database_in_trouble_keeps_the_last_numbers_and_says_so() -> None:
    async with running() as page:
        await live(page)
        page.reader.error = ConnectionError("refused")
        await asyncio.sleep(1.1)
        told = await live(page)
        assert told["content"]["headline"]["open_tickets"] == 7
        assert told["fresh"]["trouble"] is True
        assert "refused" in (page.role.healthy() or "")
        assert (await page.client.get(page.url("/readyz"))).status == 503
        assert (await page.client.get(page.url("/healthz"))).status == 200

        page.reader.error = None
        await asyncio.sleep(1.1)
        assert (await live(page))["fresh"]["trouble"] is False
        assert page.role.healthy() is None


async def test_a_database_that_never_answered_is_503() -> None:
    async with running() as page:
        page.reader.error = ConnectionError("refused")
        answer = await page.client.get(page.url("/api/live"))
        assert answer.status == 503
        assert "Retry-After" in answer.headers


async def test_a_database_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.dashboard.server.ANSWER_SECONDS_MAX", 0.2)
    monkeypatch.setattr("streams.dashboard.feed.SILENT_SECONDS_MAX", 0.1)
    monkeypatch.setattr("streams.dashboard.stream.FIRST_FRAME_SECONDS_MAX", 0.1)
    monkeypatch.setattr("streams.dashboard.stream.PULSE_SECONDS", 0.2)
    async with running() as page:
        await live(page)
        await asyncio.sleep(1.1)
        page.reader.gate.clear()
        try:
            told = await live(page)
            assert told["content"]["headline"]["open_tickets"] == 7
            assert told["fresh"]["trouble"] is True
            assert "no answer" in (page.role.healthy() or "")
            async with page.client.get(page.url("/api/stream")) as answer:
                sent = events(answer)
                names = [(await anext(sent))["event"] for _ in range(3)]
            assert names == ["hello", "live", "pulse"]
        finally:
            page.reader.gate.set()


async def test_a_ticket_with_its_clocks() -> None:
    async with running() as page:
        page.reader.rows["ticket"] = [{"ticket_id": "a/b ?"}]
        answer = await page.client.get(
            URL(page.role.url + "api/tickets/t/s/a%2Fb%20%3F", encoded=True)
        )
        told = await answer.json()
        assert answer.status == 200
        assert told["ticket"] == {"ticket_id": "a/b ?"}
        assert told["clock"]["now_ms"] == PIPELINE_MS
        assert page.reader.asked[0] == (
            "ticket",
            {"tenant": "t", "source": "s", "ticket_id": "a/b ?"},
        )

        page.reader.rows["ticket"] = []
        assert (await page.client.get(page.url("/api/tickets/t/s/x"))).status == 404
        page.reader.error = ConnectionError("refused")
        assert (await page.client.get(page.url("/api/tickets/t/s/x"))).status == 503


Sent = dict[str, str]


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[Sent]:
    """The fields of each server-sent event."""
    fields: Sent = {}
    async for line in answer.content:
        text = line.decode().rstrip("\n")
        if not text:
            yield fields
            fields = {}
            continue
        name, _, value = text.partition(": ")
        fields[name] = value


async def test_the_stream_sends_changes_once_and_pulses_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.dashboard.stream.PULSE_SECONDS", 1.5)
    async with running() as page:
        async with page.client.get(page.url("/api/stream")) as answer:
            assert answer.content_type == "text/event-stream"
            sent = events(answer)
            hello = await anext(sent)
            assert (hello["event"], int(hello["retry"]) > 0) == ("hello", True)

            first = await anext(sent)
            assert first["event"] == "live"
            assert orjson.loads(first["data"])["content"]["headline"]["open_tickets"] == 7

            page.reader.rows["open_tickets"] = [{"open_tickets": 8}]
            second = await anext(sent)
            assert orjson.loads(second["data"])["content"]["headline"]["open_tickets"] == 8
            assert second["id"] != first["id"]

            third = await anext(sent)  # nothing changed: a sign of life
            assert third["event"] == "pulse"
            assert "content" not in orjson.loads(third["data"])

        # Who comes back with what it knows is not sent the same again.
        async with page.client.get(
            page.url("/api/stream"), headers={"Last-Event-ID": second["id"]}
        ) as answer:
            sent = events(answer)
            await anext(sent)
            assert (await anext(sent))["event"] == "pulse"


async def test_stopping_ends_the_streams_quickly() -> None:
    async with running() as page, page.client.get(page.url("/api/stream")) as answer:
        sent = events(answer)
        await anext(sent)
        await anext(sent)
        async with asyncio.timeout(2.5):
            await page.role.stop()
            await page.role.stop()
        assert [event async for event in sent] == []


def test_the_day_begins_where_the_page_is() -> None:
    #  2011-07-14T18:35Z is 14:35 in New York: its day began at 04:00Z
    assert day_start_ms(PIPELINE_MS, "America/New_York") == PIPELINE_MS - (14 * 60 + 35) * MINUTE_MS
    assert day_start_ms(PIPELINE_MS, "UTC") == PIPELINE_MS - (18 * 60 + 35) * MINUTE_MS
