"""Pairwise: from the seeds of several models on one test set to rows of a ComparisonTable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evaluation.comparison.table import ExploratoryPair, Interval, ModelRow, PairRow
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.crossed import MethodTest, users_by_seeds
from evaluation.statistics.effects import (
    ALPHA,
    MARGIN,
    Conclusion,
    Shares,
    conclude,
    relative,
    smallest_detectable,
    standardised,
)
from evaluation.statistics.multiplicity import benjamini_hochberg, holm
from evaluation.statistics.naive import event_level
from evaluation.statistics.paired_sums import Panel
from evaluation.statistics.significance import (
    FLIPS,
    RESAMPLES,
    Bootstrap,
    SignFlips,
    cluster_bootstrap,
    cluster_errors,
    sign_flip_test,
)


@dataclass(frozen=True, eq=False)
class ModelRuns:
    """The runs of one model on one test set.

    seeds: seed → sums; values (Q,): the metric of each query, averaged over seeds or of the first one, for the naive
    contrast, or None. The rest is passed on to the ModelRow.
    """

    model: str
    seeds: Mapping[int, ClusterSums]
    deterministic: bool
    baseline: bool = False
    values: np.ndarray | None = None
    optimistic: float | None = None
    pessimistic: float | None = None
    ties_flagged: bool = False
    caveats: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Comparer:
    """Compares models pair by pair; ``family`` maps each declared pair (a, b) to why it is declared."""

    runs: Sequence[ModelRuns]
    family: Mapping[tuple[str, str], str]
    higher_is_better: bool = True
    margin: float = MARGIN
    flips: int = FLIPS
    resamples: int = RESAMPLES
    panel: Panel = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "panel", Panel.of({run.model: list(run.seeds.values()) for run in self.runs}))

    def rows(
        self, reference: str | None = None
    ) -> tuple[tuple[ModelRow, ...], tuple[PairRow, ...], tuple[ExploratoryPair, ...]]:
        """The rows of all models, of the declared pairs, and of all pairs (exploratory)."""
        declared = list(self.family)
        names = self.panel.models
        others = [
            (a, b)
            for m, a in enumerate(names)
            for b in names[m + 1 :]
            if (a, b) not in self.family and (b, a) not in self.family
        ]
        labels = declared + others
        pairs = self.panel.index(labels)
        boot = cluster_bootstrap(self.panel, pairs[: len(declared)], resamples=self.resamples)
        if not labels:
            return self._models(boot, {}, reference), (), ()
        flips = sign_flip_test(self.panel, pairs, family=np.arange(len(declared)), flips=self.flips)
        differences = self.panel.means[pairs[:, 0]] - self.panel.means[pairs[:, 1]]
        q = benjamini_hochberg(flips.p)
        exploratory = tuple(
            ExploratoryPair(a, b, float(differences[i]), float(flips.p[i]), float(q[i]))
            for i, (a, b) in enumerate(labels)
        )
        found = {frozenset(pair): float(p) for pair, p in zip(labels, flips.p, strict=True)}
        return self._models(boot, found, reference), self._pairs(declared, boot, flips), exploratory

    def _models(self, boot: Bootstrap, p: dict[frozenset[str], float], reference: str | None) -> tuple[ModelRow, ...]:
        means = self.panel.means if self.higher_is_better else -self.panel.means
        best = self.panel.models[int(np.argmax(means))]
        rivals = [name for name in self.panel.models if name != best]
        adjusted = dict(zip(rivals, holm([p[frozenset((best, name))] for name in rivals]), strict=True))
        intervals = boot.of_models()
        errors = cluster_errors(self.panel.sums, self.panel.counts)
        rows = []
        for m, run in enumerate(self.runs):
            values = {seed: found.micro for seed, found in run.seeds.items()}
            rows.append(
                ModelRow(
                    model=run.model,
                    mean=float(self.panel.means[m]),
                    error=float(errors[m]),
                    interval=_interval(intervals[m]),
                    macro=float(self.panel.macro[m]),
                    seed_values=values,
                    sd=float(np.std(list(values.values()), ddof=1)) if len(values) > 1 else None,
                    deterministic=run.deterministic,
                    baseline=run.baseline,
                    reference=run.model == reference,
                    best=run.model == best,
                    inseparable=run.model == best or bool(adjusted[run.model] >= ALPHA),
                    optimistic=run.optimistic,
                    pessimistic=run.pessimistic,
                    ties_flagged=run.ties_flagged,
                    caveats=run.caveats,
                    keys=run.keys,
                )
            )
        return tuple(rows)

    def _pairs(self, declared: list[tuple[str, str]], boot: Bootstrap, flips: SignFlips) -> tuple[PairRow, ...]:
        by_name = {run.model: run for run in self.runs}
        size = len(declared)
        if not size:
            return ()
        p_holm = holm(flips.p[:size])
        plain, ratios = boot.of_pairs(), boot.of_ratios()
        methods = [self._method(by_name[a], by_name[b]) for a, b in declared]
        p_methods = [
            float(flips.p[i]) if both_fixed else (None if test is None else test.p)
            for i, (test, *_, both_fixed) in enumerate(methods)
        ]
        p_methods_holm = holm([math.nan if p is None else p for p in p_methods])
        rows = []
        for i, (a, b) in enumerate(declared):
            known = p_methods[i] is not None
            rows.append(
                self._pair(
                    by_name[a],
                    by_name[b],
                    p=(float(flips.p[i]), float(p_holm[i]), float(flips.p_max_t[i])),
                    p_method=(p_methods[i], float(p_methods_holm[i]) if known else None),
                    critical=flips.critical,
                    intervals=(_interval(plain[i]), _interval(ratios[i])),
                    method=methods[i][:3],
                )
            )
        return tuple(rows)

    def _method(self, a: ModelRuns, b: ModelRuns) -> tuple[MethodTest | None, float | None, Interval | None, bool]:
        """The users × seeds test, by it error and interval of the relative difference, and whether both are fixed."""
        sums = list(a.seeds.values()), list(b.seeds.values())
        fixed = a.deterministic, b.deterministic
        test = users_by_seeds(*sums, deterministic=fixed)
        mean_a, mean_b = (float(np.mean([found.micro for found in part])) for part in sums)
        if test is None or mean_b <= 0:
            return test, None, None, all(fixed)
        of_ratio = users_by_seeds(*sums, deterministic=fixed, ratio=mean_a / mean_b)
        half = (of_ratio.interval[1] - of_ratio.interval[0]) / 2 / mean_b  # the contrast itself is 0 at this ratio
        centre = mean_a / mean_b - 1.0
        return test, of_ratio.error / mean_b, (centre - half, centre + half), all(fixed)

    def _relative_error(self, m: int, n: int) -> float | None:
        """The clustered standard error of θ_m / θ_n (linearised), None where θ_n is 0."""
        below = float(self.panel.means[n])
        if below <= 0:
            return None
        contrast = self.panel.sums[:, [m]] - self.panel.means[m] / below * self.panel.sums[:, [n]]
        return float(cluster_errors(contrast, self.panel.counts)[0]) / below

    def _pair(
        self,
        a: ModelRuns,
        b: ModelRuns,
        *,
        p: tuple[float, float, float],
        p_method: tuple[float | None, float | None],
        critical: float,
        intervals: tuple[Interval, Interval],
        method: tuple[MethodTest | None, float | None, Interval | None],
    ) -> PairRow:
        place = self.panel.index([(a.model, b.model)])
        m, n = place[0]
        differences = self.panel.differences(place)
        error = float(cluster_errors(differences, self.panel.counts)[0])
        difference = float(self.panel.means[m] - self.panel.means[n])
        ratio = relative(float(self.panel.means[m]), float(self.panel.means[n]))
        kinds = {"margin": self.margin, "higher_is_better": self.higher_is_better}
        of_models = conclude(p[1], ratio, intervals[1], **kinds)
        of_methods = conclude(p_method[1], ratio, method[2] or (math.nan, math.nan), **kinds)
        naive = None
        if a.values is not None and b.values is not None:
            naive = event_level(a.values - b.values, _value_error(a, b))
        return PairRow(
            a=a.model,
            b=b.model,
            why=self.family[a.model, b.model],
            difference=difference,
            error=error,
            interval=intervals[0],
            simultaneous=(difference - critical * error, difference + critical * error),
            p=p[0],
            p_holm=p[1],
            p_max_t=p[2],
            relative=ratio,
            relative_error=self._relative_error(m, n),
            relative_interval=intervals[1],
            macro=float(self.panel.macro[m] - self.panel.macro[n]),
            shares=Shares.of(differences[:, 0], self.panel.counts, self.higher_is_better),
            standardised=standardised(difference, error, self.panel.num_clusters),
            smallest_detectable=smallest_detectable(error),
            method=method[0],
            method_relative_error=method[1],
            method_relative_interval=method[2],
            p_method=p_method[0],
            p_method_holm=p_method[1],
            conclusion_models=of_models,
            conclusion_methods=of_methods,
            sentence=_sentence(a, b, ratio, p[1], p_method[1], of_models, of_methods),
            naive=naive,
        )


def _value_error(a: ModelRuns, b: ModelRuns) -> float:
    """The clustered error of the very values that the naive test looks at: the first seed of both."""
    first, second = (next(iter(run.seeds.values())) for run in (a, b))
    return float(cluster_errors((first.sums - second.sums)[:, None], first.counts)[0])


def _interval(ends: np.ndarray) -> Interval:
    return float(ends[0]), float(ends[1])


def _sentence(
    a: ModelRuns,
    b: ModelRuns,
    ratio: float,
    p_models: float,
    p_methods: float | None,
    of_models: Conclusion,
    of_methods: Conclusion,
) -> str:
    """What is said of a pair, and of what: methods where their seeds allow, else these trained models."""
    by = f"by {abs(ratio):,.{0 if abs(ratio) >= 10 else 1}%}" if math.isfinite(ratio) else "from nothing"
    if p_methods is None:
        subject, said, p = "these trained models", of_models, p_models
        caveat = "; with one seed nothing can be said of the methods"
    else:
        subject, said, p, caveat = "methods over users and seeds", of_methods, p_methods, ""
        if a.deterministic and b.deterministic:
            subject = "deterministic models over users"
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if said in (Conclusion.BETTER, Conclusion.WORSE):
        claim = f"{a.model} is {said.value} than {b.model} {by}"
    elif said is Conclusion.EQUAL:
        claim = f"{a.model} and {b.model} are practically equal: they differ {by}, within the margin"
    else:
        claim = f"{a.model} against {b.model} is inconclusive (they differ {by})"
    return f"{claim} ({subject}, adjusted {shown}){caveat}."
