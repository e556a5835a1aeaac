"""Cost: the claim that two models differ in time, throughput or memory by a certain ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.printed_numbers import fraction, interval
from evaluation.statistics.equivalence import Noise, tost
from evaluation.verdicts.claim import Claim
from evaluation.verdicts.evidence import Evidence, smoke_caveats
from evaluation.verdicts.verdict import Outcome, Verdict, outcome_of, zone_text
from recsys_data.checks import check_choice, check_range

QUANTITIES = ("targets_per_second", "fit", "score", "peak_memory_mb")


@dataclass(frozen=True)
class Cost(Claim):
    """The claim that the cost of ``first`` over that of ``second`` is ``ratio`` ("22,822 against 24,917 a second").

    quantity: "targets_per_second", "fit", "score" (seconds) or "peak_memory_mb", as a cell records it.
    """

    text: str
    first: str
    second: str
    dataset: str
    ratio: float
    quantity: str = "targets_per_second"
    place: str = ""
    protocol: str = ""

    def __post_init__(self) -> None:
        check_choice(self, "quantity", QUANTITIES)
        check_range(self, "ratio", above=0)

    @property
    def models(self) -> tuple[str, ...]:
        """First, second."""
        return self.first, self.second

    @property
    def claimed(self) -> str:
        """The ratio of the two."""
        return fraction(self.ratio, 3)

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Judge by Welch's interval of the ratio over seeds, on this machine."""
        values, caveats, devices = [], [], {}
        for model in self.models:
            cells = evidence.cells(self.dataset, protocol, model)
            records = [cell.record.get("seconds", {}) | cell.record for cell in cells]
            found = [float(r[self.quantity]) for r in records if r.get(self.quantity)]
            if not found:
                reason = f"{model} has no record of {self.quantity} on {self.dataset}."
                return self.verdict(Outcome.INCONCLUSIVE, reason, protocol)
            values.append(found)
            caveats += [caveat for cell in cells for caveat in cell.caveats]
            devices |= {r.get("device_name") or r.get("device") or "this machine": None for r in records}
        smoke = smoke_caveats(evidence.caveats, caveats)
        if smoke:
            reason = f"{smoke[0]}: a cost is judged on the whole data only."
            return self.verdict(Outcome.NOT_COMPARABLE, reason, protocol)
        ratio = float(np.mean(values[0]) / np.mean(values[1]))
        found = (
            f"{self.quantity} of {self.first} over {self.second} is {fraction(ratio, 3)} here, {self.claimed} published"
        )
        if len(devices) > 1:
            reason = f"{found}; but measured on different devices ({', '.join(devices)})."
            return self.verdict(Outcome.INCONCLUSIVE, reason, protocol, estimate=ratio)
        hardware = f"; measured on {next(iter(devices))}, other hardware than the paper's"
        if min(len(runs) for runs in values) < 2:
            reason = f"{found}; one run does not show the noise{hardware}."
            return self.verdict(Outcome.INCONCLUSIVE, reason, protocol, estimate=ratio)
        return self._size(ratio, values, protocol, found, hardware)

    def _size(
        self, ratio: float, values: Sequence[Sequence[float]], protocol: str, found: str, hardware: str
    ) -> Verdict:
        noise = [source for source in map(relative_noise, self.models, values) if source.variance > 0]
        size = tost(ratio, self.ratio, 0.0, noise)
        low, high = size.interval
        reason = f"{found}: ratio of the two {interval(low, high, 3)} {zone_text(size.zone)}{hardware}."
        ends = (low * self.ratio, high * self.ratio)
        return self.verdict(outcome_of(size.zone), reason, protocol, estimate=ratio, interval=ends)


def relative_noise(name: str, values: Sequence[float]) -> Noise:
    """Return the noise of the logarithm of the mean of some runs."""
    return Noise(name, float(np.var(values, ddof=1)) / float(np.mean(values)) ** 2 / len(values), len(values) - 1)
