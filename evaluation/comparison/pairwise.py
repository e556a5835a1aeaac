"""Compare models pair by pair: from their seeds on one test set to the rows of a ComparisonTable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.comparison.table import ExploratoryPair, Interval, ModelRow, PairRow
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.crossed import MethodTest, crossed_test
from evaluation.statistics.effects import (
    ALPHA,
    MARGIN,
    Conclusion,
    Shares,
    conclude,
    relative_difference,
    smallest_detectable_difference,
    standardised_effect,
)
from evaluation.statistics.multiplicity import benjamini_hochberg, holm
from evaluation.statistics.naive import event_level_test
from evaluation.statistics.paired_sums import PairedSums
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
    contrast, or None. The ModelRow takes the rest.
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
class Comparison:
    """The rows of a ComparisonTable: all models, the declared pairs, and all pairs (exploratory)."""

    models: tuple[ModelRow, ...]
    pairs: tuple[PairRow, ...]
    exploratory: tuple[ExploratoryPair, ...]
    paired: PairedSums


def compare_models(
    runs: Sequence[ModelRuns],
    family: Mapping[tuple[str, str], str],
    *,
    reference: str | None = None,
    higher_is_better: bool = True,
    margin: float = MARGIN,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare models pair by pair; ``family`` maps each declared pair (a, b) to the reason why it is declared."""
    paired = PairedSums.of({run.model: list(run.seeds.values()) for run in runs})
    declared, names = list(family), paired.models
    others = [
        (a, b) for m, a in enumerate(names) for b in names[m + 1 :] if (a, b) not in family and (b, a) not in family
    ]
    labels = declared + others
    pairs = paired.index(labels)
    boot = cluster_bootstrap(paired, pairs[: len(declared)], resamples=resamples)
    if not labels:
        return Comparison(_model_rows(runs, paired, boot, {}, reference, higher_is_better), (), (), paired)
    tests = sign_flip_test(paired, pairs, family=np.arange(len(declared)), flips=flips)
    differences = paired.means[pairs[:, 0]] - paired.means[pairs[:, 1]]
    q = benjamini_hochberg(tests.p)
    exploratory = tuple(
        ExploratoryPair(a, b, float(differences[i]), float(tests.p[i]), float(q[i])) for i, (a, b) in enumerate(labels)
    )
    p = {frozenset(pair): float(found) for pair, found in zip(labels, tests.p, strict=True)}
    models = _model_rows(runs, paired, boot, p, reference, higher_is_better)
    return Comparison(
        models, _pair_rows(runs, family, paired, boot, tests, higher_is_better, margin), exploratory, paired
    )


def _model_rows(
    runs: Sequence[ModelRuns],
    paired: PairedSums,
    boot: Bootstrap,
    p: dict[frozenset[str], float],
    reference: str | None,
    higher_is_better: bool,
) -> tuple[ModelRow, ...]:
    means = paired.means if higher_is_better else -paired.means
    best = paired.models[int(np.argmax(means))]
    rivals = [name for name in paired.models if name != best]
    adjusted = dict(zip(rivals, holm([p[frozenset((best, name))] for name in rivals]), strict=True))
    intervals = boot.model_intervals()
    errors = cluster_errors(paired.sums, paired.counts)
    rows = []
    for m, run in enumerate(runs):
        values = {seed: found.micro for seed, found in run.seeds.items()}
        rows.append(
            ModelRow(
                model=run.model,
                mean=float(paired.means[m]),
                error=float(errors[m]),
                interval=_interval(intervals[m]),
                macro=float(paired.macro[m]),
                seed_values=values,
                sd=float(np.std(list(values.values()), ddof=1)) if len(values) > 1 else None,
                deterministic=run.deterministic,
                baseline=run.baseline,
                reference=run.model == reference,
                best=run.model == best,
                matches_best=run.model == best or bool(adjusted[run.model] >= ALPHA),
                optimistic=run.optimistic,
                pessimistic=run.pessimistic,
                ties_flagged=run.ties_flagged,
                caveats=run.caveats,
                keys=run.keys,
            )
        )
    return tuple(rows)


def _pair_rows(
    runs: Sequence[ModelRuns],
    family: Mapping[tuple[str, str], str],
    paired: PairedSums,
    boot: Bootstrap,
    tests: SignFlips,
    higher_is_better: bool,
    margin: float,
) -> tuple[PairRow, ...]:
    by_name = {run.model: run for run in runs}
    declared, size = list(family), len(family)
    if not size:
        return ()
    p_holm = holm(tests.p[:size])
    plain, ratios = boot.pair_intervals(), boot.ratio_intervals()
    methods = [_method(by_name[a], by_name[b]) for a, b in declared]
    p_methods = [
        float(tests.p[i]) if both_fixed else (None if test is None else test.p)
        for i, (test, *_, both_fixed) in enumerate(methods)
    ]
    p_methods_holm = holm([math.nan if p is None else p for p in p_methods])
    rows = []
    for i, (a, b) in enumerate(declared):
        tested = p_methods[i] is not None
        rows.append(
            _pair_row(
                paired,
                by_name[a],
                by_name[b],
                why=family[a, b],
                higher_is_better=higher_is_better,
                margin=margin,
                p=(float(tests.p[i]), float(p_holm[i]), float(tests.p_max_t[i])),
                p_method=(p_methods[i], float(p_methods_holm[i]) if tested else None),
                critical=tests.critical,
                intervals=(_interval(plain[i]), _interval(ratios[i])),
                method=methods[i][:3],
            )
        )
    return tuple(rows)


