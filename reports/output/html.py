"""HTML: one offline page; names are escaped, figures are inline, nothing is loaded from outside."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evaluation.results.cache import ResultCache
from reports.document.blocks import Figure
from reports.figures import palette
from reports.figures.cached import drawn
from reports.figures.svg import sharing, solid
from reports.output.layout import LONG, keep_together
from reports.output.table_html import badges, cells, swatch
from reports.report import Report

TEMPLATES = Path(__file__).parent / "templates"


def render_html(report: Report) -> str:
    """The report as one HTML page."""
    return page(report, paper=False)


def page(report: Report, *, paper: bool, **extra: Any) -> str:
    """The page for the screen, or for paper (then ``extra`` holds page numbers and fonts)."""
    template = _environment().get_template("page.html")
    draw = functools.partial(_drawn, cache=report.cache, glyphs=set())
    return template.render(report=report, paper=paper, draw=draw, colors=palette.COLORS, dark=palette.DARK,
                           **extra) + "\n"  # fmt: skip


@functools.cache
def _environment() -> Environment:
    """Templates with escaping always on and no silently missing name."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters |= {"css_string": css_string}
    environment.globals |= {"keep_together": keep_together, "LONG": LONG, "inline": _inline,
                            "cells": cells, "swatch": swatch, "badges": badges}  # fmt: skip
    return environment


def css_string(text: str) -> Markup:
    """A name as a CSS string; every character that could end the string or the style is a code."""
    safe = "".join(c if c.isalnum() or c in " .,-" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{safe}"')


def _drawn(figure: Figure, paper: bool, cache: ResultCache, glyphs: set[str]) -> Markup:
    """The figure as inline SVG; on a screen its colours follow the page's light or dark scheme.

    ``glyphs``: the letters that figures above have drawn; a browser finds them there.
    """
    svg = drawn(figure, cache)
    if paper:
        return Markup(solid(svg))
    for number, color in enumerate(palette.COLORS):
        svg = svg.replace(color, f"var(--m{number})")
    return Markup(sharing(svg, figure.anchor, glyphs))


@functools.cache
def _inline(name: str) -> Markup:
    """A style sheet or script of ours, as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
