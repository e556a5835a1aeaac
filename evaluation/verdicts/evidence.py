"""Evidence: the stored results and comparison tables from which a claim is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from evaluation.comparison.group import single_cluster
from evaluation.comparison.request import ComparisonRequest
from evaluation.comparison.table import ComparisonTable, PairRow
from evaluation.results.best_epochs import join_best_epochs
from evaluation.results.suite_results import CellResult, SuiteResults
from evaluation.statistics.effects import ALPHA, agreeing
from evaluation.statistics.multiplicity import holm, holm_divisors
from evaluation.verdicts.verdict import Verdict

SMOKE = "SMOKE RUN"
OWN_CLAIM = "Encore's own claim"  # how the place of a claim begins that no paper makes
_Test = tuple[str, str, str, str, str]  # data set, protocol, metric, the pair as its row names it


class Judged(Protocol):
    """A claim or published number."""

    def protocols(self, evidence: Evidence) -> list[str]:
        """Return the protocols to judge under."""

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Return the verdict under one protocol."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A suite's results and tables.

    adjusted: Holm's p of each pair that claims name, over all of them. levels: of the interval that agrees with that p.
    """

    results: SuiteResults
    tables: Sequence[ComparisonTable]
    adjusted: Mapping[_Test, float] = field(default_factory=dict)
    levels: Mapping[_Test, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls, results: SuiteResults, tables: Sequence[ComparisonTable], requests: Iterable[ComparisonRequest]
    ) -> Evidence:
        """Return the evidence with the method-level p of all requested pairs adjusted together.

        A pair of one table is one test and counts once, however many claims name it.
        """
        evidence = cls(results, tables)
        raw: dict[_Test, float] = {}
        for request in requests:
            if request.pair is None or not request.adjusted:
                continue
            for protocol in evidence.protocols(request.dataset, request.protocol):
                pair = evidence.pair(request.dataset, protocol, request.metric, *request.pair)
                if pair is not None and pair.decision.of_methods:
                    raw[request.dataset, protocol, request.metric, pair.a, pair.b] = pair.decision.p
        p = list(raw.values())
        levels = (1 - ALPHA / float(divisor) for divisor in holm_divisors(p, ALPHA))
        adjusted = (float(found) for found in holm(p))
        return cls(results, tables, dict(zip(raw, adjusted, strict=True)), dict(zip(raw, levels, strict=True)))

    def judge(self, claim: Judged, place: str = "") -> list[Verdict]:
        """Return the verdicts on a claim, one for each protocol it applies to. place: where it was published."""
        verdicts = [claim.judge(self, protocol) for protocol in claim.protocols(self)]
        suite_cites = self.results.record.get("paper") is not None
        places = [place or v.place for v in verdicts]
        cited = [bool(suite_cites or where) and not where.startswith(OWN_CLAIM) for where in places]
        return [replace(v, cites_paper=cites) for v, cites in zip(verdicts, cited, strict=True)]

    @property
    def caveats(self) -> tuple[str, ...]:
        """The caveats of the whole suite."""
        return tuple(self.results.record.get("caveats", ()))

    def protocols(self, dataset: str, protocol: str = "") -> list[str]:
        """Return ``protocol``, or all protocols of the data set where it is empty, or one empty name if none ran."""
        found = [entry["protocol"] for entry in self.results.record["cells"] if entry["dataset"] == dataset]
        return [protocol] if protocol else list(dict.fromkeys(found)) or [""]

    def cells(self, dataset: str, protocol: str, model: str) -> list[CellResult]:
        """Return the finished cells of a model, one per seed."""
        labels = (dataset, protocol, model)
        return [cell for cell in self.results.cells if (cell.dataset, cell.protocol, cell.model) == labels]

    def table(self, dataset: str, protocol: str, metric: str) -> ComparisonTable | None:
        """Return the table of a metric; None where it was not measured or no model has a result."""
        wanted = (dataset, protocol, metric)
        return next((t for t in self.tables if (t.dataset, t.protocol, t.metric) == wanted), None)

    def pair(self, dataset: str, protocol: str, metric: str, a: str, b: str) -> PairRow | None:
        """Return the comparison of two models, in the direction in which it was tested."""
        table = self.table(dataset, protocol, metric)
        return None if table is None else table.pair(a, b)

    def adjusted_p(self, dataset: str, protocol: str, metric: str, a: str, b: str) -> float | None:
        """Return Holm's p of a pair over all claims; None where seeds allow no test of the methods."""
        pair = self.pair(dataset, protocol, metric, a, b)
        return None if pair is None else self.adjusted.get((dataset, protocol, metric, pair.a, pair.b))

    def level(self, dataset: str, protocol: str, metric: str, a: str, b: str) -> float:
        """Return the level at which Holm tests the pair of a row (a, b) over all claims; 95 % where it does not."""
        return self.levels.get((dataset, protocol, metric, a, b), 1 - ALPHA)

    def interval(self, dataset: str, protocol: str, metric: str, a: str, b: str) -> tuple[float, float] | None:
        """Return the interval of a − b that agrees with ``adjusted_p``, or with the table's p where there is none."""
        pair = self.pair(dataset, protocol, metric, a, b)
        if pair is None:
            return None
        test = (dataset, protocol, metric, pair.a, pair.b)
        ends = pair.decision.interval
        if pair.method is not None and test in self.levels:
            ends = agreeing(pair.method.interval_at(self.levels[test]), pair.difference, self.adjusted[test] < ALPHA)
        return ends if pair.a == a else (-ends[1], -ends[0])

    def why_missing(self, dataset: str, protocol: str, model: str, metric: str) -> str:
        """Return the reason why a model has no value of a metric; empty if it has one."""
        table = self.table(dataset, protocol, metric)
        if table is not None and table.model(model) is not None:
            return ""
        for failure in self.results.failures:
            if (failure.dataset, failure.protocol, failure.model) == (dataset, protocol, model):
                return f"{model} has no result ({failure.state}: {failure.reason})"
        found = self.cells(dataset, protocol, model)
        if found and single_cluster(found[0]):
            return f"the test part of {dataset} has one user only, so the variation between users is unknown"
        if table is None and any((t.dataset, t.protocol) == (dataset, protocol) for t in self.tables):
            return f"{metric} is not measured here"
        return f"the suite holds no result of {model} on {dataset}"


def smoke_caveats(*caveats: Iterable[str]) -> tuple[str, ...]:
    """Return the caveats that mark a smoke run, once each."""
    return tuple(dict.fromkeys(caveat for group in caveats for caveat in group if caveat.startswith(SMOKE)))


def caveat_sentence(*caveats: Iterable[str]) -> str:
    """Return the caveats, once each, as a closing sentence with a space before it; empty if there are none.

    Those of several seeds that differ only in their best epoch are one: "… (best epochs 19, 20)".
    """
    texts = join_best_epochs(caveat for group in caveats for caveat in group)
    return f" Caveat{'s' * (len(texts) > 1)}: {'; '.join(texts)}." if texts else ""
