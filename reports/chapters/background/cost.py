"""Cost: time, throughput, memory and energy of each model, and accuracy against training time."""

from __future__ import annotations

from typing import Any

from evaluation.printed_numbers import count, energy, format_number, format_seconds, join_words, memory
from reports.document.blocks import Column, Figure, Section, Table, TableCell, Text, row
from reports.document.run_index import ModelRuns, RunGroup, RunIndex

_COLUMNS = (
    Column("model", "Model"),
    Column("parameters", "Parameters", True, "trained parameters"),
    Column("epochs", "Epochs", True, "epochs run; best epoch on validation in brackets"),
    Column("fit", "Fit", True, "training time, mean over seeds"),
    Column("score", "Score", True, "evaluation time, mean over seeds"),
    Column("rate", "Trained targets/s", True, "training targets per second in the median epoch, mean over seeds"),
    Column("score_rate", "Ranked queries/s", True, "test queries ranked per second, mean over seeds"),
    Column("memory", "Peak memory", True, "of the process, maximum over seeds"),
)
_GPU = Column("gpu_memory", "Peak GPU memory", True, "allocated by torch, maximum over seeds")
_ENERGY = Column("energy", "Energy", True, "training and evaluation, mean over seeds, from hardware counters")
_NO_COUNTER = (
    "Energy is not reported: no energy counter was readable where these cells ran (neither RAPL of the processor nor "
    "NVML of a GPU). Time multiplied by an assumed power is not a measurement."
)
_ALL_NAMED = 6  # points; a figure of so few always has room for their names
_NOT_RECORDED = "Energy is not reported: it was not recorded when these cells ran."
_COUNTED = (
    "Energy is read from the counters of the whole processor (RAPL) and the whole GPU (NVML). It includes concurrent "
    "work, so it is an upper estimate of the energy of a run."
)


def cost_section(index: RunIndex, metric: str) -> Section:
    """Cost of each model: a figure and a table per data set."""
    cells = index.results.cells
    recorded = any(cell.record.get("energy") for cell in cells)
    counted = any((cell.record.get("energy") or {}).get("counters") for cell in cells)
    on_gpu = any(cell.record.get("peak_gpu_memory_mb") for cell in cells)
    columns = (*_COLUMNS, *([_GPU] if on_gpu else []), *([_ENERGY] if counted else []))
    blocks: list[Any] = []
    for group in index.groups.values():
        if not group.finished:
            continue
        figure = _pareto(group, metric)
        blocks += [figure] if figure else []
        rows = tuple(row(_entries(runs, columns)) for runs in group.finished)
        blocks.append(Table(f"cost-{group.number}", f"Cost: {group.heading}", columns, rows,
                            (_machines(group.finished),), beside=True, caveats=group.caveats,
                            about=group.about))  # fmt: skip
    times = (
        "Times are wall-clock times. They depend on the machine and its other load, so they are indicative and not "
        "tested. The first fit may include JIT compilation. Peak memory is that of the whole process, which may have "
        "run other cells before."
    )
    energy_note = _COUNTED if counted else _NO_COUNTER if recorded else _NOT_RECORDED
    return Section("cost", "Cost", (Text("", (times, energy_note)), *blocks))


def _pareto(group: RunGroup, metric: str) -> Figure | None:
    """Accuracy against training time; None for fewer than two models with a training time."""
    points = [
        {"model": r.model, "color": r.color, "has_caveat": bool(r.caveats), "x": r.mean("seconds", "fit"), "y": y}
        for r in group.finished
        if (y := r.mean("metrics", metric)) is not None and (r.mean("seconds", "fit") or 0) > 0
    ]
    if len(points) < 2:
        return None
    caption = (f"{metric} against training time on {group.heading}. Upper left is better; the line joins the models "
               "on the Pareto front.")  # fmt: skip
    if len(points) > _ALL_NAMED:
        caption += " Markers without room for a name have the shape and colour shown in the table."
    absent = [r.model for r in group.finished if r.model not in {p["model"] for p in points}]
    if absent:
        caption += f" Not shown, without a measured training time: {join_words(absent)}."
    label, data = f"{metric} against training time on {group.heading}", {"metric": metric, "points": points}
    return Figure(f"pareto-{group.number}", "pareto", label, caption, data, group.caveats)


def _entries(runs: ModelRuns, columns: tuple[Column, ...]) -> list[TableCell]:
    """The table cells of one model."""
    link = runs.anchor
    fit, score = runs.mean("seconds", "fit"), runs.mean("seconds", "score")
    rate, parameters = runs.mean("targets_per_second"), runs.mean("parameters")
    queries = runs.mean("counts", "test_queries")
    ranked = queries / score if queries and score else None
    peak = _largest(runs, "peak_memory_mb")
    if any("elsewhere" in cell.record for cell in runs.cells):
        unknown = TableCell("computed elsewhere", link=link, marks=("quiet",))
        return [runs.name_cell(), *[unknown] * (len(columns) - 1)]
    entries = [
        runs.name_cell(), TableCell(count(parameters), parameters, link=link), _epochs(runs),
        TableCell(format_seconds(fit), fit, link=link), TableCell(format_seconds(score), score, link=link),
        TableCell(format_number(rate, 3), rate, link=link), TableCell(format_number(ranked, 3), ranked, link=link),
        TableCell(memory(peak), peak, link=link),
    ]  # fmt: skip
    if _GPU in columns:
        peak = _largest(runs, "peak_gpu_memory_mb")
        entries.append(TableCell(memory(peak), peak, link=link))
    if _ENERGY in columns:
        parts = [part for name in ("cpu_joules", "gpu_joules") if (part := runs.mean("energy", name)) is not None]
        joules = sum(parts) if parts else None
        entries.append(TableCell(energy(joules), joules, link=link))
    return entries


def _largest(runs: ModelRuns, name: str) -> float | None:
    """Maximum over seeds of a number in the cell records."""
    return max((c.record[name] for c in runs.cells if c.record.get(name) is not None), default=None)


def _epochs(runs: ModelRuns) -> TableCell:
    """Epochs run and best epoch, as a range over seeds."""
    ran = [c.record["epochs"] for c in runs.cells if c.record.get("epochs") is not None]
    best = [c.record["best_epoch"] for c in runs.cells if c.record.get("best_epoch") is not None]
    if not ran:
        return TableCell("–")
    text = f"{_range(ran)} ({_range(best)})" if best else _range(ran)
    return TableCell(text, sum(ran) / len(ran), link=runs.anchor)


def _range(numbers: list[int]) -> str:
    """6, or 4–6."""
    return str(min(numbers)) if min(numbers) == max(numbers) else f"{min(numbers)}–{max(numbers)}"


def _machines(done: list[ModelRuns]) -> str:
    """The machines that the cells ran on."""
    names = {f"{c.record.get('device_name') or c.record['device']} ({c.record['device']}, "
             f"{c.record.get('threads')} thread{'' if c.record.get('threads') == 1 else 's'})"
             for r in done for c in r.cells if "elsewhere" not in c.record}  # fmt: skip
    return "Ran on " + "; ".join(sorted(names)) + "." if names else "Computed elsewhere; costs are not known here."
