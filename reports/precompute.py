"""Parallel precomputation of the slow parts of a large report."""

from __future__ import annotations

from collections.abc import Iterable

from evaluation.comparison.compare import table_calls
from evaluation.metrics.accuracy import metric_named
from evaluation.results.cache import CachedCall, ResultCache
from evaluation.results.process_pool import ProcessPool
from evaluation.results.suite_results import SuiteResults
from evaluation.verdicts.judge import requests_of
from reports.chapters.background.data import split_call
from reports.chapters.findings.beyond_accuracy import beyond_call, measures_of
from reports.chapters.findings.slices import slices_call
from reports.document.blocks import Figure, Section
from reports.document.run_index import RunIndex
from reports.figures.cached import figure_call

_MIN_CELLS = 60  # a smaller suite is done before a worker has started
_MIN_NUMBERS, _MIN_FIGURES = 8, 24  # and so are fewer results than these


def precompute_numbers(results: SuiteResults, index: RunIndex, cache: ResultCache, pool: ProcessPool) -> None:
    """Compute tests, slices and other measures on ranks; calls that read the same cells are one batch."""
    if len(results.cells) >= _MIN_CELLS:
        cache.precompute(
            [*table_calls(results, requests_of(results)), *_rank_calls(index)], pool, at_least=_MIN_NUMBERS
        )


def precompute_pictures(sections: Iterable[Section], cache: ResultCache, pool: ProcessPool) -> None:
    """Draw the figures of ``sections`` into ``cache``."""
    figures = [block for section in sections for block in section.blocks if isinstance(block, Figure)]
    cache.precompute([[figure_call(figure)] for figure in figures], pool, at_least=_MIN_FIGURES)


def _rank_calls(index: RunIndex) -> Iterable[list[CachedCall]]:
    metric, measures = metric_named(index.results.record["metrics"][0]), measures_of(index)
    for group in index.groups.values():
        if group.finished:
            slices = [slices_call(runs, metric) for runs in group.finished]
            yield [*slices, *(beyond_call(runs, measures) for runs in group.finished), split_call(group)]
