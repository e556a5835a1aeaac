"""Roster: the cells of a suite by data set, protocol and model, each with its colour and its place in the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from evaluation.results.suite_results import CellFailure, CellResult, SuiteResults
from reports.document.blocks import TableCell


@dataclass(eq=False)
class ModelRuns:
    """All runs of one model on one data set under one protocol: one a seed, or one for all if deterministic."""

    dataset: str
    protocol: str
    model: str
    color: int
    number: int
    place: int
    cells: list[CellResult] = field(default_factory=list)
    failures: list[CellFailure] = field(default_factory=list)
    shared: tuple[str, ...] = ()  # caveats of all cells of this data set and protocol: tables bear them, not rows

    @property
    def anchor(self) -> str:
        """Where the provenance of these runs stands."""
        return f"runs-{self.number}"

    @property
    def deterministic(self) -> bool:
        """Whether the seed changes nothing."""
        return all(cell.deterministic for cell in self.cells)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Caveats of these cells that not all others share, with their seeds where they do not hold for all."""
        found: dict[str, list[int]] = {}
        for cell in self.cells:
            for caveat in self.own(cell):
                found.setdefault(caveat, []).append(cell.seed)
        whole = len(self.cells)
        return tuple(
            s if len(seeds) == whole else f"{s} (seed {', '.join(map(str, seeds))})" for s, seeds in found.items()
        )

    def own(self, cell: CellResult) -> tuple[str, ...]:
        """The caveats of one cell that not all of its data set share."""
        return tuple(caveat for caveat in caveats_of(cell) if caveat not in self.shared)

    @property
    def seeds(self) -> list[int]:
        """The seeds that finished."""
        return [cell.seed for cell in self.cells]

    def label(self) -> TableCell:
        """The model's name as a table shows it: its colour, its caveats, its link to the provenance."""
        return TableCell(self.model, link=self.anchor, caveats=self.caveats, color=self.color)

    def values(self, metric: str) -> list[float]:
        """The metric of each finished seed."""
        return [cell.metrics[metric] for cell in self.cells if metric in cell.metrics]

    def mean(self, *path: str) -> float | None:
        """The mean over seeds of a number in the cell records, such as ("seconds", "fit"); None if none has it."""
        found = []
        for cell in self.cells:
            value = cell.record
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                found.append(float(value))
        return sum(found) / len(found) if found else None


def caveats_of(cell: CellResult) -> list[str]:
    """The caveats of a cell; one that an audit finding made begins with the finding's name."""
    names = {
        f["sentence"]: f["name"].replace("_", " ") for f in cell.record.get("audit") or [] if f["level"] == "caveat"
    }
    return [f"{names[caveat]}: {caveat}" if caveat in names else caveat for caveat in cell.caveats]


@dataclass(eq=False)
class RunIndex:
    """Every ModelRuns of a suite in the suite's order."""

    results: SuiteResults
    runs: list[ModelRuns] = field(default_factory=list)

    @classmethod
    def of(cls, results: SuiteResults) -> RunIndex:
        """The index of stored results; a model has the same colour number on every data set."""
        index, found, colors, places = cls(results), {}, {}, {}
        state = {id(cell): cell for cell in [*results.cells, *results.failures]}
        for entry in results.record["cells"]:
            where = (entry["dataset"], entry["protocol"])
            key = (*where, entry["model"])
            if key not in found:
                places.setdefault(where, len(places) + 1)
                colors.setdefault(entry["model"], len(colors))
                found[key] = ModelRuns(*key, color=colors[entry["model"]], number=len(found) + 1, place=places[where])
                index.runs.append(found[key])
        for cell in state.values():
            runs = found[(cell.dataset, cell.protocol, cell.model)]
            (runs.cells if isinstance(cell, CellResult) else runs.failures).append(cell)
        for group in index.groups.values():
            caveats = [caveats_of(cell) for runs in group for cell in runs.cells]
            shared = tuple(s for s in caveats[0] if all(s in other for other in caveats)) if len(caveats) > 1 else ()
            for runs in group:
                runs.shared = shared
        return index

    @cached_property
    def groups(self) -> dict[tuple[str, str], list[ModelRuns]]:
        """The runs of each (data set, protocol)."""
        groups: dict[tuple[str, str], list[ModelRuns]] = {}
        for runs in self.runs:
            groups.setdefault((runs.dataset, runs.protocol), []).append(runs)
        return groups

    def heading(self, dataset: str, protocol: str) -> str:
        """The data set's name, with its protocol where the suite uses it under several."""
        times = Counter(name for name, _ in self.groups)
        return dataset if times[dataset] == 1 else f"{dataset}, {protocol}"

    def find(self, dataset: str, model: str, protocol: str | None = None) -> ModelRuns | None:
        """The runs of a model on a data set, the first protocol's unless one is named; None if there are none."""
        return next(
            (r for r in self.runs if r.dataset == dataset and r.model == model and protocol in (None, r.protocol)), None
        )

    def done(self) -> Iterator[ModelRuns]:
        """The runs with at least one finished cell."""
        return (runs for runs in self.runs if runs.cells)
