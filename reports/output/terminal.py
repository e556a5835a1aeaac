"""Terminal output of a report: comparisons, verdicts, failures."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from reports.document.blocks import Table, TableCell
from reports.report import Report

_STYLES = {"good": "green", "bad": "red", "open": "yellow", "best": "bold", "quiet": "dim"}
_SYMBOLS = {"good": "✓", "bad": "✗", "open": "?", "quiet": "–"}
_SUFFIXES = {"best": " ★", "level": " ≈"}


def print_report(report: Report, console: Console) -> None:
    """Print comparisons, verdicts, failures and caveats within the width of the console.

    The least important columns are dropped where they do not fit. The console decides on colours (NO_COLOR).
    """
    comparison, verdicts = report.section("comparison"), report.section("verdicts")
    for table in comparison.tables if comparison else []:
        if table.anchor.startswith("standing-"):
            _print_standing(table, report, console)
    if verdicts is not None:
        for table in verdicts.tables:
            _print_verdicts(table, console)
    failures = next((t for t in report.tables() if t.anchor == "failures"), None)
    if failures is not None:
        _print_failures(failures, console)
    for caveat in report.caveats:
        console.print(Text(caveat, style="bold yellow"))


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
        for badge in entry.badges:
            text.append(f" [{badge}]", style="yellow")
    return text


def _print_verdicts(table: Table, console: Console) -> None:
    """Print one line per verdict (symbol, outcome, subject) and the reason below it."""
    console.print()
    console.print(Text(table.caption, style="bold"))
    for row in table.rows:
        if row.kind == "group":
            console.print(Text(row.entries[0].text, style="italic"))
            continue
        outcome, subject = table.entry(row, "outcome"), table.entry(row, "subject")
        reason = table.entry(row, "reason")
        mark = next((m for m in outcome.marks if m in _SYMBOLS), "quiet")
        console.print(Text.assemble((f"{_SYMBOLS[mark]} {outcome.text}", _STYLES[mark]), "  ", subject.text))
        if reason is not None and reason.text:
            console.print(Text(f"  {reason.text}", style="dim"))


def _print_failures(table: Table, console: Console) -> None:
    """Print each failed cell with the command to rerun it; skipped cells by data set and reason."""
    console.print()
    console.print(Text(table.caption, style="bold"))
    for row in table.rows:
        dataset, model, seed, state, reason, command = (entry.text for entry in row.entries)
        cell = f"{dataset}/{model}/{seed}" if seed else f"{dataset}, {model}"
        console.print(Text.assemble((state, "red" if state == "FAILED" else "yellow"), f"  {cell}: {reason}"))
        if command:
            console.print(Text(f"  {command}", style="dim"))
