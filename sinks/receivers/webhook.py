"""A generic webhook: one JSON object per notification, signed.

    X-Ticketpulse-Once       names the delivery; a receiver that has seen it drops the repeat
    X-Ticketpulse-Timestamp  seconds since 1970 when it was sent
    X-Ticketpulse-Signature  sha256= hex HMAC-SHA256, by the shared secret, of timestamp "." body

The receiver checks the signature over the bytes it got, and refuses what is older than a few minutes.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Sequence

import orjson

from schemas.instants import from_ms_or_none, rfc3339
from schemas.notifications import Notification
from sinks.receivers.contract import severity_of
from sinks.receivers.http import Poster
from sinks.receivers.links import NO_LINKS, Links

SECONDS_MAX = 10.0


class Webhook:
    """See the module's text; a `Receiver`."""

    name = "webhook"
    batch_max = 1
    at_once = 8
    grouped = False
    resend_seconds: float | None = None

    def __init__(
        self, url: str, secret: str, links: Links = NO_LINKS, seconds_max: float = SECONDS_MAX
    ) -> None:
        self._url = url
        self._links = links
        self._secret = secret.encode()
        self._poster = Poster(seconds_max)

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """See `Receiver`."""
        await asyncio.gather(*(self._deliver(one, now_ms) for one in notifications))

    async def stop(self) -> None:
        """See `Receiver`."""
        await self._poster.stop()

    async def _deliver(self, notification: Notification, now_ms: int) -> None:
        body = body_of(notification, self._links)
        headers = {"X-Ticketpulse-Once": notification.once.encode().hex()}
        if self._secret:
            timestamp = str(now_ms // 1_000)
            headers["X-Ticketpulse-Timestamp"] = timestamp
            headers["X-Ticketpulse-Signature"] = signature(self._secret, timestamp, body)
        await self._poster.post(self._url, body, headers)


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """What the signature header must say."""
    digest = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"sha256={digest}"


def body_of(notification: Notification, links: Links = NO_LINKS) -> bytes:
    """The JSON object, instants in RFC 3339."""
    wanted = notification.wanted
    return orjson.dumps(
        {
            "once": notification.once,
            "key": notification.key,
            "version": wanted.version,
            "status": notification.status,
            "level": notification.level,
            "severity": severity_of(notification),
            "late": notification.late,
            "step": notification.step,
            "to": notification.to,
            "tenant": wanted.tenant,
            "source": wanted.source,
            "ticket_id": wanted.ticket_id,
            "clock": wanted.clock,
            "cycle_id": wanted.cycle_id,
            "due_at": from_ms_or_none(wanted.due_ms),
            "breach_at": from_ms_or_none(wanted.breach_ms),
            "known_at": rfc3339(wanted.recorded_ms),
            "team": wanted.team,
            "agent": wanted.agent,
            "tier": wanted.tier,
            "priority": wanted.priority,
            "policy_version": wanted.policy_version,
            "explanation_url": links.explanation(wanted),
            "runbook_url": links.runbook_of(wanted),
        },
        option=orjson.OPT_UTC_Z,
    )
