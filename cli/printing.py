"""Printing for people and machines: tables, strict JSON, a plan."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.overview import ABSENT, absences, overview, told_once
from cli.progress_display import duration
from cli.rows import cost_words, engine_column, plan_words, shown_plan, size
from harness.cells.record import plain
from harness.running.estimates import total
from harness.running.plan import Plan
from harness.running.run_all import Stop


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
    """Print a plan as a table with its sum below, and what is missing, once a data set."""
    rows = shown_plan(made)
    for row in rows:
        to_do = row["state"] in ("new", "stale")
        row |= {"time": duration(row["seconds"]) if to_do else "", "memory": size(row["memory_mb"]) if to_do else "",
                "disk": size(row["disk_mb"]) if to_do else ""}  # fmt: skip
        row["why"] = "; ".join(filter(None, ["" if row["state"] in ABSENT else row["why"], row["basis"]]))
    places = {(row["dataset"], row["protocol"]) for row in rows}
    namesakes = len(places) > len({dataset for dataset, _ in places})  # a data set stands under several protocols
    columns = ["dataset", *["protocol"] * namesakes, "model", "seed", "state", *engine_column(rows),
               "time", "memory", "disk", "why"]  # fmt: skip
    print_records(made.bench.suite.title, rows, columns)
    print_lines(absences([made]))
    print(plan_words(made, jobs))


def print_overview(plans: Sequence[Plan], jobs: int) -> None:
    """Print the plans of several suites as one table, then what is missing and where it is to be had, then the sum."""
    rows = overview(plans)
    for row in rows:
        to_do = bool(row["to_do"])
        row |= {"time": duration(row["seconds"]) if to_do else "", "memory": size(row["memory_mb"]) if to_do else "",
                "disk": size(row["disk_mb"]) if to_do else "", "to compute": row["to_do"] or ""}  # fmt: skip
    columns = ["suite", "dataset", "protocol", "cells", "states", "to compute", "time", "memory", "disk", "basis"]
    print_records("All suites", rows, columns)
    print_lines(absences(plans))
    print(cost_words(total((p.estimate for plan in plans for p in plan.to_do), jobs), jobs))


def print_tour(stops: Sequence[Stop]) -> None:
    """Print what became of each suite of a tour, then each data set that was missing, once."""
    print_records("All suites", [stop.row() for stop in stops],
                  ["suite", "outcome", "cells", "computed", "cached", "skipped", "failed", "why"])  # fmt: skip
    print_lines(told_once(cell for stop in stops if stop.outcome is not None for cell in stop.outcome.skipped))


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences, a line each, wrapped by the terminal alone."""
    for line in lines:
        terminal().print(escape(line), soft_wrap=True)


def _text(value: Any) -> str:
    """A value as a table shows it."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
