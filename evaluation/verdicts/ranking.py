"""Ranking: the claim that one model beats another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from evaluation.comparison.request import ComparisonRequest
from evaluation.verdicts.claim import Claim, shown_metric
from evaluation.verdicts.direction import direction_of, why_no_direction
from evaluation.verdicts.evidence import Evidence
from evaluation.verdicts.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Ranking(Claim):
    """The claim that ``better`` beats ``worse`` on a data set in a metric; ``text`` is the paper's own sentence.

    It holds if the method-level test, adjusted over all claims, confirms the sign. not_comparable: why the data at hand
    cannot test it; empty if they can.
    """

    text: str
    better: str
    worse: str
    dataset: str
    metric: str
    place: str = ""
    protocol: str = ""
    not_comparable: str = ""
    signed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", shown_metric(self.metric))

    @property
    def models(self) -> tuple[str, ...]:
        """Better, worse."""
        return self.better, self.worse

    @property
    def claimed(self) -> str:
        """The sign of better − worse."""
        return "above 0"

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the test of the two models."""
        pair = self.better, self.worse
        return (ComparisonRequest(self.dataset, self.metric, pair, self.protocol, adjusted=not self.not_comparable),)

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Judge by the sign and the adjusted p of the difference."""
        if self.not_comparable:
            return self.verdict(Outcome.NOT_COMPARABLE, self.not_comparable, protocol)
        found = direction_of(self, evidence, protocol)
        if found is None:
            return self.verdict(Outcome.INCONCLUSIVE, why_no_direction(self, evidence, protocol), protocol)
        return self.verdict(
            found.outcome,
            found.reason,
            protocol,
            estimate=found.difference,
            interval=found.interval,
            p_adjusted=found.p,
        )
