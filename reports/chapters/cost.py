"""Cost: time, throughput, memory, and accuracy against them."""

from __future__ import annotations

from typing import Any

from reports.document.blocks import Column, Figure, Section, Table, TableCell, Text, row
from reports.document.numbers import count, energy, format_number, format_seconds, join_words, memory
from reports.document.run_index import ModelRuns, RunIndex

_COLUMNS = (
    Column("model", "Model"),
    Column("parameters", "Parameters", True, "learnt numbers"),
    Column("epochs", "Epochs", True, "run; the best on validation in brackets"),
    Column("fit", "Fit", True, "seconds of training, mean over seeds"),
    Column("score", "Score", True, "seconds of evaluation, mean over seeds"),
    Column("rate", "Trained targets/s", True, "training targets per second, median epoch, mean over seeds"),
    Column("score_rate", "Ranked queries/s", True, "test queries ranked per second, mean over seeds"),
    Column("memory", "Peak memory", True, "of the process, largest over seeds"),
)
_GPU = Column("gpu_memory", "Peak GPU memory", True, "held by torch, largest over seeds")
_ENERGY = Column("energy", "Energy", True, "fit and evaluation, mean over seeds, from the machine's counters")
_NO_COUNTER = (
    "Energy is not given: no counter of it could be read where these cells ran (neither RAPL of the processor nor NVML "
    "of a GPU), and time multiplied by a guess of the power would be no measurement."
)
_NAMED = 6  # points of a figure that have room for their names wherever they lie
_NOT_RECORDED = "Energy is not given: it was not recorded when these cells were computed."
_COUNTED = (
    "Energy is read from the counters of the whole processor (RAPL) and the whole GPU (NVML), so that other work "
    "beside a run is in it: an estimate of its own share, from above."
)


def cost_section(index: RunIndex, metric: str) -> Section:
    """What each model cost, a table and a picture for each data set."""
    cells = index.results.cells
    recorded = any(cell.record.get("energy") for cell in cells)
    counted = any((cell.record.get("energy") or {}).get("counters") for cell in cells)
    on_gpu = any(cell.record.get("peak_gpu_memory_mb") for cell in cells)
    columns = (*_COLUMNS, *([_GPU] if on_gpu else []), *([_ENERGY] if counted else []))
    blocks: list[Any] = []
    for (dataset, protocol), group in index.groups.items():
        done = [runs for runs in group if runs.cells]
        if not done:
            continue
        heading, place = index.heading(dataset, protocol), done[0].place
        picture = _pareto(done, metric, heading, place)
        blocks += [picture] if picture else []
        rows = tuple(row(_entries(runs, columns)) for runs in done)
        notes = (_machines(done),)
        blocks.append(
            Table(f"cost-{place}", f"Cost: {heading}", columns, rows, notes, beside=True, caveats=done[0].shared)
        )
    words = (
        "Times are wall-clock seconds and depend on the machine and on what else it did; they are indications, not "
        "tests. A model's first fit may hold the compiling of its loops. Peak memory is that of the whole process, "
        "which may have computed other cells before."
    )
    of_energy = _COUNTED if counted else _NO_COUNTER if recorded else _NOT_RECORDED
    return Section("cost", "Cost", (Text("", (words, of_energy)), *blocks))


def _pareto(done: list[ModelRuns], metric: str, heading: str, place: int) -> Figure | None:
    """Accuracy against seconds of training; None for fewer than two models that took any."""
    points = [
        {"model": r.model, "color": r.color, "has_caveat": bool(r.caveats), "x": r.mean("seconds", "fit"), "y": y}
        for r in done
        if (y := r.mean("metrics", metric)) is not None and (r.mean("seconds", "fit") or 0) > 0
    ]
    if len(points) < 2:
        return None
    caption = (f"{metric} against training time on {heading}. Up and to the left is better; the line joins models that "
               "no other beats in both.")  # fmt: skip
    if len(points) > _NAMED:
        caption += " A mark that has no room for its name is told by its form and colour, as in the table."
    absent = [r.model for r in done if r.model not in {p["model"] for p in points}]
    if absent:
        caption += f" Not drawn, since no training time was measured: {join_words(absent)}."
    label = f"{metric} against seconds of training on {heading}"
    return Figure(f"pareto-{place}", "pareto", label, caption, {"metric": metric, "points": points}, done[0].shared)


def _entries(runs: ModelRuns, columns: tuple[Column, ...]) -> list[TableCell]:
    """One row of the table."""
    link = runs.anchor
    fit, score = runs.mean("seconds", "fit"), runs.mean("seconds", "score")
    rate, parameters = runs.mean("targets_per_second"), runs.mean("parameters")
    asked = runs.mean("counts", "test_queries")
    ranked = asked / score if asked and score else None
    peak = _largest(runs, "peak_memory_mb")
    entries = [
        runs.label(), TableCell(count(parameters), parameters, link=link), _epochs(runs),
        TableCell(format_seconds(fit), fit, link=link), TableCell(format_seconds(score), score, link=link),
        TableCell(format_number(rate, 3), rate, link=link), TableCell(format_number(ranked, 3), ranked, link=link),
        TableCell(memory(peak), peak, link=link),
    ]  # fmt: skip
    if _GPU in columns:
        held = _largest(runs, "peak_gpu_memory_mb")
        entries.append(TableCell(memory(held), held, link=link))
    if _ENERGY in columns:
        parts = [part for name in ("cpu_joules", "gpu_joules") if (part := runs.mean("energy", name)) is not None]
        joules = sum(parts) if parts else None
        entries.append(TableCell(energy(joules), joules, link=link))
    return entries


def _largest(runs: ModelRuns, name: str) -> float | None:
    """The largest over seeds of a number in the cell records."""
    return max((c.record[name] for c in runs.cells if c.record.get(name) is not None), default=None)


def _epochs(runs: ModelRuns) -> TableCell:
    """Epochs run and best epoch, as a range over seeds."""
    ran = [c.record["epochs"] for c in runs.cells if c.record.get("epochs") is not None]
    best = [c.record["best_epoch"] for c in runs.cells if c.record.get("best_epoch") is not None]
    if not ran:
        return TableCell("–")
    said = f"{_range(ran)} ({_range(best)})" if best else _range(ran)
    return TableCell(said, sum(ran) / len(ran), link=runs.anchor)


def _range(numbers: list[int]) -> str:
    """6, or 4–6."""
    return str(min(numbers)) if min(numbers) == max(numbers) else f"{min(numbers)}–{max(numbers)}"


def _machines(done: list[ModelRuns]) -> str:
    """On what the cells ran."""
    names = {f"{c.record.get('device_name') or c.record['device']} ({c.record['device']}, "
             f"{c.record.get('threads')} thread{'' if c.record.get('threads') == 1 else 's'}, "
             f"{c.record.get('precision')})" for r in done for c in r.cells}  # fmt: skip
    return "Ran on " + "; ".join(sorted(names)) + "."
