"""`POST /events`: events in over HTTP, acknowledged only after the broker has acknowledged them.

202  everything accepted is on the broker; `errors` lists the lines that were not accepted
422  no line could be accepted
401, 403, 408, 413, 415  nothing was read or taken
503  the broker did not acknowledge; nothing is claimed: send the same body again (repeating is
     harmless, an event with the same `event_id` counts once)
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from schemas.customers import ALIAS_TOPIC, CustomerIds
from schemas.decode import check_line
from schemas.events import Rejected
from schemas.reasons import REASONS
from streams.dashboard.access import problem
from streams.dashboard.config import DashboardConfig
from streams.dashboard.contract import Publisher
from streams.runtime.clock import Clock

log = logging.getLogger(__name__)

READ_SECONDS_MAX = 30.0
PUBLISH_SECONDS_MAX = 20.0
RETRY_AFTER_SECONDS = 5
ERRORS_LISTED_MAX = 1_000
BODIES_AT_ONCE_MAX = 16

Form = Literal["one", "lines"]
FORMS: dict[str, Form] = {"application/json": "one", "application/x-ndjson": "lines"}


@dataclass(slots=True)
class Checked:
    """A body, line by line."""

    accepted: dict[str, list[tuple[bytes, bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    errors: list[dict[str, object]] = field(default_factory=list)
    accepted_count: int = 0
    rejected_count: int = 0

    def report(self) -> dict[str, object]:
        """What the sender is told."""
        told: dict[str, object] = {
            "accepted": self.accepted_count,
            "rejected": self.rejected_count,
            "errors": self.errors,
        }
        left_out = self.rejected_count - len(self.errors)
        return {**told, "errors_left_out": left_out} if left_out else told


def check_body(
    body: bytes, form: Form, tenant: str, now_ms: int, customers: CustomerIds
) -> Checked:
    """Check every line; blank ones don't count. A body without any line is one empty event."""
    checked = Checked()
    for number, line in _lines(body, form):
        outcome = check_line(line, tenant_default=tenant, now_ms=now_ms, customers=customers)
        if not isinstance(outcome, Rejected):
            checked.accepted[outcome.topic].append((outcome.key, outcome.value))
            for alias in outcome.aliases:
                checked.accepted[ALIAS_TOPIC].append(alias.record(now_ms))
            checked.accepted_count += 1
            continue
        checked.rejected_count += 1
        if len(checked.errors) < ERRORS_LISTED_MAX:
            checked.errors.append(_error(number, outcome))
    return checked


def _lines(body: bytes, form: Form) -> Iterator[tuple[int, bytes]]:
    if form == "one":
        yield 1, body
        return
    blank = True
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            blank = False
            yield number, line
    if blank:
        yield 1, b""


def _error(number: int, rejected: Rejected) -> dict[str, object]:
    error: dict[str, object] = {
        "line": number,
        "reason": rejected.reason,
        "detail": rejected.detail,
    }
    if rejected.where:
        error["where"] = rejected.where
    if rejected.reason in REASONS:
        error["remedy"] = REASONS[rejected.reason].remedy
    return error


class Ingest:
    """The handler. `clock` is the pipeline's: it stamps `ingested_at`."""

    def __init__(self, config: DashboardConfig, clock: Clock, publisher: Publisher | None) -> None:
        self._config = config
        self._clock = clock
        self._publisher = publisher
        self._room = asyncio.Semaphore(BODIES_AT_ONCE_MAX)
        self.accepted_total = 0
        self.rejected_total = 0
        self.unacknowledged_total = 0

    async def post(self, request: web.Request) -> web.Response:
        """See the module's text."""
        if self._publisher is None:
            return problem(404, "no_ingest", "this process takes no events")
        form = FORMS.get(request.content_type)
        if form is None or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
            accepted = ", ".join(FORMS)
            return problem(415, "unsupported_media_type", f"send {accepted} as UTF-8")
        if "Content-Encoding" in request.headers:
            return problem(415, "unsupported_encoding", "send the body uncompressed")
        if (request.content_length or 0) > self._config.ingest_bytes_max:
            return self._too_large()
        async with self._room:
            return await self._take(request, form, self._publisher)

    async def _take(self, request: web.Request, form: Form, publisher: Publisher) -> web.Response:
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        except TimeoutError:
            return problem(408, "too_slow", f"send the body within {READ_SECONDS_MAX:.0f} s")
        tenant = self._config.tenant or "default"
        checked = await asyncio.to_thread(
            check_body, body, form, tenant, self._clock.now_ms(), self._config.customers
        )
        self.rejected_total += checked.rejected_count
        if not checked.accepted_count:
            return web.json_response(checked.report(), status=422)
        try:
            async with asyncio.timeout(PUBLISH_SECONDS_MAX):
                for topic, records in checked.accepted.items():
                    await publisher.publish(topic, records)
        except Exception:
            log.exception("events were not acknowledged by the broker")
            self.unacknowledged_total += checked.accepted_count
            detail = "the broker did not acknowledge; send the same body again, that is harmless"
            return problem(
                503, "broker_unavailable", detail, **{"Retry-After": str(RETRY_AFTER_SECONDS)}
            )
        self.accepted_total += checked.accepted_count
        return web.json_response(checked.report(), status=202)

    def _too_large(self) -> web.Response:
        detail = f"send at most {self._config.ingest_bytes_max} bytes at once"
        return problem(413, "too_large", detail)
