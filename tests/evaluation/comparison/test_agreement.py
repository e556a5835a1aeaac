"""Star, ≈, interval, p and conclusion of random tables: they mean the same thing and never contradict each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.comparison.pairwise import ModelRuns, compare_models
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.effects import ALPHA, Conclusion
from evaluation.statistics.multiplicity import holm

FEW = {"flips": 400, "resamples": 100}
MARGIN = 0.05


def sums_of(values, counts):
    return ClusterSums(np.arange(len(counts)), np.asarray(values, float) * counts, np.asarray(counts))


@st.composite
def tables(draw):
    """Runs, declared family and direction: 2 to 4 models of 1 to 5 seeds on 1 to 14 users, with ties and seed noise."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    users = draw(st.sampled_from([1, 2, 3, 5, 8, 14]))
    counts = rng.integers(1, 5, users)
    shared = rng.uniform(0.0, 0.6, users)
    steps = draw(st.sampled_from([0, 2, 10]))  # 0: no rounding; 2: values of 0, .5 and 1, so nearly all are ties
    runs = []
    for m in range(draw(st.integers(2, 4))):
        deterministic = draw(st.booleans())
        level = draw(st.sampled_from([0.0, 0.01, 0.1, 0.3]))
        noise, own = draw(st.sampled_from([0.0, 0.01, 0.3])), draw(st.sampled_from([0.0, 0.02, 0.2]))
        seeds = {}
        for seed in range(1 if deterministic else draw(st.integers(1, 5))):
            values = np.clip(shared + level + rng.normal(0, noise) + rng.normal(0, own, users), 0, 1)
            seeds[seed] = sums_of(np.round(values * steps) / steps if steps else values, counts)
        runs.append(ModelRuns(f"m{m}", seeds, deterministic))
    names = [run.model for run in runs]
    pairs = [(a, b) for a in names for b in names if a < b]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True))
    turned = [pair[::-1] if draw(st.booleans()) else pair for pair in chosen]
    return runs, dict.fromkeys(turned, "declared"), draw(st.booleans())


def straddles(interval):
    return interval[0] < 0 < interval[1]


def excludes(interval):
    return interval[0] > 0 or interval[1] < 0


@settings(max_examples=150, deadline=None)
@given(tables())
def test_star_group_interval_p_and_conclusion_never_disagree(table):
    runs, family, higher = table
    if len(next(iter(runs[0].seeds.values())).counts) == 1:
        with pytest.raises(ValueError, match="one user"):
            compare_models(runs, family, **FEW)
        return
    found = compare_models(runs, family, higher_is_better=higher, upper=1.0, margin=MARGIN, **FEW)
    of_method = {run.model: run.deterministic or len(run.seeds) > 1 for run in runs}
    rows = {row.model: row for row in found.models}
    sign = 1 if higher else -1
    (best,) = [row for row in found.models if row.best]
    assert best.matches_best and sign * best.mean == max(sign * row.mean for row in found.models)
    assert [row.of_method for row in found.models] == [of_method[row.model] for row in found.models]
    for row in found.models:
        assert row.interval[0] - 1e-12 <= row.mean <= row.interval[1] + 1e-12 or len(row.seed_values) == 1
    for pair in found.pairs:
        decision = pair.decision
        assert decision.of_methods == (of_method[pair.a] and of_method[pair.b])
        assert ("these trained models" in pair.sentence) == (not decision.of_methods)
        assert decision.significant == (decision.p_adjusted < ALPHA)
        for interval in (decision.interval, decision.relative_interval):
            assert not (straddles(interval) if decision.significant else excludes(interval)), pair
        if decision.conclusion in (Conclusion.BETTER, Conclusion.WORSE):
            assert decision.significant
            assert (sign * pair.difference > 0) == (decision.conclusion is Conclusion.BETTER)
            assert excludes(decision.interval) or 0 in decision.interval
        if decision.conclusion is Conclusion.EQUAL:
            assert decision.relative_interval[0] > -MARGIN and decision.relative_interval[1] < MARGIN
        if best.model in (pair.a, pair.b):
            other = pair.b if pair.a == best.model else pair.a
            assert rows[other].matches_best == (not decision.significant)
            better = Conclusion.WORSE if pair.a == best.model else Conclusion.BETTER
            assert decision.conclusion is not better, "nothing is better than the model with the star"
    declared = {frozenset((pair.a, pair.b)) for pair in found.pairs}
    raw = {frozenset((pair.a, pair.b)): pair.p for pair in found.exploratory}
    rivals = [name for name in rows if name != best.model]
    for name, p in zip(rivals, holm([raw[frozenset((best.model, name))] for name in rivals]), strict=True):
        if frozenset((best.model, name)) not in declared:
            assert rows[name].matches_best == (p >= ALPHA)
    for pair in found.exploratory:
        assert pair.of_methods == (of_method[pair.a] and of_method[pair.b])


