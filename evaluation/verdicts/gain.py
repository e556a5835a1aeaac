"""Gain: the claim that one model beats another by a certain ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.comparison.request import ComparisonRequest
from evaluation.statistics.equivalence import STRICT, EquivalenceZone, Noise, tost
from evaluation.verdicts.claim import Claim, shown_metric
from evaluation.verdicts.direction import Direction, direction_of, why_no_direction
from evaluation.verdicts.evidence import Evidence
from evaluation.verdicts.verdict import Outcome, Verdict, outcome_of, p_text, zone_text
from recsys_data.checks import check_range


@dataclass(frozen=True)
class Gain(Claim):
    """The claim that ``better`` beats ``worse`` by the relative ``gain``, 0.12 for 12 %.

    It holds if the ranking does and the ratio of the two lies within ±5 % of 1 + gain. digits: decimals of the gain in
    print. runs: over how many the paper averaged. same_test: whether the rerun's test set is the paper's own, or else
    another draw of the same population, whose chance counts on both sides. not_comparable: as in Ranking.
    """

    text: str
    better: str
    worse: str
    dataset: str
    metric: str
    gain: float
    place: str = ""
    digits: int = 2
    protocol: str = ""
    runs: int = 1
    same_test: bool = True
    not_comparable: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", shown_metric(self.metric))
        check_range(self, "gain", above=-1)
        check_range(self, "runs", at_least=1)

    @property
    def models(self) -> tuple[str, ...]:
        """Better, worse."""
        return self.better, self.worse

    @property
    def claimed(self) -> str:
        """The ratio of the two."""
        return f"{1 + self.gain:.{self.digits}f}"

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the test of the two models."""
        pair = self.better, self.worse
        return (ComparisonRequest(self.dataset, self.metric, pair, self.protocol, adjusted=not self.not_comparable),)

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Judge the direction, then the size."""
        if self.not_comparable:
            return self.verdict(Outcome.NOT_COMPARABLE, self.not_comparable, protocol)
        found = direction_of(self, evidence, protocol)
        if found is None:
            return self.verdict(Outcome.INCONCLUSIVE, why_no_direction(self, evidence, protocol), protocol)
        if found.smoke:
            reason = f"{found.smoke[0]}: a gain is judged on the whole data only."
            return self.verdict(Outcome.NOT_COMPARABLE, reason, protocol, p_adjusted=found.p)
        if found.outcome is not Outcome.REPRODUCED:
            return self.verdict(found.outcome, found.reason, protocol, estimate=found.ratio, p_adjusted=found.p)
        if found.ratio is None:
            reason = f"{self.worse} scores 0, so the gain has no size.{found.caveats}"
            return self.verdict(Outcome.NOT_REPRODUCED, reason, protocol, p_adjusted=found.p)
        return self._size(found, protocol)

    def _size(self, found: Direction, protocol: str) -> Verdict:
        """Judge the ratio of the two by equivalence with 1 + gain."""
        published = 1 + self.gain
        noise = self._noise(found)
        size = tost(found.ratio, published, 0.5 * 10.0**-self.digits, noise, strict=STRICT, lenient=STRICT)
        low, high = (end * published for end in size.interval)
        where = zone_text(size.zone, STRICT)
        if size.zone is EquivalenceZone.OPEN:
            where = f"open; the largest source of uncertainty is {size.dominant}"
        reason = (
            f"The direction holds (adjusted {p_text(found.p)}); gain {found.ratio - 1:+.1%} [{low - 1:+.1%}, "
            f"{high - 1:+.1%}] against the published {self.gain:+.1%}: {where}."
        )
        return self.verdict(
            outcome_of(size.zone),
            reason + found.caveats,
            protocol,
            estimate=found.ratio,
            interval=(low, high),
            p_adjusted=found.p,
        )

    def _noise(self, found: Direction) -> list[Noise]:
        """Return the seed noise of both models and, for another test set, the noise of both test samples."""
        noise = []
        for row in found.rows:
            if row.sd:
                seeds = len(row.seed_values)
                variance = (row.sd / row.mean) ** 2 * (1 / self.runs + 1 / seeds)
                noise.append(Noise(f"the seeds of {row.model}", variance, seeds - 1))
        if not self.same_test and found.pair.relative_error is not None:
            relative = found.pair.relative_error / (1 + found.pair.relative)  # of the log ratio, in either direction
            noise.append(Noise("the test sample", 2 * relative**2, found.table.num_clusters - 1))
        return noise