def _method(a: ModelRuns, b: ModelRuns) -> tuple[MethodTest | None, float | None, Interval | None, bool]:
    """Return the users × seeds test, its error and interval of the relative difference, and whether both are fixed."""
    sums = list(a.seeds.values()), list(b.seeds.values())
    fixed = a.deterministic, b.deterministic
    test = crossed_test(*sums, deterministic=fixed)
    mean_a, mean_b = (float(np.mean([found.micro for found in part])) for part in sums)
    if test is None or mean_b <= 0:
        return test, None, None, all(fixed)
    of_ratio = crossed_test(*sums, deterministic=fixed, ratio=mean_a / mean_b)
    half = (of_ratio.interval[1] - of_ratio.interval[0]) / 2 / mean_b  # the contrast itself is 0 at this ratio
    centre = mean_a / mean_b - 1.0
    return test, of_ratio.error / mean_b, (centre - half, centre + half), all(fixed)


def _relative_error(paired: PairedSums, m: int, n: int) -> float | None:
    """Return the clustered standard error of θ_m / θ_n (linearised), None where θ_n is 0."""
    below = float(paired.means[n])
    if below <= 0:
        return None
    contrast = paired.sums[:, [m]] - paired.means[m] / below * paired.sums[:, [n]]
    return float(cluster_errors(contrast, paired.counts)[0]) / below


def _pair_row(
    paired: PairedSums,
    a: ModelRuns,
    b: ModelRuns,
    *,
    why: str,
    higher_is_better: bool,
    margin: float,
    p: tuple[float, float, float],
    p_method: tuple[float | None, float | None],
    critical: float,
    intervals: tuple[Interval, Interval],
    method: tuple[MethodTest | None, float | None, Interval | None],
) -> PairRow:
    place = paired.index([(a.model, b.model)])
    m, n = place[0]
    differences = paired.differences(place)
    error = float(cluster_errors(differences, paired.counts)[0])
    difference = float(paired.means[m] - paired.means[n])
    ratio = relative_difference(float(paired.means[m]), float(paired.means[n]))
    kinds = {"margin": margin, "higher_is_better": higher_is_better}
    of_models = conclude(p[1], ratio, intervals[1], **kinds)
    of_methods = conclude(p_method[1], ratio, method[2] or (math.nan, math.nan), **kinds)
    naive = None
    if a.values is not None and b.values is not None:
        naive = event_level_test(a.values - b.values, _value_error(a, b))
    return PairRow(
        a=a.model,
        b=b.model,
        why=why,
        difference=difference,
        error=error,
        interval=intervals[0],
        simultaneous=(difference - critical * error, difference + critical * error),
        p=p[0],
        p_holm=p[1],
        p_max_t=p[2],
        relative=ratio,
        relative_error=_relative_error(paired, m, n),
        relative_interval=intervals[1],
        macro=float(paired.macro[m] - paired.macro[n]),
        shares=Shares.of(differences[:, 0], paired.counts, higher_is_better),
        standardised=standardised_effect(difference, error, paired.num_clusters),
        smallest_detectable=smallest_detectable_difference(error),
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
    """Return the clustered error of the values that the naive test uses: the first seed of both."""
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
    """State the conclusion on a pair: of the methods where their seeds allow, else of these trained models."""
    by = f"by {abs(ratio):,.{0 if abs(ratio) >= 10 else 1}%}" if math.isfinite(ratio) else "from nothing"
    if p_methods is None:
        subject, conclusion, p = "these trained models", of_models, p_models
        caveat = "; one seed allows no conclusion about the methods"
    else:
        subject, conclusion, p, caveat = "methods across users and seeds", of_methods, p_methods, ""
        if a.deterministic and b.deterministic:
            subject = "deterministic models across users"
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    if conclusion in (Conclusion.BETTER, Conclusion.WORSE):
        claim = f"{a.model} is {conclusion.value} than {b.model} {by}"
    elif conclusion is Conclusion.EQUAL:
        claim = f"{a.model} and {b.model} are practically equal: they differ {by}, within the margin"
    else:
        claim = f"{a.model} against {b.model} is inconclusive (they differ {by})"
    return f"{claim} ({subject}, adjusted {shown}){caveat}."
