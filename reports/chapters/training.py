"""Training: what tuning chose, and the curves of all seeds with the epoch that early stopping kept."""

from __future__ import annotations

from typing import Any

from evaluation.results.suite_results import CellResult
from reports.chapters.tuning import tuning_blocks
from reports.document.blocks import Column, Figure, Section, Table, TableCell, row
from reports.document.numbers import fraction
from reports.document.run_index import ModelRuns, RunIndex


def training_section(index: RunIndex) -> Section | None:
    """Validation and loss by epoch, a picture for each data set; None if no model has epochs or was tuned."""
    blocks: list[Any] = []
    for (dataset, protocol), group in index.groups.items():
        heading, place = index.heading(dataset, protocol), group[0].place
        blocks += tuning_blocks(group, heading)
        lines = [line for runs in group for line in _lines(runs)]
        if not lines:
            continue
        blocks.append(_figure(lines, heading, group[0]))
        blocks.append(_table([runs for runs in group if any(c.curve for c in runs.cells)], heading, place))
    return Section("training", "Training", tuple(blocks)) if blocks else None


def _figure(lines: list[dict[str, Any]], heading: str, first: ModelRuns) -> Figure:
    """All curves of a data set; without validation there is the loss alone."""
    judged = any(value is not None for line in lines for value in line["validation"])
    scores, said = "Validation score (above) and training loss (below)", "Validation score and training loss"
    if not judged:
        scores, said = "Training loss (nothing was validated)", "Training loss"
    caption = (
        f"{scores} by epoch on {heading}, one line a seed. A marker stands on the epoch whose weights were kept. "
        "Models may have losses of different kinds: only a line's own course says something."
    )
    label = f"{said} by epoch on {heading}, one line a seed"
    return Figure(f"curves-{first.place}", "curves", label, caption, {"lines": lines}, first.shared)


def _lines(runs: ModelRuns) -> list[dict[str, Any]]:
    """A line for each seed that left a curve."""
    lines = []
    for cell in runs.cells:
        epochs = {r["epoch"]: r for r in cell.curve if "epoch" in r and "loss" in r}  # a resumed epoch counts once
        if epochs:
            ordered = [epochs[e] for e in sorted(epochs)]
            lines.append({
                "model": runs.model, "color": runs.color, "seed": cell.seed, "best": cell.record.get("best_epoch"),
                "has_caveat": bool(runs.own(cell)), "epochs": [r["epoch"] for r in ordered],
                "loss": [r.get("loss") for r in ordered], "validation": [r.get("validation") for r in ordered],
            })  # fmt: skip
    return lines


def _table(group: list[ModelRuns], heading: str, place: int) -> Table:
    """How each fit ended."""
    columns = (
        Column("model", "Model"),
        Column("seed", "Seed", True),
        Column("epochs", "Epochs", True),
        Column("best", "Best epoch", True),
        Column("stopped", "Stopped by"),
        Column("validation", "Best validation", True),
    )
    resumed = any(cell.record.get("resumed_from") is not None for runs in group for cell in runs.cells)
    if resumed:
        columns += (Column("resumed", "Resumed from", True),)
    rows = [row(_fit(cell, runs)[: len(columns)]) for runs in group for cell in runs.cells]
    return Table(
        f"fits-{place}", f"How training ended: {heading}", columns, tuple(rows), beside=True, caveats=group[0].shared
    )


def _fit(cell: CellResult, runs: ModelRuns) -> list[TableCell]:
    """How one fit ended, and last where it was taken up again."""
    record, link = cell.record, f"{runs.anchor}-seed-{cell.seed}"
    best = next(iter(record.get("validation", {}).values()), None)
    marks = ("open",) if str(record.get("stopped")).endswith(" limit") else ()  # of epochs, iterations or time
    resumed = record.get("resumed_from")
    return [
        TableCell(runs.model, color=runs.color, caveats=runs.own(cell)),
        TableCell(str(cell.seed), cell.seed, link=link),
        *(TableCell("–" if record.get(k) is None else str(record[k]), record.get(k), link=link)
          for k in ("epochs", "best_epoch")),
        TableCell(record.get("stopped") or "–", marks=marks), TableCell(fraction(best), best, link=link),
        TableCell("–" if resumed is None else f"epoch {resumed}", resumed),
    ]  # fmt: skip
