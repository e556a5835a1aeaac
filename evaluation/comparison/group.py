"""Group: the finished cells of one data set under one protocol, and the table of one metric made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from evaluation.comparison.pairwise import Comparer, ModelRuns
from evaluation.comparison.table import ComparisonTable, ModelRow
from evaluation.comparison.table_json import to_record
from evaluation.metrics.accuracy import Metric, TieSpread
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.sums_file import read_sums
from evaluation.results.suite_results import CellResult, SuiteResults
from evaluation.statistics.paired_sums import Panel, UnequalTestSets
from evaluation.statistics.significance import ROUGH_BELOW
from evaluation.verdicts.claims import claim_from_record


def groups_of(results: SuiteResults) -> list[Group]:
    """The finished cells of each data set and protocol, in the suite's order, where more than one user is asked."""
    groups: dict[tuple[str, str], dict[tuple[str, int], CellResult]] = {}
    for cell in results.cells:
        groups.setdefault((cell.dataset, cell.protocol), {})[cell.model, cell.seed] = cell
    groups = {where: cells for where, cells in groups.items() if not of_one_user(next(iter(cells.values())))}
    return [Group(*where, cells, results.record) for where, cells in groups.items()]


def of_one_user(cell: CellResult) -> bool:
    """Whether a cell's test part asks one user (cluster) only, so that nothing tells how users vary."""
    return cell.record.get("counts", {}).get("test_clusters") == 1


