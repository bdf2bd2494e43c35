"""The receivers of notifications that the settings name."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from schemas.problems import Problem, ProblemsError
from sinks.receivers.alertmanager import Alertmanager
from sinks.receivers.chat import KINDS, Chat
from sinks.receivers.contract import Receiver
from sinks.receivers.incidents import JsmOperations, PagerDuty
from sinks.receivers.links import Links
from sinks.receivers.mail import Mail, mail_server
from sinks.receivers.texts import Voice
from sinks.receivers.webhook import Webhook
from streams.core.business_time.zones import zone
from streams.shell.settings import Settings, listed

# setting of the address → setting of the secret that goes with it
_CHATS = {"slack": "", "wecom": "", "dingtalk": "dingtalk_secret", "feishu": "feishu_secret"}


def receivers_of(
    settings: Settings, clock_labels: Mapping[str, Mapping[str, str]] | None = None
) -> list[Receiver]:
    """May be none. `clock_labels`: clock → language → what people call it. ProblemsError with every mistake; addresses may hold secrets and are not shown."""
    problems = [*_problems(settings)]
    if problems:
        raise ProblemsError(*problems)
    links = Links(settings.page_url, settings.runbook_url)
    local = zone(settings.notify_zone)
    voice = Voice(settings.notify_language, local, links, clock_labels or {})
    found: list[Receiver] = []
    if settings.alertmanager_url:
        url, resend_seconds = settings.alertmanager_url, settings.resend_seconds
        found.append(Alertmanager(url, voice, resend_seconds))
    if settings.webhook_url:
        found.append(Webhook(settings.webhook_url, secret_of(settings, "webhook_secret"), links))
    for name, secret in _CHATS.items():
        if url := secret_of(settings, f"{name}_url"):
            found.append(Chat(KINDS[name], url, secret_of(settings, secret), voice))
    if key := secret_of(settings, "pagerduty_key"):
        found.append(PagerDuty(key, voice))
    if key := secret_of(settings, "jsm_key"):
        found.append(JsmOperations(key, voice))
    if url := secret_of(settings, "smtp_url"):
        found.append(Mail(mail_server(url), settings.mail_from, listed(settings.mail_to), voice))
    return found


def secret_of(settings: Settings, name: str) -> str:
    """The value of a secret setting; empty for no name."""
    value: str = getattr(settings, name).get_secret_value() if name else ""
    return value


def _problems(settings: Settings) -> Iterator[Problem]:
    addresses = {
        "alertmanager_url": settings.alertmanager_url,
        "webhook_url": settings.webhook_url,
        "page_url": settings.page_url,
        "runbook_url": settings.runbook_url,
        **{f"{name}_url": secret_of(settings, f"{name}_url") for name in _CHATS},
    }
    for name, url in addresses.items():
        if url and not _is_http(url):
            yield Problem(name, "is no address", "it begins with https:// or http:// and a host")
    if secret_of(settings, "smtp_url") and not (settings.mail_from and listed(settings.mail_to)):
        hint = "set TICKETPULSE_MAIL_FROM and TICKETPULSE_MAIL_TO"
        yield Problem("smtp_url", "nobody is named to send mail from and to", hint)
    if settings.fallback_receiver and settings.fallback_receiver not in _named(settings):
        hint = f"set are: {', '.join(_named(settings)) or 'none'}"
        yield Problem("fallback_receiver", f"{settings.fallback_receiver!r} is not set", hint)
    held_seconds = settings.group_wait_seconds + settings.group_interval_seconds
    if settings.fallback_receiver and settings.fallback_after_seconds <= held_seconds:
        what = f"the fallback is told before a storm's next message ({held_seconds:g} s)"
        hint = f"raise it above {held_seconds:g}, or lower TICKETPULSE_GROUP_INTERVAL_SECONDS"
        yield Problem("fallback_after_seconds", what, hint)
    try:
        zone(settings.notify_zone)
    except ValueError as error:
        yield Problem("notify_zone", str(error), "an IANA zone, e.g. Asia/Shanghai")


def _named(settings: Settings) -> list[str]:
    """The receivers that are set."""
    given = {
        "alertmanager": settings.alertmanager_url,
        "webhook": settings.webhook_url,
        **{name: secret_of(settings, f"{name}_url") for name in _CHATS},
        "pagerduty": secret_of(settings, "pagerduty_key"),
        "jsm": secret_of(settings, "jsm_key"),
        "mail": secret_of(settings, "smtp_url"),
    }
    return [name for name, value in given.items() if value]


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
