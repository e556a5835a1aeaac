"""Compare a suite's models: from stored results to one ComparisonTable per data set, protocol and metric."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence

from evaluation.comparison.group import comparison_groups
from evaluation.comparison.request import ComparisonRequest
from evaluation.comparison.table import ComparisonTable, ExploratoryPair, ModelRow, PairRow
from evaluation.json_codec import from_json, to_json
from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.results.cache import CachedCall, ResultCache, cell_fingerprints
from evaluation.results.suite_results import SuiteResults
from evaluation.statistics.effects import MARGIN
from evaluation.statistics.significance import FLIPS, RESAMPLES

__all__ = ["ComparisonTable", "ExploratoryPair", "ModelRow", "PairRow", "compare_suite", "table_calls"]


def compare_suite(
    results: SuiteResults,
    requests: Sequence[ComparisonRequest] = (),
    *,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    margin: float = MARGIN,
    cache: ResultCache | None = None,
) -> list[ComparisonTable]:
    """Return one table for each data set × protocol × metric, in the suite's order.

    The declared family of a table: every model against the best baseline, the suite's comparisons, and the requested
    pairs. The best baseline is chosen by the primary metric on validation where every baseline's cells hold it, else on
    test, and the table says which. Cached sums are used; a metric that is not cached is recomputed from the ranks. The
    same results give the same bytes, with or without ``cache``.
    """
    cache = cache or ResultCache()
    batches = table_calls(results, requests, flips=flips, resamples=resamples, margin=margin)
    return [from_json(ComparisonTable, cache.get(*call)) for batch in batches for call in batch]


def table_calls(
    results: SuiteResults,
    requests: Sequence[ComparisonRequest] = (),
    *,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    margin: float = MARGIN,
) -> list[list[CachedCall]]:
    """Return the cached calls of ``compare_suite``, by data set and protocol."""
    batches, metrics = [], measured_metrics(results, requests)
    for group in comparison_groups(results, requests):
        cells = cell_fingerprints(group.cells.values())
        inputs = [group.dataset, group.protocol, to_json(group.declared), cells, flips, resamples, margin]
        batches.append([])
        for metric in metrics:
            compute = functools.partial(group.table_record, metric, metrics[0], flips, resamples, margin)
            batches[-1].append(CachedCall("table", [*inputs, metric.name, metrics[0].name], compute))
    return batches


def measured_metrics(results: SuiteResults, requests: Iterable[ComparisonRequest]) -> list[Metric]:
    """Return the suite's metrics, then those that are only requested, where they are known here."""
    metrics = [metric_named(name) for name in results.record["metrics"] if whole_table_metric_named(name) is None]
    for name in dict.fromkeys(request.metric for request in requests):
        try:
            metric = metric_named(name)
        except ValueError:
            continue  # a quantity that ranks do not hold: its verdict says so
        if metric not in metrics:
            metrics.append(metric)
    return metrics
