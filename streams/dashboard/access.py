"""Who may come in, and what a browser may do with the page."""

import hashlib
import hmac
import ipaddress

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from streams.dashboard.config import DashboardConfig

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


class Access:
    """Checks names, origins and tokens."""

    def __init__(self, config: DashboardConfig) -> None:
        self._config = config
        self._token = config.token.encode()
        self._session = hmac.new(self._token, b"ticketpulse session", hashlib.sha256).hexdigest()
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
        if self.authorized(request):
            return None
        if request.path == "/" and request.method == "GET":
            return web.Response(status=303, headers={"Location": "/session"})
        return problem(
            401,
            "unauthorized",
            "send Authorization: Bearer TOKEN",
            **{"WWW-Authenticate": 'Bearer realm="ticketpulse"'},
        )

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

    def authorized(self, request: web.Request) -> bool:
        """By header; by the browser's cookie for what only reads; by a proxy that knows its users."""
        if self._proxies and self._named_by_proxy(request):
            return True
        if not self._token:
            return not self._proxies
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and self.token_matches(given.strip()):
            return True
        cookie = request.cookies.get(COOKIE, "")
        reads = request.method in {"GET", "HEAD"}
        return reads and hmac.compare_digest(_bytes(cookie), self._session.encode())

    def _named_by_proxy(self, request: web.Request) -> bool:
        """Whether the connection comes from a trusted proxy and names a user. What the proxy itself was
        told (X-Forwarded-For and the like) is not asked: anybody can write that."""
        if not request.headers.get(self._config.proxy_user_header, "").strip():
            return False
        try:
            peer = ipaddress.ip_address(request.remote or "")
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None)  # how an IPv4 peer looks to an IPv6 socket
        return any((mapped or peer) in network for network in self._proxies)

    def token_matches(self, given: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(_bytes(given), self._token)

    def let_in(self, response: web.Response, *, secure: bool) -> None:
        """The browser may read from now on. The cookie does not contain the token."""
        response.set_cookie(
            COOKIE,
            self._session,
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


def _is_address(host: str, *, loopback: bool) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or not loopback


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
