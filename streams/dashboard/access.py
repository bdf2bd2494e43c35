"""Who may come in, and what a browser may do with the page."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from typing import Literal, cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from streams.dashboard.config import DashboardConfig
from streams.dashboard.paths import is_page

Role = Literal["viewer", "supervisor", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "supervisor", "admin")  # each may do what the one before may
COOKIE = "ticketpulse_session"
COOKIE_SECONDS = 30 * 86_400
OPEN_PATHS = frozenset({"/healthz", "/readyz", "/session"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all, our own form would say `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "ticketpulse",
}


async def put_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """On every response, errors and streams included."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")


def problem(status: int, code: str, detail: str, **headers: str) -> web.Response:
    """An error as JSON: a stable code and what to do."""
    return web.json_response({"error": code, "detail": detail}, status=status, headers=headers)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `by_cookie`: a browser that signed in, so that its writes need its own origin."""

    actor: str
    role: Role
    by_cookie: bool = False

    def may(self, role: Role) -> bool:
        """Whether the role is at least that."""
        return ROLES.index(self.role) >= ROLES.index(role)


IDENTITY: web.RequestKey[Identity] = web.RequestKey("identity", Identity)


class Access:
    """Checks names, origins and tokens, and who may do what."""

    def __init__(self, config: DashboardConfig) -> None:
        self._config = config
        given = (("admin", config.token), ("supervisor", config.supervisor_token), ("viewer", config.viewer_token))  # fmt: skip
        self._tokens: list[tuple[Role, bytes]] = [
            (cast("Role", role), token.encode()) for role, token in given if token
        ]
        self._hosts = {host.lower() for host in config.allowed_hosts}
        self._proxies = [ipaddress.ip_network(text) for text in config.trusted_proxies]

    def middleware(self) -> Middleware:
        """Turns away before any handler runs."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            refusal = self._refusal(request)
            return await handler(request) if refusal is None else refusal

        return guard

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self.host_allowed(request.host):
            detail = "this name is not ours; reach the page by its address, or allow the name"
            return problem(421, "unknown_host", detail)
        if not self._same_origin(request):
            return problem(403, "foreign_origin", "other sites may not call this API")
        if request.path in OPEN_PATHS or request.path.startswith("/static/"):
            return None
        identity = self.identity_of(request)
        if identity is not None:
            request[IDENTITY] = identity
            return _not_allowed(identity, request)
        if request.method == "GET" and is_page(request.path):
            return web.Response(status=303, headers={"Location": "/session"})
        return _unauthorized()

    def host_allowed(self, host_header: str) -> bool:
        """Against DNS rebinding: on loopback only loopback's own names (and the allowed ones).

        Elsewhere a token is required, which a foreign page does not have, so that names are only
        checked when some are listed.
        """
        try:
            host = (URL(f"http://{host_header}").host or "").lower()
        except ValueError:
            return False
        if host in self._hosts:
            return True
        if self._config.on_loopback:
            return host == "localhost" or _is_address(host, loopback=True)
        return not self._hosts or _is_address(host, loopback=False)

    def identity_of(self, request: web.Request) -> Identity | None:
        """By a proxy that knows its users; by header; by the browser's cookie. None: nobody we know. Where no
        token and no proxy is set, only this machine can connect, and may do everything."""
        if self._proxies and (named := self._named_by_proxy(request)) is not None:
            return named
        if not self._tokens:
            return None if self._proxies else Identity("local", "admin")
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            role = self.role_of_token(given.strip())
            if role is not None:
                return Identity(f"token:{role}", role)
        cookie = _bytes(request.cookies.get(COOKIE, ""))
        for role, token in self._tokens:
            if hmac.compare_digest(cookie, _session(token).encode()):
                return Identity(f"token:{role}", role, by_cookie=True)
        return None

    def _named_by_proxy(self, request: web.Request) -> Identity | None:
        """The user, when the connection comes from a trusted proxy and names one. What the proxy itself was
        told (X-Forwarded-For and the like) is not asked: anybody can write that."""
        user = request.headers.get(self._config.proxy_user_header, "").strip()
        if not user:
            return None
        try:
            peer = ipaddress.ip_address(request.remote or "")
        except ValueError:
            return None
        mapped = getattr(peer, "ipv4_mapped", None)  # how an IPv4 peer looks to an IPv6 socket
        if not any((mapped or peer) in network for network in self._proxies):
            return None
        return Identity(user[:200], self._proxied_role(request))

    def _proxied_role(self, request: web.Request) -> Role:
        """As the proxy says; without a header for it, everybody it lets in may do everything."""
        if not self._config.proxy_role_header:
            return "admin"
        said = request.headers.get(self._config.proxy_role_header, "").lower()
        named = {part.strip() for part in said.replace(";", ",").split(",")}
        return next((role for role in reversed(ROLES) if role in named), "viewer")

    def role_of_token(self, given: str) -> Role | None:
        """In constant time for each."""
        found: Role | None = None
        for role, token in self._tokens:
            if hmac.compare_digest(_bytes(given), token):
                found = role
        return found

    def let_in(self, response: web.Response, token: str, *, secure: bool) -> None:
        """The browser may come in from now on. The cookie does not contain the token."""
        response.set_cookie(
            COOKIE,
            _session(token.encode()),
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Strict",
            secure=secure,
        )

    def _same_origin(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        if origin is None:
            return True
        try:
            return URL(origin).authority.lower() == URL(f"//{request.host}").authority.lower()
        except ValueError:
            return False


def _not_allowed(identity: Identity, request: web.Request) -> web.Response | None:
    """What a role may not do. A browser's write comes from our own page, and says so."""
    if request.method in {"GET", "HEAD"}:
        return None
    role: Role = "admin" if request.path == "/events" else "supervisor"
    if identity.by_cookie and (request.path == "/events" or "Origin" not in request.headers):
        return _unauthorized()
    if not identity.may(role):
        detail = f"this needs the role {role}; yours is {identity.role}"
        return problem(403, "forbidden", detail)
    return None


def _unauthorized() -> web.Response:
    return problem(
        401,
        "unauthorized",
        "send Authorization: Bearer TOKEN",
        **{"WWW-Authenticate": 'Bearer realm="ticketpulse"'},
    )


def _session(token: bytes) -> str:
    return hmac.new(token, b"ticketpulse session", hashlib.sha256).hexdigest()


def _is_address(host: str, *, loopback: bool) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or not loopback


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
