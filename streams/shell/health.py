"""Health and metrics of a process, for machines: a small server of its own beside the roles.

GET /healthz  200 alive; 503 when a role is in trouble (one whose checkpoint is too old, say)
GET /readyz   200 when every role does its work; 503 while it starts, restores, waits or stops
GET /metrics  see `streams.shell.metrics`
GET /explain/{tenant}/{source}/{id}  where tickets are computed, for a dashboard elsewhere: `streams.dashboard.explaining`

The first two are open, for probes; what is wrong, /metrics and /explain are told on loopback, elsewhere only to
who knows the token.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from schemas.problems import Problem, ProblemsError
from streams.dashboard.access import Access, problem, put_headers
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Explainer
from streams.dashboard.explaining import ExplainEndpoint
from streams.runtime.role import Readies, Role, Warns
from streams.shell.lifecycle import Lifecycle
from streams.shell.settings import Settings, listed
from streams.shell.telemetry import Telemetry

STOP_SECONDS_MAX = 1.0


def health_problems(settings: Settings) -> Iterator[Problem]:
    """What forbids to serve there."""
    where, token = _where(settings), settings.health_token.get_secret_value()
    if where.port and not where.on_loopback and not token:
        what = "reachable from other machines, but no token is set"
        hint = "set TICKETPULSE_HEALTH_TOKEN, or TICKETPULSE_HEALTH_HOST=127.0.0.1"
        yield Problem(f"health_host {where.host or '(all addresses)'}", what, hint)
    if any(character.isspace() for character in token):
        hint = "choose one without blanks and line ends"
        yield Problem("health_token", "a token can't contain blanks", hint)


class HealthServer:
    """A role: started before the others and stopped after them, so that it tells of both."""

    name = "health"

    def __init__(
        self, settings: Settings, roles: Sequence[Role], life: Lifecycle, telemetry: Telemetry
    ) -> None:
        self._roles = roles
        self._life = life
        self._telemetry = telemetry
        self._explaining = ExplainEndpoint()
        self._explaining.explainer = next((r for r in roles if isinstance(r, Explainer)), None)
        self._config = _where(settings)
        self._access = Access(self._config)
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(
            self._build_app(), access_log=None, shutdown_timeout=STOP_SECONDS_MAX
        )

    async def start(self) -> None:
        """Listen. ProblemsError says what to do when the address can't be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._config.host or None, self._config.port).start()
        except OSError as error:
            where = f"health {self._config.host}:{self._config.port}"
            what = f"the address can't be opened: {error.strerror or error}"
            hint = "choose another TICKETPULSE_HEALTH_PORT or TICKETPULSE_HEALTH_HOST"
            raise ProblemsError(Problem(where, what, hint)) from error

    async def run(self) -> None:
        """The server answers by itself, until `stop`."""
        await self._stopping.wait()

    async def stop(self) -> None:
        """Give the port back."""
        self._stopping.set()
        await self._runner.cleanup()

    def healthy(self) -> str | None:
        return None

    def _build_app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard()])
        app.on_response_prepare.append(put_headers)
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        if self._explaining:
            path = "/explain/{tenant}/{source}/{ticket_id:.+}"
            app.add_routes([web.get(path, self._explain)])
        return app

    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._access.host_allowed(request.host):
                return problem(421, "unknown_host", "this name is not ours; use the address")
            return await handler(request)

        return guard

    async def _healthz(self, request: web.Request) -> web.Response:
        troubles = {role.name: why for role in self._roles if (why := role.healthy()) is not None}
        warnings = {
            role.name: told
            for role in self._roles
            if isinstance(role, Warns) and (told := role.warnings())
        }
        status = "unhealthy" if troubles else "alive"
        return self._told(request, status, bool(troubles), troubles=troubles, warnings=warnings)

    async def _readyz(self, request: web.Request) -> web.Response:
        waiting = dict(self._waiting())
        return self._told(
            request, "waiting" if waiting else "ready", bool(waiting), waiting=waiting
        )

    def _waiting(self) -> Iterator[tuple[str, str]]:
        life = self._life
        if life.phase != "running":
            yield "process", f"{life.phase}: {life.busy_with}"
        for role in self._roles:
            if isinstance(role, Readies) and (why := role.ready()) is not None:
                yield role.name, why

    def _told(
        self, request: web.Request, status: str, failed: bool, **details: Mapping[str, object]
    ) -> web.Response:
        """Details only for who may know them: they name addresses, tickets and errors."""
        document: dict[str, object] = {"status": status}
        if self._access.identity_of(request) is not None:
            document |= {name: detail for name, detail in details.items() if detail}
        return web.json_response(document, status=503 if failed else 200)

    async def _explain(self, request: web.Request) -> web.Response:
        return self._refusal(request) or await self._explaining.get(request)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self._access.identity_of(request) is not None:
            return None
        detail = "send Authorization: Bearer TOKEN"
        challenge = {"WWW-Authenticate": 'Bearer realm="ticketpulse"'}
        return problem(401, "unauthorized", detail, **challenge)

    async def _metrics(self, request: web.Request) -> web.Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        body, content_type = self._telemetry.exposition(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})


def _where(settings: Settings) -> DashboardConfig:
    """The address as the page's rules of access see it."""
    return DashboardConfig(
        host=settings.health_host,
        port=settings.health_port,
        token=settings.health_token.get_secret_value(),
        trusted_proxies=listed(settings.trusted_proxies),
        proxy_user_header=settings.proxy_user_header,
    )
