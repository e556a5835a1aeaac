"""Terminal output of a report: comparisons, verdicts, failures."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from evaluation.results.suite_results import FAILED_STATES
from reports.document.blocks import Row, Table, TableCell, caveat_badge
from reports.report import Report

_STYLES = {"good": "green", "bad": "red", "open": "yellow", "best": "bold", "quiet": "dim"}
_SYMBOLS = {"good": "✓", "bad": "✗", "open": "?", "quiet": "–"}
_SUFFIXES = {"best": " ★", "level": " ≈"}


def print_report(report: Report, console: Console, asked: Collection[tuple[str, str, str]] | None = None) -> None:
    """Print comparisons, verdicts, failures and caveats within the width of the console.

    asked: data set, protocol and model of the rows to print, with the verdicts that have a result; None prints all. The
    least important columns are dropped where they do not fit. The console decides on colours (NO_COLOR).
    """
    comparison, verdicts = report.section("comparison"), report.section("verdicts")
    anchors = None if asked is None else {report.run_anchors[runs] for runs in asked if runs in report.run_anchors}
    for table in comparison.tables if comparison else []:
        shown = _of_runs(table, anchors)
        if table.anchor.startswith("standing-") and any(not row.kind for row in shown.rows):
            _print_standing(shown, report, console)
    for table in verdicts.tables if verdicts else []:
        shown = table if asked is None else _founded(table)
        if any(not row.kind for row in shown.rows):
            _print_verdicts(shown, console)
    failures = next((t for t in report.tables() if t.anchor == "failures"), None)
    if failures is not None and _of_runs(failures, anchors).rows:
        _print_failures(_of_runs(failures, anchors), console)
    for caveat in report.caveats:
        console.print(Text(caveat, style="bold yellow"))


def _of_runs(table: Table, anchors: Collection[str] | None) -> Table:
    """The table with the rows of these runs and the known values only; the whole table for None."""
    if anchors is None:
        return table
    kept = (r for r in table.rows if r.kind == "reference" or any(entry.link in anchors for entry in r.entries))
    return dataclasses.replace(table, rows=tuple(kept))


def _founded(table: Table) -> Table:
    """A table of verdicts without those that have no result to judge by, and without headings of no verdict."""
    kept: list[Row] = []
    for row in reversed([row for row in table.rows if row.kind != "missing"]):  # a heading comes before its verdicts
        heads_none = row.kind == "group" and (not kept or kept[-1].kind == "group")
        if not heads_none and (row.kind or "unfounded" not in table.entry(row, "outcome").marks):
            kept.append(row)
    return dataclasses.replace(table, rows=tuple(reversed(kept)))


def _print_standing(table: Table, report: Report, console: Console) -> None:
    """Print one data set: a row per model, columns for the metrics."""
    keys = _fitting_columns(table, report.metrics, console.width)
    console.print()
    console.print(Text(table.caption, style="bold"))
    grid = Grid(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for key in keys:
        column = table.columns[table.column(key)]
        grid.add_column(Text(column.title), justify="right" if column.numeric else "left", overflow="fold",
                        no_wrap=column.numeric)  # fmt: skip
    for row in table.rows:
        grid.add_row(*(_cell(row.entries[table.column(key)], badges=key == keys[0]) for key in keys),
                     style="italic dim" if row.kind == "reference" else "")  # fmt: skip
    console.print(grid)
    bounds = any(row.kind == "reference" for row in table.rows)
    shown = table.notes[: len(table.caveats) + (3 if bounds else 2)]  # caveats, to what numbers apply, marks, bounds
    for note in [*(f"[{badge}]" for badge in table.badges), *shown]:
        console.print(Text(note, style="dim"))


def _fitting_columns(table: Table, metrics: tuple[str, ...], width: int) -> list[str]:
    """Keys of the columns that fit, in the table's order; the least important are dropped first."""
    keys = [column.key for column in table.columns]
    droppable = []
    for metric in reversed(metrics):
        droppable += [f"{metric} {part}" for part in ("p", "sd", "relative", "interval")]
    droppable += list(reversed(metrics[1:]))
    for key in droppable:
        if _width(table, keys) <= width:
            break
        keys = [k for k in keys if k != key]
    return keys


def _width(table: Table, keys: list[str]) -> int:
    """Width of these columns in characters, with two between them; names fold at 24."""
    total = 0
    for number, key in enumerate(keys):
        place = table.column(key)
        texts = [table.columns[place].title, *(_cell(row.entries[place]).plain for row in table.rows)]
        longest = max(len(text) for text in texts)
        total += (min(longest, 24) if number == 0 else longest) + 2
    return total - 2


def _cell(entry: TableCell, badges: bool = False) -> Text:
    """The text of a cell with its marks, and with its badges if it names the row."""
    text = Text(entry.text + "".join(_SUFFIXES[m] for m in entry.marks if m in _SUFFIXES),
                style=" ".join(_STYLES[m] for m in entry.marks if m in _STYLES))  # fmt: skip
    if badges:
        for badge in dict.fromkeys(map(caveat_badge, entry.caveats)):
            text.append(f" [{badge}]", style="yellow")
    return text


def _print_verdicts(table: Table, console: Console) -> None:
    """Print one line per verdict (symbol, outcome, subject) and the reason below it."""
    console.print()
    console.print(Text(table.caption, style="bold"))
    for row in (row for row in table.rows if row.kind != "missing"):
        if row.kind == "group":
            console.print(Text(row.entries[0].text, style="italic"))
            continue
        outcome, subject = table.entry(row, "outcome"), table.entry(row, "subject")
        reason = table.entry(row, "reason")
        mark = next((m for m in outcome.marks if m in _SYMBOLS), "quiet")
        console.print(Text.assemble((f"{_SYMBOLS[mark]} {outcome.text}", _STYLES[mark]), "  ", subject.text))
        if reason is not None and (reason.exact or reason.text):
            console.print(Text(f"  {reason.exact or reason.text}", style="dim"))


def _print_failures(table: Table, console: Console) -> None:
    """Print each failed cell with the command to rerun it; skipped cells by data set and reason."""
    console.print()
    console.print(Text(table.caption, style="bold"))
    for row in table.rows:
        dataset, model, seed, state, reason, command = (entry.text for entry in row.entries)
        cell = f"{dataset}/{model}/{seed}" if seed else f"{dataset}, {model}"
        console.print(Text.assemble((state, "red" if state in FAILED_STATES else "yellow"), f"  {cell}: {reason}"))
        if command:
            console.print(Text(f"  {command}", style="dim"))
