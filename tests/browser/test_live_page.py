"""What people see: numbers that move, words when they are old, both languages, both colours."""

import asyncio
import re
import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, Page, expect

from schemas.instants import to_ms
from sinks.clickhouse.client import ClickHouse
from streams.dashboard.config import DashboardConfig, DemoClock
from streams.runtime.clock import SystemClock
from tests.browser.conftest import NOW, WALL, Site
from tests.dashboard_story import Story, insert, report_progress, tell
from tests.outcome_rows import Row, ticket, ticket_clock

pytestmark = [pytest.mark.clickhouse, pytest.mark.usefixtures("fast_pulse")]

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CONFIG = DashboardConfig(port=0)
LABELS = {"resolution": {"en": "Resolution", "zh-CN": "解决时限"}}


@pytest.fixture
def fast_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.dashboard.stream.PULSE_SECONDS", 1.0)


def breach(number: int, minutes_ago: float, **changes: object) -> Row:
    instant = NOW - minutes_ago * MINUTE
    return {
        **ticket_clock(number),
        "breached": True,
        "breach_at": instant,
        "due_at": instant,
        "next_due_at": None,
        "team": "Street Lighting",
        **changes,
    }


def fill(database: ClickHouse) -> None:
    """Two breaches, one running clock due in 90 minutes, three open tickets."""
    running = {**ticket_clock(3), "due_at": NOW + 90 * MINUTE, "next_due_at": NOW + 90 * MINUTE}
    insert(database, "ticket_clocks", breach(1, 5), breach(2, 125), running)
    insert(database, "tickets", ticket(1), ticket(2), ticket(3))
    report_progress(database, NOW, WALL)


async def number(page: Page, name: str, value: str) -> None:
    await expect(page.locator(f"#n-{name}")).to_have_text(value)


