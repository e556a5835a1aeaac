"""Slices: the same ranks in bins of the test set, and against the cut-off."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.slices import SLICINGS, Bins
from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from reports.document.blocks import Column, Figure, Section, Table, TableCell, Text, row
from reports.document.numbers import count, fraction
from reports.document.run_index import ModelRuns, RunIndex

_CUTS = (1, 5, 10, 20, 50, 100)


def slices_section(index: RunIndex, metric_name: str, cache: ResultCache) -> Section:
    """A picture and a table for each data set and way of slicing."""
    metric = metric_named(metric_name)
    words = (
        "These slices are exploratory: means over seeds without tests. A difference that matters here is a "
        "call for the next suite, not an answer of this one.",
    )
    blocks: list[Any] = [Text("", words)]
    for (dataset, protocol), group in index.groups.items():
        done = [runs for runs in group if runs.cells]
        if not done:
            continue
        heading, place = index.heading(dataset, protocol), done[0].place
        for name, data in cache.get(*slices_call(done, metric)):
            blocks += _blocks(f"{name}-{place}", heading, data, done)
    return Section("slices", "Slices", tuple(blocks))


def slices_call(done: list[ModelRuns], metric: Metric) -> CachedCall:
    """What is asked of the cache for one data set."""
    asked = [
        metric.name,
        [[r.model, r.color, bool(r.caveats)] for r in done],
        [cell_fingerprints(r.cells) for r in done],
    ]
    return CachedCall("slices", asked, functools.partial(_ways, done, metric))


def _ways(done: list[ModelRuns], metric: Metric) -> list[tuple[str, dict[str, Any]]]:
    """Every way of slicing that has more than one bin here, by name."""
    ways = [("cut", _against_k(done, metric))]
    for number, slicing in enumerate(SLICINGS):
        bins = slicing.of(done[0].cells[0].ranks)
        if len(bins.names) > 1:
            ways.append((f"bins-{number}", _by(done, bins, metric)))
    return ways


def _by(done: list[ModelRuns], bins: Bins, metric: Metric) -> dict[str, Any]:
    """The metric in every bin, the mean over seeds; the cells of one data set share their test rows."""
    lines = []
    for runs in done:
        values = np.mean([bins.measure(metric, cell.ranks) for cell in runs.cells], axis=0)
        lines.append(_line(runs, values.tolist()))
    return {"axis": bins.axis, "bins": list(bins.names), "lines": lines, "metric": metric.name,
            "queries": bins.sizes.tolist()}  # fmt: skip


def _against_k(done: list[ModelRuns], metric: Metric) -> dict[str, Any]:
    """The metric at other cut-offs, the mean over seeds."""
    most = int(done[0].cells[0].ranks.candidates.max())
    cuts = sorted({k for k in (*_CUTS, metric.k) if k is not None and k <= most})
    if metric.cut_off == "none":
        cuts = []
    lines = [_line(runs, [float(np.mean([dataclasses.replace(metric, k=k).measure(cell.ranks) for cell in runs.cells]))
                          for k in cuts]) for runs in done]  # fmt: skip
    return {"axis": "k", "bins": [str(k) for k in cuts], "lines": lines, "metric": f"{metric.symbol}@k"}


def _line(runs: ModelRuns, values: list[float]) -> dict[str, Any]:
    return {"model": runs.model, "color": runs.color, "has_caveat": bool(runs.caveats), "values": values}


def _blocks(anchor: str, heading: str, data: dict[str, Any], done: list[ModelRuns]) -> list[Figure | Table]:
    """The picture and the table of one way of slicing."""
    if not data["bins"]:
        return []
    title = f"{data['metric']} by {data['axis']}: {heading}"
    columns = (Column("model", "Model"), *(Column(name, name, True) for name in data["bins"]))
    rows = [row([runs.label(), *(TableCell(fraction(v), v, link=runs.anchor) for v in line["values"])])
            for runs, line in zip(done, data["lines"], strict=True)]  # fmt: skip
    if "queries" in data:
        entries = [TableCell("Test rows"), *(TableCell(count(n), n) for n in data["queries"])]
        rows.append(row(entries, kind="reference"))
    return [Figure(f"{anchor}-figure", "lines", title, title + ".", data, done[0].shared),
            Table(f"{anchor}-table", title, columns, tuple(rows), beside=True, caveats=done[0].shared)]  # fmt: skip
