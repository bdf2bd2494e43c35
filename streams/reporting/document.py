"""A report as plain data with its words: what the live page draws."""

from streams.reporting.report import Cell, Change, Chart, Column, Report, Section
from streams.reporting.texts import Language
from streams.reporting.wording import Wording, raw


def document_of(report: Report, language: Language) -> dict[str, object]:
    """Titles and cells in words; values beside them as numbers."""
    wording = Wording(report, language)
    span = report.asked.span
    return {
        "from_ms": span.from_ms,
        "to_ms": span.to_ms,
        "scope": wording.scope,
        "zone": report.asked.zone.key,
        "sections": [_section(section, wording) for section in report.sections],
    }


def _section(section: Section, wording: Wording) -> dict[str, object]:
    return {
        "name": section.title,
        "title": wording.word(section.title),
        "empty": wording.word("no_data"),
        "columns": [
            {"name": column.name, "label": wording.heading(column), "number": _is_number(column)}
            for column in section.columns
        ],
        "rows": [
            [
                _cell(cell, column, wording)
                for cell, column in zip(row, section.columns, strict=True)
            ]
            for row in section.rows
        ],
        "chart": None if section.chart is None else _chart(section.chart, wording),
    }


def _is_number(column: Column) -> bool:
    return column.kind not in ("code", "metric", "text", "word")


def _cell(cell: Cell, column: Column, wording: Wording) -> dict[str, object]:
    tone = ""
    if isinstance(cell.value, Change) and cell.value.good is not None:
        tone = "good" if cell.value.good else "bad"
    return {"text": wording.cell(cell, column), "value": raw(cell.value), "tone": tone}


def _chart(chart: Chart, wording: Wording) -> dict[str, object]:
    return {
        "labels": [wording.label(text, chart) for text in chart.labels],
        "series": [
            {"label": wording.word(name), "values": list(values)} for name, values in chart.series
        ],
    }
