"""What is told about a process, when, and to whom."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from schemas.problems import ProblemsError
from streams.shell.application import run_roles
from streams.shell.health import HealthServer
from streams.shell.lifecycle import Lifecycle
from streams.shell.settings import Settings, load_settings
from streams.shell.telemetry import telemetry_of
from streams.shell.watchdog import Heartbeat


class FakeRole:
    def __init__(self, name: str) -> None:
        self.name = name
        self.trouble: str | None = None
        self.waits_for: str | None = None
        self.warned: list[str] = []

    async def start(self) -> None: ...

    async def run(self) -> None: ...

    async def stop(self) -> None: ...

    def healthy(self) -> str | None:
        return self.trouble

    def ready(self) -> str | None:
        return self.waits_for

    def warnings(self) -> list[str]:
        return self.warned


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Asked:
    """A health server, its roles, and somebody who asks."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.life = Lifecycle()
        self.compute, self.writer = FakeRole("compute"), FakeRole("writer")
        self._url, self._session = url, session

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        async with self._session.get(self._url + path, headers=headers) as answer:
            return answer.status, await answer.json()

    async def metrics(self, **headers: str) -> tuple[int, str]:
        async with self._session.get(self._url + "/metrics", headers=headers) as answer:
            return answer.status, await answer.text()


Asking = Callable[..., Any]


@pytest.fixture
def asking() -> Asking:
    @asynccontextmanager
    async def asking_(host: str = "127.0.0.1", token: str = "") -> AsyncIterator[Asked]:
        settings = load_settings(health_host=host, health_port=free_port(), health_token=token)
        async with aiohttp.ClientSession() as session:
            asked = Asked(f"http://127.0.0.1:{settings.health_port}", session)
            roles = [asked.compute, asked.writer]
            telemetry = telemetry_of(roles, Heartbeat(roles, 0.0))
            server = HealthServer(settings, roles, asked.life, telemetry)
            await server.start()
            try:
                yield asked
            finally:
                await server.stop()

    return asking_


async def test_trouble_of_one_role_is_trouble_of_the_process(asking: Asking) -> None:
    async with asking() as asked:
        assert await asked.get("/healthz") == (200, {"status": "alive"})

        asked.compute.trouble = "tickets/2: no checkpoint for 61 s"
        troubles = {"compute": "tickets/2: no checkpoint for 61 s"}
        expected = {"status": "unhealthy", "troubles": troubles}
        assert await asked.get("/healthz") == (503, expected)
        assert 'ticketpulse_role_healthy{role="compute"} 0.0' in (await asked.metrics())[1]
        assert 'ticketpulse_role_healthy{role="writer"} 1.0' in (await asked.metrics())[1]


async def test_what_a_restart_would_not_end_is_told_but_leaves_it_alive(asking: Asking) -> None:
    async with asking() as asked:
        asked.compute.warned = ["tickets/0: 1 timers failed, e.g. of d/s/T1: ValueError: no"]

        status, answer = await asked.get("/healthz")

        assert (status, answer["status"]) == (200, "alive")
        assert answer["warnings"] == {"compute": asked.compute.warned}


async def test_ready_only_between_the_start_and_the_stop(asking: Asking) -> None:
    async with asking() as asked:
        asked.life.starting("compute")
        waiting = {"process": "starting: compute"}
        assert await asked.get("/readyz") == (503, {"status": "waiting", "waiting": waiting})

        asked.life.running()
        assert await asked.get("/readyz") == (200, {"status": "ready"})

        asked.compute.waits_for = "tickets/1: being claimed and restored"
        status, answer = await asked.get("/readyz")
        assert (status, answer["waiting"]) == (503, {"compute": asked.compute.waits_for})

        asked.compute.waits_for = None
        asked.life.stop_asked(0.0)
        status, answer = await asked.get("/readyz")
        assert (status, list(answer["waiting"])) == (503, ["process"])
        assert (await asked.get("/healthz"))[0] == 200


async def test_off_loopback_details_and_metrics_need_the_token(asking: Asking) -> None:
    async with asking(host="0.0.0.0", token="secret") as asked:
        asked.compute.trouble = "tickets/2: broker 10.0.0.7 is gone"
        assert await asked.get("/healthz") == (503, {"status": "unhealthy"})
        assert await asked.get("/readyz") == (503, {"status": "waiting"})
        assert (await asked.metrics())[0] == 401
        assert (await asked.metrics(Authorization="Bearer Secret"))[0] == 401
        assert (await asked.metrics(Authorization="secret"))[0] == 401

        known = {"Authorization": "Bearer secret"}
        assert (await asked.metrics(**known))[0] == 200
        assert "10.0.0.7" in str(await asked.get("/healthz", **known))


async def test_on_loopback_foreign_names_are_turned_away(asking: Asking) -> None:
    async with asking() as asked:
        assert (await asked.get("/healthz", Host="evil.example"))[0] == 421
        assert (await asked.get("/healthz", Host="localhost"))[0] == 200


async def test_a_port_in_use_is_told(asking: Asking) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = load_settings(health_port=taken.getsockname()[1])
        server = HealthServer(settings, [], Lifecycle(), telemetry_of([], Heartbeat([], 0.0)))

        with pytest.raises(ProblemsError, match="TICKETPULSE_HEALTH_PORT"):
            await server.start()
        await server.stop()


async def _problems(settings: Settings) -> list[str]:
    async def told(_page: object) -> None: ...

    with pytest.raises(ProblemsError) as raised:
        await run_roles(settings, ("compute",), told)
    return [problem.where for problem in raised.value.problems]


async def test_what_would_be_unsafe_or_senseless_does_not_start() -> None:
    settings = load_settings(
        broker_url="localhost:1",
        health_host="0.0.0.0",
        health_port=9_000,
        checkpoint_age_seconds_max=59.0,
    )
    assert await _problems(settings) == ["health_host 0.0.0.0", "checkpoint_age_seconds_max"]

    settings = load_settings(broker_url="localhost:1", health_token="two words")
    assert await _problems(settings) == ["health_token"]
