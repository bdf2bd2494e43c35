"""A dashboard without a worker in its process asks those that are elsewhere."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from schemas.problems import ProblemsError
from streams.dashboard.config import DashboardConfig
from streams.explaining import Explanation
from streams.shell.health import HealthServer
from streams.shell.lifecycle import Lifecycle
from streams.shell.settings import load_settings
from streams.shell.telemetry import telemetry_of
from streams.shell.watchdog import Heartbeat
from tests.unit.dashboard.fakes import running
from tests.unit.explaining.test_explaining import explained
from tests.unit.shell.test_health import FakeRole, free_port

TOKEN = "h-token"


class Worker(FakeRole):
    """Computes one ticket."""

    def __init__(self, ticket_id: str) -> None:
        super().__init__("compute")
        self._ticket_id = ticket_id

    def explain(self, tenant: str, source: str, ticket_id: str) -> Explanation | None:
        mine = (tenant, source, ticket_id) == ("default", "desk", self._ticket_id)
        return explained() if mine else None


@asynccontextmanager
async def serving_worker(ticket_id: str, token: str = TOKEN) -> AsyncIterator[str]:
    settings = load_settings(health_port=free_port(), health_token=token, health_host="0.0.0.0")
    roles = [Worker(ticket_id)]
    server = HealthServer(settings, roles, Lifecycle(), telemetry_of(roles, Heartbeat(roles, 0.0)))
    await server.start()
    try:
        yield f"http://127.0.0.1:{settings.health_port}"
    finally:
        await server.stop()


def asking(*urls: str) -> DashboardConfig:
    return DashboardConfig(port=0, compute_urls=urls, compute_token=TOKEN)


async def test_whoever_computes_the_ticket_explains_it() -> None:
    async with AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(serving_worker(ticket_id))
            for ticket_id in ("A", "B/1 ?#%25")
        ]
        site = await stack.enter_async_context(running(asking(*urls)))
        async with site.client.get(site.url("/api/me")) as answer:
            assert (await answer.json())["explains"] is True
        for path, status in (
            ("A", 200),
            ("B%2F1%20%3F%23%2525", 200),
            ("A?clock=resolution", 200),
            ("A?clock=reply", 404),
            ("A?zone=Mars", 400),
            ("C", 404),
        ):
            async with site.client.get(site.url("/api/explain/default/desk/" + path)) as answer:
                assert answer.status == status, await answer.text()
        asked = site.url("/api/explain/default/desk/A?form=text&lang=zh-CN")
        async with site.client.get(asked) as answer:
            assert "逾期" in await answer.text()


async def test_while_a_worker_is_away_only_what_is_known_is_said() -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    async with serving_worker("A") as url, running(asking(url, gone)) as site:
        async with site.client.get(site.url("/api/explain/default/desk/A")) as answer:
            assert answer.status == 200
        async with site.client.get(site.url("/api/explain/default/desk/B")) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            assert "1 of 2 workers" in (await answer.json())["detail"]


async def test_a_worker_explains_only_to_who_knows_its_token() -> None:
    async with (
        serving_worker("A", token="another") as url,
        running(asking(url)) as site,
    ):
        async with site.client.get(site.url("/api/explain/default/desk/A")) as answer:
            assert answer.status == 503
        async with site.client.get(f"{url}/explain/default/desk/A") as answer:
            assert answer.status == 401


def test_an_address_that_is_none_forbids_the_start() -> None:
    with pytest.raises(ProblemsError, match="'compute:8312' is no address"):
        asking("compute:8312").check()
