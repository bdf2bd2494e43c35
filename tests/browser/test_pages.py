"""The pages beside the overview in a real Chromium: real data, live, filtered, searched, acknowledged; in both
languages and colours; for keyboard, phone and wall; without a complaint of axe."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.async_api import Page, expect

from schemas.instants import from_ms
from schemas.topics import TOPICS
from sinks.clickhouse.client import ClickHouse
from streams.dashboard.acting import ACTIONS_TOPIC
from streams.dashboard.config import DashboardConfig
from streams.dashboard.server import Dashboard
from streams.policies import load_book
from tests.browser.conftest import Site
from tests.dashboard_story import insert
from tests.engine_room import EngineRoom
from tests.outcome_rows import partition_progress, ticket_clock
from tests.unit.measuring.story import HOUR_MS, POLICY, START_MS, day, event

pytestmark = [pytest.mark.clickhouse]
CONFIG = DashboardConfig(port=0, tenant="default")
NOW_MS = START_MS + 23 * HOUR_MS
PAGES = ("wall", "board", "alerts", "service", "calls", "satisfaction", "people", "complaints", "customers", "quality")  # fmt: skip
TICKET = "tickets/default/centre/T2"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


class Into:
    """A broker and a writer in one: what is published stands in its table at once."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database
        self.published: list[tuple[str, bytes]] = []

    async def publish(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        table = next(spec.table for spec in TOPICS if spec.name == topic)
        assert table is not None
        for _, value in records:
            self.published.append((topic, value))
            await asyncio.to_thread(self._database.insert_raw, table, value)


async def fill(database: ClickHouse, folder: Path) -> None:
    """The day that can be worked out by hand, until an hour before midnight."""
    path = folder / "story.yaml"
    path.write_text(POLICY, encoding="utf-8")
    room = EngineRoom(load_book(path), database, NOW_MS)
    await room.open()
    odd = event("calls", "k1", 40_000, "queued", queue="parking")
    for topic in room.engines:
        await room.feed(topic, [(key, value) for of, key, value in (*day(), odd) if of == topic])
    await room.settle(NOW_MS)


async def served(site: Site, folder: Path, config: DashboardConfig = CONFIG) -> Dashboard:
    await fill(site.database, folder)
    return await site.serve(config, publisher=Into(site.database))


async def loaded(page: Page) -> None:
    """Numbers are there."""
    await expect(page.locator("#view > *").first).to_be_visible()
    await expect(page.locator("#view .empty[data-text=loading]")).to_have_count(0)


async def complaints_of_axe(page: Page) -> list[str]:
    """What axe calls serious or critical. Run from outside, so that the page's own policy holds."""
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(
    ("locale", "dark"),
    [
        ("en-US", False),
        ("zh-CN", True),
        pytest.param("en-US", True, marks=pytest.mark.full),
        pytest.param("zh-CN", False, marks=pytest.mark.full),
    ],
)
async def test_every_page_shows_real_data_and_axe_has_no_serious_complaint(
    site: Site, tmp_path: Path, locale: str, dark: bool
) -> None:
    role = await served(site, tmp_path)
    page = await site.open(role, locale=locale, dark=dark)
    for name in ("", *PAGES, TICKET):
        await page.goto(role.url + name)
        if name:
            await loaded(page)
            await expect(page.locator("#fresh-state")).to_have_text(
                "实时" if locale == "zh-CN" else "Live"
            )
            await expect(page.locator("#view-title")).not_to_be_empty()
            rows = await page.locator(
                "#view tbody tr, #view .card, #view .segment, #view dd"
            ).count()
            assert rows > 0, name
        assert await complaints_of_axe(page) == [], name
    shown = await page.locator("html").get_attribute("lang")
    assert shown == ("zh-CN" if locale == "zh-CN" else "en")


async def test_the_numbers_are_those_worked_out_by_hand(site: Site, tmp_path: Path) -> None:
    page = await site.open(await served(site, tmp_path), path="calls")
    await loaded(page)
    asa = page.locator("[data-section=calls] tr", has_text="Average speed of answer")
    await expect(asa.locator("td").nth(1)).to_have_text("21.0 s")
    await expect(page.locator("[data-section=calls] canvas")).to_be_visible()
    await page.get_by_role("button", name="vip", exact=True).click()
    await expect(asa.locator("td").nth(1)).to_have_text("32.5 s")
    assert "scope=queue%3Dvip" in page.url
    await page.reload()  # a link shows what its sender saw
    await expect(asa.locator("td").nth(1)).to_have_text("32.5 s")
    await page.select_option("select[name=range]", "7d")
    await expect(page.locator("[data-section=calls] tbody tr")).not_to_have_count(0)
    async with page.expect_download() as download:
        await page.get_by_role("link", name="CSV").click()
    saved = await (await download.value).path()
    assert "Average speed of answer,value,32500" in saved.read_text(encoding="utf-8-sig")


async def test_the_board_is_live_filtered_and_searched(site: Site, tmp_path: Path) -> None:
    page = await site.open(await served(site, tmp_path), path="board")
    rows = page.locator("table.board tbody tr")
    await expect(rows).to_have_count(3)
    await page.select_option("select[name=clock]", "resolution")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("T4")
    await page.reload()
    await expect(rows).to_have_count(1)
    await page.select_option("select[name=clock]", "")
    await expect(rows).to_have_count(3)
    await page.keyboard.press("Escape")
    await page.locator("#view-title").click()
    await page.keyboard.press("/")
    await page.keyboard.type("t3")
    await expect(rows).to_have_count(1)
    assert "q=t3" in page.url
    await page.fill("input[type=search]", "")
    await expect(rows).to_have_count(3)

    # A new promise, due in ten minutes, stands first within two seconds of its row.
    soon = from_ms(NOW_MS + 600_000)
    row = {**ticket_clock(77, due_at=soon, next_due_at=soon), "event_time": from_ms(NOW_MS)}
    began = asyncio.get_running_loop().time()
    insert(site.database, "ticket_clocks", row)
    insert(site.database, "partition_progress", {**partition_progress(7), "clock_now": from_ms(NOW_MS), "recorded_at": from_ms(NOW_MS)})  # fmt: skip
    await expect(rows.first).to_contain_text("T-000077", timeout=4_000)
    assert asyncio.get_running_loop().time() - began < 4.0
    await expect(rows.first.locator(".countdown")).to_contain_text("min")


async def test_an_alert_is_acknowledged_and_audited(site: Site, tmp_path: Path) -> None:
    await fill(site.database, tmp_path)
    into = Into(site.database)
    role = await site.serve(CONFIG, publisher=into)
    page = await site.open(role, path="alerts")
    row = page.locator("table.alerts tbody tr")
    await expect(row).to_have_count(1)
    await expect(page.locator("#fresh-state")).to_have_text("Live")  # the pipeline's now is known
    await row.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator("#announce")).to_contain_text("Written down")
    await expect(row.locator(".handling")).to_contain_text("acknowledged by local")
    await expect(page.locator("#view")).to_contain_text("What was done")
    actions = [orjson.loads(value) for topic, value in into.published if topic == ACTIONS_TOPIC]
    assert [(one["action"], one["actor"]) for one in actions] == [("acknowledge", "local")]
    audit = site.database.query_rows("SELECT action, actor FROM v_audit")
    assert audit == [{"action": "acknowledge", "actor": "local"}]
    await page.reload()
    await expect(row.locator(".handling")).to_contain_text("acknowledged by local")
    await row.get_by_role("button", name="Release").click()
    await expect(row.get_by_role("button", name="Acknowledge")).to_be_visible()


