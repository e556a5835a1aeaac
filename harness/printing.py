"""Printing for people and machines: tables, strict JSON, a plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.announcer import duration
from harness.plan import Plan
from harness.record import plain
from harness.showing import plan_words, shown_plan


def terminal() -> Console:
    """The terminal; wide enough for tables where there is none."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=140)


def print_records(title: str, rows: Sequence[Mapping[str, Any]], columns: Iterable[str], as_json: bool = False) -> None:
    """Print records: all of them as strict JSON, or some columns as a table."""
    if as_json:
        print_json(rows)
        return
    names = list(columns)
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(escape(_text(row.get(name))) for name in names))
    terminal().print(table)


def print_json(value: Any) -> None:
    """Print strict JSON: what is not a finite number is null."""
    print(json.dumps(plain(value), indent=1, allow_nan=False))


def print_plan(made: Plan, jobs: int) -> None:
    """Print a plan as a table with its sum below."""
    rows = shown_plan(made)
    for row in rows:
        to_do = row["state"] in ("new", "stale")
        row["time"] = duration(row["seconds"]) if to_do else ""
        row["memory"] = ("–" if row["memory_mb"] is None else f"{row['memory_mb']:,.0f} MB") if to_do else ""
    print_records(made.bench.suite.title, rows, ["dataset", "model", "seed", "state", "time", "memory", "why"])
    print(plan_words(made, jobs))


def _text(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
