"""Cells in words of a language: what a person reads in every form of a report."""

from datetime import datetime
from zoneinfo import ZoneInfo

from schemas.instants import from_ms
from streams.measuring.catalogue import BY_ID, Unit
from streams.reporting.report import Cell, CellKind, Change, Chart, Column, Report, Value
from streams.reporting.texts import WORDS, Language, code, word


class Wording:
    """Of one report in one language."""

    def __init__(self, report: Report, language: Language) -> None:
        self._language = language
        self._zone = report.asked.zone
        self._report = report

    def word(self, name: str) -> str:
        """A word of ours."""
        return word(name, self._language)

    @property
    def title(self) -> str:
        """What is reported, of when."""
        span = self._report.asked.span
        days = span.first.isoformat()
        if span.last != span.first:
            days += f" – {span.last.isoformat()}"
        return f"{self.word(self._report.asked.kind)} · {days}"

    @property
    def scope(self) -> str:
        """What it is limited to."""
        scope = self._report.asked.scope
        if scope is None:
            return self.word("all")
        name = self.word(scope[0]) if scope[0] in WORDS else scope[0]
        return f"{name}: {code(scope[1], self._language)}"

    def heading(self, column: Column) -> str:
        """Of a column: a metric's label, or a word."""
        if column.name in BY_ID:
            return self.metric(column.name)
        return self.word(column.name)

    def metric(self, name: str) -> str:
        """Its label."""
        definition = BY_ID[name]
        return definition.label_zh if self._language == "zh-CN" else definition.label

    def cell(self, cell: Cell, column: Column) -> str:
        """As a person reads it; empty: nothing was counted."""
        value, kind = cell.value, cell.kind or column.kind
        if value is None:
            return ""
        if isinstance(value, Change):
            return _signed(value)
        if isinstance(value, tuple):
            return f"{value[0]:.1f} – {value[1]:.1f}"
        return self._told(value, kind)

    def _told(self, value: str | int | float, kind: CellKind) -> str:
        if kind == "metric":
            return self.metric(str(value))
        if kind == "word":
            return self.word(str(value))
        if kind == "code":
            return code(str(value), self._language)
        if kind == "instant":
            return local(int(value), self._zone).strftime("%Y-%m-%d %H:%M")
        if isinstance(value, str):
            return value
        return number(float(value), kind)

    def label(self, text: str, chart: Chart) -> str:
        """A label of a chart's axis."""
        if chart.label_kind == "code":
            return code(text, self._language)
        hourly = self._report.asked.span.hourly
        return local(int(text), self._zone).strftime("%H:%M" if hourly else "%m-%d")

    def moment(self, now_ms: int) -> str:
        """An instant in the report's zone."""
        return local(now_ms, self._zone).strftime("%Y-%m-%d %H:%M")


def local(instant_ms: int, zone: ZoneInfo) -> datetime:
    """On the wall clock."""
    return from_ms(instant_ms).astimezone(zone)


def number(value: float, kind: CellKind) -> str:
    """A number in its unit."""
    if kind == "percent":
        return f"{value:.1f} %"
    if kind == "ms":
        return duration(value)
    if kind in ("score", "points"):
        return f"{value:.2f}" if kind == "score" else f"{value:.1f}"
    return f"{value:,.0f}"


def duration(ms: float) -> str:
    """Seconds below two minutes, minutes and seconds below an hour, then hours and minutes."""
    seconds = ms / 1_000
    if abs(seconds) < 120:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if abs(whole) < 3_600:
        return f"{whole // 60}:{whole % 60:02d} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d} h"


def _signed(change: Change) -> str:
    sign = "+" if change.by > 0 else "−" if change.by < 0 else "±"
    unit: Unit = change.unit
    size = abs(change.by)
    if unit == "percent":
        return f"{sign}{size:.1f} pp"
    return sign + number(size, unit)


def raw(value: Value | Change) -> str | int | float | None:
    """For machines: a change as its number, an interval as text."""
    if isinstance(value, Change):
        return value.by
    if isinstance(value, tuple):
        return f"{value[0]:.6g}..{value[1]:.6g}"
    return int(value) if isinstance(value, float) and value.is_integer() else value
