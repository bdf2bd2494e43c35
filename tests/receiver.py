"""A receiver of notifications that knows keys: what a supervisor's pager would know.

It takes each delivery once, by its name, and keeps how every key stands. It can be told to misbehave.
"""

import asyncio
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

import orjson
from aiohttp import web

from sinks.receivers.webhook import signature

Mode = Literal["well", "slow", "busy", "broken", "drops before", "drops after"]


@dataclass(slots=True)
class Page:
    """One key as the receiver knows it."""

    version: int
    status: str
    level: str


@dataclass
class PagingReceiver:
    """`async with PagingReceiver(secret) as receiver: … receiver.url`."""

    secret: str = ""
    mode: Mode = "well"
    slow_seconds: float = 1.0
    url: str = ""
    pages: dict[str, Page] = field(default_factory=dict)
    taken: list[dict[str, object]] = field(default_factory=list)  # in order, without repeats
    repeats: int = 0
    # Paged again without even a try at an end: key, when it was paged, when again.
    doubled: list[tuple[str, int, int]] = field(default_factory=list)
    refused: int = 0
    _names: set[str] = field(default_factory=set)
    _paged_ms: dict[str, int] = field(default_factory=dict)
    _ends_tried: set[str] = field(default_factory=set)  # not taken: their sender can't know
    _port: int = 0

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.down()

    async def up(self) -> None:
        """Listen, at the same address as before."""
        app = web.Application()
        app.router.add_post("/pages", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        self.url = f"http://127.0.0.1:{self._port}/pages"

    async def down(self) -> None:
        """Nobody listens."""
        await self._runner.cleanup()

    def firing(self, level: str = "breach") -> set[str]:
        """Keys that somebody is being paged for."""
        return {
            key
            for key, page in self.pages.items()
            if (page.status, page.level) == ("firing", level)
        }

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        timestamp = request.headers.get("X-Ticketpulse-Timestamp", "")
        given = request.headers.get("X-Ticketpulse-Signature", "")
        if self.secret and given != signature(self.secret.encode(), timestamp, body):
            self.refused += 1
            return web.Response(status=401, text="wrong signature")
        page = orjson.loads(body)
        if self.mode in ("busy", "broken", "drops before"):
            return self._refuse(request, page)
        if self.mode == "slow":
            await asyncio.sleep(self.slow_seconds)
        self._keep(page)
        if self.mode == "drops after":
            assert request.transport is not None
            request.transport.abort()
        return web.Response()

    def _refuse(self, request: web.Request, page: dict[str, object]) -> web.Response:
        if page["status"] == "resolved":
            self._ends_tried.add(str(page["key"]))
        if self.mode == "busy":
            return web.Response(status=429, headers={"Retry-After": "1"})
        if self.mode == "drops before":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=500, text="out of order")

    def _keep(self, page: dict[str, object]) -> None:
        name, key, version = str(page["once"]), str(page["key"]), page["version"]
        assert isinstance(version, int)
        if name in self._names:
            self.repeats += 1
            return
        self._names.add(name)
        self.taken.append(page)
        known = self.pages.get(key)
        now = (str(page["status"]), str(page["level"]))
        before = None if known is None else (known.status, known.level)
        now_ms = time.time_ns() // 1_000_000
        if before == now == ("firing", "breach") and key not in self._ends_tried:
            self.doubled.append((key, self._paged_ms[key], now_ms))
        self._paged_ms[key] = now_ms
        self._ends_tried.discard(key)
        if known is None or known.version < version:
            self.pages[key] = Page(version, str(page["status"]), str(page["level"]))
