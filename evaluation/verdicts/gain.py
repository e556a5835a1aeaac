"""Gain: the claim that one model differs from another by a certain ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.comparison.request import ComparisonRequest
from evaluation.printed_numbers import fraction, p_text, percent
from evaluation.statistics.equivalence import STRICT, EquivalenceZone, Noise, tost
from evaluation.verdicts.claim import Claim, shown_metric
from evaluation.verdicts.direction import Direction, direction_of, why_no_direction
from evaluation.verdicts.evidence import Evidence
from evaluation.verdicts.verdict import Outcome, Verdict, judge_zero, outcome_of, zone_text
from recsys_data.checks import check_range

TENFOLD = 10.0


@dataclass(frozen=True)
class Gain(Claim):
    """The claim that ``better`` differs from ``worse`` by the relative ``gain``: 0.12 for +12 %, −0.76 for −76 %.

    It holds if better − worse has the sign of the gain, whatever the metric, and the ratio of the two lies within ±5 %
    of 1 + gain; for a gain of 0 the ratio alone decides. digits: decimals of the gain in print. runs: over how many the
    paper averaged. same_test: whether the rerun's test set is the paper's own, or else another draw of the same
    population, whose chance counts on both sides. not_comparable: as in Ranking. above_tenfold: that a gain of 10 or
    more (+1,000 %) is meant; a suite with such a gain is refused without it, since most of them are in per cent.
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
    above_tenfold: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", shown_metric(self.metric))
        if isinstance(self.gain, int | float) and -100 < self.gain <= -1:
            raise ValueError(
                f"gain must be above -1, got {self.gain!r}: it is a ratio − 1, so write {self.gain / 100:g} for "
                f"{self.gain:g} %"
            )
        check_range(self, "gain", above=-1, finite=True)
        check_range(self, "runs", at_least=1)
        check_range(self, "digits", at_least=0)

    @property
    def models(self) -> tuple[str, ...]:
        """Better, worse."""
        return self.better, self.worse

    @property
    def claimed(self) -> str:
        """The ratio of the two."""
        return fraction(1 + self.gain, self.digits)

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the test of the two models."""
        pair = self.better, self.worse
        return (ComparisonRequest(self.dataset, self.metric, pair, self.protocol, adjusted=not self.not_comparable),)

    def mistake(self) -> str:
        """Return why the gain is probably in per cent by mistake; empty if it is not."""
        if self.gain < TENFOLD or self.above_tenfold:
            return ""
        return (
            f"gain {self.gain:g} of {self.better!r} over {self.worse!r} means {100 * self.gain:+,.6g} %; write "
            f"gain={self.gain / 100:g} for {self.gain:g} %, or add above_tenfold=True if {100 * self.gain:+,.6g} % is "
            f"meant"
        )

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Judge the direction, which is the sign of the gain, then the size."""
        if self.not_comparable:
            return self.verdict(Outcome.NOT_COMPARABLE, self.not_comparable, protocol)
        sign = (self.gain > 0) - (self.gain < 0)
        found = direction_of(self, evidence, protocol, sign)
        if found is None:
            return self.verdict(Outcome.INCONCLUSIVE, why_no_direction(self, evidence, protocol), protocol)
        if found.smoke:
            reason = f"{found.smoke[0]}: a gain is judged on the whole data only."
            return self.verdict(Outcome.NOT_COMPARABLE, reason, protocol, p_adjusted=found.p)
        if found.p is None or (sign and found.outcome is not Outcome.REPRODUCED):
            reason = found.found + single_seeds(found.single_seed_ratios) + found.caveats
            return self.verdict(found.outcome, reason, protocol, estimate=found.ratio, p_adjusted=found.p)
        if found.ratio is None:
            reason = f"{self.worse} scores 0, so the gain has no size.{found.caveats}"
            return self.verdict(Outcome.NOT_REPRODUCED, reason, protocol, p_adjusted=found.p)
        if 1 + self.gain <= self.half_unit:
            outcome, reason = judge_zero(found.ratio, 1 + self.gain + self.half_unit, self._noise(found), STRICT)
            reason = f"The published ratio is 0 up to its rounding; {reason}{found.caveats}"
            return self.verdict(outcome, reason, protocol, estimate=found.ratio, p_adjusted=found.p)
        if found.ratio == 0:
            reason = (
                f"{self.better} scores 0, a gain of −100 %, against the published {percent(self.gain)}.{found.caveats}"
            )
            return self.verdict(Outcome.NOT_REPRODUCED, reason, protocol, estimate=0.0, p_adjusted=found.p)
        return self._size(found, protocol)

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.digits

    def _size(self, found: Direction, protocol: str) -> Verdict:
        """Judge the ratio of the two by equivalence with 1 + gain."""
        published = 1 + self.gain
        noise = self._noise(found)
        size = tost(found.ratio, published, self.half_unit, noise, strict=STRICT, lenient=STRICT)
        low, high = (end * published for end in size.interval)
        where = zone_text(size.zone, STRICT)
        if size.zone is EquivalenceZone.OPEN:
            where = f"open; the largest source of uncertainty is {size.dominant}"
        direction = f"The direction holds (adjusted {p_text(found.p)})" if self.gain else "No difference is claimed"
        reason = (
            f"{direction}; gain {percent(found.ratio - 1)} [{percent(low - 1)}, {percent(high - 1)}] against the "
            f"published {percent(self.gain)}: {where}.{single_seeds(found.single_seed_ratios)}{found.caveats}"
        )
        return self.verdict(
            outcome_of(size.zone),
            reason,
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


def single_seeds(ratios: Sequence[float]) -> str:
    """Say what a paper with one run could have printed, after a space; empty for fewer than two seeds."""
    if len(ratios) < 2:
        return ""
    return f" Single seeds give {percent(ratios[0] - 1)} to {percent(ratios[-1] - 1)}."
