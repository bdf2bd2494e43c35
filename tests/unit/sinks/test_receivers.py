"""Receivers of notifications: what goes over the wire, and what an answer means."""

from datetime import UTC

import orjson
import pytest
from aiohttp import web

from schemas.notifications import Heard, Notification, Wanted
from sinks.receivers.alertmanager import Alertmanager
from sinks.receivers.contract import ReceiverError
from sinks.receivers.texts import Voice
from sinks.receivers.webhook import Webhook, signature
from tests.serving import serving

NOW_MS = 1_767_600_000_000
WANTED = Wanted(
    version=7,
    level="breach",
    open=True,
    ticket_id="T1",
    clock="resolution",
    cycle_id="e1",
    recorded_ms=NOW_MS,
    due_ms=NOW_MS - 1_000,
    breach_ms=NOW_MS - 1_000,
    team="L2",
    priority="P1",
    tenant="default",
    source="desk",
)
VOICE = Voice("en", UTC)
BREACH = Notification("sla:default/desk/T1:resolution:e1", "k@7", "firing", "breach", "L2", WANTED)
OVER = Notification("sla:default/desk/T1:resolution:e1", "k@9", "resolved", "breach", "L2", WANTED)
GROWN = Notification(
    BREACH.key, "k@7", "firing", "breach", "L2", WANTED, Heard(3, "firing", "at_risk", "L1")
)


async def test_a_webhook_is_signed_over_its_time_and_its_bytes() -> None:
    async with serving() as server:
        webhook = Webhook(server.url + "/pages", "secret")
        await webhook.deliver([BREACH], NOW_MS)
        await webhook.stop()
    ((path, headers, body),) = server.requests
    assert path == "/pages"
    assert headers["X-Ticketpulse-Timestamp"] == "1767600000"
    assert headers["X-Ticketpulse-Signature"] == signature(b"secret", "1767600000", body)
    assert bytes.fromhex(headers["X-Ticketpulse-Once"]) == b"k@7"
    assert orjson.loads(body) == {
        "once": "k@7",
        "key": "sla:default/desk/T1:resolution:e1",
        "version": 7,
        "status": "firing",
        "level": "breach",
        "severity": "critical",
        "late": False,
        "step": 0,
        "to": None,
        "tenant": "default",
        "source": "desk",
        "ticket_id": "T1",
        "clock": "resolution",
        "cycle_id": "e1",
        "due_at": "2026-01-05T07:59:59Z",
        "breach_at": "2026-01-05T07:59:59Z",
        "known_at": "2026-01-05T08:00:00Z",
        "team": "L2",
        "agent": None,
        "tier": None,
        "priority": "P1",
        "policy_version": "",
        "explanation_url": None,
        "runbook_url": None,
    }


def test_the_signature_is_hmac_sha256() -> None:
    """Computed with `printf '1.{}' | openssl dgst -sha256 -hmac s`."""
    assert signature(b"s", "1", b"{}") == (
        "sha256=b253639bcd705ed1cda3073f66104f16988bd40272584dea7d0d345ae93e61cc"
    )


@pytest.mark.parametrize(
    ("status", "refused"),
    [
        (200, None),
        (204, None),
        (301, False),
        (401, False),
        (404, False),
        (429, False),
        (500, False),
        (503, False),
        (400, True),
        (413, True),
        (422, True),
    ],
)
async def test_what_an_answer_means(status: int, refused: bool | None) -> None:
    """Only what blames the content is refused; a wrong address or secret can be put right."""
    async with serving() as server:
        server.answer = lambda: web.Response(
            status=status, text="why", headers={"Retry-After": "7", "Location": "/elsewhere"}
        )
        webhook = Webhook(server.url, "")
        try:
            if refused is None:
                await webhook.deliver([BREACH], NOW_MS)
                return
            with pytest.raises(ReceiverError, match=f"HTTP {status}: why") as caught:
                await webhook.deliver([BREACH], NOW_MS)
        finally:
            await webhook.stop()
    assert (caught.value.refused, caught.value.wait_seconds) == (refused, 7.0)
    assert len(server.requests) == 1
    assert "X-Ticketpulse-Signature" not in server.requests[0][1]


async def test_nobody_there_is_no_answer() -> None:
    webhook = Webhook("http://127.0.0.1:1/pages", "")
    with pytest.raises(ReceiverError, match="no answer") as caught:
        await webhook.deliver([BREACH], NOW_MS)
    assert not caught.value.refused
    await webhook.stop()


async def test_alertmanager_gets_one_alert_per_cycle_that_expires_unless_repeated() -> None:
    async with serving() as server:
        receiver = Alertmanager(server.url, VOICE, resend_seconds=60.0)
        await receiver.deliver([BREACH, OVER], NOW_MS)
        await receiver.stop()
    ((path, _headers, body),) = server.requests
    assert path == "/api/v2/alerts"
    firing, over = orjson.loads(body)
    assert firing["labels"] == over["labels"]
    assert firing["labels"] == {
        "alertname": "TicketSlaBreached",
        "severity": "critical",
        "key": "sla:default/desk/T1:resolution:e1",
        "tenant": "default",
        "source": "desk",
        "ticket": "T1",
        "clock": "resolution",
        "team": "L2",
    }
    assert (firing["startsAt"], firing["endsAt"]) == (
        "2026-01-05T07:59:59Z",
        "2026-01-05T08:04:00Z",
    )
    assert over["endsAt"] == "2026-01-05T08:00:00Z"
    assert "T1" in firing["annotations"]["summary"]
    assert "【逾期】" in firing["annotations"]["summary_zh"]


async def test_a_warning_that_became_a_breach_ends_under_its_own_labels() -> None:
    async with serving() as server:
        receiver = Alertmanager(server.url + "/", VOICE, resend_seconds=60.0)
        await receiver.deliver([GROWN], NOW_MS)
        await receiver.stop()
    firing, over = orjson.loads(server.requests[0][2])
    assert firing["labels"]["alertname"] == "TicketSlaBreached"
    assert (over["labels"]["alertname"], over["labels"]["team"]) == ("TicketSlaAtRisk", "L1")
    assert over["endsAt"] == "2026-01-05T08:00:00Z"
