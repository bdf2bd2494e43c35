"""What the page, its API and the ingest edge are told at start."""

import ipaddress
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from yarl import URL

from schemas.customers import REFUSED_IN_CLEAR, CustomerIds
from schemas.problems import Problem, ProblemsError
from streams.core.measures import USUAL, CustomerMeasures

_HEADER = re.compile(r"[A-Za-z0-9-]{1,100}")


@dataclass(frozen=True, slots=True)
class DemoClock:
    """The pipeline runs on a virtual clock: where it began and how much faster than ours it runs."""

    start_ms: int
    speed: float


@dataclass(frozen=True, slots=True)
class DashboardConfig:
    """`port` 0 takes a free one. `tenant`: whose numbers the page shows (empty: everybody's), and the
    tenant of events that name none. `zone`: of every time shown and of "today". `clock_labels`:
    clock → {en, zh-CN}. `allowed_hosts`: further names the page is reached by (a proxy's).
    `customers`: what becomes of the customer ids in events that are posted. `trusted_proxies`: addresses
    and networks that have asked their users who they are, and name them in `proxy_user_header`.
    `compute_urls`: health servers of workers that explain tickets, for a dashboard without a worker in its process."""

    host: str = "127.0.0.1"
    port: int = 8311
    token: str = field(default="", repr=False)  # of admins
    supervisor_token: str = field(default="", repr=False)
    viewer_token: str = field(default="", repr=False)
    stale_after_seconds: float = 45.0
    ingest_bytes_max: int = 4 * 1024 * 1024
    tenant: str = "default"
    title: str = "ticketpulse"
    demo: DemoClock | None = None
    zone: str = "UTC"
    clock_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    customers: CustomerIds = REFUSED_IN_CLEAR
    trusted_proxies: tuple[str, ...] = ()
    proxy_user_header: str = "X-Forwarded-User"
    proxy_role_header: str = ""
    customer_measures: CustomerMeasures = USUAL.customers
    compute_urls: tuple[str, ...] = ()
    compute_token: str = field(default="", repr=False)

    @property
    def tokens(self) -> tuple[str, ...]:
        """All that are set."""
        return tuple(filter(None, (self.token, self.supervisor_token, self.viewer_token)))

    @property
    def speed(self) -> float:
        """Pipeline seconds per second of ours."""
        return 1.0 if self.demo is None else self.demo.speed

    @property
    def on_loopback(self) -> bool:
        """True when only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def check(self) -> None:
        """Raise ProblemsError with everything that forbids a start."""
        problems = tuple(self._problems())
        if problems:
            raise ProblemsError(*problems)

    def _problems(self) -> Iterator[Problem]:
        if not self.on_loopback and not self.tokens and not self.trusted_proxies:
            what = "reachable from other machines, but no token is set"
            hint = (
                "set TICKETPULSE_HTTP_TOKEN, or TICKETPULSE_HTTP_HOST=127.0.0.1; behind a proxy that"
                " knows its users TICKETPULSE_TRUSTED_PROXIES"
            )
            yield Problem(f"http_host {self.host or '(all addresses)'}", what, hint)
        if len(set(self.tokens)) < len(self.tokens):
            yield Problem("http_token", "two roles have the same token", "give each its own")
        if any(character.isspace() for token in self.tokens for character in token):
            hint = "choose one without blanks and line ends"
            yield Problem("http_token", "a token can't contain blanks", hint)
        for text in self.trusted_proxies:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                hint = "an address such as 10.0.0.7, or a network such as 10.0.0.0/24"
                yield Problem(f"trusted_proxies {text}", str(error), hint)
        if self.trusted_proxies and not _HEADER.fullmatch(self.proxy_user_header):
            hint = "a header's name, such as X-Forwarded-User"
            yield Problem("proxy_user_header", "this is no header", hint)
        if self.proxy_role_header and not _HEADER.fullmatch(self.proxy_role_header):
            hint = "a header's name, such as X-Forwarded-Groups; empty: everybody is an admin"
            yield Problem("proxy_role_header", "this is no header", hint)
        hint = "http://host:port of the health server of a worker"
        for url in itertools.filterfalse(_is_http, self.compute_urls):
            yield Problem("compute_urls", f"{url!r} is no address", hint)
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            yield Problem("zone", f"{self.zone!r} is not an IANA zone", "e.g. Asia/Shanghai")


def _is_http(url: str) -> bool:
    try:
        parsed = URL(url)
    except ValueError:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)
