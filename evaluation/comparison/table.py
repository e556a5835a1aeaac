"""ComparisonTable: models and their differences on one data set, protocol and metric, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evaluation.frames import Record, frame_of
from evaluation.statistics.crossed import MethodTest
from evaluation.statistics.effects import ALPHA, Conclusion, Shares
from evaluation.statistics.naive import NaiveTest

if TYPE_CHECKING:
    from evaluation.frames import DataFrame

Interval = tuple[float, float]


@dataclass(frozen=True)
class ModelRow:
    """One model: its mean over seeds with its 95 % interval, and every seed's value.

    interval: of the method (users × seeds) where there are two seeds or more, cut at the bounds of the metric; else of
    the trained model, by the cluster bootstrap. error: the clustered standard error of the mean, without the noise of
    seeds. sd: over seeds, None below two. macro: the mean over clusters. optimistic, pessimistic: the first seed's
    value under the two readings of ties, flagged where they differ by over 0.1 %; None where ranks were not read.
    matches_best: no significant difference from the best mean of this table: by the decision on the pair where it is
    declared, else by Holm over all models against the best, which is chosen after looking.
    """

    model: str
    mean: float
    error: float
    interval: Interval
    macro: float
    seed_values: dict[int, float]
    sd: float | None
    deterministic: bool
    baseline: bool
    reference: bool
    best: bool
    matches_best: bool
    optimistic: float | None = None
    pessimistic: float | None = None
    ties_flagged: bool = False
    caveats: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def of_method(self) -> bool:
        """Whether the interval is that of the method: over users and seeds, or over users where no seed matters."""
        return self.deterministic or len(self.seed_values) > 1


@dataclass(frozen=True)
class Decision:
    """The test that decides on a pair a − b, and the conclusion.

    of_methods: whether it is of the methods (users × seeds; sign flips where both are deterministic), which needs two
    seeds of every learner; else of these trained models (users only, sign flips). error, df: of the difference. p;
    p_adjusted: by Holm over the family. interval, relative_interval: of the difference and of a / b − 1, at the level
    at which Holm tests the pair, so each excludes 0 exactly where p_adjusted is below .05; NaN where b is 0.
    """

    of_methods: bool
    error: float
    df: float
    p: float
    p_adjusted: float
    interval: Interval
    relative_interval: Interval
    conclusion: Conclusion

    @property
    def significant(self) -> bool:
        """Whether the adjusted p is below .05."""
        return self.p_adjusted < ALPHA


@dataclass(frozen=True)
class PairRow:
    """One comparison of the declared family: a minus b.

    decision: the test that counts. Trained models (seed-averaged, chance of users only): difference, error (clustered),
    interval (95 % cluster bootstrap, this pair alone), simultaneous (95 % for the whole family, from max-T), p (sign
    flips), p_holm, p_max_t. Methods (users × seeds): method, this pair alone; None where a learner has one seed.
    Effect: relative (infinite if b is 0) with relative_error (clustered), relative_interval (bootstrap),
    method_relative_error and method_relative_interval, shares of clusters, standardised effect, smallest detectable
    difference (of the test that decides). naive: the event-level test for contrast, with the design effect; None where
    ranks were not read.
    """

    a: str
    b: str
    why: str
    difference: float
    error: float
    interval: Interval
    simultaneous: Interval
    p: float
    p_holm: float
    p_max_t: float
    relative: float
    relative_error: float | None
    relative_interval: Interval
    macro: float
    shares: Shares
    standardised: float
    smallest_detectable: float
    method: MethodTest | None
    method_relative_error: float | None
    method_relative_interval: Interval | None
    decision: Decision
    sentence: str
    naive: NaiveTest | None = None

    @property
    def design_effect(self) -> float | None:
        """Clustered over naive variance, or None where ranks were not read."""
        return None if self.naive is None else self.naive.design_effect


@dataclass(frozen=True)
class ExploratoryPair:
    """A pair of the heat map: raw p and Benjamini–Hochberg q over all pairs; of_methods: as in Decision."""

    a: str
    b: str
    difference: float
    p: float
    q: float
    of_methods: bool


@dataclass(frozen=True)
class ComparisonTable:
    """Models and comparisons of one data set × protocol × metric.

    reference: the best baseline, and reference_by how it was chosen. notes: sentences that belong under the table.
    """

    dataset: str
    protocol: str
    metric: str
    higher_is_better: bool
    num_clusters: int
    num_events: int
    unit: str
    models: tuple[ModelRow, ...]
    pairs: tuple[PairRow, ...]
    exploratory: tuple[ExploratoryPair, ...]
    reference: str | None
    reference_by: str
    margin: float
    flips: int
    resamples: int
    notes: tuple[str, ...] = ()

    def model(self, name: str) -> ModelRow | None:
        """The row of a model, or None."""
        return next((row for row in self.models if row.model == name), None)

    def pair(self, a: str, b: str) -> PairRow | None:
        """The row of the pair, in either direction, or None."""
        return next((row for row in self.pairs if {row.a, row.b} == {a, b}), None)

    def records(self) -> list[Record]:
        """One record per model: its mean over seeds with the 95 % interval and the standard deviation over seeds."""
        found = []
        for row in self.models:
            low, high = row.interval or (None, None)
            found.append({
                **self._place, "model": row.model, "metric": self.metric, "mean": row.mean, "low": low, "high": high,
                "sd": row.sd, "seeds": len(row.seed_values), "deterministic": row.deterministic,
                "baseline": row.baseline, "reference": row.reference, "best": row.best,
                "matches_best": row.matches_best, "caveats": "; ".join(row.caveats),
            })  # fmt: skip
        return found

    def pair_records(self) -> list[Record]:
        """One record per declared comparison a − b: the difference, its interval, p and conclusion."""
        found = []
        for pair in self.pairs:
            decision = pair.decision
            found.append({
                **self._place, "metric": self.metric, "a": pair.a, "b": pair.b, "difference": pair.difference,
                "low": decision.interval[0], "high": decision.interval[1], "relative": pair.relative,
                "relative_low": decision.relative_interval[0], "relative_high": decision.relative_interval[1],
                "p": decision.p, "p_adjusted": decision.p_adjusted, "of_methods": decision.of_methods,
                "conclusion": decision.conclusion.value, "declared": pair.why,
            })  # fmt: skip
        return found

    def to_frame(self, rows: Literal["models", "pairs"] = "models") -> DataFrame:
        """A pandas frame with one row per model, or per declared pair."""
        if rows not in ("models", "pairs"):
            raise ValueError(f"a frame of a comparison has rows of 'models' or 'pairs', got {rows!r}")
        return frame_of(self.records() if rows == "models" else self.pair_records())

    @property
    def _place(self) -> Record:
        return {"dataset": self.dataset, "protocol": self.protocol}
