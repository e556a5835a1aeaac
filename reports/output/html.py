"""HTML report: one offline page with escaped names and inline figures; it loads nothing."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evaluation.results.cache import ResultCache
from recsys_data.atomic_write import write_bytes_atomically
from reports.document.blocks import Figure, as_sentence
from reports.figures import palette
from reports.figures.cached import figure_svg
from reports.figures.letters import letters_as_text
from reports.figures.shared_styles import share_styles
from reports.figures.svg import remove_transparency
from reports.output.layout import LONG_TABLE, keep_together
from reports.output.table_html import badges_html, footnotes_html, row_html, swatch_html
from reports.report import Report
from reports.tables.export import TEXTS

TEMPLATES = Path(__file__).parent / "templates"
COPY_FORMATS = {"CSV": TEXTS["csv"], "LaTeX": TEXTS["latex"], "Markdown": TEXTS["markdown"]}  # name on the button


def write_html(report: Report, path: Path) -> None:
    """Write the report as one HTML page."""
    write_bytes_atomically(path, render_html(report).encode())


def render_html(report: Report) -> str:
    """Render the report as one HTML page."""
    return share_styles(render_page(report, paper=False))


def render_page(report: Report, *, paper: bool, **extra: Any) -> str:
    """Render the page for the screen or for paper; ``extra`` then holds page numbers and fonts."""
    template = _environment().get_template("page.html")
    draw = functools.partial(_inline_figure, cache=report.cache)
    return template.render(report=report, paper=paper, draw=draw, colors=palette.COLORS, dark=palette.DARK,
                           **extra) + "\n"  # fmt: skip


@functools.cache
def _environment() -> Environment:
    """The templates; everything is escaped and an unknown name is an error."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters |= {"css_string": css_string}
    environment.globals |= {"keep_together": keep_together, "LONG_TABLE": LONG_TABLE, "inline_file": _inline_file,
                            "table_texts": _table_texts, "row_html": row_html, "swatch_html": swatch_html,
                            "badges_html": badges_html, "footnotes_html": footnotes_html,
                            "as_sentence": as_sentence}  # fmt: skip
    return environment


def css_string(text: str) -> Markup:
    """Quote text as a CSS string; characters that could end the string or the style become codes."""
    safe = "".join(c if c.isalnum() or c in " .,-" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{safe}"')


def _inline_figure(figure: Figure, paper: bool, cache: ResultCache) -> Markup:
    """The figure as inline SVG; on a screen its colours follow the page's light or dark scheme."""
    svg = figure_svg(figure, cache)
    if paper:
        return Markup(letters_as_text(remove_transparency(svg)))
    for number, color in enumerate(palette.COLORS):
        svg = svg.replace(color, f"var(--m{number})")
    return Markup(letters_as_text(svg, any_font=True))


def _table_texts(report: Report) -> Markup:
    """All tables in the formats of the copy buttons, as JavaScript: anchor → format → [head, rows, foot]."""
    texts: dict[str, dict[str, list[Any]]] = {}
    for table in (table for table in report.tables() if table.copied):
        written = {name: write(table) for name, write in COPY_FORMATS.items()}
        texts[table.anchor] = {name: [text.head, text.rows, text.foot] for name, text in written.items()}
    return Markup(json.dumps(texts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))


@functools.cache
def _inline_file(name: str) -> Markup:
    """One of our style sheets or scripts, unescaped."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
