"""Receivers that people read: what goes over the wire, how it is signed, what an answer means."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import orjson
import pytest
from aiohttp import web
from msgspec.structs import replace

from schemas.problems import ProblemsError
from sinks.receivers import chat
from sinks.receivers.alertmanager import Alertmanager
from sinks.receivers.chat import KINDS, Chat, dingtalk_sign, feishu_sign
from sinks.receivers.contract import ReceiverError
from sinks.receivers.incidents import JsmOperations, PagerDuty
from sinks.receivers.links import Links
from sinks.receivers.mail import Mail, MailServer, mail_server
from sinks.receivers.texts import Voice
from sinks.receivers.webhook import Webhook
from streams.shell.receivers import receivers_of
from streams.shell.settings import load_settings
from tests.serving import Server, serving
from tests.unit.sinks.test_receivers import BREACH, NOW_MS, OVER

ENGLISH = Voice("en", ZoneInfo("Europe/Berlin"))
CHINESE = Voice("zh-CN", ZoneInfo("Asia/Shanghai"))


def test_a_line_says_what_when_and_who_in_both_languages() -> None:
    assert ENGLISH.line(BREACH) == (
        "BREACHED: resolution of ticket T1, due 2026-01-05 08:59:59 CET; L2 / P1"
    )
    assert CHINESE.line(replace(BREACH, late=True)) == (
        "【逾期】工单 T1 的 resolution，应于 2026-01-05 15:59:59 CST 前完成；L2 / P1（事后得知）"
    )
    assert ENGLISH.line(OVER).startswith("Over: ")


LINKED = Voice(
    "zh-CN",
    ZoneInfo("Asia/Shanghai"),
    Links("https://pulse.example/", "https://wiki.example/{clock}?team={team}"),
    {"resolution": {"en": "Resolution", "zh-CN": "办结"}},
)
PAGE = "https://pulse.example/tickets/default/desk/T1"
RUNBOOK = "https://wiki.example/resolution?team=L2"


def test_a_message_leads_to_the_explanation_and_calls_clocks_by_their_names() -> None:
    told = "【逾期】工单 T1 的 办结，应于 2026-01-05 15:59:59 CST 前完成；L2 / P1"
    assert LINKED.message([BREACH], 2_048) == f"{told} {PAGE}"
    assert PAGE not in LINKED.message([OVER], 2_048)
    assert LINKED.line(BREACH) == told, "where there are fields, the link has one of its own"
    odd = replace(BREACH.wanted, ticket_id="a/b ?#")
    assert LINKED.links.explanation(odd) == PAGE.replace("T1", "a%2Fb%20%3F%23")
    assert LINKED.links.runbook_of(replace(odd, team=None)) == RUNBOOK.replace("L2", "none")


async def test_whoever_takes_fields_gets_both_links_and_the_severity_of_the_rung() -> None:
    mild = replace(BREACH, step=2, severity="warning")
    async with serving() as server:
        for receiver in (
            PagerDuty("R", LINKED, server.url),
            JsmOperations("k", LINKED, server.url),
            Webhook(server.url, "", LINKED.links),
            Alertmanager(server.url, LINKED, 60.0),
        ):
            server.answer = answering(b"{}", 202)
            await receiver.deliver([mild], NOW_MS)
            await receiver.stop()
    pagerduty, jsm, webhook, (alert,) = (orjson.loads(body) for _, _, body in server.requests)
    assert pagerduty["payload"]["severity"] == "warning"
    assert [one["href"] for one in pagerduty["links"]] == [PAGE, RUNBOOK]
    assert jsm["priority"] == "P3"
    links = {"explanation_url": PAGE, "runbook_url": RUNBOOK}
    assert jsm["details"].items() >= links.items()
    assert webhook.items() >= {**links, "severity": "warning"}.items()
    assert alert["labels"]["severity"] == "warning"
    assert alert["annotations"].items() >= links.items()
    assert alert["generatorURL"] == PAGE
    assert "办结" in alert["annotations"]["summary_zh"]
    assert "Resolution" in alert["annotations"]["summary"]


def test_a_name_makes_no_line_of_its_own() -> None:
    evil = replace(BREACH, team="L2\nBREACHED: everything\x1b[31m")
    assert ENGLISH.line(evil).count("\n") == 0
    assert "\x1b" not in ENGLISH.line(evil)


def test_what_does_not_fit_is_counted() -> None:
    text = CHINESE.message([BREACH] * 40, 2_048)
    assert len(text.encode()) <= 2_048
    first, *lines, last = text.splitlines()
    assert first == "40 条时限通知"
    assert last == f"……另有 {40 - len(lines)} 条"
    assert len(CHINESE.message([BREACH], 20).encode()) <= 20


# Worked out with openssl: printf '1767600000000\nSECx' | openssl dgst -sha256 -hmac SECx -binary | base64
def test_dingtalk_signs_in_the_address() -> None:
    url, body = dingtalk_sign(
        "https://d.example/robot/send?access_token=t", {"a": 1}, "SECx", NOW_MS
    )
    query = parse_qs(url.split("?")[1])
    expected = base64.b64encode(
        hmac.new(b"SECx", b"1767600000000\nSECx", hashlib.sha256).digest()
    ).decode()
    assert (query["timestamp"], query["sign"]) == (["1767600000000"], [expected])
    assert query["sign"] == [DINGTALK_SIGN]
    assert body == {"a": 1}


def test_feishu_signs_in_the_body() -> None:
    url, body = feishu_sign("https://f.example/hook/x", {"msg_type": "text"}, "s3", NOW_MS)
    assert url == "https://f.example/hook/x"
    assert body == {"timestamp": "1767600000", "sign": FEISHU_SIGN, "msg_type": "text"}


DINGTALK_SIGN = "vg8Ou83gyS/tnttUyo5uoEGuR/qf/4MpIYp+DrnDgvI="
FEISHU_SIGN = "DVzBo5jgWbZijOdQS4KkmQU07W/OKHAZYR+6w+O4rdA="
WELL = {
    "slack": b"ok",
    "wecom": b'{"errcode":0}',
    "dingtalk": b'{"errcode":0}',
    "feishu": b'{"code":0}',
}


def answering(body: bytes, status: int = 200) -> Callable[[], web.Response]:
    return lambda: web.Response(body=body, status=status)


@asynccontextmanager
async def bot(name: str, secret: str = "") -> AsyncIterator[tuple[Server, Chat]]:
    async with serving() as server:
        server.answer = answering(WELL[name])
        receiver = Chat(KINDS[name], server.url + "/hook?access_token=t", secret, ENGLISH)
        try:
            yield server, receiver
        finally:
            await receiver.stop()


@pytest.mark.parametrize("name", KINDS)
async def test_a_bot_says_all_that_waits_in_one_message(name: str) -> None:
    async with bot(name) as (server, receiver):
        await receiver.deliver([BREACH, OVER], NOW_MS)
    ((_path, _headers, body),) = server.requests
    document = orjson.loads(body)
    texts = {
        "slack": lambda: document["text"],
        "feishu": lambda: document["content"]["text"],
    }
    text = texts.get(name, lambda: document["text"]["content"])()
    assert text.splitlines()[0] == "2 messages about promises"
    assert "BREACHED" in text
    assert "Over" in text


async def test_nobody_is_woken_by_a_team_of_a_certain_name() -> None:
    for name, team in (("slack", "<!channel>"), ("feishu", '<at user_id="all">')):
        async with bot(name) as (server, receiver):
            await receiver.deliver([replace(BREACH, team=team)], NOW_MS)
        assert team.encode() not in server.requests[0][2].replace(b"\\", b"")


@pytest.mark.parametrize(
    ("name", "body", "waits"),
    [
        ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}', True),
        ("wecom", b'{"errcode":93000,"errmsg":"invalid webhook url"}', False),
        ("dingtalk", b'{"errcode":310000,"errmsg":"sign not match"}', False),
        ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast"}', True),
        ("feishu", b'{"code":19021,"msg":"sign match fail"}', False),
        ("feishu", b'{"code":9499,"msg":"too many request"}', True),
        ("feishu", b"<html>", False),
    ],
)
async def test_an_error_in_a_good_answer_is_an_error(name: str, body: bytes, waits: bool) -> None:
    async with bot(name, "secret") as (server, receiver):
        server.answer = answering(body)
        with pytest.raises(ReceiverError) as raised:
            await receiver.deliver([BREACH], NOW_MS)
    assert (raised.value.wait_seconds > 0) == waits
    assert not raised.value.refused, "it may be put right while the page waits"
    assert "secret" not in str(raised.value)


async def test_slack_answers_by_status() -> None:
    async with bot("slack") as (server, receiver):
        server.answer = answering(b"no_service", 404)
        with pytest.raises(ReceiverError, match="404"):
            await receiver.deliver([BREACH], NOW_MS)


async def test_messages_keep_their_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "APART_SECONDS", 0.3)
    async with bot("slack") as (_server, receiver):
        began = asyncio.get_running_loop().time()
        await receiver.deliver([BREACH], NOW_MS)
        first = asyncio.get_running_loop().time() - began
        await receiver.deliver([OVER], NOW_MS)
        second = asyncio.get_running_loop().time() - began
    assert first < 0.3 <= second


async def test_pagerduty_opens_and_closes_one_incident_per_cycle() -> None:
    async with serving() as server:
        server.answer = answering(b'{"status":"success"}', 202)
        receiver = PagerDuty("R0UTE", ENGLISH, server.url + "/v2/enqueue")
        await receiver.deliver([BREACH], NOW_MS)
        await receiver.deliver([OVER], NOW_MS)
        await receiver.stop()
    opened, closed = (orjson.loads(body) for _, _, body in server.requests)
    assert opened["routing_key"] == closed["routing_key"] == "R0UTE"
    assert opened["dedup_key"] == closed["dedup_key"] == BREACH.key
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["payload"]["severity"] == "critical"
    assert opened["payload"]["timestamp"] == "2026-01-05T07:59:59Z"
    assert opened["payload"]["summary"].startswith("BREACHED")
    assert "payload" not in closed


async def test_a_key_that_is_too_long_keeps_its_identity() -> None:
    async with serving() as server:
        receiver = PagerDuty("R", ENGLISH, server.url)
        one, other = (replace(BREACH, key=BREACH.key + "x" * 300 + end) for end in "ab")
        await receiver.deliver([one], NOW_MS)
        await receiver.deliver([other], NOW_MS)
        await receiver.stop()
    keys = [orjson.loads(body)["dedup_key"] for _, _, body in server.requests]
    assert len(set(keys)) == 2
    assert all(len(key) <= 255 for key in keys)


async def test_jira_service_management_opens_and_closes_by_alias() -> None:
    async with serving() as server:
        server.answer = answering(b"{}", 202)
        receiver = JsmOperations("k3y", CHINESE, server.url + "/v2/alerts")
        await receiver.deliver([BREACH], NOW_MS)
        await receiver.deliver([OVER], NOW_MS)
        await receiver.stop()
    (path, headers, opened), (closing, _, _) = server.requests
    assert (path, headers["Authorization"]) == ("/v2/alerts", "GenieKey k3y")
    alert = orjson.loads(opened)
    assert (alert["alias"], alert["priority"]) == (BREACH.key, "P1")
    assert len(alert["message"]) <= 130
    assert closing == f"/v2/alerts/{BREACH.key}/close"


class SmtpServer:
    """Takes one mail, without TLS."""

    def __init__(self, refuses: bool = False) -> None:
        self.lines: list[str] = []
        self.data = b""
        self.refuses = refuses

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().rstrip():
            self.lines.append(line)
            word = line.split()[0].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                self.data = await reader.readuntil(b"\r\n.\r\n")
            refused = self.refuses and word == "RCPT"
            writer.write(b"550 no such person\r\n" if refused else b"250 fine\r\n")
            if word == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def mailing(refuses: bool = False) -> AsyncIterator[tuple[SmtpServer, MailServer]]:
    server = SmtpServer(refuses)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield server, MailServer("smtp", "127.0.0.1", port)


async def test_mail_stands_in_the_thread_of_its_key() -> None:
    async with mailing() as (server, where):
        receiver = Mail(where, "desk@example.com", ["ann@example.com", "bo@example.com"], CHINESE)
        await receiver.deliver([BREACH], NOW_MS)
        first = message_from_bytes(server.data, policy=policy.default)
        await receiver.deliver([OVER], NOW_MS)
        second = message_from_bytes(server.data, policy=policy.default)
    assert [line for line in server.lines if line.lower().startswith("rcpt")][:2] == [
        "rcpt TO:<ann@example.com>",
        "rcpt TO:<bo@example.com>",
    ]
    assert first["Subject"].startswith("【逾期】工单 T1")
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    assert "【解除】" in second.get_content()


async def test_mail_that_nobody_takes_is_an_error_and_no_password_goes_in_clear() -> None:
    async with mailing(refuses=True) as (_server, where):
        with pytest.raises(ReceiverError, match="no such person"):
            await Mail(where, "a@example.com", ["b@example.com"], ENGLISH).deliver([BREACH], NOW_MS)
    async with mailing() as (server, where):
        named = MailServer("smtp", "127.0.0.1", where.port, "desk", "geheim")
        with pytest.raises(ReceiverError, match="no TLS"):
            await Mail(named, "a@example.com", ["b@example.com"], ENGLISH).deliver([BREACH], NOW_MS)
        assert not any("geheim" in line or "AUTH" in line for line in server.lines)
    gone = MailServer("smtp", "127.0.0.1", 1)
    with pytest.raises(ReceiverError, match="could not be sent"):
        await Mail(gone, "a@example.com", ["b@example.com"], ENGLISH).deliver([BREACH], NOW_MS)


def test_the_address_of_a_mail_server() -> None:
    server = mail_server("smtp://desk%40example.com:p%3Aw@mail.example")
    assert server == MailServer("smtp", "mail.example", 587, "desk@example.com", "p:w")
    assert mail_server("smtps://mail.example").port == 465
    for wrong in ("mail.example", "http://mail.example", "smtp://u:geheim@host:port"):
        with pytest.raises(ProblemsError) as raised:
            mail_server(wrong)
        assert "geheim" not in str(raised.value)


def test_settings_name_the_receivers() -> None:
    settings = load_settings(
        alertmanager_url="http://a:9093", webhook_url="https://w", slack_url="https://s/hook",
        wecom_url="https://w/key", dingtalk_url="https://d/t", dingtalk_secret="SEC",
        feishu_url="https://f/x", pagerduty_key="R", jsm_key="k", smtp_url="smtp://m",
        mail_from="a@example.com", mail_to="b@example.com, c@example.com",
        notify_language="zh-CN", notify_zone="Asia/Shanghai",
    )  # fmt: skip
    names = [receiver.name for receiver in receivers_of(settings)]
    assert names == [
        "alertmanager", "webhook", "slack", "wecom", "dingtalk", "feishu", "pagerduty", "jsm", "mail",
    ]  # fmt: skip
    assert receivers_of(load_settings()) == []


def test_every_mistake_at_once_and_no_secret_is_shown() -> None:
    wrong = load_settings(
        slack_url="hooks.slack.com/geheim", feishu_url="ftp://geheim", smtp_url="smtp://m",
        notify_zone="Mars/Olympus",
    )  # fmt: skip
    with pytest.raises(ProblemsError) as raised:
        receivers_of(wrong)
    assert len(raised.value.problems) == 4
    assert "geheim" not in str(raised.value)
