"""ComparisonTable: models and their differences on one data set, protocol and metric, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.statistics.crossed import MethodTest
from evaluation.statistics.effects import Conclusion, Shares
from evaluation.statistics.naive import NaiveTest

Interval = tuple[float, float]


@dataclass(frozen=True)
class ModelRow:
    """One model: its mean over seeds with the 95 % bootstrap interval over clusters, and every seed's value.

    error: the clustered standard error of the mean. sd: over seeds, None below two. macro: the mean over clusters.
    optimistic, pessimistic: the first seed's value under the two readings of ties, flagged where they differ by over
    0.1 %; None where ranks were not read. matches_best: no significant difference from the best mean of this table
    (Holm over all models against it; chosen after looking).
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


@dataclass(frozen=True)
class PairRow:
    """One comparison of the declared family: a minus b, of these trained models and, where seeds allow, of the methods.

    Trained models (seed-averaged, chance of users only): difference, error (clustered), interval (95 % cluster
    bootstrap, this pair alone), simultaneous (95 % for the whole family, from max-T), p (sign flips), p_holm, p_max_t.
    Methods (users × seeds): method, None where a learner has one seed; p_method, p_method_holm; for two deterministic
    models the method is the trained model. Effect: relative (infinite if b is 0) with relative_error (clustered),
    relative_interval (bootstrap), method_relative_error and method_relative_interval, shares of clusters, standardised
    effect, smallest detectable difference. naive: the event-level test for contrast, with the design effect; None where
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
    p_method: float | None
    p_method_holm: float | None
    conclusion_models: Conclusion
    conclusion_methods: Conclusion
    sentence: str
    naive: NaiveTest | None = None

    @property
    def design_effect(self) -> float | None:
        """Clustered over naive variance, or None where ranks were not read."""
        return None if self.naive is None else self.naive.design_effect


@dataclass(frozen=True)
class ExploratoryPair:
    """A pair outside the declared family, for a heat map: raw p and Benjamini–Hochberg q over all pairs."""

    a: str
    b: str
    difference: float
    p: float
    q: float


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
