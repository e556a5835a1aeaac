"""Slices: the same ranks by history length, by how popular the target is, and against the cut-off."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.metrics import Metric, metric_named
from evaluation.ranks import RankTable
from reports.blocks import Column, Entry, Picture, Section, Table, Words, row
from reports.numbers import count, fraction
from reports.roster import Roster, Runs

_EDGES = (0, 1, 2, 3, 6, 11, 21, 51, 101, 201, 501)
_CUTS = (1, 5, 10, 20, 50, 100)
_FEWEST = 20  # queries; a bin with fewer is joined to its neighbour
_COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied")


@dataclass(frozen=True, eq=False)
class Bins:
    """Named masks over the rows of a test set."""

    axis: str
    names: list[str]
    masks: list[np.ndarray]


def slices_section(roster: Roster, metric_name: str) -> Section:
    """A picture and a table for each data set and way of slicing."""
    metric = metric_named(metric_name)
    words = (
        "These slices are exploratory: means over seeds without tests. A difference that matters here is a "
        "question for the next suite, not an answer of this one.",
    )
    blocks: list[Any] = [Words("", words)]
    for (dataset, protocol), group in roster.groups.items():
        done = [runs for runs in group if runs.cells]
        if not done:
            continue
        heading, place = roster.heading(dataset, protocol), done[0].place
        ranks = done[0].cells[0].ranks
        ways = [("cut", _against_k(done, metric))]
        for number, bins in enumerate((by_history(ranks), by_popularity(ranks))):
            if len(bins.names) > 1:
                ways.append((f"bins-{number}", _by(done, bins, metric)))
        for name, data in ways:
            blocks += _blocks(f"{name}-{place}", heading, data, done)
    return Section("slices", "Slices", tuple(blocks))


def by_history(ranks: RankTable) -> Bins:
    """Rows by the number of events read; a bin of few rows is joined to the next (the last to the one before)."""
    longest = int(ranks.history.max())
    cuts = [e for e in _EDGES if e <= longest]
    edges = [cuts[0]]
    for cut in cuts[1:]:
        if np.count_nonzero((ranks.history >= edges[-1]) & (ranks.history < cut)) >= _FEWEST:
            edges.append(cut)
    if len(edges) > 1 and np.count_nonzero(ranks.history >= edges[-1]) < _FEWEST:
        edges.pop()
    edges.append(longest + 1)
    pairs = list(itertools.pairwise(edges))
    names = [str(left) if right == left + 1 else f"{left}–{right - 1}" for left, right in pairs]
    return Bins("events read", names, [(ranks.history >= left) & (ranks.history < right) for left, right in pairs])


def by_popularity(ranks: RankTable) -> Bins:
    """Rows by the target's place in the training counts: thirds of all training events, and unseen targets."""
    counts = ranks.item_counts
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    third = np.empty(len(counts), dtype=np.int64)
    third[order] = np.minimum(2, 3 * before // max(1, counts.sum()))
    third[counts == 0] = 3
    of_row = np.where(ranks.target >= 0, third[np.maximum(ranks.target, 0)], 3)
    names = ["head third", "middle third", "tail third", "unseen"]
    kept = [n for n in range(4) if np.count_nonzero(of_row == n) >= _FEWEST]
    return Bins("popularity of the target", [names[n] for n in kept], [of_row == n for n in kept])


def part(ranks: RankTable, mask: np.ndarray) -> RankTable:
    """The rows of a rank table where ``mask`` is true."""
    return dataclasses.replace(ranks, **{name: getattr(ranks, name)[mask] for name in _COLUMNS}, top_items=None)


def _by(done: list[Runs], bins: Bins, metric: Metric) -> dict[str, Any]:
    """The metric in every bin, the mean over seeds; the cells of one data set share their test rows."""
    lines = []
    for runs in done:
        values = [
            float(np.mean([metric.measure(part(cell.ranks, mask)) for cell in runs.cells])) for mask in bins.masks
        ]
        lines.append(_line(runs, values))
    return {"axis": bins.axis, "bins": bins.names, "lines": lines, "metric": metric.name,
            "queries": [int(np.count_nonzero(mask)) for mask in bins.masks]}  # fmt: skip


def _against_k(done: list[Runs], metric: Metric) -> dict[str, Any]:
    """The metric at other cut-offs, the mean over seeds."""
    most = int(done[0].cells[0].ranks.candidates.max())
    cuts = sorted({k for k in (*_CUTS, metric.k) if k is not None and k <= most})
    if metric.cut_off == "none":
        cuts = []
    lines = [_line(runs, [float(np.mean([dataclasses.replace(metric, k=k).measure(cell.ranks) for cell in runs.cells]))
                          for k in cuts]) for runs in done]  # fmt: skip
    return {"axis": "k", "bins": [str(k) for k in cuts], "lines": lines, "metric": f"{metric.symbol}@k"}


def _line(runs: Runs, values: list[float]) -> dict[str, Any]:
    return {"model": runs.model, "color": runs.color, "stamped": bool(runs.stamps), "values": values}


def _blocks(anchor: str, heading: str, data: dict[str, Any], done: list[Runs]) -> list[Picture | Table]:
    """The picture and the table of one way of slicing."""
    if not data["bins"]:
        return []
    title = f"{data['metric']} by {data['axis']}: {heading}"
    columns = (Column("model", "Model"), *(Column(name, name, True) for name in data["bins"]))
    rows = [row([runs.label(), *(Entry(fraction(v), v, link=runs.anchor) for v in line["values"])])
            for runs, line in zip(done, data["lines"], strict=True)]  # fmt: skip
    if "queries" in data:
        entries = [Entry("Test rows"), *(Entry(count(n), n) for n in data["queries"])]
        rows.append(row(entries, kind="reference"))
    return [Picture(f"{anchor}-picture", "lines", title, title + ".", data, done[0].shared),
            Table(f"{anchor}-table", title, columns, tuple(rows), beside=True, stamps=done[0].shared)]  # fmt: skip
