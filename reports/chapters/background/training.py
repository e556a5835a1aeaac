"""Training: tuned hyper-parameters, and the learning curves of all seeds with the epoch that early stopping kept."""

from __future__ import annotations

from typing import Any

from evaluation.printed_numbers import fraction
from evaluation.results.suite_results import CellResult
from reports.chapters.background.tuning import tuning_blocks
from reports.document.blocks import Column, Figure, Section, Table, TableCell, row
from reports.document.run_index import ModelRuns, RunGroup, RunIndex


def training_section(index: RunIndex) -> Section | None:
    """Validation score and loss by epoch, one figure per data set; None if no model has epochs or was tuned."""
    blocks: list[Any] = []
    for group in index.groups.values():
        blocks += tuning_blocks(group)
        if lines := [line for runs in group.runs for line in _lines(runs)]:
            blocks += [_figure(lines, group), _table(group)]
    return Section("training", "Training", tuple(blocks)) if blocks else None


def _figure(lines: list[dict[str, Any]], group: RunGroup) -> Figure:
    """All curves of a data set; the loss alone without validation."""
    validated = any(value is not None for line in lines for value in line["validation"])
    curves, short = "Validation score (above) and training loss (below)", "Validation score and training loss"
    if not validated:
        curves, short = "Training loss (no validation)", "Training loss"
    caption = (
        f"{curves} by epoch on {group.heading}, one line per seed. The marker shows the epoch whose weights were kept. "
        "Losses of different models may not be comparable: read each curve by itself."
    )
    label = f"{short} by epoch on {group.heading}, one line per seed"
    return Figure(f"curves-{group.number}", "curves", label, caption, {"lines": lines}, group.caveats)


def _lines(runs: ModelRuns) -> list[dict[str, Any]]:
    """One line per seed that has a curve."""
    lines = []
    for cell in runs.cells:
        epochs = {r["epoch"]: r for r in cell.curve if "epoch" in r and "loss" in r}  # a resumed epoch counts once
        if epochs:
            ordered = [epochs[e] for e in sorted(epochs)]
            lines.append({
                "model": runs.model, "color": runs.color, "seed": cell.seed, "best": cell.record.get("best_epoch"),
                "has_caveat": bool(runs.own_caveats(cell)), "epochs": [r["epoch"] for r in ordered],
                "loss": [r.get("loss") for r in ordered], "validation": [r.get("validation") for r in ordered],
            })  # fmt: skip
    return lines


def _table(group: RunGroup) -> Table:
    """How each fit of a model with epochs ended."""
    columns = (
        Column("model", "Model"),
        Column("seed", "Seed", True),
        Column("epochs", "Epochs", True),
        Column("best", "Best epoch", True),
        Column("stopped", "Stopped by"),
        Column("validation", "Best validation", True),
    )
    fits = [(cell, runs) for runs in group.runs if any(c.curve for c in runs.cells) for cell in runs.cells]
    if any(cell.record.get("resumed_from") is not None for cell, _ in fits):
        columns += (Column("resumed", "Resumed from", True),)
    rows = tuple(row(_fit(cell, runs)[: len(columns)]) for cell, runs in fits)
    caption = f"How training ended: {group.heading}"
    return Table(f"fits-{group.number}", caption, columns, rows, beside=True, caveats=group.caveats, about=group.about)


def _fit(cell: CellResult, runs: ModelRuns) -> list[TableCell]:
    """How one fit ended; the last cell holds the epoch it was resumed from."""
    record, link = cell.record, f"{runs.anchor}-seed-{cell.seed}"
    best = next(iter(record.get("validation", {}).values()), None)
    marks = ("open",) if str(record.get("stopped")).endswith(" limit") else ()  # of epochs, iterations or time
    resumed = record.get("resumed_from")
    return [
        TableCell(runs.model, color=runs.color, caveats=runs.own_caveats(cell)),
        TableCell(str(cell.seed), cell.seed, link=link),
        *(TableCell("–" if record.get(k) is None else str(record[k]), record.get(k), link=link)
          for k in ("epochs", "best_epoch")),
        TableCell(record.get("stopped") or "–", marks=marks), TableCell(fraction(best), best, link=link),
        TableCell("–" if resumed is None else f"epoch {resumed}", resumed),
    ]  # fmt: skip
