"""Rows that the command line prints: of a plan, of a suite's stored cells, of what can be listed."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cli.progress_display import duration
from evaluation.results.suite_results import SuiteResults
from harness.cells.keys import engine_of
from harness.running.estimates import Cost
from harness.running.plan import Plan
from harness.spec import describe, expand
from harness.suites.load import SuiteNotLoadable, load_suite, suite_names


def shown_cells(results: SuiteResults) -> list[dict[str, Any]]:
    """Every cell of a suite as a flat record: names, state, key, each metric in small letters, costs, reason."""
    wanted = results.record["metrics"]
    rows = []
    for cell in results.cells:
        record = cell.record
        rows.append({
            "dataset": cell.dataset, "protocol": cell.protocol, "model": cell.model, "seed": cell.seed,
            "state": "DONE", "key": cell.key, **{name.lower(): cell.metrics.get(name) for name in wanted},
            "seconds": round(sum(record["seconds"].values()), 6), "peak_memory_mb": record["peak_memory_mb"],
            "epochs": record["epochs"], "targets_per_second": record["targets_per_second"],
            "device": record["device"], "engine": record["engine"], "stamps": cell.stamps, "reason": "",
        })  # fmt: skip
    for failure in results.failures:
        rows.append({
            "dataset": failure.dataset, "protocol": failure.protocol, "model": failure.model, "seed": failure.seed,
            "state": failure.state, "key": failure.key or None, **{name.lower(): None for name in wanted},
            "seconds": None, "peak_memory_mb": None, "epochs": None, "targets_per_second": None, "device": None,
            "engine": None, "stamps": [], "reason": failure.reason,
        })  # fmt: skip
    order = {_name(entry): number for number, entry in enumerate(results.record["cells"])}
    return sorted(rows, key=lambda row: order[_name(row)])


def engine_column(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The name of the column that tells the engines apart, or nothing where no cell has one."""
    return ["engine"] if any(row["engine"] for row in rows) else []


def _name(row: Any) -> tuple:
    return tuple(row[name] for name in ("dataset", "protocol", "model", "seed"))


def shown_plan(plan: Plan) -> list[dict[str, Any]]:
    """Every cell of a plan as a flat record."""
    return [
        {
            "suite": plan.bench.suite.name,
            "dataset": p.cell.dataset,
            "protocol": p.cell.protocol,
            "model": p.cell.model_name,
            "seed": p.cell.seed,
            "state": p.state,
            "engine": engine_of(p.cell.model, plan.bench.order.device),
            "why": p.why,
            "seconds": p.estimate.seconds,
            "memory_mb": p.estimate.memory_mb,
            "disk_mb": p.estimate.disk_mb,
            "basis": p.estimate.basis,
            "key": p.key or None,
            "command": p.command,
        }
        for p in plan.cells
        if p.state != "left out"
    ]


def plan_words(plan: Plan, jobs: int) -> str:
    """The plan in one sentence: how many of each state, and what is to do will cost."""
    counts = Counter(planned.state for planned in plan.cells)
    words = ", ".join(f"{number} {state}" for state, number in counts.items())
    return f"{words}; {cost_words(plan.cost(jobs), jobs)}"


def cost_words(cost: Cost, jobs: int) -> str:
    """What is to compute and what it will take, as far as it is known, and what is not."""
    if not cost.cells:
        return "nothing to compute"
    with_jobs = f"with {jobs} job{'s' * (jobs > 1)}"
    never = f"never run before: {', '.join(cost.unknown)}"
    if not cost.known:
        return f"{cost.cells} to compute, how long is not known ({never})"
    part = "" if cost.known == cost.cells else f" for {cost.known} of them"
    known = f"about {duration(cost.seconds)}{part} {with_jobs}, {size(cost.memory_mb)} of memory"
    disk = f", {size(cost.disk_mb)} of disk" if cost.disk_mb else ""
    rest = f"; not known for {cost.cells - cost.known} ({never})" if cost.unknown else ""
    return f"{cost.cells} to compute, {known}{disk}{rest}"


def size(megabytes: float | None) -> str:
    """An amount of memory or disk in a reader's units; a dash where it is unknown."""
    if megabytes is None:
        return "–"
    return f"{megabytes / 1000:,.1f} GB" if megabytes >= 1000 else f"{megabytes:,.1f} MB"


def listed_suites(folder: Any = None) -> list[dict[str, Any]]:
    """The checkout's suites with title, number of cells and which data are there; one that does not load says why."""
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


def listed_models(packages: Sequence[str]) -> list[dict[str, Any]]:
    """Every recommender of the packages: name, family, first line of its docstring, its fields and their defaults."""
    found = {}
    for kind in recommenders(packages):
        fields = {f.name: _default(f) for f in dataclasses.fields(kind) if f.init}
        found[kind.__name__] = {
            "name": kind.__name__, "family": kind.family, "deterministic": bool(kind.deterministic),
            "module": kind.__module__, "about": (inspect.getdoc(kind) or "").split("\n")[0], "fields": fields,
        }  # fmt: skip
    return sorted(found.values(), key=lambda row: (row["family"], row["name"]))


def recommenders(packages: Iterable[str]) -> Iterable[type]:
    """The classes that meet the Recommender protocol and can be built without arguments."""
    for package in packages:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if kind.__module__ == module.name and _is_recommender(kind):
                    yield kind


def _is_recommender(kind: type) -> bool:
    """Whether a class is a dataclass with a recommender's two verbs and its family, and none of it left open."""
    if not dataclasses.is_dataclass(kind) or kind.__name__.startswith("_"):
        return False
    if any(getattr(getattr(kind, name), "__isabstractmethod__", False) for name in dir(kind)):
        return False
    return all(callable(getattr(kind, verb, None)) for verb in ("fit", "score")) and hasattr(kind, "family")


def _default(field: dataclasses.Field) -> Any:
    """A field's default as plain data, None where it has none."""
    if field.default is not dataclasses.MISSING:
        return describe(field.default)
    return describe(field.default_factory()) if field.default_factory is not dataclasses.MISSING else None


def listed_datasets(datasets: Mapping[str, Any], folder: Any) -> list[dict[str, Any]]:
    """Data sets with whether their files are present."""
    rows = []
    for dataset in datasets.values():
        counts = dataset.expected
        rows.append(
            {
                "name": dataset.name,
                "title": dataset.title,
                "present": bool(dataset.present(folder)),
                "events": getattr(counts, "events", None),
                "users": getattr(counts, "users", None),
                "items": getattr(counts, "items", None),
                "licence": dataset.licence,
            }
        )
    return rows
