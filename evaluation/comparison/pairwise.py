"""Compare models pair by pair: from their seeds on one test set to the rows of a ComparisonTable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.comparison.decisions import PairTest, Seeds, decide, method_p, pair_test
from evaluation.comparison.table import Decision, ExploratoryPair, Interval, ModelRow, PairRow
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.printed_numbers import p_text, percent
from evaluation.statistics.crossed import method_interval
from evaluation.statistics.effects import (
    ALPHA,
    MARGIN,
    Conclusion,
    Shares,
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
from recsys_data.lazy_module import LazyModule

special = LazyModule("scipy.special")


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
    upper: float = math.inf,
    margin: float = MARGIN,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    pair_seeds: bool = False,
) -> Comparison:
    """Compare models pair by pair; ``family`` maps each declared pair (a, b) to the reason why it is declared.

    upper: the metric's bound; its values are at least 0. pair_seeds: whether the n-th seeds of two models belong
    together, as where one was trained with the weights and batches of the other.
    """
    paired = PairedSums.of({run.model: list(run.seeds.values()) for run in runs})
    declared, names = list(family), paired.models
    others = [
        (a, b) for m, a in enumerate(names) for b in names[m + 1 :] if (a, b) not in family and (b, a) not in family
    ]
    labels = declared + others
    pairs = paired.index(labels)
    boot = cluster_bootstrap(paired, pairs[: len(declared)], resamples=resamples)
    if not labels:
        return Comparison(_model_rows(runs, paired, boot, {}, {}, reference, higher_is_better, upper), (), (), paired)
    flipped = sign_flip_test(paired, pairs, family=np.arange(len(declared)), flips=flips)
    seeds = {run.model: Seeds(list(run.seeds.values()), run.deterministic) for run in runs}
    flip_p = dict(zip(labels, flipped.p.tolist(), strict=True))
    tests = [pair_test(paired, seeds, a, b, flip_p[a, b], pair_seeds=pair_seeds) for a, b in declared]
    decisions = decide(tests, margin=margin, higher_is_better=higher_is_better)
    found = [(test.p, test.of_methods) for test in tests]
    found += [method_p(seeds[a], seeds[b], flip_p[a, b], pair_seeds=pair_seeds) for a, b in others]
    p = {frozenset(pair): raw for pair, (raw, _) in zip(labels, found, strict=True)}
    decided = {frozenset(pair): decision for pair, decision in zip(declared, decisions, strict=True)}
    models = _model_rows(runs, paired, boot, p, decided, reference, higher_is_better, upper)
    rows = _pair_rows(runs, family, paired, boot, flipped, tests, decisions, higher_is_better)
    return Comparison(models, rows, _exploratory(paired, labels, pairs, found), paired)


def _exploratory(
    paired: PairedSums, labels: Sequence[tuple[str, str]], pairs: np.ndarray, found: Sequence[tuple[float, bool]]
) -> tuple[ExploratoryPair, ...]:
    """Return every pair with its p and whether that is of the methods (``found``), and q over all of them."""
    differences = paired.means[pairs[:, 0]] - paired.means[pairs[:, 1]]
    q = benjamini_hochberg([p for p, _ in found])
    return tuple(
        ExploratoryPair(a, b, float(differences[i]), found[i][0], float(q[i]), found[i][1])
        for i, (a, b) in enumerate(labels)
    )


def _model_rows(
    runs: Sequence[ModelRuns],
    paired: PairedSums,
    boot: Bootstrap,
    p: Mapping[frozenset[str], float],
    decided: Mapping[frozenset[str], Decision],
    reference: str | None,
    higher_is_better: bool,
    upper: float,
) -> tuple[ModelRow, ...]:
    means = paired.means if higher_is_better else -paired.means
    best = paired.models[int(np.argmax(means))]
    level = _level_with(best, [name for name in paired.models if name != best], p, decided)
    trained = boot.model_intervals()
    errors = cluster_errors(paired.sums, paired.counts)
    rows = []
    for m, run in enumerate(runs):
        values = {seed: found.micro for seed, found in run.seeds.items()}
        ends = _interval(trained[m])
        if not run.deterministic and len(values) > 1:
            ends = method_interval(list(run.seeds.values()))
        ends = max(ends[0], 0.0), min(ends[1], upper)  # few users or seeds: no value is outside these bounds
        rows.append(
            ModelRow(
                model=run.model,
                mean=float(paired.means[m]),
                error=float(errors[m]),
                interval=ends,
                macro=float(paired.macro[m]),
                seed_values=values,
                sd=float(np.std(list(values.values()), ddof=1)) if len(values) > 1 else None,
                deterministic=run.deterministic,
                baseline=run.baseline,
                reference=run.model == reference,
                best=run.model == best,
                matches_best=run.model == best or run.model in level,
                optimistic=run.optimistic,
                pessimistic=run.pessimistic,
                ties_flagged=run.ties_flagged,
                caveats=run.caveats,
                keys=run.keys,
            )
        )
    return tuple(rows)


def _level_with(
    best: str,
    rivals: Sequence[str],
    p: Mapping[frozenset[str], float],
    decided: Mapping[frozenset[str], Decision],
) -> set[str]:
    """Return the rivals without a significant difference from the best: by the declared decision, else by Holm."""
    adjusted = dict(zip(rivals, holm([p[frozenset((best, name))] for name in rivals]), strict=True))
    adjusted |= {name: d.p_adjusted for name in rivals if (d := decided.get(frozenset((best, name)))) is not None}
    return {name for name in rivals if adjusted[name] >= ALPHA}


def _pair_rows(
    runs: Sequence[ModelRuns],
    family: Mapping[tuple[str, str], str],
    paired: PairedSums,
    boot: Bootstrap,
    flipped: SignFlips,
    tests: Sequence[PairTest],
    decisions: Sequence[Decision],
    higher_is_better: bool,
) -> tuple[PairRow, ...]:
    by_name = {run.model: run for run in runs}
    if not family:
        return ()
    p_holm = holm(flipped.p[: len(family)])
    plain, ratios = boot.pair_intervals(), boot.ratio_intervals()
    return tuple(
        _pair_row(
            paired,
            by_name[a],
            by_name[b],
            why=family[a, b],
            higher_is_better=higher_is_better,
            p=(float(flipped.p[i]), float(p_holm[i]), float(flipped.p_max_t[i])),
            critical=flipped.critical,
            intervals=(_interval(plain[i]), _interval(ratios[i])),
            test=tests[i],
            decision=decisions[i],
        )
        for i, (a, b) in enumerate(family)
    )


def _pair_row(
    paired: PairedSums,
    a: ModelRuns,
    b: ModelRuns,
    *,
    why: str,
    higher_is_better: bool,
    p: tuple[float, float, float],
    critical: float,
    intervals: tuple[Interval, Interval],
    test: PairTest,
    decision: Decision,
) -> PairRow:
    place = paired.index([(a.model, b.model)])
    m, n = place[0]
    differences = paired.differences(place)
    difference, error = test.difference, test.trained_error
    method_error, method_interval = test.method_relative_error, None
    if test.method is not None and method_error is not None:
        half = float(special.stdtrit(test.df, 0.975)) * method_error
        method_interval = test.relative - half, test.relative + half
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
        relative=test.relative,
        relative_error=test.trained_relative_error,
        relative_interval=intervals[1],
        macro=float(paired.macro[m] - paired.macro[n]),
        shares=Shares.of(differences[:, 0], paired.counts, higher_is_better),
        standardised=standardised_effect(difference, error, paired.num_clusters),
        smallest_detectable=_smallest_detectable(a, b, test),
        method=test.method,
        method_relative_error=method_error,
        method_relative_interval=method_interval,
        decision=decision,
        sentence=_sentence(a, b, test.relative, decision),
        naive=naive,
    )


def _smallest_detectable(a: ModelRuns, b: ModelRuns, test: PairTest) -> float:
    """Return the smallest detectable difference of the test that decides; few seeds leave few degrees of freedom."""
    over_seeds = test.of_methods and not (a.deterministic and b.deterministic)
    return smallest_detectable_difference(test.error, test.df if over_seeds else math.inf)


def _value_error(a: ModelRuns, b: ModelRuns) -> float:
    """Return the clustered error of the values that the naive test uses: the first seed of both."""
    first, second = (next(iter(run.seeds.values())) for run in (a, b))
    return float(cluster_errors((first.sums - second.sums)[:, None], first.counts)[0])


def _interval(ends: np.ndarray) -> Interval:
    return float(ends[0]), float(ends[1])


def _sentence(a: ModelRuns, b: ModelRuns, ratio: float, decision: Decision) -> str:
    """State the conclusion on a pair: of the methods where their seeds allow, else of these trained models."""
    by = f"by {percent(abs(ratio), sign=False)}" if math.isfinite(ratio) else ""
    differ = f"they differ {by}" if by else f"{b.model} scores 0"
    subject, caveat = "methods across users and seeds", ""
    if a.deterministic and b.deterministic:
        subject = "deterministic models across users"
    elif not decision.of_methods:
        subject, caveat = "these trained models", "; one seed allows no conclusion about the methods"
    shown, conclusion = p_text(decision.p_adjusted), decision.conclusion
    if conclusion in (Conclusion.BETTER, Conclusion.WORSE):
        claim = f"{a.model} is {conclusion.value} than {b.model}" + (f" {by}" if by else ", which scores 0")
    elif conclusion is Conclusion.EQUAL:
        claim = f"{a.model} and {b.model} are practically equal: {differ}, within the margin"
    else:
        claim = f"{a.model} against {b.model} is inconclusive ({differ})"
    return f"{claim} ({subject}, adjusted {shown}){caveat}."
