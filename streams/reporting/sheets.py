"""A report for machines and spreadsheets: CSV, one line per number, and a workbook with a sheet per section."""

import csv
import io
from pathlib import Path

import xlsxwriter

from streams.reporting.report import Cell, CellKind, Column, Report, Section
from streams.reporting.texts import Language
from streams.reporting.wording import Wording, raw

_SHEET_NAME_MAX = 31  # a limit of the format
_MS_PER_DAY = 86_400_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_of(report: Report, language: Language) -> str:
    """Section, line, column, value. Text that a spreadsheet would run as a formula is kept text."""
    wording = Wording(report, language)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["section", "line", "column", "value"])
    for section in report.sections:
        for row in section.rows:
            line = _harmless(wording.cell(row[0], section.columns[0]))
            for cell, column in zip(row[1:], section.columns[1:], strict=True):
                value = raw(cell.value)
                text = "" if value is None else _harmless(str(value))
                writer.writerow([section.title, line, column.name, text])
    return out.getvalue()


def _harmless(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return "'" + text if text.startswith(_FORMULA_STARTS) else text
    return text


def write_workbook(report: Report, language: Language, path: Path) -> None:
    """A sheet per section, with its chart; numbers are numbers, in their units."""
    wording = Wording(report, language)
    # What customers and staff are called is never a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        formats = _formats(book)
        for section in report.sections:
            name = wording.word(section.title)[:_SHEET_NAME_MAX]
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 1)
            for at, column in enumerate(section.columns):
                sheet.write_string(0, at, wording.heading(column), formats["heading"])
                sheet.set_column(at, at, 34 if at == 0 else 16)
            for line, row in enumerate(section.rows, start=1):
                for at, (cell, column) in enumerate(zip(row, section.columns, strict=True)):
                    _write(sheet, (line, at), cell, column, wording, formats)
            if section.chart is not None:
                _draw(book, sheet, section, wording)


def _draw(
    book: xlsxwriter.Workbook,
    sheet: xlsxwriter.worksheet.Worksheet,
    section: Section,
    wording: Wording,
) -> None:
    """Right of the table: the chart's numbers, and a chart of the spreadsheet's own over them."""
    chart, first = section.chart, len(section.columns) + 1
    assert chart is not None
    last = len(chart.labels)
    for line, label in enumerate(chart.labels, start=1):
        sheet.write_string(line, first, wording.label(label, chart))
    drawing = book.add_chart({"type": "column"})
    for at, (name, values) in enumerate(chart.series, start=1):
        sheet.write_string(0, first + at, wording.word(name))
        for line, value in enumerate(values, start=1):
            if value is not None:
                sheet.write_number(line, first + at, value)
        drawing.add_series(
            {
                "name": [sheet.name, 0, first + at],
                "categories": [sheet.name, 1, first, last, first],
                "values": [sheet.name, 1, first + at, last, first + at],
            }
        )
    drawing.set_size({"width": 720, "height": 300})
    sheet.insert_chart(1, first + len(chart.series) + 2, drawing)


def _formats(book: xlsxwriter.Workbook) -> dict[str, object]:
    shapes = {
        "percent": '0.0" %"',
        "ms": "[h]:mm:ss",
        "score": "0.00",
        "points": "0.0",
        "count": "#,##0",
    }
    formats: dict[str, object] = {
        kind: book.add_format({"num_format": shape}) for kind, shape in shapes.items()
    }
    formats["heading"] = book.add_format({"bold": True, "bottom": 1})
    return formats


def _write(
    sheet: xlsxwriter.worksheet.Worksheet,
    where: tuple[int, int],
    cell: Cell,
    column: Column,
    wording: Wording,
    formats: dict[str, object],
) -> None:
    kind: CellKind = cell.kind or column.kind
    value = cell.value
    if isinstance(value, int | float) and kind in formats:
        number = value / _MS_PER_DAY if kind == "ms" else value
        sheet.write_number(*where, number, formats[kind])
    else:
        sheet.write_string(*where, wording.cell(cell, column))
