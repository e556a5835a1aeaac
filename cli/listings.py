"""Records that ``show`` and ``list`` print: stored cells, suites, models and data sets."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.lists.recommenders import recommenders
from harness.spec import expand, written_form
from harness.suites.load import SuiteNotLoadable, load_suite, suite_names
from recsys_data.datasets.imported import Imported

if TYPE_CHECKING:
    from evaluation.results.suite_results import CellFailure, CellResult, SuiteResults

_LABELS = ("dataset", "protocol", "model", "seed")


def cell_rows(results: SuiteResults) -> list[dict[str, Any]]:
    """One flat record per cell of a suite: labels, state, key, metrics (lower-case names), costs, reason."""
    metrics = results.record["metrics"]
    rows = []
    for cell in results.cells:
        record = cell.record
        seconds = round(sum(record["seconds"].values()), 6) if record["seconds"] else None
        rows.append({
            **_labels(cell), "state": "DONE", "key": cell.key,
            **{name.lower(): cell.metrics.get(name) for name in metrics},
            "seconds": seconds, "peak_memory_mb": record["peak_memory_mb"],
            "epochs": record["epochs"], "targets_per_second": record["targets_per_second"],
            "device": record["device"], "engine": record["engine"], "caveats": cell.caveats, "reason": "",
        })  # fmt: skip
    for failure in results.failures:
        rows.append({
            **_labels(failure), "state": failure.state, "key": failure.key or None,
            **{name.lower(): None for name in metrics},
            "seconds": None, "peak_memory_mb": None, "epochs": None, "targets_per_second": None, "device": None,
            "engine": None, "caveats": [], "reason": failure.reason,
        })  # fmt: skip
    order = {_name(entry): number for number, entry in enumerate(results.record["cells"])}
    return sorted(rows, key=lambda row: order[_name(row)])


def _labels(cell: CellResult | CellFailure) -> dict[str, Any]:
    return {name: getattr(cell, name) for name in _LABELS}


def _name(row: Mapping[str, Any]) -> tuple:
    return tuple(row[name] for name in _LABELS)


def suite_rows(folder: Any = None) -> list[dict[str, Any]]:
    """One record per suite of the checkout: title, cells, present and missing data, or its load error."""
    rows = []
    for name in suite_names():
        try:
            suite = load_suite(name)
        except SuiteNotLoadable as error:
            rows.append({"name": name, "title": f"does not load: {error}", "cells": None, "datasets": [],
                         "present": [], "missing": []})  # fmt: skip
            continue
        datasets = {e.dataset.name: e.dataset for e in suite.experiments}
        present = [label for label, dataset in datasets.items() if dataset.present(folder)]
        rows.append({
            "name": name, "title": suite.title, "cells": sum(1 for _ in expand(suite)), "datasets": list(datasets),
            "present": present, "missing": [label for label in datasets if label not in present],
        })  # fmt: skip
    return rows


def result_rows(results: Path) -> list[dict[str, Any]]:
    """One record per stored suite or variant: name, title, finished cells of all, when it ran."""
    from evaluation.results.suite_results import read_suite, stored_names

    rows = []
    for name in stored_names(results):
        found = read_suite(results, name)
        rows.append({
            "name": name, "title": found.record["title"], "done": len(found.cells),
            "cells": len(found.cells) + len(found.failures), "created": found.record.get("created", ""),
        })  # fmt: skip
    return rows


def model_rows(packages: Sequence[str]) -> list[dict[str, Any]]:
    """One record per recommender: name, family, first line of its docstring, fields and their defaults."""
    found = {}
    for kind in recommenders(packages):
        fields = {f.name: _default(f) for f in dataclasses.fields(kind) if f.init}
        found[kind.__name__] = {
            "name": kind.__name__, "family": kind.family, "deterministic": bool(kind.deterministic),
            "module": kind.__module__, "about": (inspect.getdoc(kind) or "").split("\n")[0], "fields": fields,
        }  # fmt: skip
    return sorted(found.values(), key=lambda row: (row["family"], row["name"]))


def _default(field: dataclasses.Field) -> Any:
    """A field's default as JSON data; None without a default."""
    if field.default is not dataclasses.MISSING:
        return written_form(field.default)
    return written_form(field.default_factory()) if field.default_factory is not dataclasses.MISSING else None


def dataset_rows(datasets: Mapping[str, Any], folder: Any) -> list[dict[str, Any]]:
    """One record per data set: built in or imported, counts, licence, and whether its files are present."""
    rows = []
    for dataset in datasets.values():
        title, counts = dataset.title, {}
        if dataset.expected is not None:
            counts = dataclasses.asdict(dataset.expected)
        elif isinstance(dataset, Imported):
            try:
                counts = dataset.record(folder)
            except ValueError as error:
                title = f"cannot be read: {error}"
        rows.append({
            "name": dataset.name, "title": title, "origin": "imported" if isinstance(dataset, Imported) else "built-in",
            "present": bool(dataset.present(folder)), "events": counts.get("events"), "users": counts.get("users"),
            "items": counts.get("items"), "licence": dataset.licence,
        })  # fmt: skip
    return rows
