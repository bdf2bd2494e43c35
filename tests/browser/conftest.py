"""A real Chromium on a real page, on real ClickHouse."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, Request, async_playwright

from schemas.instants import to_ms
from sinks.clickhouse.client import ClickHouse
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Publisher
from streams.dashboard.server import Dashboard, dashboard_role
from streams.runtime.clock import Clock, ManualClock
from tests.dashboard_story import at

NOW = at("2011-07-14 18:35")
WALL = at("2026-01-19 09:00")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """System Chromium, headless."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        await started.close()


@dataclass
class Site:
    """Dashboards of one test, the browser, and everything the pages did that they must not do."""

    browser: Browser
    database: ClickHouse
    wall: ManualClock = field(default_factory=lambda: ManualClock(to_ms(WALL)))
    faults: list[str] = field(default_factory=list)
    offline: bool = False
    _running: list[tuple[Dashboard, asyncio.Task[None]]] = field(default_factory=list)

    async def serve(
        self,
        config: DashboardConfig,
        wall: Clock | None = None,
        publisher: Publisher | None = None,
    ) -> Dashboard:
        """Start a dashboard."""
        role = dashboard_role(
            config, self.database, ManualClock(to_ms(NOW)), publisher, wall or self.wall
        )
        await role.start()
        self._running.append((role, asyncio.create_task(role.run())))
        return role

    async def stop(self) -> None:
        """Stop every dashboard."""
        while self._running:
            role, task = self._running.pop()
            await role.stop()
            await task

    async def open(
        self,
        role: Dashboard,
        *,
        width: int = 1920,
        height: int = 1080,
        dark: bool = False,
        locale: str = "en-US",
        path: str = "",
    ) -> Page:
        """A new visitor looks at the page."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale=locale,
            timezone_id="America/New_York",
        )
        page = await context.new_page()
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("request", lambda request: self._asked(role, request))
        await page.goto(role.url + path)
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not self.offline:
            self.faults.append(f"console {kind}: {text}")

    def _asked(self, role: Dashboard, request: Request) -> None:
        if not request.url.startswith(role.url):
            self.faults.append(f"request to elsewhere: {request.url}")


@pytest.fixture
async def site(browser: Browser, clickhouse: ClickHouse) -> AsyncIterator[Site]:
    """At the end, no page may have complained or asked anybody else for anything."""
    made = Site(browser, clickhouse)
    yield made
    await made.stop()
    assert made.faults == []