async def test_numbers_are_live(site: Site) -> None:
    fill(site.database)
    page = await site.open(await site.serve(CONFIG))

    await number(page, "open", "3")
    await number(page, "soon", "1")
    await number(page, "today", "2")
    await number(page, "total", "2")
    await expect(page.locator("#fresh-state")).to_have_text("Live")
    await expect(page.locator("#s-today")).to_have_text("1 in the last hour")
    await expect(page.locator("#chart canvas")).to_be_visible()
    rows = page.locator("#breaches tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first.locator(".ticket")).to_have_text("T-000001")
    await expect(rows.first.locator(".team")).to_have_text("Street Lighting")

    insert(site.database, "ticket_clocks", breach(3, 0, version=2))
    await number(page, "today", "3")
    await number(page, "soon", "0")
    await expect(rows.first.locator(".ticket")).to_have_text("T-000003")
    await expect(page.locator("#due-empty")).to_be_visible()

    retracted = {**ticket_clock(3, version=3), "state": "met", "next_due_at": None}
    insert(site.database, "ticket_clocks", retracted)
    await number(page, "today", "2")
    await expect(rows).to_have_count(2)


async def test_lateness_and_countdown_run_on_the_pipelines_clock(site: Site) -> None:
    fill(site.database)
    page = await site.open(await site.serve(CONFIG))

    # 2011 for the pipeline, 2026 on the wall: minutes, not fifteen years.
    await expect(page.locator("#breaches .late").nth(0)).to_have_text(
        re.compile(r"^\+5 min \d\d s$")
    )
    await expect(page.locator("#breaches .late").nth(1)).to_have_text(re.compile(r"\+2 h 5 min"))
    await expect(page.locator("#due .left")).to_have_text(re.compile("1 h (30|29) min"))
    await expect(page.locator("#clock-time")).to_have_text(re.compile("18:35:0"))
    await expect(page.locator("#clock-date")).to_have_text(re.compile("14 Jul 2011"))
    await expect(page.locator("#clock-virtual")).to_be_hidden()


async def test_a_virtual_clock_says_so_and_runs_at_its_speed(site: Site) -> None:
    fill(site.database)
    wall = SystemClock()
    began = time.monotonic()
    report_progress(site.database, NOW, NOW.fromtimestamp(wall.now_ms() / 1000, NOW.tzinfo), 2)
    config = DashboardConfig(port=0, demo=DemoClock(to_ms(NOW), 600.0), zone="America/New_York")
    page = await site.open(await site.serve(config, wall))

    await expect(page.locator("#clock-virtual")).to_have_text(re.compile("Virtual clock.*600"))
    await expect(page.locator("#clock-time")).to_have_text(re.compile(r"\d\d:\d\d"))

    async def minutes() -> int:
        hours, rest = (await page.locator("#clock-time").inner_text()).split(":")
        return int(hours) * 60 + int(rest)

    asked = time.monotonic()
    before = await minutes()
    told = time.monotonic()
    local = NOW.astimezone(ZoneInfo("America/New_York"))
    since_begin = before - (local.hour * 60 + local.minute)
    assert 0 <= since_begin <= 10 * (told - began) + 4  # however long the browser took to start
    await asyncio.sleep(2)
    least_minutes = 10 * (time.monotonic() - told)
    passed = await minutes() - before
    most_minutes = 10 * (time.monotonic() - asked)
    # ten minutes a second; the page moves its clock several times a second
    assert least_minutes - 4 <= passed <= most_minutes + 4


async def test_old_data_says_so_in_words_and_colour(site: Site) -> None:
    fill(site.database)
    page = await site.open(await site.serve(CONFIG))
    pill, banner = page.locator("#fresh"), page.locator("#banner")
    await expect(pill).to_contain_text("Live")
    await expect(banner).to_be_hidden()
    live_colour = await colour(pill, "background-color")

    site.wall.move_to(to_ms(WALL) + 60_000)
    await expect(banner).to_contain_text(
        "Stale: nothing has been heard from the pipeline for 1 min"
    )
    await expect(banner).to_contain_text("04:00:00")  # the reader's own zone
    await expect(pill).to_contain_text("Stale")
    await expect(page.locator("#announce")).to_contain_text("Stale")
    assert await colour(pill, "background-color") != live_colour

    report_progress(site.database, NOW + MINUTE, WALL + MINUTE, version=2, partitions=3)
    await expect(banner).to_contain_text("1 of 4 partitions")
    report_progress(site.database, NOW + MINUTE, WALL + MINUTE, version=3)
    await expect(banner).to_be_hidden()
    await expect(pill).to_contain_text("Live")


async def test_a_lost_connection_says_so_and_comes_back(site: Site) -> None:
    fill(site.database)
    role = await site.serve(CONFIG)
    page = await site.open(role)
    await number(page, "open", "3")

    site.offline = True  # the browser itself complains about refused connections
    await site.stop()
    await expect(page.locator("#banner")).to_contain_text("connection to the server is lost")
    await expect(page.locator("#fresh-state")).to_have_text("Stale")
    await number(page, "open", "3")

    insert(site.database, "tickets", ticket(4))
    await site.serve(DashboardConfig(port=role.port))
    await number(page, "open", "4")
    await expect(page.locator("#banner")).to_be_hidden()


async def test_a_page_left_open_reloads_itself_after_an_upgrade(site: Site) -> None:
    fill(site.database)
    role = await site.serve(CONFIG)
    page = await site.open(role)
    await number(page, "open", "3")

    site.offline = True
    await site.stop()
    await site.serve(DashboardConfig(port=role.port, title="next version"))
    await expect(page).to_have_title("next version", timeout=15_000)


async def test_before_any_data_the_page_waits(site: Site) -> None:
    page = await site.open(await site.serve(CONFIG))

    await expect(page.locator("#fresh-state")).to_have_text("Waiting")
    await number(page, "open", "0")
    await expect(page.locator("#chart-empty")).to_be_visible()
    await expect(page.locator("#breaches-empty")).to_be_visible()


async def test_light_and_dark(site: Site) -> None:
    fill(site.database)
    role = await site.serve(CONFIG)
    light, dark = await site.open(role), await site.open(role, dark=True)
    assert await brightness(light) > 200
    assert await brightness(dark) < 40

    await dark.get_by_role("button", name="Switch to light colours").click()
    assert await brightness(dark) > 200
    await dark.reload()
    assert await brightness(dark) > 200  # remembered against the system's wish


async def test_english_and_chinese(site: Site) -> None:
    fill(site.database)
    role = await site.serve(DashboardConfig(port=0, clock_labels=LABELS))
    page = await site.open(role)
    await expect(page.locator("#breaches-title")).to_have_text("Latest breaches")
    await expect(page.locator("#breaches .clock-name").first).to_have_text("Resolution")

    await page.get_by_role("button", name="切换到中文").click()
    await expect(page.locator("#breaches-title")).to_have_text("最新逾期")
    await expect(page.locator("#breaches .clock-name").first).to_have_text("解决时限")
    await expect(page.locator("#breaches .late").first).to_have_text(re.compile(r"\+5 分"))
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await page.reload()
    await expect(page.locator("#breaches-title")).to_have_text("最新逾期")

    chinese = await site.open(role, locale="zh-CN")
    await expect(chinese.locator("#breaches-title")).to_have_text("最新逾期")
    left = await chinese.locator("main").inner_text()
    english = set(re.findall(r"[A-Za-z]{3,}", left)) - {"Street", "Lighting"}
    assert english == set()


async def test_names_are_never_markup(site: Site) -> None:
    team = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    ticket_id = '"><svg/onload=document.title="taken">'
    insert(
        site.database,
        "ticket_clocks",
        breach(1, 5, team=team, ticket_id=ticket_id, clock="<b>clock</b>"),
    )
    insert(site.database, "tickets", {**ticket(1), "team": team, "ticket_id": ticket_id})
    report_progress(site.database, NOW, WALL)
    page = await site.open(await site.serve(CONFIG))

    await expect(page.locator("#breaches .team")).to_have_text(team)
    await expect(page.locator("#teams .team")).to_have_text(team)
    await expect(page.locator("#breaches .clock-name")).to_have_text("<b>clock</b>")
    await page.locator("#breaches .link").click()
    await expect(page.locator("#sheet .facts")).to_contain_text(team)
    await expect(page.locator("#sheet-title")).to_have_text(f"Ticket {ticket_id}")
    await expect(page).to_have_title("ticketpulse")
    await expect(page.locator("main img, main svg, main script, dialog img")).to_have_count(0)


async def test_a_ticket_opens_and_closes_by_keyboard(site: Site) -> None:
    fill(site.database)
    page = await site.open(await site.serve(CONFIG))
    await expect(page.locator("#breaches tr")).to_have_count(2)

    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    reached = set()
    for _ in range(40):
        await page.keyboard.press("Tab")
        focused = page.locator(":focus")
        reached.add(await focused.get_attribute("id") or await focused.inner_text())
        if await focused.inner_text() == "T-000001":
            break
    assert {"language", "theme", "7 d", "T-000001"} <= reached

    await page.keyboard.press("Enter")
    sheet = page.locator("#sheet")
    await expect(sheet).to_be_visible()
    await expect(sheet.locator(".sheet-table tbody tr")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(page.locator("#breaches .link").first).to_be_focused()

    #  the row keeps the focus while another breach arrives above it
    insert(site.database, "ticket_clocks", breach(9, 0))
    await expect(page.locator("#breaches tr")).to_have_count(3)
    await expect(page.locator("#breaches tr").nth(1).locator(".link")).to_be_focused()


async def test_dead_letters_by_reason(site: Site) -> None:
    letter = {
        "topic": "tickets",
        "partition": 0,
        "reason": "naive_time",
        "detail": "",
        "key": "",
        "original": "eA==",
        "original_bytes": 1,
        "event_time": NOW,
        "recorded_at": NOW,
        "version": 1,
    }
    insert(site.database, "dead_letters", *({**letter, "offset": offset} for offset in range(3)))
    report_progress(site.database, NOW, WALL)
    page = await site.open(await site.serve(CONFIG))

    await page.get_by_role("button", name="3 dead letters").click()
    await expect(page.locator("#sheet")).to_contain_text("a time has no zone")


async def test_the_period_can_be_chosen(site: Site) -> None:
    fill(site.database)
    page = await site.open(await site.serve(CONFIG))

    await expect(page.locator("#chart-title")).to_have_text("Breaches per minute")
    await expect(page.locator("#chart-readout")).to_have_text("1 in the last hour")
    await page.get_by_role("button", name="24 h").click()
    await expect(page.locator("#chart-title")).to_have_text("Breaches per 15 minutes")
    await expect(page.locator("#chart-readout")).to_have_text("2 in the last 24 hours")
    await expect(page.locator("#chart")).to_have_attribute("aria-label", re.compile("2 in all"))
    await page.reload()
    await expect(page.locator("#chart-title")).to_have_text("Breaches per 15 minutes")


async def test_a_browser_signs_in(site: Site) -> None:
    fill(site.database)
    page = await site.open(await site.serve(DashboardConfig(port=0, token="s3cret")))
    site.offline = True  # a browser calls the 401 of the wrong guess an error
    await page.get_by_label("Access token").fill("guess")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("not valid")
    site.offline = False
    await page.get_by_label("Access token").fill("s3cret")
    await page.keyboard.press("Enter")
    await number(page, "open", "3")


async def test_a_changed_token_asks_again(site: Site) -> None:
    fill(site.database)
    role = await site.serve(DashboardConfig(port=0, token="old"))
    page = await site.open(role)
    await page.get_by_label("Access token").fill("old")
    await page.keyboard.press("Enter")
    await number(page, "open", "3")

    site.offline = True
    await site.stop()
    await site.serve(DashboardConfig(port=role.port, token="new"))
    await expect(page.get_by_label("Access token")).to_be_visible(timeout=15_000)


@pytest.mark.parametrize("dark", [False, True])
async def test_headline_numbers_can_be_read_from_afar(site: Site, dark: bool) -> None:
    fill(site.database)
    page = await site.open(await site.serve(CONFIG), dark=dark)
    await number(page, "open", "3")

    for stale in (False, True):
        if stale:
            site.wall.move_to(to_ms(WALL) + 60_000)
            await expect(page.locator("#banner")).to_be_visible()
            assert await contrast(page.locator("#banner"), page.locator("#banner")) >= 4.5
        for name in ("open", "risk", "soon", "today", "total"):
            shown = page.locator(f"#n-{name}")
            card = page.locator(".card", has=shown)
            assert float((await style(shown, "font-size")).removesuffix("px")) >= 48
            assert await contrast(shown, card) >= 4.5, name
            assert await contrast(page.locator(f"#s-{name}"), card) >= 4.5, name
        panel = page.locator(".panel-breaches")
        for found in (".late", ".link", ".due-at", ".chip", "thead th"):
            assert await contrast(panel.locator(found).first, panel) >= 4.5, found
        assert await contrast(page.locator("#fresh-state"), page.locator("#fresh")) >= 4.5


@pytest.mark.parametrize(
    ("width", "height"),
    [(360, 740), (390, 844), (820, 1180), (1366, 768), (1920, 1080), (3840, 2160)],
)
async def test_nothing_hangs_over_the_edge(site: Site, width: int, height: int) -> None:
    tell(site.database, Story(NOW, tickets=400))
    report_progress(site.database, NOW, WALL)
    page = await site.open(await site.serve(CONFIG), width=width, height=height)
    await expect(page.locator("#n-open")).not_to_have_text("–")
    await expect(page.locator("#chart canvas")).to_be_visible()

    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    if width >= 1366:  # one screen, no scrolling: it hangs on a wall
        assert await page.evaluate("document.documentElement.scrollHeight") <= height
    for panel in await page.locator(".panel, .card").all():
        box = await panel.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


# --- measuring ---


async def style(shown: Locator, name: str) -> str:
    return str(await shown.evaluate("(node, name) => getComputedStyle(node)[name]", name))


async def colour(shown: Locator, name: str) -> tuple[float, float, float]:
    parts = re.findall(r"[\d.]+", await style(shown, name))
    return float(parts[0]), float(parts[1]), float(parts[2])


async def brightness(page: Page) -> float:
    return sum(await colour(page.locator("body"), "background-color")) / 3


async def contrast(text: Locator, ground: Locator) -> float:
    """WCAG 2 contrast ratio of a text's colour on a ground."""

    def luminance(rgb: tuple[float, float, float]) -> float:
        linear = [
            part / 255 / 12.92 if part <= 10.31475 else ((part / 255 + 0.055) / 1.055) ** 2.4
            for part in rgb
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lights = sorted(
        [
            luminance(await colour(text, "color")),
            luminance(await colour(ground, "background-color")),
        ]
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)
