"""Bots in chat groups: Slack, WeCom 企业微信, DingTalk 钉钉, Feishu 飞书. What waits goes as one message.

They know no incidents: a breach is a message, its end another one. Their answers are HTTP 200 with an error
code in the body (Slack: an HTTP status), so the body is read. Formats as their makers document them:
Slack "Sending messages using incoming webhooks"; WeCom "群机器人配置说明"; DingTalk "自定义机器人接入";
Feishu "自定义机器人使用指南".
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

import orjson

from schemas.notifications import Notification
from sinks.receivers.contract import ReceiverError
from sinks.receivers.http import Poster
from sinks.receivers.texts import Voice

BATCH_MAX = 50
SECONDS_MAX = 10.0
APART_SECONDS = 3.0  # twenty a minute is what these bots allow; meanwhile more is gathered
BUSY_SECONDS = 60.0  # all of them count by the minute

Body = dict[str, object]


@dataclass(frozen=True, slots=True)
class ChatKind:
    """How one maker's bots are spoken to.

    `body` makes the message of a text; `code` names the answer's error code, 0 is well, `busy` are those that
    mean: later; `sign` changes address and body by the secret at an instant (ms), where one may be had.
    """

    name: str
    bytes_max: int
    body: Callable[[str], Body]
    code: str | None = None
    busy: frozenset[int] = frozenset()
    sign: Callable[[str, Body, str, int], tuple[str, Body]] | None = None


class Chat:
    """A bot; a `Receiver`."""

    batch_max = BATCH_MAX
    at_once = 1
    grouped = True
    resend_seconds: float | None = None

    def __init__(self, kind: ChatKind, url: str, secret: str, voice: Voice) -> None:
        self.name = kind.name
        self._kind = kind
        self._url = url
        self._secret = secret
        self._voice = voice
        self._poster = Poster(SECONDS_MAX)
        # Monotonic: the first message goes at once, the next ones keep their distance.
        self._free_at = 0.0

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """See `Receiver`."""
        kind = self._kind
        await asyncio.sleep(max(0.0, self._free_at - time.monotonic()))
        self._free_at = time.monotonic() + APART_SECONDS
        url, body = self._url, kind.body(self._voice.message(notifications, kind.bytes_max))
        if self._secret and kind.sign is not None:
            url, body = kind.sign(url, body, self._secret, now_ms)
        answer = await self._poster.post(url, orjson.dumps(body), {})
        if kind.code is not None:
            _check(kind, kind.code, answer)

    async def stop(self) -> None:
        """See `Receiver`."""
        await self._poster.stop()


def _check(kind: ChatKind, name: str, answer: bytes) -> None:
    try:
        document = orjson.loads(answer)
        code = document[name]
    except (ValueError, KeyError, TypeError) as error:
        message = f"no answer of {kind.name}: {answer[:200].decode(errors='replace')}"
        raise ReceiverError(message) from error
    if code == 0:
        return
    message = f"{kind.name} says {code}: {answer[:200].decode(errors='replace')}"
    raise ReceiverError(message, wait_seconds=BUSY_SECONDS if code in kind.busy else 0.0)


def _digest(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()


def dingtalk_sign(url: str, body: Body, secret: str, now_ms: int) -> tuple[str, Body]:
    """HMAC-SHA256 by the secret over "milliseconds, line feed, secret", in the address."""
    sign = quote_plus(_digest(secret, f"{now_ms}\n{secret}"))
    return f"{url}&timestamp={now_ms}&sign={sign}", body


def feishu_sign(url: str, body: Body, secret: str, now_ms: int) -> tuple[str, Body]:
    """HMAC-SHA256 by "seconds, line feed, secret" over nothing, in the body."""
    timestamp = str(now_ms // 1_000)
    return url, {"timestamp": timestamp, "sign": _digest(f"{timestamp}\n{secret}", ""), **body}


def _slack_text(text: str) -> Body:
    # Else a team named <!channel> would wake everybody.
    return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def _feishu_text(text: str) -> Body:
    # <at user_id="all"> in a text is a mention; there is no way to escape it.
    safe = text.replace("<", "‹").replace(">", "›")
    return {"msg_type": "text", "content": {"text": safe}}


def _msgtype_text(text: str) -> Body:
    return {"msgtype": "text", "text": {"content": text}}


KINDS: Mapping[str, ChatKind] = {
    kind.name: kind
    for kind in (
        ChatKind("slack", 30_000, _slack_text),
        ChatKind("wecom", 2_048, _msgtype_text, "errcode", frozenset((45009,))),
        ChatKind(
            "dingtalk", 16_000, _msgtype_text, "errcode", frozenset((130101, 410100)), dingtalk_sign
        ),
        ChatKind("feishu", 16_000, _feishu_text, "code", frozenset((9499, 11232)), feishu_sign),
    )
}
