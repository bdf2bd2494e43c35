"""What each page beside the overview shows, asked when somebody looks.

GET /api/views/{name}?range=&zone=&scope=&lang=       sections of numbers (wall, calls, satisfaction, …)
GET /api/views/{name}.csv?…                           the same for a spreadsheet
GET /api/board?team=&tier=&clock=&q=                  promises that run, soonest first
GET /api/alerts?team=&level=&q=                       alerts and what was done about them
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from aiohttp import web

from sinks.clickhouse.queries import read_query
from streams.dashboard.access import problem
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Reader, Row
from streams.measuring.asking import Question, measure
from streams.measuring.catalogue import SOURCES
from streams.reporting.document import document_of
from streams.reporting.periods import Span, last_of, today_of
from streams.reporting.report import Asked, Report, Section, Sections
from streams.reporting.sheets import csv_of
from streams.reporting.texts import Language

ANSWER_SECONDS_MAX = 20.0
ROWS_MAX = 500
SOON_MS = 2 * 3_600_000
WAITING_MS_MAX = 4 * 3_600_000  # a call that waits longer has lost its end
LANGUAGES = ("en", "zh-CN")
RANGES: Mapping[str, timedelta | None] = {
    "today": None,
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
T = TypeVar("T")
_QUERIES = "streams.dashboard.queries"
_GROUPS: Mapping[str, Callable[[Sections], list[Section | None]]] = {
    "service": Sections.service,
    "calls": Sections.calls,
    "satisfaction": Sections.satisfaction,
    "people": Sections.people,
    "complaints": Sections.complaints,
    "customers": Sections.customers,
    "quality": Sections.quality,
}
_WALL = ("sl.offered", "calls.abandonment", "calls.asa", "csat", "sla.compliance")


class BadQueryError(Exception):
    """A parameter that can't be; the text says what would be right."""


