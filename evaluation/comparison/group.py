"""ComparisonGroup: the finished cells of one data set under one protocol, and the table of one metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.comparison.pairwise import Comparison, ModelRuns, compare_models
from evaluation.comparison.request import ComparisonRequest
from evaluation.comparison.table import ComparisonTable, ModelRow
from evaluation.json_codec import to_json
from evaluation.metrics.accuracy import Metric, TieSpread
from evaluation.results.suite_results import CellResult, SuiteResults
from evaluation.statistics.paired_sums import UnequalTestSets
from evaluation.statistics.significance import ROUGH_BELOW


def comparison_groups(results: SuiteResults, requests: Sequence[ComparisonRequest] = ()) -> list[ComparisonGroup]:
    """Return the finished cells of each data set and protocol, in the suite's order, where the test has several users.

    requests: the pairs that claims name; each group keeps its own.
    """
    groups: dict[tuple[str, str], dict[tuple[str, int], CellResult]] = {}
    for cell in results.cells:
        groups.setdefault((cell.dataset, cell.protocol), {})[cell.model, cell.seed] = cell
    groups = {where: cells for where, cells in groups.items() if not single_cluster(next(iter(cells.values())))}
    return [
        ComparisonGroup(*where, cells, results.record, tuple(r for r in requests if r.concerns(*where)))
        for where, cells in groups.items()
    ]


def single_cluster(cell: CellResult) -> bool:
    """Whether a cell's test part has one user (cluster) only, so that the variation between users is unknown."""
    return cell.record.get("counts", {}).get("test_clusters") == 1


