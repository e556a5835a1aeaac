"""SiteSuite: one suite of the site, with its report and the folder of its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from evaluation.comparison.table import ComparisonTable
from evaluation.results.suite_results import CellResult, SuiteResults
from evaluation.verdicts.verdict import Verdict
from reports.document.run_index import RunIndex
from reports.report import Report


@dataclass(frozen=True, eq=False)
class SiteSuite:
    """A suite with its report, which the site writes to suites/NAME/report.html."""

    report: Report
    index: RunIndex
    comparisons: Sequence[ComparisonTable]
    verdicts: Sequence[Verdict]

    @classmethod
    def of(cls, report: Report) -> SiteSuite:
        """The suite of a report that was just built."""
        if report.inputs is None:
            raise ValueError(f"the report of {report.suite} was not built from results")
        inputs = report.inputs
        return cls(report, inputs.index, inputs.comparisons, inputs.verdicts)

    @property
    def name(self) -> str:
        """The suite's name."""
        return self.report.suite

    @property
    def results(self) -> SuiteResults:
        """The stored results."""
        return self.index.results

    @property
    def page(self) -> Report:
        """The report without the links to files of the store, which a site does not have."""
        return self.report.with_store_at("")

    @property
    def folder(self) -> str:
        """The folder of its page in the site."""
        return f"suites/{self.name}"

    def cells_of(self, verdict: Verdict) -> list[CellResult]:
        """The stored runs that a verdict, or a part of it, is about."""
        parts = verdict.parts or (verdict,)
        return [cell for cell in self.results.cells if any(
            cell.model in part.models and part.dataset in ("", cell.dataset) and part.protocol in ("", cell.protocol)
            for part in parts
        )]  # fmt: skip

    def places_of(self, verdict: Verdict) -> list[str]:
        """The data sets of a verdict or of its parts, each with its protocol where the suite has several."""
        simple = [part for part in verdict.parts or (verdict,) if part.dataset]
        heading = self.index.heading
        return list(dict.fromkeys(heading(p.dataset, p.protocol) if p.protocol else p.dataset for p in simple))

    def href(self, anchor: str = "") -> str:
        """The address of its report, or of a place in it, from a page of the site."""
        return f"{quote(self.folder)}/report.html" + (f"#{anchor}" if anchor else "")