async def test_who_may_only_read_is_offered_nothing_to_do(site: Site, tmp_path: Path) -> None:
    role = await served(site, tmp_path, DashboardConfig(port=0, token="a", viewer_token="v"))
    page = await site.open(role, path="alerts")
    await page.fill("input[name=token]", "v")
    await page.keyboard.press("Enter")
    await page.wait_for_url(role.url)
    await page.goto(role.url + "alerts")
    await expect(page.locator("table.alerts tbody tr")).to_have_count(1)
    await expect(page.locator("#view")).to_contain_text("Reading only")
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)


async def test_the_wall_is_read_from_the_other_end_of_the_room(site: Site, tmp_path: Path) -> None:
    page = await site.open(await served(site, tmp_path), path="wall", width=1920, height=1080)
    await expect(page.locator("#w-satisfactionNow")).to_have_text("66.7 %")
    await expect(page.locator("#w-breachedToday")).not_to_have_text("–")
    sizes = await page.locator(".wall .number").evaluate_all(
        "items => items.map(item => parseFloat(getComputedStyle(item).fontSize))"
    )
    assert len(sizes) == 8
    assert min(sizes) >= 48
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight + 1")


async def test_keys_lead_to_the_pages_and_the_rest_stays(site: Site, tmp_path: Path) -> None:
    role = await served(site, tmp_path)
    page = await site.open(role)
    await page.keyboard.press("3")
    await page.wait_for_url(role.url + "board")
    await expect(page.locator("[aria-current=page]")).to_have_text("SLA board")
    await page.locator("#language").click()
    await expect(page.locator("[aria-current=page]")).to_have_text("时限看板")
    await page.locator("#theme").click()
    assert await page.locator("html").get_attribute("data-theme") == "dark"
    await page.keyboard.press("6")
    await page.wait_for_url(role.url + "calls")
    await expect(page.locator("#view-title")).to_have_text("话务")
    assert await page.locator("html").get_attribute("data-theme") == "dark"


