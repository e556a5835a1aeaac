"""Leaderboards: all models of all suites on one data set under one protocol, with groups that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluation.comparison.compare import compare_suite
from evaluation.comparison.table import ComparisonTable
from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.results.cache import ResultCache
from evaluation.results.suite_results import CellResult, SuiteResults
from evaluation.statistics.effects import ALPHA
from evaluation.statistics.letters import letters
from reports.document.run_index import ModelRuns
from reports.site.contents import SiteSuite


@dataclass(frozen=True, eq=False)
class Board:
    """One leaderboard: the comparison of all its models in one metric, their letters, and where each is reported."""

    dataset: str
    protocol: str
    table: ComparisonTable
    letters: dict[str, str]
    sources: dict[str, list[tuple[SiteSuite, ModelRuns]]]


@dataclass(frozen=True, eq=False)
class _Row:
    """A model's runs, in one suite or, where several suites share the cells, in all of them."""

    cells: dict[str, CellResult]
    sources: list[tuple[SiteSuite, ModelRuns]]


def leaderboards(suites: Sequence[SiteSuite], cache: ResultCache | None = None) -> list[Board]:
    """One board per data set, protocol and test set, in the suites' order; those that share no metric have several."""
    places: dict[tuple[str, ...], list[_Row]] = {}
    metrics: dict[tuple[str, ...], list[list[str]]] = {}
    for suite in suites:
        for runs in suite.index.finished():
            place = _place(suite, runs)
            _add(places.setdefault(place, []), _Row({cell.key: cell for cell in runs.cells}, [(suite, runs)]))
            metrics.setdefault(place, []).append(suite.results.record["metrics"])
    return [board for place, rows in places.items() for board in _boards(place, rows, metrics[place], cache)]


def _place(suite: SiteSuite, runs: ModelRuns) -> tuple[str, ...]:
    """Facts that the models of a board share: data set, protocol, split, and the bundle where ranks are withheld."""
    cell = runs.cells[0]
    split = cell.record.get("fingerprints", {}).get("split", "")
    return runs.group.dataset, runs.group.protocol, split, suite.name if cell.withholds_ranks else ""


def _add(rows: list[_Row], new: _Row) -> None:
    """Add a row; cells that are part of another row's are shown once, with both sources."""
    for row in rows:
        if set(row.cells) <= set(new.cells) or set(new.cells) <= set(row.cells):
            row.cells.update(new.cells)
            row.sources.extend(new.sources)
            return
    rows.append(new)


def _boards(
    place: tuple[str, ...], rows: Sequence[_Row], metrics: Sequence[Sequence[str]], cache: ResultCache | None
) -> list[Board]:
    """The board in the first metric that all suites of the place measure, or one in each suite's first."""
    known = [[name for name in each if whole_table_metric_named(name) is None] for each in metrics]
    shared = [name for name in known[0] if all(name in each for each in known)]
    wanted = shared[:1] or list(dict.fromkeys(each[0] for each in known if each))
    names = _names(rows)
    cells = [replace(cell, model=name) for row, name in zip(rows, names, strict=True) for cell in row.cells.values()]
    suite = rows[0].sources[0][0].results
    record = {"name": "leaderboard", "metrics": wanted, "baselines": [], "comparisons": []}
    found = compare_suite(SuiteResults(suite.root, record, cells), cache=cache)
    sources = {name: row.sources for name, row in zip(names, rows, strict=True)}
    return [_board(place, table, sources) for table in found if table.models]


def _board(
    place: tuple[str, ...], table: ComparisonTable, sources: dict[str, list[tuple[SiteSuite, ModelRuns]]]
) -> Board:
    sign = -1 if metric_named(table.metric).higher_is_better else 1
    order = [row.model for row in sorted(table.models, key=lambda row: sign * row.mean)]
    different = [(pair.a, pair.b) for pair in table.exploratory if pair.q < ALPHA]
    return Board(place[0], place[1], table, letters(order, different), sources)


def _names(rows: Sequence[_Row]) -> list[str]:
    """The labels; those that two suites give to different models get the suite's name, too."""
    plain = [row.sources[0][1].model for row in rows]
    return [
        name if plain.count(name) == 1 else f"{name} ({row.sources[0][0].name})"
        for name, row in zip(plain, rows, strict=True)
    ]
