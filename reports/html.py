"""HTML: one offline page; names are escaped, figures are inline, nothing is loaded from outside."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evaluation.memo import Memo
from reports import palette
from reports.blocks import Entry, Picture
from reports.layout import LONG, kept_together
from reports.report import Report
from reports.svg import solid

TEMPLATES = Path(__file__).parent / "templates"
_WORDS = {"best": "best", "level": "not separable from the best"}
_SIGNS = {"best": "★", "level": "≈"}


def render_html(report: Report) -> str:
    """The report as one HTML page."""
    return page(report, paper=False)


def page(report: Report, *, paper: bool, **extra: Any) -> str:
    """The page for the screen, or for paper (then ``extra`` holds page numbers and fonts)."""
    template = _environment().get_template("page.html")
    draw = functools.partial(_drawn, memo=report.memo)
    return template.render(report=report, paper=paper, draw=draw, colors=palette.COLORS, dark=palette.DARK,
                           **extra) + "\n"  # fmt: skip


@functools.cache
def _environment() -> Environment:
    """Templates with escaping always on and no silently missing name."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    environment.filters |= {"exact": exact, "css_string": css_string, "sign": palette.sign}
    environment.globals |= {"kept_together": kept_together, "LONG": LONG, "inline": _inline,
                            "mark_words": _WORDS,
                            "mark_signs": _SIGNS,
                            "color_count": len(palette.COLORS)}  # fmt: skip
    return environment


def exact(entry: Entry) -> str:
    """The full value of an entry, for hover and focus; empty where the text says it all."""
    if entry.exact:
        return entry.exact
    if not isinstance(entry.value, int | float) or isinstance(entry.value, bool):
        return ""
    value = f"{entry.value:,}" if isinstance(entry.value, int) else f"{entry.value:.10g}"
    if entry.low is not None and entry.high is not None:
        value += f" [{entry.low:.8g}, {entry.high:.8g}]"
    return "" if value == entry.text else value


def css_string(text: str) -> Markup:
    """A name as a CSS string; every character that could end the string or the style is a code."""
    safe = "".join(c if c.isalnum() or c in " .,-" else f"\\{ord(c):x} " for c in text)
    return Markup(f'"{safe}"')


def _drawn(picture: Picture, paper: bool, memo: Memo) -> Markup:
    """The figure as inline SVG; on a screen its colours follow the page's light or dark scheme."""
    svg = _draw(json.dumps(asdict(picture), sort_keys=True), memo)
    if paper:
        return Markup(solid(svg))
    for number, color in enumerate(palette.COLORS):
        svg = svg.replace(color, f"var(--m{number})")
    return Markup(svg)


@functools.lru_cache(maxsize=512)
def _draw(picture: str, memo: Memo) -> str:
    """The figure drawn once for screen and paper, and not again where the memo knows it."""

    def draw() -> str:
        from reports import figures  # here, since matplotlib takes a second to load

        fields = json.loads(picture)
        fields.pop("block")
        return figures.draw(Picture(**fields))

    return memo.answer("picture", picture, draw)


@functools.cache
def _inline(name: str) -> Markup:
    """A style sheet or script of ours, as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
