"""Comparing: from the stored results of a suite to a ComparisonTable for each data set, protocol and metric."""

from __future__ import annotations

import functools

from evaluation.comparison.group import groups_of
from evaluation.comparison.table import ComparisonTable, ExploratoryPair, ModelRow, PairRow
from evaluation.comparison.table_json import from_record
from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.lists import reach_named
from evaluation.results.cache import Memo, Question, marks
from evaluation.results.suite_results import SuiteResults
from evaluation.statistics.effects import MARGIN
from evaluation.statistics.significance import FLIPS, RESAMPLES
from evaluation.verdicts.claims import claim_from_record

__all__ = ["ComparisonTable", "ExploratoryPair", "ModelRow", "PairRow", "compare_suite", "table_questions"]


def compare_suite(
    results: SuiteResults,
    *,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    margin: float = MARGIN,
    memo: Memo | None = None,
) -> list[ComparisonTable]:
    """One table for each data set × protocol × metric, in the suite's order.

    The declared family of a table: every model against the best baseline, the suite's comparisons, and the pairs that
    its claims speak of. The best baseline is chosen by the primary metric on validation where every baseline's cells
    hold it, else on test, and the table says which. Cached sums are used; a metric that is not cached is recomputed
    from the ranks. The same results give the same bytes, whether or not ``memo`` knew the table already.
    """
    memo = memo or Memo()
    batches = table_questions(results, flips=flips, resamples=resamples, margin=margin)
    return [from_record(memo.answer(*question)) for batch in batches for question in batch]


def table_questions(
    results: SuiteResults, *, flips: int = FLIPS, resamples: int = RESAMPLES, margin: float = MARGIN
) -> list[list[Question]]:
    """What compare_suite asks of a memo, by data set and protocol."""
    batches, metrics = [], _metrics(results)
    for group in groups_of(results):
        asked = [group.dataset, group.protocol, group.declared, marks(group.cells.values()), flips, resamples, margin]
        batches.append([])
        for metric in metrics:
            made = functools.partial(group.record, metric, metrics[0], flips, resamples, margin)
            batches[-1].append(Question("table", [*asked, metric.name, metrics[0].name], made))
    return batches


def _metrics(results: SuiteResults) -> list[Metric]:
    """The suite's metrics, then those that only its published numbers and claims name, where they are known here."""
    metrics = [metric_named(name) for name in results.record["metrics"] if reach_named(name) is None]
    said = [claim_from_record(r) for r in (*results.record.get("published", ()), *results.record.get("claims", ()))]
    for part in [part for claim in said for part in getattr(claim, "parts", (claim,))]:
        try:
            metric = metric_named(getattr(part, "metric", ""))
        except ValueError:
            continue  # a cost, or a quantity that ranks do not hold: its verdict says so
        if metric not in metrics:
            metrics.append(metric)
    return metrics