class Views:
    """The handlers. `now_ms`: the pipeline's now."""

    def __init__(self, config: DashboardConfig, reader: Reader, now_ms: Callable[[], int]) -> None:
        self._config = config
        self._reader = reader
        self._now_ms = now_ms
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="dashboard-views")

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        return [
            web.get("/api/views/{name:[a-z]+}", self.view),
            web.get("/api/views/{name:[a-z]+}.csv", self.sheet),
            web.get("/api/board", self.board),
            web.get("/api/alerts", self.alerts),
        ]

    def close(self) -> None:
        """Let go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def view(self, request: web.Request) -> web.Response:
        """Sections as JSON."""
        name = request.match_info["name"]
        if name == "wall":
            return await self._answer(lambda: self._wall(request))
        if name not in _GROUPS:
            return problem(404, "unknown_view", f"one of wall, {', '.join(_GROUPS)}")
        return await self._answer(
            lambda: document_of(self._report(name, request), _language(request))
        )

    async def sheet(self, request: web.Request) -> web.Response:
        """Sections as CSV."""
        name = request.match_info["name"]
        if name not in _GROUPS:
            return problem(404, "unknown_view", f"one of {', '.join(_GROUPS)}")
        try:
            text = await self._in_thread(
                lambda: csv_of(self._report(name, request), _language(request))
            )
        except BadQueryError as error:
            return problem(400, "bad_query", str(error))
        except Exception:
            return _unavailable()
        # A byte order mark: a spreadsheet would take Chinese for something else.
        return web.Response(
            body=("\ufeff" + text).encode(),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )

    async def board(self, request: web.Request) -> web.Response:
        """Promises that run."""
        return await self._answer(lambda: self._board(request))

    async def alerts(self, request: web.Request) -> web.Response:
        """Alerts that are open."""
        return await self._answer(lambda: self._alerts(request))

    # -- in a thread --------------------------------------------------------------------------

    def _report(self, name: str, request: web.Request) -> Report:
        asked = self._asked(request)
        sections = _GROUPS[name](Sections(self._reader, asked))
        return Report(asked, [section for section in sections if section is not None])

    def _asked(self, request: web.Request) -> Asked:
        zone, now_ms = self._zone(request), self._now_ms()
        return Asked(
            "daily",
            _span(request, now_ms, zone),
            zone,
            now_ms,
            self._config.tenant,
            _scope(request.query.get("scope", "")),
            self._config.customer_measures,
        )

    def _zone(self, request: web.Request) -> ZoneInfo:
        name = request.query.get("zone", "") or self._config.zone
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = f"{name!r} is no IANA zone such as Asia/Shanghai"
            raise BadQueryError(message) from error

    def _wall(self, request: web.Request) -> dict[str, object]:
        """Numbers of today, and of what waits now."""
        zone, now_ms = self._zone(request), self._now_ms()
        span = today_of(now_ms, zone)
        question = Question(
            span.from_ms, max(now_ms, span.from_ms + 1), now_ms, self._config.tenant, zone.key
        )
        numbers = {
            one.metric: {
                "value": one.value, "low": one.low, "high": one.high, "sample": one.sample
            }
            for one in measure(self._reader, _WALL, question)
        }  # fmt: skip
        waiting = self._rows("waiting_now", since_ms=now_ms - WAITING_MS_MAX, rows_max=ROWS_MAX)
        (agents,) = self._rows("agents_now")
        return {"now_ms": now_ms, "numbers": numbers, "waiting": waiting, "agents": agents}

    def _board(self, request: web.Request) -> dict[str, object]:
        now_ms, query = self._now_ms(), request.query
        (choices,) = self._rows("board_choices")
        return {
            "now_ms": now_ms,
            "rows": self._rows(
                "board",
                now_ms=now_ms,
                team=query.get("team", ""),
                tier=query.get("tier", ""),
                clock=query.get("clock", ""),
                search=query.get("q", "")[:100],
                rows_max=ROWS_MAX,
            ),
            "soon": self._rows("due_soon_by_team", soon_ms=now_ms + SOON_MS, rows_max=ROWS_MAX),
            "choices": choices,
            "rows_max": ROWS_MAX,
        }

    def _alerts(self, request: web.Request) -> dict[str, object]:
        query = request.query
        level = query.get("level", "")
        if level not in ("", "at_risk", "breach"):
            message = "level is at_risk or breach"
            raise BadQueryError(message)
        return {
            "now_ms": self._now_ms(),
            "rows": self._rows(
                "alerts",
                team=query.get("team", ""),
                level=level,
                search=query.get("q", "")[:100],
                rows_max=ROWS_MAX,
            ),
            "actions": self._rows("alert_actions", rows_max=50),
        }

    def _rows(self, name: str, **params: object) -> list[Row]:
        sql = read_query(_QUERIES, name)
        asked = {"tenant": self._config.tenant, **params}
        return self._reader.query_rows(
            sql, {key: value for key, value in asked.items() if f"{{{key}:" in sql}
        )

    # -- answers ------------------------------------------------------------------------------

    async def _answer(self, make: Callable[[], dict[str, object]]) -> web.Response:
        try:
            found = await self._in_thread(make)
        except BadQueryError as error:
            return problem(400, "bad_query", str(error))
        except Exception:
            return _unavailable()
        return web.Response(
            body=orjson.dumps(found, option=orjson.OPT_UTC_Z),
            content_type="application/json",
            charset="utf-8",
        )

    async def _in_thread(self, make: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await loop.run_in_executor(self._threads, make)


def _span(request: web.Request, now_ms: int, zone: ZoneInfo) -> Span:
    name = request.query.get("range", "today")
    if name not in RANGES:
        message = f"range is one of {', '.join(RANGES)}"
        raise BadQueryError(message)
    duration = RANGES[name]
    return today_of(now_ms, zone) if duration is None else last_of(duration, now_ms, zone)


def _scope(text: str) -> tuple[str, str] | None:
    if not text:
        return None
    name, _, value = text.partition("=")
    known = {one for source in SOURCES.values() for one in source.dimensions}
    if name not in known or not value:
        message = f"scope is dimension=value, of {', '.join(sorted(known))}"
        raise BadQueryError(message)
    return name, value


def _language(request: web.Request) -> Language:
    language = request.query.get("lang", "en")
    if language not in LANGUAGES:
        message = f"lang is one of {', '.join(LANGUAGES)}"
        raise BadQueryError(message)
    return cast("Language", language)


def _unavailable() -> web.Response:
    detail = "ClickHouse does not answer; the page recovers by itself when it does"
    return problem(503, "database_unavailable", detail, **{"Retry-After": "5"})
