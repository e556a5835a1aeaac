"""AcrossProtocols: the claim that one model scores higher under one protocol than under another, on the same users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from evaluation.comparison.request import ComparisonRequest
from evaluation.metrics.accuracy import metric_named
from evaluation.printed_numbers import fraction, interval, p_text
from evaluation.statistics.crossed import crossed_test
from evaluation.statistics.effects import ALPHA, agreeing
from evaluation.statistics.paired_sums import UnequalTestSets, check_same_test_set
from evaluation.verdicts.claim import Claim, shown_metric
from evaluation.verdicts.direction import what_would_decide
from evaluation.verdicts.evidence import Evidence, caveat_sentence
from evaluation.verdicts.verdict import Outcome, Verdict


@dataclass(frozen=True)
class AcrossProtocols(Claim):
    """The claim that ``model`` scores better under the protocol ``better`` than under ``worse`` in a metric.

    Both protocols must test the same users (or sessions) with equally many queries each, as two values of InnerOrder
    do. The test is over users × seeds, paired by user; Bonferroni adjusts its p over all such claims of the suite.
    """

    text: str
    model: str
    dataset: str
    metric: str
    better: str
    worse: str
    place: str = ""
    signed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", shown_metric(self.metric))

    @property
    def models(self) -> tuple[str, ...]:
        """The one model."""
        return (self.model,)

    @property
    def claimed(self) -> str:
        """The sign of the difference."""
        return "above 0"

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the tables of both protocols."""
        return [ComparisonRequest(self.dataset, self.metric, protocol=each) for each in (self.better, self.worse)]

    def protocols(self, evidence: Evidence) -> list[str]:
        """Return the protocol said to be ahead."""
        return [self.better]

    def mistake(self) -> str:
        """Return that both protocols are one; empty if they are two."""
        if self.better != self.worse:
            return ""
        return f"the claim {self.text!r} compares the protocol {self.better!r} with itself; name two protocols"

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Judge by the sign and the adjusted p of the difference between the protocols."""
        found = {each: evidence.cells(self.dataset, each, self.model) for each in (self.better, self.worse)}
        for each, cells in found.items():
            if not cells:
                reason = f"{evidence.why_missing(self.dataset, each, self.model, self.metric)} under {each}."
                return self.verdict(Outcome.INCONCLUSIVE, reason, protocol)
        metric = metric_named(self.metric)
        sums = [[cell.sums_of(metric) for cell in cells] for cells in found.values()]
        try:
            for other in (*sums[0][1:], *sums[1]):
                check_same_test_set(sums[0][0], other, self.better, self.worse)
        except UnequalTestSets as error:
            return self.verdict(Outcome.NOT_COMPARABLE, f"{error}.", protocol)
        fixed = [cells[0].deterministic for cells in found.values()]
        caveats = caveat_sentence(*(cell.caveats for cells in found.values() for cell in cells))
        if len(sums[0][0].clusters) < 2:
            return self.verdict(Outcome.INCONCLUSIVE, "One user does not show how users vary.", protocol)
        test = crossed_test(*sums, deterministic=(fixed[0], fixed[1]))
        if test is None:
            trained = crossed_test(sums[0][:1], sums[1][:1], deterministic=(True, True))
            shown = fraction(trained.estimate, sign=True)
            reason = f"Difference {shown}: one seed applies to these trained models; run at least 3."
            return self.verdict(Outcome.INCONCLUSIVE, reason + caveats, protocol, estimate=trained.estimate)
        family = max(1, sum(1 for _ in _stored(evidence.results.record.get("claims", ()))))
        p = min(1.0, family * test.p)
        low, high = agreeing(test.interval_at(1 - ALPHA / family), test.estimate, p < ALPHA)
        reason = (
            f"Difference {fraction(test.estimate, sign=True)} {interval(low, high, sign=True)}, adjusted {p_text(p)}"
        )
        ahead = (test.estimate > 0) == metric.higher_is_better
        if p >= ALPHA:
            seeds = min((len(each) for each, always in zip(sums, fixed, strict=True) if not always), default=0)
            needed = what_would_decide(test, len(sums[0][0].clusters), seeds, 1 - ALPHA / family)
            outcome, more = Outcome.INCONCLUSIVE, f": not statistically significant.{needed}"
        elif ahead:
            outcome, more = Outcome.REPRODUCED, "."
        else:
            outcome, more = Outcome.CONTRADICTED, ": significant in the other direction."
        values = {"estimate": test.estimate, "interval": (low, high), "p_adjusted": p}
        return self.verdict(outcome, reason + more + caveats, protocol, **values)


def _stored(claims: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the suite's claims of this kind, parts of compound claims included."""
    for claim in claims:
        if claim.get("kind") == AcrossProtocols.__name__:
            yield claim
        yield from _stored(claim.get("parts", ()))
