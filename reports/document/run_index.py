"""Index of a suite's runs by data set, protocol and model, with the colour and the anchor of each model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from evaluation.printed_numbers import join_words
from evaluation.results.best_epochs import join_best_epochs, split_best_epoch
from evaluation.results.suite_results import CellFailure, CellResult, SuiteResults
from recsys_data.audit.finding import CARRIED, SEVERE
from reports.document.blocks import TableCell


@dataclass(eq=False)
class RunGroup:
    """All models of one data set under one protocol, in the suite's order.

    number: 1, 2, …, part of the anchors of this group. heading: the data set's name, with the label or name of its
    protocol where the suite uses the data set under several. caveats: those that all cells of the group share; tables
    carry them, not rows.
    """

    dataset: str
    protocol: str
    number: int
    heading: str
    runs: list[ModelRuns] = field(default_factory=list)
    caveats: tuple[str, ...] = ()

    @property
    def about(self) -> tuple[tuple[str, str], ...]:
        """Data set and protocol, as tables name them in files."""
        return (("dataset", self.dataset), ("protocol", self.protocol))

    @property
    def finished(self) -> list[ModelRuns]:
        """The models with at least one finished cell."""
        return [runs for runs in self.runs if runs.cells]


@dataclass(eq=False)
class ModelRuns:
    """All runs of one model in one group: one per seed, or a single one if deterministic."""

    group: RunGroup
    model: str
    color: int
    number: int
    cells: list[CellResult] = field(default_factory=list)
    failures: list[CellFailure] = field(default_factory=list)

    @property
    def anchor(self) -> str:
        """Anchor of these runs in the provenance chapter."""
        return f"runs-{self.number}"

    @property
    def deterministic(self) -> bool:
        """Whether the seed changes nothing."""
        return all(cell.deterministic for cell in self.cells)

    @property
    def caveats(self) -> tuple[str, ...]:
        """Caveats that the group does not share, with their seeds where they do not hold for all seeds.

        Those of several seeds that differ only in their best epoch are one: "… (best epochs 19, 20)".
        """
        found: dict[str, dict[int, str]] = {}  # caveats by seed, by their text without a best epoch
        for cell in self.cells:
            for caveat in self.own_caveats(cell):
                found.setdefault(split_best_epoch(caveat)[0], {})[cell.seed] = caveat
        texts = []
        for by_seed in found.values():
            seeds = list(map(str, by_seed))
            only = f" (seed{'s' * (len(seeds) > 1)} {join_words(seeds)})" if len(seeds) < len(self.cells) else ""
            texts += [text + only for text in join_best_epochs(by_seed.values())]
        return tuple(texts)

    def own_caveats(self, cell: CellResult) -> tuple[str, ...]:
        """The caveats of one cell that the group does not share."""
        return tuple(caveat for caveat in caveats_of(cell) if caveat not in self.group.caveats)

    def name_cell(self) -> TableCell:
        """The table cell of the model's name, with its colour, caveats and link to the provenance."""
        return TableCell(self.model, link=self.anchor, caveats=self.caveats, color=self.color)

    def mean(self, *path: str) -> float | None:
        """Mean over seeds of a number in the cell records, such as ("seconds", "fit"); None if no record has it."""
        found = []
        for cell in self.cells:
            value = cell.record
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if value is not None:
                found.append(float(value))
        return sum(found) / len(found) if found else None


def caveats_of(cell: CellResult) -> list[str]:
    """The caveats of a cell; one from an audit finding begins with the finding's name, in capitals if it is severe."""
    names = {
        f["sentence"]: f["name"].upper() if f["level"] == SEVERE else f["name"].replace("_", " ")
        for f in cell.record.get("audit") or []
        if f["level"] in CARRIED
    }
    return [f"{names[caveat]}: {caveat}" if caveat in names else caveat for caveat in cell.caveats]


@dataclass(eq=False)
class RunIndex:
    """All runs of a suite, in the suite's order."""

    results: SuiteResults
    groups: dict[tuple[str, str], RunGroup] = field(default_factory=dict)  # by (data set, protocol)
    runs: list[ModelRuns] = field(default_factory=list)

    @classmethod
    def of(cls, results: SuiteResults) -> RunIndex:
        """Index stored results; a model has the same colour number on every data set."""
        index, found, colors, labels = cls(results), {}, {}, _labels(results)
        keys = dict.fromkeys((entry["dataset"], entry["protocol"]) for entry in results.record["cells"])
        for number, key in enumerate(keys, start=1):
            index.groups[key] = RunGroup(*key, number, _heading(*key, keys, labels))
        for entry in results.record["cells"]:
            group, model = index.groups[entry["dataset"], entry["protocol"]], entry["model"]
            if (group.number, model) not in found:
                color = colors.setdefault(model, len(colors))
                runs = found[group.number, model] = ModelRuns(group, model, color, number=len(found) + 1)
                index.runs.append(runs)
                group.runs.append(runs)
        for cell in {id(cell): cell for cell in [*results.cells, *results.failures]}.values():
            runs = found[index.groups[cell.dataset, cell.protocol].number, cell.model]
            (runs.cells if isinstance(cell, CellResult) else runs.failures).append(cell)
        for group in index.groups.values():
            caveats = [caveats_of(cell) for runs in group.runs for cell in runs.cells]
            if len(caveats) > 1:
                group.caveats = tuple(c for c in caveats[0] if all(c in other for other in caveats))
        return index

    def heading(self, dataset: str, protocol: str) -> str:
        """The data set's name, with its protocol where the suite uses the data set under several."""
        return _heading(dataset, protocol, self.groups, _labels(self.results))

    def find(self, dataset: str, model: str, protocol: str | None = None) -> ModelRuns | None:
        """The runs of a model on a data set, under the first protocol unless one is named; None if there are none."""
        return next(
            (
                runs for runs in self.runs
                if (runs.group.dataset, runs.model) == (dataset, model) and protocol in (None, runs.group.protocol)
            ), None
        )  # fmt: skip

    def finished(self) -> Iterator[ModelRuns]:
        """The runs with at least one finished cell."""
        return (runs for runs in self.runs if runs.cells)


def _labels(results: SuiteResults) -> dict[tuple[str, str], str]:
    """The short names that the suite gives to protocols, by data set and protocol."""
    return {(entry["dataset"], entry["protocol"]): entry["label"] for entry in results.record.get("labels", ())}


def _heading(
    dataset: str, protocol: str, keys: Iterable[tuple[str, str]], labels: Mapping[tuple[str, str], str]
) -> str:
    if Counter(name for name, _ in keys)[dataset] == 1:
        return dataset
    return f"{dataset}, {labels.get((dataset, protocol), protocol)}"
