"""Slices: the primary metric in bins of the test set and at several cut-offs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.slices import SLICINGS
from evaluation.printed_numbers import count, fraction
from evaluation.results.cache import CachedCall, ResultCache
from evaluation.results.suite_results import CellResult
from reports.chapters.findings.row_means import Means, left_out, means_of_rows, row_means_call
from reports.document.blocks import Column, Figure, Section, Table, TableCell, Text, row
from reports.document.run_index import ModelRuns, RunGroup, RunIndex

_CUTS = (1, 5, 10, 20, 50, 100)


def slices_section(index: RunIndex, metric_name: str, cache: ResultCache) -> Section:
    """A figure and a table per data set and slicing."""
    metric = metric_named(metric_name)
    introduction = (
        "These slices are exploratory: means over seeds without tests. Treat a difference found here as a hypothesis "
        "for another suite.",
    )
    blocks: list[Any] = [Text("", introduction)]
    withheld: dict[str, list[str]] = {}
    for group in index.groups.values():
        found = means_of_rows(group, cache, functools.partial(slices_call, metric=metric))
        withheld[group.heading] = found.missing
        if found.rows:
            for name in found.rows[0][1].frame:
                blocks += _blocks(name, *aligned(name, found.rows), group)
    return Section("slices", "Slices", (*blocks, *left_out(withheld)))


def slices_call(runs: ModelRuns, metric: Metric) -> CachedCall:
    """The cached computation of all slices of one model on one data set."""
    return row_means_call("slices", metric.name, runs.cells, functools.partial(_slices, metric=metric))


def _slices(cells: Sequence[CellResult], metric: Metric) -> Means:
    """The metric by cut-off, then by every slicing with more than one bin; cells of a data set share test queries."""
    ranks = cells[0].ranks
    cuts = _cuts(metric, int(ranks.candidates.max()))
    frame: dict[str, Any] = {"cut": {"axis": "k", "bins": [str(k) for k in cuts], "metric": f"{metric.symbol}@k"}}
    values = {"cut": [float(np.mean([dataclasses.replace(metric, k=k).measure(cell.ranks) for cell in cells]))
                      for k in cuts]}  # fmt: skip
    for number, slicing in enumerate(SLICINGS):
        bins = slicing.of(ranks)
        if len(bins.names) > 1:
            name = f"bins-{number}"
            frame[name] = {"axis": bins.axis, "bins": list(bins.names), "metric": metric.name,
                           "queries": bins.sizes.tolist()}  # fmt: skip
            values[name] = np.mean([bins.measure(metric, cell.ranks) for cell in cells], axis=0).tolist()
    return Means(values, frame)


def _cuts(metric: Metric, largest: int) -> list[int]:
    """The cut-offs at which a metric is shown; none for one without."""
    if metric.cut_off == "none":
        return []
    return sorted({k for k in (*_CUTS, metric.k) if k is not None and k <= largest})


def aligned(
    name: str, rows: list[tuple[ModelRuns, Means]]
) -> tuple[dict[str, Any], list[tuple[ModelRuns, list[float | None]]]]:
    """The frame of one slicing with the bins that all rows have, and the values of each row in these.

    Ranks of another program may have more cut-offs, since their number of candidates is unknown.
    """
    frame = rows[0][1].frame[name]
    lines = [(runs, dict(zip(means.frame[name]["bins"], means.values[name], strict=True)))
             for runs, means in rows if name in means.values]  # fmt: skip
    shared = [n for n, title in enumerate(frame["bins"]) if all(title in values for _, values in lines)]
    frame = frame | {part: [frame[part][n] for n in shared] for part in ("bins", "queries") if part in frame}
    return frame, [(runs, [values[title] for title in frame["bins"]]) for runs, values in lines]


def _blocks(
    name: str, frame: dict[str, Any], lines: list[tuple[ModelRuns, list[float | None]]], group: RunGroup
) -> list[Figure | Table]:
    """The figure and the table of one slicing; none without bins."""
    if not frame["bins"]:
        return []
    anchor, title = f"{name}-{group.number}", f"{frame['metric']} by {frame['axis']}: {group.heading}"
    columns = (Column("model", "Model"), *(Column(name, name, True) for name in frame["bins"]))
    rows = [row([runs.name_cell(), *(TableCell(fraction(v), v, link=runs.anchor) for v in values)])
            for runs, values in lines]  # fmt: skip
    if "queries" in frame:
        link = group.finished[0].anchor
        entries = [TableCell("Test queries"), *(TableCell(count(n), n, link=link) for n in frame["queries"])]
        rows.append(row(entries, kind="reference"))
    data = {**frame, "lines": [_line(runs, values) for runs, values in lines]}
    return [Figure(f"{anchor}-figure", "lines", title, title + ".", data, group.caveats),
            Table(f"{anchor}-table", title, columns, tuple(rows), beside=True, caveats=group.caveats,
                  about=(*group.about, ("metric", frame["metric"])))]  # fmt: skip


def _line(runs: ModelRuns, values: list[float | None]) -> dict[str, Any]:
    return {"model": runs.model, "color": runs.color, "has_caveat": bool(runs.caveats), "values": values}
