"""An explanation as JSON and as text, English and 简体中文."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import tzinfo
from typing import Literal

from schemas.instants import from_ms, rfc3339
from streams.core.business_time.zones import zone
from streams.explaining.explanation import ClockExplanation, Explanation, Said, Segment

Language = Literal["en", "zh-CN"]

_WORDS: dict[str, tuple[str, str]] = {
    "ticket": ("Ticket", "工单"),
    "as of": ("as of", "截至"),
    "status": ("status", "状态"),
    "holder": ("held by", "当前处理"),
    "first": ("first contact owned by", "首问责任人"),
    "flags": ("flags", "标记"),
    "refused": (
        "Left out, known only after the ticket's horizon had passed",
        "已超出工单的保留期限，未计入的事件",
    ),
    "incomplete": (
        "The oldest events have been folded away; what lies before them can't be shown.",
        "最早的事件已归并，无法再展示更早的过程。",
    ),
    "cycle": ("cycle", "第"),
    "policy": ("policy", "策略"),
    "rule": ("rule", "规则"),
    "none": ("none", "无"),
    "target": ("target", "目标"),
    "used": ("used", "已用"),
    "due": ("due", "应完成"),
    "given": ("The source itself gives the due instant", "应完成时间由来源系统给定"),
    "by date": ("The policy promises a date", "策略按日期承诺应完成时间"),
    "no target": ("No target: measured, never judged", "没有目标：只计时，不判定"),
    "from start": (
        "Counted from {start}, the target of {target} ends at {due}",
        "从 {start} 起计时，目标 {target} 到 {due} 用完",
    ),
    "follows": (
        "{before} were used by {start}; the {left} left of {target} end at {due}",
        "到 {start} 已用 {before}；目标 {target} 剩余 {left}，到 {due} 用完",
    ),
    "held": (
        "Held at this moment: no due instant until it goes on",
        "当前暂停：恢复计时后才有应完成时间",
    ),
    "segments": ("What happened", "过程"),
    "earlier": (
        "by the target that was in force when it passed: what was missed stays missed",
        "按超时当时有效的目标：逾期后更改目标不予撤销",
    ),
    "at once": ("It ended at the instant at which it began", "开始的同时即结束"),
    "holders": ("Who used the budget", "时间占用"),
    "at breach": ("held it at the breach", "逾期时持有"),
    "said": ("What was said", "通知过程"),
    "total": ("sum of running", "计时合计"),
}
_KINDS: dict[str, tuple[str, str]] = {
    "running": ("runs", "计时"),
    "closed": ("closed", "非工作时间"),
    "paused": ("paused", "暂停"),
    "carried": ("carried over", "折算"),
}
_VERDICTS: dict[str, tuple[str, str]] = {
    "pending": ("PENDING", "进行中"),
    "met": ("MET", "达标"),
    "breached": ("BREACHED", "逾期"),
    "void": ("VOID", "不计入"),
    "no_target": ("NO TARGET", "无目标"),
}
_REASONS: dict[str, tuple[str, str]] = {
    "outside_hours": ("outside working hours", "非营业时段"),
    "day_off": ("no working day", "休息日"),
    "holiday": ("holiday", "节假日"),
    "override": ("special day", "特殊安排"),
    "beyond_known_years": ("beyond the years that calendars know", "超出日历已知年份"),
    "closure": ("emergency closure", "临时停业"),
    "status": ("status", "状态"),
    "team": ("held by another team", "由其他班组持有"),
    "event": ("by event", "因事件"),
    "target_changed": ("scaled to a changed target", "按新目标折算"),
    "not_counted": ("does not count", "不计时"),
    "deadline": ("the due instant passed", "超过应完成时间"),
    "target_shortened": ("a change shortened the target", "目标缩短"),
    "due_before_start": ("the due instant lies before the start", "应完成时间早于开始"),
}
_LEVELS: dict[str, tuple[str, str]] = {
    "at_risk": ("at risk", "预警"),
    "breach": ("breach", "逾期"),
    "retracted": ("taken back", "撤回"),
    "resolved": ("resolved", "解除"),
}


def document_of(
    explanation: Explanation, zone_: tzinfo | None = None, language: Language = "en"
) -> dict[str, object]:
    """Plain JSON: instants (`…_ms` of a moment) as RFC 3339 under `…_at`, durations in milliseconds. Beside them, in
    the language and with times in the zone (else the calendar's): `in_words` of each clock, the verdict, what it
    is judged by and how the due instant follows; `because_in_words` of each segment."""
    plain = _plain(explanation)
    assert isinstance(plain, dict)
    text = _Text(zone(explanation.zone) if zone_ is None else zone_, language)
    for clock, told in zip(explanation.clocks, plain["clocks"], strict=True):
        told["in_words"] = [*text.head(clock)]
        for segment, said in zip(clock.segments, told["segments"], strict=True):
            because = segment.because
            said["because_in_words"] = None if because is None else text.reason(because)
    return plain


_INSTANTS = frozenset(
    (
        "as_of_ms",
        "from_ms",
        "to_ms",
        "opened_ms",
        "start_ms",
        "ended_ms",
        "due_ms",
        "last_start_ms",
        "breach_ms",
        "at_ms",
    )
)
_RENAMED = {"as_of_ms": "as_of", "from_ms": "from", "to_ms": "to", "at_ms": "at"}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        found: dict[str, object] = {}
        for item in fields(value):
            inner = getattr(value, item.name)
            if item.name in _INSTANTS:
                name = _RENAMED.get(item.name, item.name.removesuffix("_ms") + "_at")
                found[name] = None if inner is None else rfc3339(inner)
            else:
                found[item.name] = _plain(inner)
        return found
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def text_of(explanation: Explanation, zone_: tzinfo | None, language: Language) -> str:
    """For a person at 3 a.m.: the verdict first, then why. Times in the zone, else the calendar's."""
    tz = zone(explanation.zone) if zone_ is None else zone_
    return "\n".join(_Text(tz, language).ticket(explanation)) + "\n"


def duration(ms: int) -> str:
    """`26:30:00`, hours and no days: a working day has fewer than 24. Milliseconds only where there are some."""
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    seconds, rest = divmod(ms, 1_000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{sign}{hour:02}:{minute:02}:{second:02}" + (f".{rest:03}" if rest else "")


class _Text:
    def __init__(self, zone: tzinfo, language: Language) -> None:
        self._zone = zone
        self._at = 0 if language == "en" else 1
        self._language = language

    def ticket(self, explanation: Explanation) -> Iterator[str]:
        """Every line."""
        word, none = self._word, self._word("none")
        ticket = f"{explanation.tenant}/{explanation.source}/{explanation.ticket_id}"
        yield f"{word('ticket')} {ticket}, {word('as of')} {self._instant(explanation.as_of_ms)}"
        holder = " / ".join(filter(None, (explanation.team, explanation.agent))) or none
        yield f"{word('status')}: {explanation.status}   {word('holder')}: {holder}"
        yield f"{word('first')}: {explanation.first_agent or none}"
        if explanation.flags:
            yield f"{word('flags')}: {', '.join(explanation.flags)}"
        if explanation.refused:
            yield f"{word('refused')}: {', '.join(explanation.refused)}"
        if not explanation.complete:
            yield word("incomplete")
        for clock in explanation.clocks:
            yield ""
            yield from self._clock(clock)

    def head(self, clock: ClockExplanation) -> Iterator[str]:
        """The verdict, what it is judged by, how the due instant follows."""
        label = clock.labels.get(self._language, clock.clock)
        cycle = (
            f"{self._word('cycle')} {clock.ordinal}" if self._at == 0 else f"第 {clock.ordinal} 轮"
        )
        late = ""
        if clock.breach_ms is not None:
            late = f" {self._instant(clock.breach_ms)}: {self.reason(clock.breach_reason or '')}"
        yield f"{label} ({clock.clock}, {cycle}): {_VERDICTS[clock.verdict][self._at]}{late}"
        rule = clock.rule or self._word("none")
        yield f"{self._word('policy')} {clock.policy_version}, {self._word('rule')} {rule}"
        yield self._follows(clock)

    def _clock(self, clock: ClockExplanation) -> Iterator[str]:
        word = self._word
        verdict, *how = self.head(clock)
        yield f"■ {verdict}"
        yield from (f"  {line}" for line in how)
        yield f"  {word('segments')}:"
        for segment in clock.segments:
            yield self._segment(segment)
        if not clock.segments:
            yield f"    {word('at once')}"
        yield f"    {word('total')}: {duration(clock.elapsed_ms)}"
        if clock.holders:
            yield f"  {word('holders')}:"
            for holder in clock.holders:
                share = "" if holder.share_of_target is None else f" ({holder.share_of_target:.0%})"
                name = " / ".join(filter(None, (holder.team, holder.agent))) or word("none")
                mark = f"  ← {word('at breach')}" if holder.held_at_breach else ""
                yield f"    {name}: {duration(holder.held_ms)}{share}{mark}"
        if clock.said:
            yield f"  {word('said')}:"
            for said in clock.said:
                yield self._said(said)

    def _follows(self, clock: ClockExplanation) -> str:
        """How the due instant comes about."""
        word = self._word
        if clock.verdict == "no_target":
            return word("no target")
        if clock.target_ms is None:
            due = "" if clock.due_ms is None else f": {self._instant(clock.due_ms)}"
            return word("by date" if clock.due_from == "rule" else "given") + due
        target = f"{word('target')} {duration(clock.target_ms)}"
        if clock.due_ms is None:
            held = f". {word('held')}" if clock.state == "paused" else ""
            return f"{target}, {word('used')} {duration(clock.elapsed_ms)}{held}"
        if clock.last_start_ms is None or clock.used_before_ms is None:
            why = f" ({word('earlier')})" if clock.breached else ""
            return f"{target}, {word('due')} {self._instant(clock.due_ms)}{why}"
        return word("follows" if clock.used_before_ms else "from start").format(
            before=duration(clock.used_before_ms),
            start=self._instant(clock.last_start_ms),
            left=duration(clock.target_ms - clock.used_before_ms),
            target=duration(clock.target_ms),
            due=self._instant(clock.due_ms),
        )

    def _segment(self, segment: Segment) -> str:
        span = f"{self._instant(segment.from_ms)} – {self._instant(segment.to_ms)}"
        kind = _KINDS[segment.kind][self._at]
        holder = " / ".join(filter(None, (segment.team, segment.agent)))
        parts = [f"    {span}  {kind}"]
        if segment.used_ms:
            parts.append(duration(segment.used_ms))
        if segment.because is not None:
            parts.append(self.reason(segment.because))
        if holder and segment.kind == "running":
            parts.append(f"[{holder}]")
        if segment.calendar is not None and segment.kind in ("running", "closed"):
            parts.append(f"({segment.calendar})")
        return "  ".join(parts)

    def _said(self, said: Said) -> str:
        text = f"    {self._instant(said.at_ms)}  {_LEVELS.get(said.level, (said.level,) * 2)[self._at]}"
        if said.due_ms is not None:
            text += f", {self._word('due')} {self._instant(said.due_ms)}"
        return text

    def reason(self, because: str) -> str:
        """A code of `because` or of a breach in words."""
        name, _, rest = because.partition(":")
        words = _REASONS.get(name)
        said = name if words is None else words[self._at]
        return f"{said} {rest}".rstrip() if rest else said

    def _instant(self, instant_ms: int) -> str:
        local = from_ms(instant_ms).astimezone(self._zone)
        fraction = f".{instant_ms % 1000:03}" if instant_ms % 1000 else ""
        return f"{local:%Y-%m-%d %H:%M:%S}{fraction} {local:%Z}"

    def _word(self, name: str) -> str:
        return _WORDS[name][self._at]
