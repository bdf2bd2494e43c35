"""E-mail: what waits goes as one message. A message about one key stands in that key's thread."""

import asyncio
import hashlib
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from schemas.notifications import Notification
from schemas.problems import Problem, ProblemsError
from sinks.receivers.contract import ReceiverError
from sinks.receivers.texts import Voice

BATCH_MAX = 100
SECONDS_MAX = 20.0
_BYTES_MAX = 100_000
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """`smtp` begins in the clear and turns to TLS where the server offers it; a password is only ever sent
    over TLS. `smtps` is TLS from the first byte."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = ""


def mail_server(url: str) -> MailServer:
    """Of `smtp[s]://[user[:password]@]host[:port]`; ProblemsError when it is none. It is not shown."""
    hint = "e.g. smtp://user:password@mail.example:587"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ProblemsError(Problem("smtp_url", str(error), hint)) from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ProblemsError(Problem("smtp_url", "is no address of a mail server", hint))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], user, password)


class Mail:
    """See the module's text; a `Receiver`."""

    name = "mail"
    batch_max = BATCH_MAX
    at_once = 1
    grouped = True
    resend_seconds: float | None = None

    def __init__(self, server: MailServer, sender: str, to: Sequence[str], voice: Voice) -> None:
        self._server = server
        self._sender = sender
        self._to = tuple(to)
        self._voice = voice

    async def deliver(self, notifications: Sequence[Notification], now_ms: int) -> None:
        """See `Receiver`."""
        message = self._message(notifications)
        try:
            await asyncio.to_thread(self._send, message)
        except smtplib.SMTPResponseException as error:
            what = f"the mail server says {error.smtp_code}: {error.smtp_error!r}"
            raise ReceiverError(what) from error
        except (smtplib.SMTPException, OSError) as error:
            what = f"the mail could not be sent: {error!r}"
            raise ReceiverError(what) from error

    async def stop(self) -> None:
        """See `Receiver`; there is no connection to keep."""

    def _message(self, notifications: Sequence[Notification]) -> bytes:
        message = EmailMessage(policy=SMTP)
        text = self._voice.message(notifications, _BYTES_MAX)
        message["From"] = self._sender
        message["To"] = ", ".join(self._to)
        message["Subject"] = text.splitlines()[0][:200]
        message["Message-ID"] = _id("\n".join(one.once + one.status for one in notifications))
        if len(notifications) == 1:
            message["References"] = _id(notifications[0].key)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message.as_bytes()

    def _send(self, message: bytes) -> None:
        connection = self._connected()
        try:
            refused = connection.sendmail(self._sender, self._to, message)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()  # what was taken is taken, however we part
        if refused:
            raise smtplib.SMTPRecipientsRefused(refused)

    def _connected(self) -> smtplib.SMTP:
        """Connected, over TLS where that is to be had, and logged in."""
        server, context = self._server, ssl.create_default_context()
        if server.scheme == "smtps":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=SECONDS_MAX, context=context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS_MAX)
        try:
            connection.ehlo()
            secure = server.scheme == "smtps"
            if not secure and connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo()
                secure = True
            if server.user:
                if not secure:
                    what = "the server offers no TLS, so no password is sent"
                    raise smtplib.SMTPNotSupportedError(what)
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def _id(text: str) -> str:
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:40]}@ticketpulse>"
