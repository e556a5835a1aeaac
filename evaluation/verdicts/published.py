"""Published: a number of a paper, judged by equivalence of rerun and published within ±5 % or ±10 %."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.comparison.request import ComparisonRequest
from evaluation.comparison.table import ComparisonTable, ModelRow
from evaluation.json_codec import to_json
from evaluation.metrics.accuracy import metric_named
from evaluation.printed_numbers import fraction, interval
from evaluation.statistics.equivalence import Equivalence, EquivalenceZone, Noise, seed_noise, seeds_to_decide, tost
from evaluation.verdicts.claim import shown_metric
from evaluation.verdicts.evidence import Evidence, caveat_sentence, smoke_caveats
from evaluation.verdicts.verdict import Outcome, Verdict, judge_zero, outcome_of
from recsys_data.checks import check_range

_WHERE = {
    EquivalenceZone.STRICT: "within ±5 %",
    EquivalenceZone.LENIENT: "within ±10 %, not ±5 %",
    EquivalenceZone.ABOVE: "above +10 %",
    EquivalenceZone.BELOW: "below −10 %",
}


class Rerun(enum.Enum):
    """The kind of rerun that a published number is compared with.

    SAME is declared for a row that the paper's own code computed on the paper's data (a Ranked of the suite), or for
    the ranks that the paper released.
    """

    SAME = "same code and data"
    MATCHED = "reimplementation with matched protocol"


@dataclass(frozen=True)
class Published:
    """One number of a paper. ``digits`` decimals were printed; ``certain`` False is shown and never judged.

    ``not_comparable``: why the data, split or candidates at hand make this another quantity; empty if comparable.
    ``protocol``: the one it belongs to, or empty for each protocol of the data set. ``runs``: how many the paper
    averaged. ``same_test``: whether the rerun's test set is the paper's own, or else another draw of the same
    population, whose chance counts on both sides. ``rerun``: whether the row is the paper's own code on its own data.
    """

    dataset: str
    model: str
    metric: str
    value: float
    place: str
    digits: int = 4
    source: str = "paper"
    certain: bool = True
    not_comparable: str = ""
    protocol: str = ""
    runs: int = 1
    same_test: bool = True
    rerun: Rerun = Rerun.MATCHED

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", shown_metric(self.metric))
        check_range(self, "runs", at_least=1)
        check_range(self, "digits", at_least=0)
        check_range(self, "value", at_least=0, finite=True)

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.digits

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the table of the metric."""
        return (ComparisonRequest(self.dataset, self.metric, protocol=self.protocol),)

    def protocols(self, evidence: Evidence) -> list[str]:
        """Return the protocols to judge under."""
        return evidence.protocols(self.dataset, self.protocol)

    def to_json(self) -> dict[str, Any]:
        """Return the number as JSON data."""
        return {name: to_json(value) for name, value in vars(self).items()}

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Return the verdict under one protocol.

        NOT COMPARABLE (other data or candidates) and NOT JUDGED (a number of uncertain reading) come first, then a
        smoke run. No result, or one seed of a learner, is INCONCLUSIVE; the rest is decided by the 90 % interval of the
        ratio.
        """
        table = evidence.table(self.dataset, protocol, self.metric)
        row = None if table is None else table.model(self.model)
        mean = None if row is None else row.mean

        def verdict(outcome: Outcome, reason: str, **found: Any) -> Verdict:
            subject = (
                f"{self.model} on {self.dataset}: {self.metric} = {fraction(self.value, self.digits)} ({self.place})"
            )
            if row is not None and self.rerun is Rerun.SAME:
                caveats = caveat_sentence(row.caveats)  # reports cut them off, since they are notes there
                reason = f"{reason.removesuffix(caveats)} Kind of rerun: {self.rerun.value}.{caveats}"
            return Verdict(
                subject,
                outcome,
                reason,
                kind="Published",
                claimed=fraction(self.value, self.digits),
                dataset=self.dataset,
                protocol=protocol,
                models=(self.model,),
                place=self.place,
                about=self,
                **{"rerun_value": mean, **found},
            )

        if self.not_comparable:
            return verdict(Outcome.NOT_COMPARABLE, self.not_comparable)
        if not self.certain:
            reason = f"The {self.source}'s number is not certain, so it is shown and not judged."
            return verdict(Outcome.NOT_JUDGED, reason)
        if row is None or table is None:
            missing = evidence.why_missing(self.dataset, protocol, self.model, self.metric)
            return verdict(Outcome.INCONCLUSIVE, f"{missing}.")
        smoke = smoke_caveats(evidence.caveats, row.caveats)
        if smoke:
            reason = f"{smoke[0]}: a published number is judged on the whole data only."
            return verdict(Outcome.NOT_COMPARABLE, reason)
        is_zero = self.value <= self.half_unit
        ratio = None if is_zero else row.mean / self.value
        if not row.deterministic and row.sd is None:
            shown = f"Rerun {fraction(row.mean, self.digits + 1)}" if is_zero else f"Ratio {fraction(ratio, 3)}"
            reason = f"{shown}; one seed does not show the seed noise: run at least 3 seeds."
            return verdict(Outcome.INCONCLUSIVE, reason, estimate=ratio)
        sample = self._sample_noise(row, table)
        seeds = seed_noise((row.sd or 0.0) / row.mean, len(row.seed_values), self.runs) if row.mean > 0 else []
        if is_zero:
            outcome, reason = judge_zero(row.mean, self.value + self.half_unit, [*seeds, *sample])
            return verdict(
                outcome, f"The published value is 0 up to its rounding; {reason}{caveat_sentence(row.caveats)}"
            )
        if row.mean <= 0:
            return verdict(Outcome.NOT_REPRODUCED, "The rerun's value is 0.")
        found = tost(row.mean, self.value, self.half_unit, [*seeds, *sample])
        reason = self._reason(row, found, sample)
        return verdict(outcome_of(found.zone), reason, estimate=found.ratio, interval=found.interval)

    def mistake(self) -> str:
        """Return why the value is probably in per cent by mistake; empty if it is possible in its metric."""
        try:
            bound = metric_named(self.metric).upper_bound
        except ValueError:
            return ""
        if self.value <= bound:
            return ""
        likely = f"write {self.value / 100:g} for {self.value:g} %" if self.value <= 100 * bound else "correct it"
        return (
            f"published value {self.value:g} of {self.model!r} on {self.dataset!r} is impossible, since {self.metric} "
            f"is at most {bound:g}; {likely} (digits counts the decimals of what you write)"
        )

    def _sample_noise(self, row: ModelRow, table: ComparisonTable) -> list[Noise]:
        """Return the noise of both test samples, √2 times the cluster error, where the test set is another draw."""
        if self.same_test or row.error == 0:
            return []
        return [Noise("the test sample", 2 * (row.error / row.mean) ** 2, table.num_clusters - 1)]

    def _reason(self, row: ModelRow, found: Equivalence, sample: list[Noise]) -> str:
        low, high = found.interval
        count = "deterministic" if row.deterministic else f"{len(row.seed_values)} seeds"
        where = _WHERE.get(found.zone, "")
        if found.zone is EquivalenceZone.OPEN:
            where = f"the interval straddles the margin. {self._what_would_decide(row, found, sample)}".rstrip(".")
        ratio = f"ratio {fraction(found.ratio, 3)} {interval(low, high, 3)}"
        rerun = f"Rerun {fraction(row.mean, self.digits + 1)} ({count})"
        return f"{rerun}, {ratio}: {where}.{caveat_sentence(row.caveats)}"

    def _what_would_decide(self, row: ModelRow, found: Equivalence, sample: list[Noise]) -> str:
        """Say how many seeds would decide an open verdict."""
        needed = None
        if not row.deterministic:
            deviation = (row.sd or 0.0) / row.mean
            needed = seeds_to_decide(row.mean, self.value, self.half_unit, deviation, self.runs, sample)
        answer = "No number of seeds can decide it" if needed is None else f"About {needed} seeds would decide it"
        return f"{answer}; the largest source of uncertainty is {found.dominant}."
