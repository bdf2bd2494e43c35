"""The live page, its API and the ingest edge as one role.

GET  /                                   the overview
GET  /wall, /board, /calls, /alerts, …   further pages; see `streams.dashboard.views` for their data
GET  /api/me                             who asks, and what they may do
POST /api/alerts/actions                 see `streams.dashboard.acting`
GET  /api/live                           everything the page shows
GET  /api/stream                         the same as server-sent events
GET  /api/tickets/{tenant}/{source}/{id} one ticket with its clocks
GET  /api/explain/{tenant}/{source}/{id} see `streams.dashboard.explaining`
POST /events                             see `streams.dashboard.ingest`
GET  /healthz, /readyz                   the process lives; it can read the database
"""

import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import orjson
from aiohttp import web

from schemas.problems import Problem, ProblemsError
from streams.dashboard.access import IDENTITY, Access, problem, put_headers
from streams.dashboard.acting import Acting
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Explainer, Publisher, Reader
from streams.dashboard.explaining import ExplainEndpoint
from streams.dashboard.feed import LiveFeed
from streams.dashboard.ingest import Ingest
from streams.dashboard.pages import Pages
from streams.dashboard.paths import VIEW_PATHS
from streams.dashboard.snapshot import read_ticket
from streams.dashboard.stream import EventStream, live_document
from streams.dashboard.views import Views
from streams.dashboard.watched import Found, Watched
from streams.dashboard.workers import Workers
from streams.runtime.clock import Clock, SystemClock

STOP_SECONDS_MAX = 3.0
ANSWER_SECONDS_MAX = 10.0


def dashboard_role(
    config: DashboardConfig,
    reader: Reader,
    clock: Clock,
    publisher: Publisher | None,
    wall_clock: Clock | None = None,
) -> "Dashboard":
    """The role. `clock` is the pipeline's (it stamps what comes in), `wall_clock` measures how old
    data is. Without a publisher no events are taken. ProblemsError when the configuration forbids it."""
    config.check()
    return Dashboard(config, reader, clock, publisher, wall_clock or SystemClock())


@dataclass(frozen=True, slots=True)
class DashboardCounters:
    """What the page and the ingest edge have done since the start."""

    readers: int  # open pages
    queries_total: int
    query_failures_total: int
    query_seconds_total: float
    events_accepted_total: int
    events_rejected_total: int
    events_unacknowledged_total: int  # told to be sent again


