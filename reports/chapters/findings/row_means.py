"""Means over the seeds of a row that need ranks; without ranks, joined from the means that bundles keep."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from evaluation.results.kept import kept_name
from evaluation.results.suite_results import CellResult, RanksWithheld
from reports.document.blocks import Text
from reports.document.run_index import ModelRuns, RunGroup


class Means(NamedTuple):
    """values: means over cells, by name; None where one is undefined. frame: what all rows of a test set share."""

    values: dict[str, list[float | None]]
    frame: Any = None


class GroupMeans(NamedTuple):
    """The rows of a group that have means, in order, and the models of those that have none."""

    rows: list[tuple[ModelRuns, Means]]
    missing: list[str]


def row_means_call(
    kind: str, about: Any, cells: Sequence[CellResult], compute: Callable[[Sequence[CellResult]], Means]
) -> CachedCall:
    """The cached computation of a row's means; ``about`` (JSON data) is all that determines them beside the cells."""
    inputs = [about, cell_fingerprints(cells)]
    return CachedCall(kind, inputs, functools.partial(_computed, about, cells, compute))


def means_of_rows(group: RunGroup, cache: ResultCache, call_of: Callable[[ModelRuns], CachedCall]) -> GroupMeans:
    """The means of the finished rows of a group."""
    found = [(runs, _row_means(cache, call_of(runs))) for runs in group.finished]
    rows = [(runs, means) for runs, means in found if means is not None]
    return GroupMeans(rows, [runs.model for runs, means in found if means is None])


def left_out(withheld: Mapping[str, Sequence[str]]) -> Iterator[Text]:
    """A text that names the models without means, by the heading of their group; none where there are none."""
    named = "; ".join(f"{', '.join(models)} on {heading}" for heading, models in withheld.items() if models)
    if named:
        yield Text("", (f"Left out: {named}. The bundles of these cells withhold the ranks and do not keep these means "
                        "for all seeds of the row.",))  # fmt: skip


def _computed(about: Any, cells: Sequence[CellResult], compute: Callable[[Sequence[CellResult]], Means]) -> Any:
    return {"about": about, "cells": [cell.key for cell in cells], **compute(cells)._asdict()}


def _row_means(cache: ResultCache, call: CachedCall) -> Means | None:
    try:
        found = cache.get(*call)
    except RanksWithheld:
        found = _joined(cache.kept, call)
        if found is not None and cache.seen is not None:  # so that a bundle of joined parts keeps them too
            cache.seen[kept_name(call.kind, call.inputs)] = found
    return None if found is None else Means(found["values"], found["frame"])


def _joined(kept: Mapping[str, Any], call: CachedCall) -> dict[str, Any] | None:
    """The means over all cells of a row, from those over disjoint parts of its cells, the largest first.

    None where a cell is in no part, or where parts have other bins.
    """
    about, keys = call.inputs[0], [cell["key"] for cell in call.inputs[1]]
    parts = [part for name, part in kept.items() if name.startswith(f"{call.kind}-") and isinstance(part, Mapping)]
    left, chosen = set(keys), []
    for part in sorted(parts, key=lambda part: -len(part["cells"])):
        fits = part["about"] == about and left.issuperset(part["cells"])
        if fits and (not chosen or part["frame"] == chosen[0]["frame"]):
            left -= set(part["cells"])
            chosen.append(part)
    if left:
        return None
    values = {name: _weighted([(len(part["cells"]), part["values"][name]) for part in chosen])
              for name in chosen[0]["values"]}  # fmt: skip
    return {"about": about, "cells": keys, "values": values, "frame": chosen[0]["frame"]}


def _weighted(parts: Sequence[tuple[int, Sequence[float | None]]]) -> list[float | None]:
    """The mean of means over so many cells each; None where a part has none."""
    total = sum(cells for cells, _ in parts)
    columns = zip(*(values for _, values in parts), strict=True)
    return [None if None in column else sum(n * v for (n, _), v in zip(parts, column, strict=True)) / total
            for column in columns]  # fmt: skip
