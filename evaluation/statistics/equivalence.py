"""Equivalence of a rerun and a published value: two one-sided tests (TOST) of their ratio on the log scale.

Reproduced within δ: the 90 % interval of the log ratio lies inside ± log(1 + δ) (Schuirmann 1987). The published
value is an interval of ± half a unit of its last digit. A non-significant difference is no evidence of equivalence.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")

STRICT, LENIENT = 0.05, 0.10
MAX_SEEDS = 1000
CONFIDENCE = 0.95  # one-sided, so the interval is a 90 % interval


class EquivalenceZone(enum.Enum):
    """The position of a ratio's interval relative to the equivalence margins."""

    STRICT = "within ±5 %"
    LENIENT = "within ±10 %"
    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"


@dataclass(frozen=True)
class Noise:
    """A source of variance in a log ratio: name, variance, and degrees of freedom of the estimate."""

    name: str
    variance: float
    df: float


@dataclass(frozen=True)
class Equivalence:
    """The 90 % interval of a ratio and its zone. noise: the sources; rounding: half-width on the log scale."""

    ratio: float
    interval: tuple[float, float]
    zone: EquivalenceZone
    noise: tuple[Noise, ...]
    rounding: float

    @property
    def dominant(self) -> str:
        """The name of the largest source of uncertainty."""
        sizes = {source.name: math.sqrt(source.variance) for source in self.noise}
        sizes["the rounding of the published value"] = self.rounding / 1.645
        return max(sizes, key=lambda name: sizes[name])


def tost(
    rerun: float,
    published: float,
    half_unit: float,
    noise: Sequence[Noise],
    *,
    strict: float = STRICT,
    lenient: float = LENIENT,
) -> Equivalence:
    """Test whether ``rerun`` equals ``published`` ± ``half_unit`` within ``strict`` or ``lenient``.

    Variances add; degrees of freedom by Welch and Satterthwaite. Raises ValueError for values that are not above 0,
    which have no ratio.
    """
    if not (rerun > 0 and published > half_unit >= 0):
        raise ValueError(f"a ratio needs values above 0 (and above their rounding), got {rerun} and {published}")
    variance = sum(source.variance for source in noise)
    spread = sum(source.variance**2 / source.df for source in noise)
    t = float(special.stdtrit(variance * variance / spread, CONFIDENCE)) if spread > 0 else 0.0
    half = t * math.sqrt(variance)
    low = math.log(rerun / (published + half_unit)) - half
    high = math.log(rerun / (published - half_unit)) + half
    rounding = (math.log(published + half_unit) - math.log(published - half_unit)) / 2
    ends = (math.exp(low), math.exp(high))
    return Equivalence(rerun / published, ends, _zone(low, high, strict, lenient), tuple(noise), rounding)


def _zone(low: float, high: float, strict: float, lenient: float) -> EquivalenceZone:
    """Return the narrowest band that contains the interval, or its side, or OPEN where it crosses an edge."""
    for band, zone in ((strict, EquivalenceZone.STRICT), (lenient, EquivalenceZone.LENIENT)):
        if -math.log1p(band) < low and high < math.log1p(band):
            return zone
    if low > math.log1p(lenient):
        return EquivalenceZone.ABOVE
    if high < -math.log1p(lenient):
        return EquivalenceZone.BELOW
    return EquivalenceZone.OPEN


def seed_noise(deviation: float, num_seeds: int, paper_runs: int) -> list[Noise]:
    """Return the seed noise of both values from the rerun's relative SD over seeds, assumed equal for the paper's runs.

    Both parts come from one estimate, so they are one source with S − 1 degrees of freedom, named after the larger.
    """
    total = deviation**2 * (1 / paper_runs + 1 / num_seeds)
    if total == 0:
        return []
    runs = "the paper's single run" if paper_runs == 1 else f"the paper's {paper_runs} runs"
    name = runs if num_seeds > paper_runs else "the few seeds of the rerun"
    return [Noise(name, total, num_seeds - 1)]


def seeds_to_decide(
    rerun: float,
    published: float,
    half_unit: float,
    deviation: float,
    paper_runs: int,
    others: Sequence[Noise] = (),
    *,
    strict: float = STRICT,
    lenient: float = LENIENT,
) -> int | None:
    """Return the least number of seeds that decides at the present mean and deviation; None if none up to MAX_SEEDS."""

    def decides(num_seeds: int) -> bool:
        noise = [*seed_noise(deviation, num_seeds, paper_runs), *others]
        return tost(rerun, published, half_unit, noise, strict=strict, lenient=lenient).zone is not EquivalenceZone.OPEN

    if not decides(MAX_SEEDS):
        return None
    low, high = 2, MAX_SEEDS  # the interval shrinks with every seed
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle + 1, high)
    return low