class Dashboard:
    """See `dashboard_role`."""

    name = "dashboard"

    def __init__(
        self,
        config: DashboardConfig,
        reader: Reader,
        clock: Clock,
        publisher: Publisher | None,
        wall_clock: Clock,
    ) -> None:
        self._config = config
        self._reader = reader
        self._feed = LiveFeed(config, reader, clock, wall_clock)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="dashboard-api")
        self._explaining = ExplainEndpoint(Workers(config.compute_urls, config.compute_token))
        self._ingest = Ingest(config, clock, publisher)
        self._views = Views(config, reader, self._feed.now_ms)
        self._acting = Acting(publisher, self._feed.now_ms)
        self._watched = Watched(reader, config.tenant, self._feed.now_ms)
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(
            self._build_app(), access_log=None, shutdown_timeout=STOP_SECONDS_MAX
        )
        self._port: int | None = None
        self._stopped = False

    def explain_with(self, explainer: Explainer) -> None:
        """Answer /api/explain with the live states of a compute role in this process."""
        self._explaining.explainer = explainer

    @property
    def port(self) -> int:
        """The port in use, once started."""
        assert self._port is not None, "start comes first"
        return self._port

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page, once started."""
        host = self._config.host
        if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
            host = "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"

    async def start(self) -> None:
        """Listen. ProblemsError says what to do when the address can't be had."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._config.host or None, self._config.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ProblemsError(_address_problem(self._config, error)) from error
        self._port = int(self._runner.addresses[0][1])

    async def run(self) -> None:
        """Serve until `stop`."""
        work = {
            asyncio.ensure_future(self._feed.run()),
            asyncio.ensure_future(self._watched.run()),
            asyncio.ensure_future(self._stopping.wait()),
        }
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what broke it
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def stop(self) -> None:
        """End the streams, finish the answers that were begun, give the port back."""
        self._stopping.set()
        if self._stopped:
            return
        self._stopped = True
        await self._feed.close()
        await self._runner.cleanup()
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._views.close()
        self._watched.close()

    def healthy(self) -> str | None:
        """None, or why the page shows no new numbers."""
        trouble = self._feed.trouble
        return None if trouble is None else f"the page's numbers can't be read: {trouble}"

    def ready(self) -> str | None:
        """The same: a page without numbers should get no readers."""
        return self.healthy()

    def watched(self) -> Found:
        """The numbers that alerting rules watch."""
        return self._watched.found

    def counters(self) -> DashboardCounters:
        """A snapshot of the counters."""
        feed, ingest = self._feed, self._ingest
        return DashboardCounters(
            readers=feed.readers,
            queries_total=feed.queries_total,
            query_failures_total=feed.failures_total,
            query_seconds_total=feed.query_seconds_total,
            events_accepted_total=ingest.accepted_total,
            events_rejected_total=ingest.rejected_total,
            events_unacknowledged_total=ingest.unacknowledged_total,
        )

    def _build_app(self) -> web.Application:
        config = self._config
        access = Access(config)
        pages = Pages(config, access)
        app = web.Application(
            middlewares=[access.middleware()], client_max_size=config.ingest_bytes_max
        )
        app.on_response_prepare.append(put_headers)
        app.add_routes(
            [
                web.get("/", pages.page),
                *(web.get(path, pages.view) for path in VIEW_PATHS),
                *self._views.routes(),
                web.get("/api/me", self._me),
                web.post("/api/alerts/actions", self._acting.post),
                web.get("/session", pages.sign_in),
                web.post("/session", pages.let_in),
                web.get("/static/{path:.+}", pages.static),
                web.get("/api/live", self._live),
                web.get("/api/stream", EventStream(self._feed, pages.build).serve),
                web.get("/api/tickets/{tenant}/{source}/{ticket_id:.+}", self._ticket),
                web.get("/api/explain/{tenant}/{source}/{ticket_id:.+}", self._explaining.get),
                web.post("/events", self._ingest.post),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        return app

    async def _me(self, request: web.Request) -> web.Response:
        identity = request[IDENTITY]
        return web.json_response(
            {
                "actor": identity.actor,
                "role": identity.role,
                "may_act": identity.may("supervisor"),
                "explains": bool(self._explaining),
            }
        )

    async def _live(self, _request: web.Request) -> web.Response:
        frame = await self._feed.current(ANSWER_SECONDS_MAX)
        if frame is None:
            return _database_unavailable()
        return web.Response(
            body=live_document(self._feed, frame), content_type="application/json", charset="utf-8"
        )

    async def _ticket(self, request: web.Request) -> web.Response:
        key = request.match_info
        asked = (key["tenant"], key["source"], key["ticket_id"])
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                found = await loop.run_in_executor(self._threads, read_ticket, self._reader, *asked)
        except Exception:
            return _database_unavailable()
        if found is None:
            return problem(404, "unknown_ticket", "no such ticket has been seen")
        document = {**self._feed.pulse(), **found}
        return web.Response(
            body=orjson.dumps(document, option=orjson.OPT_UTC_Z),
            content_type="application/json",
            charset="utf-8",
        )

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        await self._feed.current(ANSWER_SECONDS_MAX)
        if self._feed.frame is None or self._feed.trouble is not None:
            return _database_unavailable()
        return web.json_response({"status": "ready"})


def _database_unavailable() -> web.Response:
    detail = "ClickHouse does not answer; the page recovers by itself when it does"
    return problem(503, "database_unavailable", detail, **{"Retry-After": "5"})


def _address_problem(config: DashboardConfig, error: OSError) -> Problem:
    where = f"http {config.host}:{config.port}"
    if error.errno == errno.EADDRINUSE:
        hint = "stop that program, or choose another port with TICKETPULSE_HTTP_PORT; 0 takes a free one"
        return Problem(where, "the port is in use by another program", hint)
    if error.errno == errno.EACCES:
        hint = "choose a port from 1024 up with TICKETPULSE_HTTP_PORT"
        return Problem(where, "the port may not be opened by this user", hint)
    hint = "correct TICKETPULSE_HTTP_HOST, e.g. 127.0.0.1"
    return Problem(where, f"the address can't be opened: {error.strerror or error}", hint)
