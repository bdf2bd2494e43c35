"""What people read: one line per notification, in English and 简体中文. Templates are data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal

from schemas.instants import from_ms
from schemas.notifications import Notification, Wanted
from sinks.receivers.links import NO_LINKS, Links

Language = Literal["en", "zh-CN"]

# (status, level) → the beginning of the line
_HEADS: dict[Language, dict[tuple[str, str], str]] = {
    "en": {
        ("firing", "breach"): "BREACHED",
        ("firing", "at_risk"): "At risk",
        ("resolved", "breach"): "Over",
        ("resolved", "at_risk"): "Over",
    },
    "zh-CN": {
        ("firing", "breach"): "【逾期】",
        ("firing", "at_risk"): "【预警】",
        ("resolved", "breach"): "【解除】",
        ("resolved", "at_risk"): "【解除】",
    },
}
_LINES: dict[Language, str] = {
    "en": "{head}: {clock} of ticket {ticket}, due {due}{holder}{late}{asked}",
    "zh-CN": "{head}工单 {ticket} 的 {clock}，应于 {due} 前完成{holder}{late}{asked}",
}
_HOLDERS: dict[Language, str] = {"en": "; {who}", "zh-CN": "；{who}"}
_LATE: dict[Language, str] = {"en": " (known late)", "zh-CN": "（事后得知）"}
_ASKED: dict[Language, str] = {
    "en": " [escalation {step}: {to}]",
    "zh-CN": "［第 {step} 级：{to}］",
}
_MORE: dict[Language, str] = {"en": "… and {count} more", "zh-CN": "……另有 {count} 条"}
_TITLES: dict[Language, str] = {
    "en": "{count} messages about promises",
    "zh-CN": "{count} 条时限通知",
}


@dataclass(frozen=True, slots=True)
class Voice:
    """In which language, and by whose clock. `clock_labels`: clock → language → what people call it."""

    language: Language
    zone: tzinfo
    links: Links = NO_LINKS
    clock_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def line(self, notification: Notification) -> str:
        """One notification, on one line whatever its names hold."""
        wanted, language = notification.wanted, self.language
        who = " / ".join(
            filter(None, (notification.team, wanted.agent, wanted.priority, wanted.tier))
        )
        asked = ""
        if notification.status == "firing" and notification.step > 1 and notification.to:
            asked = _ASKED[language].format(step=notification.step, to=notification.to)
        return printable(
            _LINES[language].format(
                head=_HEADS[language][notification.status, notification.level],
                clock=self.clock_labels.get(wanted.clock, {}).get(language, wanted.clock),
                ticket=wanted.ticket_id,
                due=self.due(wanted),
                holder=_HOLDERS[language].format(who=who) if who else "",
                late=_LATE[language] if notification.late else "",
                asked=asked,
            )
        )

    def message(self, notifications: Sequence[Notification], bytes_max: int) -> str:
        """All of them, a line each with where to read on, as far as the bytes (UTF-8) go; then how many more
        there are."""
        lines = [self._linked(one) for one in notifications]
        if len(lines) > 1:
            lines.insert(0, _TITLES[self.language].format(count=len(notifications)))
        text = "\n".join(lines)
        left_out = 0
        while len(text.encode()) > bytes_max and len(lines) > 1:
            lines.pop()
            left_out += 1
            text = "\n".join([*lines, _MORE[self.language].format(count=left_out)])
        return text.encode()[:bytes_max].decode(errors="ignore")

    def _linked(self, notification: Notification) -> str:
        link = self.links.explanation(notification.wanted)
        line = self.line(notification)
        return f"{line} {link}" if link and notification.status == "firing" else line

    def due(self, wanted: Wanted) -> str:
        """The due instant by the wall clock of the zone."""
        if wanted.due_ms is None:
            return "?"
        return f"{from_ms(wanted.due_ms).astimezone(self.zone):%Y-%m-%d %H:%M:%S %Z}"


def particulars(notification: Notification, links: Links = NO_LINKS) -> dict[str, str]:
    """What services that take fields are told beside the line, as far as it is known."""
    wanted = notification.wanted
    found = {
        "agent": wanted.agent,
        "tier": wanted.tier,
        "priority": wanted.priority,
        "policy_version": wanted.policy_version,
        "late": "true" if notification.late else None,
        "to": notification.to,
        "explanation_url": links.explanation(wanted),
        "runbook_url": links.runbook_of(wanted),
    }
    return {name: text for name, text in found.items() if text}


def printable(text: str) -> str:
    """Names come from outside: they make no line of their own, and steer nothing."""
    return "".join(char if char.isprintable() else " " for char in text)
