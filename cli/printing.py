"""Printing of tables, strict JSON and plain lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from evaluation.json_codec import to_json
from recsys_data.printable import printable, printable_lines


def terminal() -> Console:
    """A console on standard output, 140 columns wide if that is no terminal."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=140)


def print_records(title: str, rows: Sequence[Mapping[str, Any]], columns: Iterable[str], as_json: bool = False) -> None:
    """Print records as a table of the given columns, or whole as strict JSON."""
    if as_json:
        print_json(rows)
        return
    names = list(columns)
    table = Table(title=escape(printable(title)), title_justify="left", box=None, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(_text(row.get(name)))) for name in names))
    terminal().print(table)


def print_json(value: Any) -> None:
    """Print strict JSON; non-finite numbers become null."""
    print(json.dumps(to_json(value), indent=1, allow_nan=False))


def print_lines(lines: Iterable[str]) -> None:
    """Print one line per text, without wrapping."""
    for line in lines:
        terminal().print(escape(printable(line)), soft_wrap=True)


def print_text(text: object, *, to_stderr: bool = False) -> None:
    """Print lines as they are; control characters, such as those of a terminal, become codes."""
    print(printable_lines(str(text)), file=sys.stderr if to_stderr else sys.stdout, flush=True)


def _text(value: Any) -> str:
    """A value as text in a table."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def engine_column(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """["engine"] if any row has an engine, else []."""
    return ["engine"] if any(row["engine"] for row in rows) else []


def format_size(megabytes: float | None) -> str:
    """An amount of memory or disk in MB or GB; a dash if unknown."""
    if megabytes is None:
        return "–"
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 1000 else f"{megabytes:,.1f} MB"