@dataclass(frozen=True, eq=False)
class Group:
    """The cells of one data set under one protocol."""

    dataset: str
    protocol: str
    cells: Mapping[tuple[str, int], CellResult]
    suite: Mapping[str, Any]

    @cached_property
    def cached(self) -> dict[tuple[str, int], dict[str, ClusterSums]]:
        """The sums that were stored with the ranks, read when first asked for."""
        return {key: read_sums(cell.folder) for key, cell in self.cells.items()}

    @property
    def declared(self) -> list[Any]:
        """All that decides what is compared."""
        return [self.suite.get(name, []) for name in ("baselines", "comparisons", "claims")]

    @property
    def models(self) -> list[str]:
        """The labels, in the suite's order."""
        return list(dict.fromkeys(model for model, _ in self.cells))

    def record(self, *asked: Any) -> dict[str, Any]:
        """The table of one metric as JSON data."""
        return to_record(self.table(*asked))

    def table(self, metric: Metric, primary: Metric, flips: int, resamples: int, margin: float) -> ComparisonTable:
        """The table of one metric."""
        runs = [self.runs(model, metric) for model in self.models]
        reference, chosen_by = self._reference(primary)
        family = self._family(reference, metric)
        first = next(iter(self.cells.values()))
        try:
            comparer = Comparer(runs, family, metric.higher_is_better, margin, flips, resamples)
        except UnequalTestSets as error:
            raise UnequalTestSets(f"{self.dataset}, {self.protocol}: {error}") from None
        rows, pairs, exploratory = comparer.rows(reference)
        return ComparisonTable(
            dataset=self.dataset,
            protocol=self.protocol,
            metric=metric.name,
            higher_is_better=metric.higher_is_better,
            num_clusters=comparer.panel.num_clusters,
            num_events=comparer.panel.num_events,
            unit=str(first.record.get("unit") or "cluster"),
            models=rows,
            pairs=pairs,
            exploratory=exploratory,
            reference=reference,
            reference_by=chosen_by,
            margin=margin,
            flips=flips,
            resamples=resamples,
            notes=tuple(self._notes(comparer.panel, rows, family, metric, reference, chosen_by)),
        )

    def _seeds(self, model: str) -> dict[int, CellResult]:
        return {seed: cell for (name, seed), cell in self.cells.items() if name == model}

    def _sums(self, model: str, seed: int, metric: Metric) -> ClusterSums:
        cached = self.cached[model, seed].get(metric.name)
        return cached if cached is not None else metric.per_cluster(self.cells[model, seed].ranks)

    def runs(self, model: str, metric: Metric) -> ModelRuns:
        """What is compared of one model: the sums of each seed."""
        seeds = self._seeds(model)
        first = next(iter(seeds.values()))
        spread = TieSpread(
            *(self._sums(model, first.seed, replace(metric, ties=t)).micro for t in ("optimistic", "pessimistic"))
        )
        return ModelRuns(
            model=model,
            seeds={seed: self._sums(model, seed, metric) for seed in seeds},
            deterministic=first.deterministic,
            baseline=model in self.suite.get("baselines", ()),
            values=metric.per_query(first.ranks)[0],
            optimistic=spread.optimistic,
            pessimistic=spread.pessimistic,
            ties_flagged=spread.flagged,
            caveats=tuple(dict.fromkeys(caveat for cell in seeds.values() for caveat in cell.caveats)),
            keys=tuple(cell.key for cell in seeds.values()),
        )

    def _reference(self, primary: Metric) -> tuple[str | None, str]:
        """The best declared baseline, and how it was chosen."""
        baselines = [model for model in self.models if model in self.suite.get("baselines", ())]
        if not baselines:
            return None, ""
        cells = {model: list(self._seeds(model).values()) for model in baselines}
        held = all(
            cell.record.get("validation", {}).get(primary.name) is not None for m in cells.values() for cell in m
        )
        if held:
            means = {m: np.mean([cell.record["validation"][primary.name] for cell in cells[m]]) for m in baselines}
        else:
            means = {m: np.mean([self._sums(m, cell.seed, primary).micro for cell in cells[m]]) for m in baselines}
        sign = 1 if primary.higher_is_better else -1
        best = max(baselines, key=lambda m: sign * means[m])
        return best, f"{primary.name} on {'validation' if held else 'test'}"

    def _family(self, reference: str | None, metric: Metric) -> dict[tuple[str, str], str]:
        """The declared pairs and why; a pair declared twice, in either direction, counts once."""
        wanted = [(model, reference, "against the best baseline") for model in self.models if reference is not None]
        wanted += [(a, b, "declared") for a, b in self.suite.get("comparisons", ())]
        for record in self.suite.get("claims", ()):
            for pair in claim_from_record(record).pairs(self.dataset, self.protocol, metric.name):
                wanted.append((*pair, "claimed"))
        if not wanted:
            wanted = [(a, b, "all pairs") for m, a in enumerate(self.models) for b in self.models[m + 1 :]]
        family: dict[tuple[str, str], str] = {}
        for a, b, why in wanted:
            if a != b and {a, b} <= set(self.models) and (b, a) not in family:
                family.setdefault((a, b), why)
        return family

    def _notes(
        self,
        panel: Panel,
        rows: tuple[ModelRow, ...],
        family: Mapping[tuple[str, str], str],
        metric: Metric,
        reference: str | None,
        chosen_by: str,
    ) -> list[str]:
        notes = []
        if family:
            notes.append(
                f"Holm and max-T adjust over the {len(family)} declared comparisons of {metric.name} on this data set; "
                f"other metrics and data sets are families of their own."
            )
        if reference is not None:
            notes.append(f"{reference} is the best baseline by {chosen_by}.")
            if chosen_by.endswith("test"):
                notes.append("No validation values of the baselines are stored, so the test set itself chose it.")
        if panel.num_clusters < ROUGH_BELOW:
            notes.append(
                f"Only {panel.num_clusters} clusters: tests and intervals are rough below {ROUGH_BELOW} where few "
                f"of them carry the difference."
            )
        single = [row.model for row in rows if not row.deterministic and len(row.seed_values) < 2]
        if single:
            notes.append(f"One seed only of {', '.join(single)}: comparisons with it speak of trained models.")
        flagged = [row.model for row in rows if row.ties_flagged]
        if flagged:
            notes.append(
                f"Ties matter in {metric.name} for {', '.join(flagged)}: best and worst luck differ by more than 0.1 %."
            )
        return notes
