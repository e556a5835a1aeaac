"""Slices: the primary metric in bins of the test set and at several cut-offs."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.slices import SLICINGS, Bins
from evaluation.printed_numbers import count, fraction
from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from reports.chapters.findings.withheld import found_or_none, left_out
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
    withheld: list[str] = []
    for group in index.groups.values():
        if group.finished:
            found = found_or_none(cache, slices_call(group, metric))
            if found is None:
                withheld.append(group.heading)
            for name, data in found or ():
                blocks += _blocks(name, data, group)
    return Section("slices", "Slices", (*blocks, *left_out(withheld)))


def slices_call(group: RunGroup, metric: Metric) -> CachedCall:
    """The cached computation of all slices of one data set."""
    done = group.finished
    inputs = [
        metric.name,
        [[r.model, r.color, bool(r.caveats)] for r in done],
        [cell_fingerprints(r.cells) for r in done],
    ]
    return CachedCall("slices", inputs, functools.partial(_slices, done, metric))


def _slices(done: list[ModelRuns], metric: Metric) -> list[tuple[str, dict[str, Any]]]:
    """The metric by cut-off, then by every slicing with more than one bin here; by name."""
    found = [("cut", _by_cut_off(done, metric))]
    for number, slicing in enumerate(SLICINGS):
        bins = slicing.of(done[0].cells[0].ranks)
        if len(bins.names) > 1:
            found.append((f"bins-{number}", _by_bin(done, bins, metric)))
    return found


def _by_bin(done: list[ModelRuns], bins: Bins, metric: Metric) -> dict[str, Any]:
    """Mean over seeds of the metric in every bin; the cells of one data set share their test queries."""
    lines = []
    for runs in done:
        values = np.mean([bins.measure(metric, cell.ranks) for cell in runs.cells], axis=0)
        lines.append(_line(runs, values.tolist()))
    return {"axis": bins.axis, "bins": list(bins.names), "lines": lines, "metric": metric.name,
            "queries": bins.sizes.tolist()}  # fmt: skip


def _by_cut_off(done: list[ModelRuns], metric: Metric) -> dict[str, Any]:
    """Mean over seeds of the metric at several cut-offs."""
    largest = int(done[0].cells[0].ranks.candidates.max())
    cuts = sorted({k for k in (*_CUTS, metric.k) if k is not None and k <= largest})
    if metric.cut_off == "none":
        cuts = []
    lines = [_line(runs, [float(np.mean([dataclasses.replace(metric, k=k).measure(cell.ranks) for cell in runs.cells]))
                          for k in cuts]) for runs in done]  # fmt: skip
    return {"axis": "k", "bins": [str(k) for k in cuts], "lines": lines, "metric": f"{metric.symbol}@k"}


def _line(runs: ModelRuns, values: list[float]) -> dict[str, Any]:
    return {"model": runs.model, "color": runs.color, "has_caveat": bool(runs.caveats), "values": values}


def _blocks(name: str, data: dict[str, Any], group: RunGroup) -> list[Figure | Table]:
    """The figure and the table of one slicing; none without bins."""
    if not data["bins"]:
        return []
    anchor, title = f"{name}-{group.number}", f"{data['metric']} by {data['axis']}: {group.heading}"
    columns = (Column("model", "Model"), *(Column(name, name, True) for name in data["bins"]))
    rows = [row([runs.name_cell(), *(TableCell(fraction(v), v, link=runs.anchor) for v in line["values"])])
            for runs, line in zip(group.finished, data["lines"], strict=True)]  # fmt: skip
    if "queries" in data:
        link = group.finished[0].anchor
        entries = [TableCell("Test queries"), *(TableCell(count(n), n, link=link) for n in data["queries"])]
        rows.append(row(entries, kind="reference"))
    return [Figure(f"{anchor}-figure", "lines", title, title + ".", data, group.caveats),
            Table(f"{anchor}-table", title, columns, tuple(rows), beside=True, caveats=group.caveats,
                  about=(*group.about, ("metric", data["metric"])))]  # fmt: skip
