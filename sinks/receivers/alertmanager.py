"""Prometheus Alertmanager, API v2: grouping, silences and routing are its own.

An alert is named by its labels, so they hold nothing that changes while it fires; what changes is in the
annotations. A firing alert ends by itself unless it is sent again, so that a dead notifier is noticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace as replace_voice

import orjson
from msgspec.structs import replace

from schemas.instants import rfc3339
from schemas.notifications import Notification, Wanted
from sinks.receivers.contract import severity_of
from sinks.receivers.http import Poster
from sinks.receivers.texts import Voice, particulars

SECONDS_MAX = 10.0
BATCH_MAX = 500
EXPIRES_AFTER_RESENDS = 4
_NAMES = {"breach": "TicketSlaBreached", "at_risk": "TicketSlaAtRisk"}


class Alertmanager:
    """See the module's text; a `Receiver`."""

    name = "alertmanager"
    batch_max = BATCH_MAX
    at_once = 8
    grouped = False

    def __init__(
        self,
        url: str,
        voice: Voice,
        resend_seconds: float,
        seconds_max: float = SECONDS_MAX,
    ) -> None:
        self._links = voice.links
        self._voices = replace_voice(voice, language="en"), replace_voice(voice, language="zh-CN")
        self.resend_seconds: float | None = resend_seconds
        self._expires_ms = round(resend_seconds * EXPIRES_AFTER_RESENDS * 1_000)
        self._url = url.rstrip("/") + "/api/v2/alerts"
        self._poster = Poster(seconds_max)

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """See `Receiver`."""
        alerts = [alert for one in notifications for alert in self._alerts(one, now_ms)]
        await self._poster.post(self._url, orjson.dumps(alerts), {})

    async def stop(self) -> None:
        """See `Receiver`."""
        await self._poster.stop()

    def _alerts(self, notification: Notification, now_ms: int) -> Iterator[dict[str, object]]:
        """The alert as it stands; and the end of the one that it replaces."""
        ends_ms = now_ms + self._expires_ms if notification.status == "firing" else now_ms
        yield self._alert(notification, ends_ms)
        was = notification.was
        if was is not None:
            before = replace(
                notification, level=was.level, team=was.team, step=was.step, severity=was.severity
            )
            if before != notification:
                yield self._alert(before, now_ms)

    def _alert(self, notification: Notification, ends_ms: int) -> dict[str, object]:
        wanted, level = notification.wanted, notification.level
        english, chinese = (voice.line(notification) for voice in self._voices)
        starts_ms = min(_starts_ms(wanted), ends_ms)
        return {
            "labels": {
                "alertname": _NAMES[level],
                "severity": severity_of(notification),
                "key": notification.key,
                "tenant": wanted.tenant,
                "source": wanted.source,
                "ticket": wanted.ticket_id,
                "clock": wanted.clock,
                "team": notification.team or "none",
                # A further rung is another alert, so that it can be routed, and notifies anew.
                **({"escalation": str(notification.step)} if notification.step > 1 else {}),
            },
            "annotations": {
                "summary": english,
                "summary_zh": chinese,
                **particulars(notification, self._links),
            },
            "generatorURL": self._links.explanation(wanted) or "",
            "startsAt": rfc3339(starts_ms),
            "endsAt": rfc3339(ends_ms),
        }


def _starts_ms(wanted: Wanted) -> int:
    return wanted.recorded_ms if wanted.breach_ms is None else wanted.breach_ms