def test_a_model_with_one_lucky_seed_is_starred_within_a_group_and_a_wide_interval():
    # seed means .094, .120, .511: mean .24167, s² = (.1477² + .1217² + .2693²) / 2 = .05458, s = .23361. On 400 users
    # without any other noise the error of the mean is s / √3 = .13488 and t(2) = 4.30265: .24167 ± .58033, cut at 0
    counts = np.ones(400, int)
    rng = np.random.default_rng(3)
    steady = np.clip(rng.normal(0.21, 0.02, 400), 0, 1)
    wild = {seed: sums_of(np.full(400, mean), counts) for seed, mean in enumerate([0.094, 0.120, 0.511])}
    runs = [ModelRuns("wild", wild, False), ModelRuns("steady", {0: sums_of(steady, counts)}, True)]
    found = compare_models(runs, {("wild", "steady"): "declared"}, upper=1.0, **FEW)
    (pair,) = found.pairs
    assert pair.p < 0.01, "these trained models do differ"
    assert pair.decision.p == pytest.approx(2 * stats.t.sf(pair.difference / pair.decision.error, pair.decision.df))
    assert pair.decision.p_adjusted > 0.8
    assert straddles(pair.decision.interval)
    assert pair.decision.conclusion is Conclusion.INCONCLUSIVE
    assert (found.models[0].best, found.models[1].matches_best) == (True, True)
    assert found.models[0].interval == pytest.approx((0.0, 0.24167 + 4.30265 * 0.13488), abs=1e-4)
    assert pair.smallest_detectable > abs(pair.difference)


def test_no_interval_of_a_few_users_leaves_the_values_that_a_metric_has():
    # one user of five with most of the sum: the bootstrap of so few reaches far above 1
    counts, values = np.ones(5, int), np.array([0.2, 0.1, 0.05, 0.05, 1.0])
    runs = [ModelRuns(name, {0: sums_of(v, counts)}, True) for name, v in (("a", values), ("b", values / 2))]
    unbounded = compare_models(runs, {("a", "b"): "declared"}, upper=np.inf, **FEW)
    assert max(model.interval[1] for model in unbounded.models) > 3
    for model in compare_models(runs, {("a", "b"): "declared"}, upper=1.0, **FEW).models:
        low, high = model.interval
        assert 0 <= low < high <= 1


def test_intervals_take_the_level_at_which_holm_tests_the_pair():
    # p of three pairs: the smallest is tested at 5 % / 3, the next at 5 % / 2, the last at 5 %
    rng = np.random.default_rng(5)
    counts = np.ones(60, int)
    base = rng.uniform(0.2, 0.4, 60)
    runs = [ModelRuns("base", {0: sums_of(base, counts)}, True)]
    for name, ahead in (("a", 0.2), ("b", 0.1), ("c", 0.0)):
        seeds = {s: sums_of(base + ahead + rng.normal(0, 0.002) + rng.normal(0, 0.05, 60), counts) for s in range(3)}
        runs.append(ModelRuns(name, seeds, False))
    found = compare_models(runs, {(name, "base"): "declared" for name in "abc"}, **FEW)
    order = sorted(found.pairs, key=lambda pair: pair.decision.p)
    assert [pair.a for pair in order] == ["a", "b", "c"]
    for pair, divisor in zip(order, (3, 2, 1), strict=True):
        decision = pair.decision
        half = stats.t.ppf(1 - 0.05 / divisor / 2, decision.df) * decision.error
        assert decision.interval == pytest.approx((pair.difference - half, pair.difference + half))