@dataclass(frozen=True, eq=False)
class ComparisonGroup:
    """The cells of one data set under one protocol, and the requests that concern them."""

    dataset: str
    protocol: str
    cells: Mapping[tuple[str, int], CellResult]
    suite: Mapping[str, Any]
    requests: tuple[ComparisonRequest, ...] = ()

    @property
    def declared(self) -> list[Any]:
        """Everything that determines which pairs are compared."""
        return [self.suite.get("baselines", []), self.suite.get("comparisons", []), self.requests]

    @property
    def models(self) -> list[str]:
        """The labels, in the suite's order."""
        return list(dict.fromkeys(model for model, _ in self.cells))

    def table_record(self, *settings: Any) -> dict[str, Any]:
        """Return the table of one metric as JSON data; infinite and undefined numbers are kept."""
        return to_json(self.table(*settings), exact=True)

    def table(self, metric: Metric, primary: Metric, flips: int, resamples: int, margin: float) -> ComparisonTable:
        """Return the table of one metric."""
        runs = [self.runs(model, metric) for model in self.models]
        reference, chosen_by = self._reference(primary)
        family = self._family(reference, metric)
        first = next(iter(self.cells.values()))
        try:
            found = compare_models(
                runs,
                family,
                reference=reference,
                higher_is_better=metric.higher_is_better,
                upper=metric.upper_bound,
                margin=margin,
                flips=flips,
                resamples=resamples,
            )
        except UnequalTestSets as error:
            raise UnequalTestSets(f"{self.dataset}, {self.protocol}: {error}") from None
        return ComparisonTable(
            dataset=self.dataset,
            protocol=self.protocol,
            metric=metric.name,
            higher_is_better=metric.higher_is_better,
            num_clusters=found.paired.num_clusters,
            num_events=found.paired.num_events,
            unit=str(first.record.get("unit") or "cluster"),
            models=found.models,
            pairs=found.pairs,
            exploratory=found.exploratory,
            reference=reference,
            reference_by=chosen_by,
            margin=margin,
            flips=flips,
            resamples=resamples,
            notes=tuple(self._notes(found, family, metric, reference, chosen_by)),
        )

    def _seeds(self, model: str) -> dict[int, CellResult]:
        return {seed: cell for (name, seed), cell in self.cells.items() if name == model}

    def runs(self, model: str, metric: Metric) -> ModelRuns:
        """Return the sums of each seed of one model."""
        seeds = self._seeds(model)
        first = next(iter(seeds.values()))
        spread = TieSpread(*(first.sums_of(replace(metric, ties=t)).micro for t in ("optimistic", "pessimistic")))
        return ModelRuns(
            model=model,
            seeds={seed: cell.sums_of(metric) for seed, cell in seeds.items()},
            deterministic=first.deterministic,
            baseline=model in self.suite.get("baselines", ()),
            values=None if first.withholds_ranks else metric.per_query(first.ranks)[0],
            optimistic=spread.optimistic,
            pessimistic=spread.pessimistic,
            ties_flagged=spread.flagged,
            caveats=tuple(dict.fromkeys(caveat for cell in seeds.values() for caveat in cell.caveats)),
            keys=tuple(cell.key for cell in seeds.values()),
        )

    def _reference(self, primary: Metric) -> tuple[str | None, str]:
        """Return the best declared baseline, and how it was chosen."""
        baselines = [model for model in self.models if model in self.suite.get("baselines", ())]
        if not baselines:
            return None, ""
        cells = {model: list(self._seeds(model).values()) for model in baselines}
        on_validation = all(
            cell.record.get("validation", {}).get(primary.name) is not None for m in cells.values() for cell in m
        )
        if on_validation:
            means = {m: np.mean([cell.record["validation"][primary.name] for cell in cells[m]]) for m in baselines}
        else:
            means = {m: np.mean([cell.sums_of(primary).micro for cell in cells[m]]) for m in baselines}
        sign = 1 if primary.higher_is_better else -1
        best = max(baselines, key=lambda m: sign * means[m])
        return best, f"{primary.name} on {'validation' if on_validation else 'test'}"

    def _family(self, reference: str | None, metric: Metric) -> dict[tuple[str, str], str]:
        """Return the declared pairs and why; a pair declared twice, in either direction, counts once."""
        wanted = [(model, reference, "against the best baseline") for model in self.models if reference is not None]
        wanted += [(a, b, "declared") for a, b in self.suite.get("comparisons", ())]
        wanted += [(*r.pair, "claimed") for r in self.requests if r.pair is not None and r.metric == metric.name]
        if not wanted:
            wanted = [(a, b, "all pairs") for m, a in enumerate(self.models) for b in self.models[m + 1 :]]
        family: dict[tuple[str, str], str] = {}
        for a, b, why in wanted:
            if a != b and {a, b} <= set(self.models) and (b, a) not in family:
                family.setdefault((a, b), why)
        return family

    def _notes(
        self,
        found: Comparison,
        family: Mapping[tuple[str, str], str],
        metric: Metric,
        reference: str | None,
        chosen_by: str,
    ) -> list[str]:
        notes = [_subject(found.models)]
        if family:
            notes.append(
                f"Holm and max-T adjust over the {len(family)} declared comparisons of {metric.name} on this data set; "
                f"other metrics and data sets are families of their own."
            )
        if reference is not None:
            notes.append(f"{reference} is the best baseline by {chosen_by}.")
            if chosen_by.endswith("test"):
                notes.append("No validation values of the baselines are stored, so the choice uses the test set.")
        if found.paired.num_clusters < ROUGH_BELOW:
            notes.append(
                f"Only {found.paired.num_clusters} clusters: below {ROUGH_BELOW}, tests and intervals are rough where "
                f"few of them carry the difference."
            )
        flagged = [row.model for row in found.models if row.ties_flagged]
        if flagged:
            notes.append(
                f"Ties matter in {metric.name} for {', '.join(flagged)}: tie-breaking changes the value by more than "
                f"0.1 %."
            )
        return notes


def _subject(models: Sequence[ModelRow]) -> str:
    """Say to what intervals, p, conclusions and marks apply: to the methods, or to these trained models."""
    single = [row.model for row in models if not row.of_method]
    seeded = any(row.of_method and not row.deterministic for row in models)
    methods = f"the methods (users{' × seeds' if seeded else ' only, since they are deterministic'})"
    if not single:
        return f"Intervals, p, conclusions, ★ and ≈ apply to {methods}."
    if len(single) == len(models):
        return "Intervals, p, conclusions, ★ and ≈ apply to these trained models (users only): each has one seed."
    return (
        f"Intervals, p, conclusions, ★ and ≈ apply to {methods}, except where "
        f"{' or '.join(single)} takes part: with one seed, to these trained models (users only)."
    )