async def test_no_page_is_wider_than_a_phone(site: Site, tmp_path: Path) -> None:
    role = await served(site, tmp_path)
    page = await site.open(role, width=390, height=844)
    for name in (*PAGES, TICKET):
        await page.goto(role.url + name)
        await loaded(page)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, name


async def test_a_result_of_what_if_is_shown(site: Site, tmp_path: Path) -> None:
    side = {"cycles": 4, "met": 3, "breached": 1, "compliance": 0.75}
    result = {
        "events": 9, "tickets": 4, "rejected": {}, "breaches": {"added": 2, "removed": 0},
        "clocks": {"resolution": {"old": side, "new": {**side, "breached": 3, "compliance": 0.25}, "added": 2, "removed": 0}},
        "teams": {"added": {"blue": 2}, "removed": {}}, "tiers": {"added": {}, "removed": {}},
        "hours_of_week": {}, "examples": [{"change": "added", "ticket_id": "T1", "clock": "resolution", "due_at": None, "breach_at": None, "team": "blue"}],
    }  # fmt: skip
    path = tmp_path / "result.json"
    path.write_bytes(orjson.dumps(result))
    page = await site.open(await site.serve(CONFIG), path="whatif")
    await expect(page.locator("#view")).to_contain_text("ticketpulse whatif")
    await page.set_input_files("input[type=file]", path)
    await expect(page.locator("#view table").first).to_contain_text("75.0 %")
    await expect(page.locator("#view table").first).to_contain_text("+2")
    assert await complaints_of_axe(page) == []
    path.write_text("{}", encoding="utf-8")
    await page.set_input_files("input[type=file]", path)
    await expect(page.locator("#view")).to_contain_text("no result of whatif")


async def test_a_ticket_that_nobody_knows_is_told(site: Site, tmp_path: Path) -> None:
    page = await site.open(await served(site, tmp_path), path="tickets/default/centre/NOPE")
    site.offline = True  # the 404 stands in the console, as it should
    await expect(page.locator("#view")).to_contain_text("No such ticket")
