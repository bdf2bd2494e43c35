"""A real Alertmanager for tests, and somebody behind it who counts what it sends.

Its program is on the PATH (Debian: `prometheus-alertmanager`). Without it its tests are skipped and say
why; with TICKETPULSE_REQUIRE_ALERTMANAGER=1 they fail.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
import pytest

from tests.serving import Server

START_SECONDS_MAX = 20.0
_CONFIG = """
global: {{resolve_timeout: 2s}}
route:
  receiver: people
  group_by: [alertname, tenant, team]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: people
    webhook_configs: [{{url: '{url}', send_resolved: true}}]
"""


def find_alertmanager() -> str:
    """The program; skips or fails without it."""
    for name in ("prometheus-alertmanager", "alertmanager"):
        found = shutil.which(name)
        if found is not None:
            return found
    reason = "no Alertmanager on the PATH (Debian: apt-get install prometheus-alertmanager)"
    if os.environ.get("TICKETPULSE_REQUIRE_ALERTMANAGER"):
        pytest.fail(reason)
    pytest.skip(reason)


class People:
    """Who stands behind Alertmanager, as a `Server` that it posts to."""

    def __init__(self, server: Server) -> None:
        self.url = server.url + "/"
        self._server = server

    @property
    def messages(self) -> list[dict[str, Any]]:
        """One per notification of a group."""
        return [orjson.loads(body) for _path, _headers, body in self._server.requests]

    def keys(self, status: str) -> set[str]:
        """Alert keys that were told with that status."""
        return {
            alert["labels"]["key"]
            for message in self.messages
            for alert in message["alerts"]
            if alert["status"] == status
        }


class RealAlertmanager:
    """One server; `with RealAlertmanager(folder, people.url) as server: … server.url`."""

    def __init__(self, folder: Path, people_url: str) -> None:
        self._program = find_alertmanager()
        self._folder = folder
        self._config = folder / "alertmanager.yml"
        self._config.write_text(_CONFIG.format(url=people_url))
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port = one.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        with (self._folder / "alertmanager.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"--config.file={self._config}",
                    f"--storage.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self._port}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return self
            time.sleep(0.05)
        pytest.fail((self._folder / "alertmanager.log").read_text()[-2_000:])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(10)

    async def active(self) -> dict[str, dict[str, Any]]:
        """Alerts that fire, by key."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/api/v2/alerts", params={"active": "true"}) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return {alert["labels"]["key"]: alert for alert in await answer.json()}
