"""A report as one page that can be printed: no script, no request to anywhere."""

import sys
from importlib.resources import files
from xml.etree.ElementTree import tostring

import pygal
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from pygal.style import Style

from streams.reporting.report import Cell, Change, Chart, Report
from streams.reporting.texts import Language
from streams.reporting.wording import Wording

# It puts a finder for its map plugins, which nobody here has, before every later import of the process.
sys.meta_path[:] = [one for one in sys.meta_path if type(one).__name__ != "PluginImportFixer"]

# Blue and orange are told apart by everybody; the style sheet gives the same to signs of change.
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#57606a",
    foreground_strong="#1f2328",
    foreground_subtle="#8c959f",
    colors=("#0969da", "#bc4c00", "#8250df"),
    font_family="system-ui, 'Noto Sans CJK SC', sans-serif",
    label_font_size=11,
    major_label_font_size=11,
    legend_font_size=12,
    opacity=".85",
    guide_stroke_color="#d0d7de",
    major_guide_stroke_color="#afb8c1",
)
_TICKS_MAX = 16


def page_of(report: Report, language: Language) -> str:
    """The page."""
    text = (files("streams.reporting") / "page.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    wording = Wording(report, language)
    return environment.from_string(text).render(
        language=language,
        report=report,
        wording=wording,
        draw=lambda chart: _drawn(chart, wording),
        tone=_tone,
    )


def _tone(cell: Cell) -> str:
    if isinstance(cell.value, Change) and cell.value.good is not None:
        return "good" if cell.value.good else "bad"
    return "number" if isinstance(cell.value, int | float | tuple | Change) else ""


def _drawn(chart: Chart, wording: Wording) -> Markup:
    drawing = pygal.Bar(
        style=_STYLE,
        width=920,
        height=240,
        show_legend=len(chart.series) > 1,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(chart.series),
        margin=8,
        truncate_label=-1,
        truncate_legend=-1,
        show_minor_x_labels=False,
        js=[],
        disable_xml_declaration=True,
        explicit_size=False,
        min_scale=3,
    )
    labels = [wording.label(one, chart) for one in chart.labels]
    drawing.x_labels = labels
    every = -(-len(labels) // _TICKS_MAX)
    drawing.x_labels_major = labels[::every]
    for name, values in chart.series:
        drawing.add(wording.word(name), list(values))
    tree = drawing.render_tree()
    for script in tree.findall(".//{*}script"):
        parents = {child: parent for parent in tree.iter() for child in parent}
        parents[script].remove(script)
    # The drawing is ours and its texts are escaped by the library.
    return Markup(tostring(tree, encoding="unicode"))  # noqa: S704
