"""Hostile labels, titles and reasons through every output of a report: none obeyed, hidden, computed or lost."""

from __future__ import annotations

import csv
import html
import io
import random
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path

from pypdf import PdfReader
from rich.console import Console
from typer.testing import CliRunner

import benchmark
from recsys_data.printable import printable
from reports.figures.fonts import drawable
from reports.output.html import render_html
from reports.output.pdf import write_pdf
from reports.output.terminal import print_report
from reports.report import Report, build
from reports.tables.export import write_tables
from tests.faults.trial import Trial
from tests.reports.conftest import build_store

TRIES = 60
PIECES = (
    "\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x00", "\x08\x08", "\n", "\r", "\t", "\x85", "\u2028", "\u202e",
    "\u2066", "\u200b", "\ufeff", "\U000e0041", "\ue000", "\ue001", "\ufffe", "\ud800", "=1+1", "+cmd|' /C calc'!A0",
    "-2+3", "@SUM(A1)", "<script>alert(1)</script>", "]]>", "--", "&amp;", "\"'", "$x^2$", "\\frac{1}", "[bold]", "[/]",
    "{{ 7*7 }}", "%s", "用户模型", "モデル", "모델", "👩\u200d🔬", "🇩🇪", "عربي", "עברית", "ไทย", "é̀", "x" * 60, " ",
)  # fmt: skip
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def trials(folder: Path, scale: float, seed: int) -> Iterator[Trial]:
    """Reports of stores with random hostile texts: each output is written and searched."""
    outputs = {name: Trial(f"hostile labels in {name}") for name in ("the terminal", "HTML and SVG", "CSV", "PDF")}
    quiet, draws = Trial("a report on hostile labels gives no warning"), random.Random(seed)
    for number in range(max(1, round(TRIES * scale))):
        labels = list(dict.fromkeys(_label(draws) for _ in range(6)))
        root = folder / str(number)
        models = dict.fromkeys(labels[2:], 0.5) | {"Popularity": 0.0, "Markov": 0.9, "GRU": 1.05}
        build_store(root, datasets=tuple(labels[:2]), models=models, seeds=(0,), queries=60, published=False,
                    caveats=labels[:1])  # fmt: skip
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            report = build(root, "little")
            outputs["the terminal"].count(_terminal(root, report))
            outputs["HTML and SVG"].count(_page(report, labels))
            outputs["CSV"].count(_csv(root, report, labels[2:]))
            outputs["PDF"].count(_pdf(root, report))
        quiet.count("; ".join(str(warning.message) for warning in warned))
    yield from (*outputs.values(), quiet)


def _label(draws: random.Random) -> str:
    """A label of one to four pieces, hostile and harmless."""
    return "".join(draws.choices(PIECES, k=draws.randint(1, 4))) + f" {draws.randrange(1000)}"


def _raw(text: str, allowed: str = "\n") -> str:
    """What is wrong with a text: the control characters that it holds."""
    found = {c for c in text if unicodedata.category(c)[0] == "C" or unicodedata.category(c) in ("Zl", "Zp")}
    found -= set(allowed + "\u200c\u200d")
    return f"holds {sorted(map(ascii, found))}" if found else ""


def _terminal(root: Path, report: Report) -> str:
    console = Console(file=io.StringIO(), width=140)
    print_report(report, console)
    shown = CliRunner().invoke(benchmark.app, ["show", "little", "--results", str(root)])
    return _raw(console.file.getvalue()) or _raw(shown.stdout) or (shown.output if shown.exit_code else "")


def _page(report: Report, labels: list[str]) -> str:
    page = render_html(report)
    lost = [label for label in labels if printable(label) not in html.unescape(page)]
    script = "a script of a label is in the page" if "<script>alert" in page else ""
    return _raw(page) or script or (f"lost {lost}" if lost else "")


def _csv(root: Path, report: Report, labels: list[str]) -> str:
    write_tables(report, root / "tables")
    found = set()
    for path in (root / "tables").glob("*.csv"):
        text = path.read_bytes().decode()
        if problem := _raw(text.replace("\r\n", "\n")):
            return problem
        found |= {cell for cells in csv.reader(io.StringIO(text, newline="")) for cell in cells}
    computed = [cell for cell in found if cell.startswith(FORMULAS) and not _is_number(cell)]
    lost = [label for label in labels if not {printable(label), f"'{printable(label)}"} & found]
    return (f"formulas: {computed}" if computed else "") or (f"lost {lost}" if lost else "")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _pdf(root: Path, report: Report) -> str:
    write_pdf(report, root / "report.pdf")
    text = "\n".join(page.extract_text() for page in PdfReader(root / "report.pdf").pages)
    return _raw(text) or ("" if drawable(text) == text else "holds letters without a font")
