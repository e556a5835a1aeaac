"""Report of a suite as plain data, built from stored results alone; all output formats read only this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evaluation.comparison.compare import compare_suite
from evaluation.comparison.table import ComparisonTable
from evaluation.results.cache import ResultCache
from evaluation.results.kept import read_kept
from evaluation.results.process_pool import ProcessPool
from evaluation.results.suite_results import read_suite
from evaluation.verdicts.judge import judge_suite, requests_of
from evaluation.verdicts.verdict import Verdict
from recsys_data.printable import map_texts, printable
from reports.chapters.background.cost import cost_section
from reports.chapters.background.data import data_section
from reports.chapters.background.methods import methods_section
from reports.chapters.background.provenance import failures_section, provenance_section
from reports.chapters.background.training import training_section
from reports.chapters.findings.beyond_accuracy import beyond_section
from reports.chapters.findings.comparison import comparison_section
from reports.chapters.findings.slices import slices_section
from reports.chapters.findings.summary import citation, facts_of, summary_section
from reports.chapters.findings.variants import variants_section
from reports.chapters.findings.verdicts import verdicts_section
from reports.document.backlinks import add_backlinks
from reports.document.blocks import Row, Section, Table, TableCell
from reports.document.run_index import RunIndex
from reports.precompute import precompute_numbers, precompute_pictures


@dataclass(frozen=True)
class ReportInputs:
    """The data that chapters are made from."""

    index: RunIndex
    comparisons: list[ComparisonTable]
    verdicts: list[Verdict]
    cache: ResultCache

    @property
    def metrics(self) -> list[str]:
        """The suite's metrics; the first is the primary one."""
        return self.index.results.record["metrics"]


CHAPTERS: tuple[Callable[[ReportInputs], Section | None], ...] = (  # in their order
    lambda inputs: verdicts_section(inputs.index, inputs.verdicts),
    lambda inputs: failures_section(inputs.index),
    lambda inputs: comparison_section(inputs.index, inputs.comparisons, inputs.cache),
    lambda inputs: variants_section(inputs.index, inputs.comparisons, inputs.cache),
    lambda inputs: slices_section(inputs.index, inputs.metrics[0], inputs.cache),
    lambda inputs: beyond_section(inputs.index, inputs.cache),
    lambda inputs: cost_section(inputs.index, inputs.metrics[0]),
    lambda inputs: training_section(inputs.index),
    lambda inputs: data_section(inputs.index, inputs.cache),
    lambda inputs: provenance_section(inputs.index, inputs.metrics),
)


@dataclass(frozen=True)
class Report:
    """A suite's report.

    created: when the suite ran (UTC, ISO), not when the report is rendered, so that the same results give the same
    bytes. facts: name and value pairs at the top of the page. run_anchors: the anchor of each model's runs by data set,
    protocol and model. inputs: what it was made from, for tables; their cache holds drawn figures. Neither of the two
    is part of the content.
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
    kind: str = "Encore report"  # what stands above the title, before the suite's name
    links: tuple[tuple[str, str], ...] = ()  # further pages: name and address, relative to the page
    run_anchors: Mapping[tuple[str, str, str], str] = field(default_factory=dict, repr=False, compare=False)
    inputs: ReportInputs | None = field(default=None, repr=False, compare=False)

    @property
    def page_header(self) -> str:
        """The header of every printed page: the title and the suite's caveats."""
        return " · ".join([self.title, *self.caveats])

    @property
    def cache(self) -> ResultCache:
        """The cache of drawn figures."""
        return ResultCache() if self.inputs is None else self.inputs.cache

    def with_store_at(self, place: str) -> Report:
        """The report whose links to cells start at ``place``, the store as seen from its page; "" drops them.

        As built, they fit a page in a folder of the store.
        """
        return replace(self, sections=tuple(_relinked(section, place) for section in self.sections))

    def section(self, anchor: str) -> Section | None:
        """The section with this anchor; None if there is none."""
        return next((section for section in self.sections if section.anchor == anchor), None)

    def tables(self) -> Iterator[Table]:
        """All tables in order."""
        for section in self.sections:
            yield from section.tables


def build(
    root: Path, suite: str, *, seen: dict[str, Any] | None = None, kept: Mapping[str, Any] | None = None
) -> Report:
    """Build the report of ``suite`` from the store ``root``.

    Slow results are cached in ``root``/derived by all their inputs, so the same results give the same report, only
    faster. ``kept``: results that are known, by default those that a bundle made for sharing keeps; ``seen``: where
    given, it gets every result that depends on stored cells. Raises FileNotFoundError if the store holds no results of
    that suite.
    """
    results = read_suite(Path(root), suite)
    cache = ResultCache.for_packages(Path(root) / "derived", ("recsys_data", "evaluation", "reports"))
    cache = replace(cache, kept=kept or read_kept(Path(root) / "suites" / suite, suite), seen=seen)
    index = RunIndex.of(results)
    with ProcessPool() as pool:
        precompute_numbers(results, index, cache, pool)
        comparisons = compare_suite(results, requests_of(results), cache=cache)
        inputs = ReportInputs(index, comparisons, judge_suite(results, comparisons), cache)
        sections = _sections(inputs)
        sections = map_texts(printable, sections)  # labels and reasons of errors may hold any character
        precompute_pictures(sections, cache, pool)
    record = results.record
    paper, url = citation(record.get("paper"))
    report = Report(
        suite=results.name, title=record["title"], paper=paper, paper_url=url, created=record.get("created", ""),
        command=record.get("command", ""), caveats=tuple(record.get("caveats", ())), facts=facts_of(index),
        metrics=tuple(record["metrics"]), sections=(),
        run_anchors={(runs.group.dataset, runs.group.protocol, runs.model): runs.anchor for runs in index.runs},
    )  # fmt: skip
    return replace(
        map_texts(printable, report), sections=add_backlinks(sections), run_anchors=report.run_anchors, inputs=inputs
    )


def _sections(inputs: ReportInputs) -> list[Section]:
    """The summary, then all chapters with content; Methods, which explains all columns, is last but one."""
    sections = [section for chapter in CHAPTERS if (section := chapter(inputs)) is not None]
    summary = summary_section(inputs.index, inputs.comparisons, inputs.verdicts, sections)
    sections = [summary, *sections]
    return [*sections[:-1], methods_section(inputs.index, inputs.comparisons, sections), sections[-1]]


def _relinked(section: Section, place: str) -> Section:
    """A section whose tables link to the files of a store at ``place``."""

    def entry(cell: TableCell) -> TableCell:
        return replace(cell, href=place and place + cell.href.removeprefix("..")) if cell.href else cell

    def row(found: Row) -> Row:
        return replace(found, entries=tuple(map(entry, found.entries)))

    blocks = [replace(b, rows=tuple(map(row, b.rows))) if isinstance(b, Table) else b for b in section.blocks]
    return replace(section, blocks=tuple(blocks))
