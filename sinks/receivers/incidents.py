"""Services that keep incidents by a key of ours: PagerDuty and Jira Service Management Operations.

One incident per clock cycle: a page opens it, its end closes it, a repeat changes nothing. Formats:
PagerDuty "Events API v2"; Atlassian "JSM Operations, Integration events".
"""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import orjson

from schemas.instants import rfc3339
from schemas.notifications import Notification
from sinks.receivers.contract import severity_of
from sinks.receivers.http import Poster
from sinks.receivers.links import Links
from sinks.receivers.texts import Voice, particulars

BATCH_MAX = 8  # one request each, so many at once
SECONDS_MAX = 10.0
PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
JSM_URL = "https://api.atlassian.com/jsm/ops/integration/v2/alerts"
_PAGERDUTY_KEY_MAX = 255
_JSM_MESSAGE_MAX = 130
_PRIORITIES = {"critical": "P1", "warning": "P3"}


class PagerDuty:
    """A service's integration; a `Receiver`."""

    name = "pagerduty"
    batch_max = BATCH_MAX
    at_once = 1
    grouped = False
    resend_seconds: float | None = None

    def __init__(self, routing_key: str, voice: Voice, url: str = PAGERDUTY_URL) -> None:
        self._routing_key = routing_key
        self._voice = voice
        self._url = url
        self._poster = Poster(SECONDS_MAX)

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """See `Receiver`."""
        await asyncio.gather(
            *(
                self._poster.post(self._url, orjson.dumps(self._event(one, now_ms)), {})
                for one in notifications
            )
        )

    async def stop(self) -> None:
        """See `Receiver`."""
        await self._poster.stop()

    def _event(self, notification: Notification, now_ms: int) -> dict[str, object]:
        event: dict[str, object] = {
            "routing_key": self._routing_key,
            "dedup_key": _short(notification.key, _PAGERDUTY_KEY_MAX),
            "event_action": "trigger" if notification.status == "firing" else "resolve",
        }
        if notification.status == "firing":
            wanted = notification.wanted
            event["payload"] = {
                "summary": self._voice.line(notification)[:1_024],
                "source": f"{wanted.tenant}/{wanted.source}",
                "severity": severity_of(notification),
                "timestamp": rfc3339(now_ms if wanted.breach_ms is None else wanted.breach_ms),
                "component": wanted.ticket_id,
                "group": notification.team or "",
                "class": wanted.clock,
                "custom_details": _details(notification, self._voice.links),
            }
            event["links"] = [*_links(notification, self._voice.links)]
        return event


class JsmOperations:
    """An API integration of a team; a `Receiver`."""

    name = "jsm"
    batch_max = BATCH_MAX
    at_once = 1
    grouped = False
    resend_seconds: float | None = None

    def __init__(self, api_key: str, voice: Voice, url: str = JSM_URL) -> None:
        self._headers = {"Authorization": f"GenieKey {api_key}"}
        self._voice = voice
        self._url = url.rstrip("/")
        self._poster = Poster(SECONDS_MAX)

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """See `Receiver`."""
        await asyncio.gather(*(self._deliver(one) for one in notifications))

    async def stop(self) -> None:
        """See `Receiver`."""
        await self._poster.stop()

    async def _deliver(self, notification: Notification) -> None:
        alias = _short(notification.key, 512)
        if notification.status == "resolved":
            url = f"{self._url}/{quote(alias, safe='')}/close?identifierType=alias"
            await self._poster.post(url, orjson.dumps({"source": "ticketpulse"}), self._headers)
            return
        line = self._voice.line(notification)
        alert = {
            "message": line[:_JSM_MESSAGE_MAX],
            "alias": alias,
            "description": line,
            "entity": notification.wanted.ticket_id,
            "source": "ticketpulse",
            "priority": _PRIORITIES[severity_of(notification)],
            "tags": [notification.level, notification.wanted.clock],
            "details": _details(notification, self._voice.links),
        }
        await self._poster.post(self._url, orjson.dumps(alert), self._headers)


def _links(notification: Notification, links: Links) -> Iterator[dict[str, str]]:
    wanted = notification.wanted
    for text, href in (
        ("Why", links.explanation(wanted)),
        ("Runbook", links.runbook_of(wanted)),
    ):
        if href is not None:
            yield {"href": href, "text": text}


def _details(notification: Notification, links: Links) -> dict[str, str]:
    due_ms = notification.wanted.due_ms
    found = {"key": notification.key, "team": notification.team or ""}
    found["due_at"] = "" if due_ms is None else rfc3339(due_ms)
    return {name: text for name, text in found.items() if text} | particulars(notification, links)


def _short(key: str, length_max: int) -> str:
    """The key, or a name of it where it would be cut: cut keys could be equal."""
    if len(key) <= length_max:
        return key
    return f"{key[: length_max - 33]}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
