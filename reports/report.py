"""Report: all that a report says, as plain data made from stored results alone; every rendering reads only this."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.comparison.compare import compare_suite
from evaluation.results.cache import ResultCache
from evaluation.results.process_pool import ProcessPool
from evaluation.results.suite_results import SuiteResults, read_suite
from evaluation.verdicts.judge import judge_suite, requests_of
from reports.chapters.beyond_accuracy import beyond_section
from reports.chapters.comparison import comparison_section
from reports.chapters.cost import cost_section
from reports.chapters.data import data_section
from reports.chapters.methods import methods_section
from reports.chapters.provenance import provenance_section
from reports.chapters.slices import slices_section
from reports.chapters.summary import citation, facts_of, summary_section
from reports.chapters.training import training_section
from reports.chapters.variants import variants_section
from reports.chapters.verdicts import verdicts_section
from reports.document.blocks import Row, Section, Table
from reports.document.run_index import RunIndex
from reports.precompute import precompute_numbers, precompute_pictures


@dataclass(frozen=True)
class Report:
    """A suite's report.

    ``created`` is the suite's time (UTC ISO), never the time of rendering, so that the same results give the same
    bytes; ``facts`` are name and value pairs for the head of the page. ``cache`` is where figures once drawn are found
    again; it is no part of what the report says.
    """

    suite: str
    title: str
    paper: str
    paper_url: str
    created: str
    command: str
    caveats: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    metrics: tuple[str, ...]
    sections: tuple[Section, ...]
    cache: ResultCache = field(default=ResultCache(), repr=False, compare=False)

    @property
    def running(self) -> str:
        """What stands at the head of every printed page: the title and the suite's caveats."""
        return " · ".join([self.title, *self.caveats])

    def section(self, anchor: str) -> Section | None:
        """The section with this anchor; None if this report has none."""
        return next((section for section in self.sections if section.anchor == anchor), None)

    def tables(self) -> Iterator[Table]:
        """All tables in order."""
        for section in self.sections:
            yield from section.tables

    def record(self) -> dict[str, Any]:
        """The report as JSON data."""
        fields = dataclasses.asdict(self)
        del fields["cache"]
        return {"schema": 1, **fields}


def build(root: Path, suite: str) -> Report:
    """The report of ``suite`` from the store ``root``.

    What takes long is computed once and kept in ``root``/derived, by all that decides it: the same results give the
    same report, only sooner. Raises FileNotFoundError with one sentence if the store holds no results of that suite.
    """
    results = read_suite(Path(root), suite)
    cache = ResultCache.for_packages(Path(root) / "derived", ("recsys_data", "evaluation", "reports"))
    index = RunIndex.of(results)
    with ProcessPool() as pool:
        precompute_numbers(results, index, cache, pool)
        sections = _sections(results, index, cache)
        precompute_pictures(sections, cache, pool)
    record = results.record
    paper, url = citation(record.get("paper"))
    return Report(
        suite=results.name, title=record["title"], paper=paper, paper_url=url, created=record.get("created", ""),
        command=record.get("command", ""), caveats=tuple(record.get("caveats", ())), facts=facts_of(index),
        metrics=tuple(record["metrics"]), sections=_with_ways_back(sections), cache=cache,
    )  # fmt: skip


def _sections(results: SuiteResults, index: RunIndex, cache: ResultCache) -> list[Section]:
    """The chapters that have something to say."""
    comparisons = compare_suite(results, requests_of(results), cache=cache)
    verdicts = judge_suite(results, comparisons)
    metrics = results.record["metrics"]
    sections = [
        summary_section(index, verdicts),
        verdicts_section(index, verdicts),
        comparison_section(index, comparisons, cache),
        variants_section(index, comparisons, cache),
        slices_section(index, metrics[0], cache),
        beyond_section(index, cache),
        cost_section(index, metrics[0]),
        training_section(index),
        data_section(index, cache),
    ]
    told = [section for section in sections if section is not None]
    provenance = provenance_section(index, metrics)
    return [*told, methods_section(index, comparisons, [*told, provenance]), provenance]


def _with_ways_back(sections: list[Section]) -> tuple[Section, ...]:
    """The sections with an anchor on each row that links to runs, and on those runs the ways back to it."""
    named, back = [], {}
    for section in sections:
        blocks = []
        for block in section.blocks:
            if isinstance(block, Table):
                rows = [_named(row, f"{block.anchor}-row-{n}") for n, row in enumerate(block.rows, start=1)]
                for row in rows:
                    for link in {e.link for e in row.entries if e.link}:
                        back.setdefault(link, {}).setdefault(section.title, row.anchor)
                block = dataclasses.replace(block, rows=tuple(rows))
            blocks.append(block)
        named.append(dataclasses.replace(section, blocks=tuple(blocks)))
    return tuple(dataclasses.replace(s, blocks=tuple(_answered(b, back) for b in s.blocks)) for s in named)


def _named(row: Row, anchor: str) -> Row:
    """The row with an anchor, if it links anywhere and has none."""
    if row.anchor or not any(entry.link for entry in row.entries):
        return row
    return dataclasses.replace(row, anchor=anchor)


def _answered(block: Any, back: dict[str, dict[str, str]]) -> Any:
    """A table whose rows know who links to them: the first row of each section."""
    if not isinstance(block, Table):
        return block
    rows = tuple(
        dataclasses.replace(row, back=tuple((anchor, title) for title, anchor in back[row.anchor].items()))
        if row.anchor in back else row for row in block.rows
    )  # fmt: skip
    return dataclasses.replace(block, rows=rows)
