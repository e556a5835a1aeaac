"""Metrics against enumeration of every tie order, hand cases, ranx and scikit-learn."""

import itertools

import numba
import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from evaluation.metrics.accuracy import (
    MAP,
    MRR,
    NDCG,
    SPS,
    HitRate,
    MeanRank,
    Precision,
    Recall,
    TieSpread,
    metric_named,
)
from evaluation.ranking.rank_table import RankTable


def table(greater, tied, query=None, cluster=None, candidates=9, repeat=None, target=None):
    """A rank table from short lists; one target a query unless told."""
    n = len(greater)
    query = np.arange(n) if query is None else np.asarray(query)
    return RankTable(
        cluster=query if cluster is None else np.asarray(cluster),
        query=query,
        target=np.arange(n) if target is None else np.asarray(target),
        repeat=np.zeros(n, int) if repeat is None else np.asarray(repeat),
        history=np.ones(n, int),
        candidates=np.broadcast_to(candidates, n),
        greater=np.asarray(greater),
        tied=np.asarray(tied),
        item_counts=np.ones(9, int),
    )


def from_scores(scores, targets):
    """The rank table of one query whose candidates have ``scores``."""
    greater = [int((scores > scores[t]).sum()) for t in targets]
    tied = [int((scores == scores[t]).sum()) - 1 for t in targets]
    return table(greater, tied, query=np.zeros(len(targets), int), candidates=len(scores), target=targets)


def over_all_orders(scores, targets, value):
    """The mean of ``value(sorted target ranks, ranks in target order)`` over every order of tied candidates."""
    groups = [np.flatnonzero(scores == s) for s in np.unique(scores)[::-1]]
    total = []
    for orders in itertools.product(*(itertools.permutations(g) for g in groups)):
        ranking = list(itertools.chain(*orders))
        total.append(value([ranking.index(t) + 1 for t in targets]))
    return np.mean(total)


def average_precision(ranks, k):
    ordered = sorted(ranks)
    return sum((i + 1) / r for i, r in enumerate(ordered) if r <= k) / min(len(ordered), k)


def ndcg(ranks, k):
    ideal = sum(1 / np.log2(r + 1) for r in range(1, min(len(ranks), k) + 1))
    return sum(1 / np.log2(r + 1) for r in ranks if r <= k) / ideal


DEFINITIONS = {
    "MRR": lambda ranks, k: 1 / min(ranks) if min(ranks) <= k else 0,
    "Recall": lambda ranks, k: np.mean([r <= k for r in ranks]),
    "HitRate": lambda ranks, k: float(min(ranks) <= k),
    "SPS": lambda ranks, k: float(ranks[0] <= k),
    "Precision": lambda ranks, k: sum(r <= k for r in ranks) / k,
    "MAP": average_precision,
    "NDCG": ndcg,
}


@pytest.mark.parametrize("symbol", DEFINITIONS)
@pytest.mark.parametrize("targets", [[2], [0, 5], [6, 1, 4], [0, 1, 2, 3]])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_expected_value_is_the_mean_over_all_tie_orders(symbol, targets, k):
    scores = np.array([2, 1, 2, 0, 2, 1, 1])
    expected = over_all_orders(scores, targets, lambda ranks: DEFINITIONS[symbol](ranks, k))
    assert metric_named(f"{symbol}@{k}").measure(from_scores(scores, targets)) == pytest.approx(expected, abs=1e-12)


def test_hand_cases_of_one_target_under_ties():
    # 3 better, 1 tied: rank 4 or 5. k = 4: hit 1/2, RR (1/4)/2 = 1/8; k = 5: 1 and (1/4 + 1/5)/2 = 9/40
    ranks = table([3], [1])
    assert Recall(4).measure(ranks) == 0.5
    assert MRR(4).measure(ranks) == pytest.approx(1 / 8)
    assert MRR(5).measure(ranks) == pytest.approx(9 / 40)
    assert MRR().measure(ranks) == pytest.approx(9 / 40)
    assert MeanRank().measure(ranks) == 4.5
    assert Recall(4, "optimistic").measure(ranks) == 1.0
    assert Recall(4, "pessimistic").measure(ranks) == 0.0
    assert MRR(4).measure(table([3], [0])) == 0.25  # exactly
    assert Recall(3).measure(ranks) == 0.0  # rank < k is off by one: k = 3 cannot hold rank 4


def test_constant_scores_are_perfect_only_for_the_optimist():
    ranks = table([0], [8])
    assert MRR(9, "optimistic").measure(ranks) == 1.0
    assert Recall(3).measure(ranks) == pytest.approx(3 / 9)
    assert MRR(9, "pessimistic").measure(ranks) == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("optimistic", "pessimistic", "flagged"),
    [(1.0, 1 / 9, True), (0.2, 0.2, False), (0.1, 0.09991, False), (0.1, 0.0998, True), (0.0998, 0.1, True)],
)
def test_ties_are_flagged_where_they_change_more_than_a_thousandth(optimistic, pessimistic, flagged):
    assert TieSpread(optimistic, pessimistic).flagged is flagged


def test_a_miss_is_worth_nothing_even_when_the_cut_off_exceeds_the_candidates():
    ranks = table([9, 0], [0, 0])  # 9 candidates: greater 9 is a miss
    for metric in (MRR(20), MRR(), Recall(20), NDCG(20), NDCG(), HitRate(20), MAP(20), SPS(20)):
        assert metric.measure(ranks) == 0.5, metric
    assert MeanRank().measure(ranks) == 5.5  # (10 + 1) / 2


def test_dropped_targets_stay_in_the_denominator():
    ranks = table([0, 9, 9], [0, 0, 0], query=[0, 0, 0])
    assert Recall(5).measure(ranks) == pytest.approx(1 / 3)
    assert MRR(5).measure(ranks) == 1.0
    assert NDCG(5).measure(ranks) == pytest.approx(1 / (1 + 1 / np.log2(3) + 1 / 2))


def test_micro_weighs_events_and_macro_weighs_users():
    ranks = table([0, 0, 0, 3], [0, 0, 0, 0], cluster=[5, 5, 5, 8])
    sums = MRR(20).per_cluster(ranks)
    assert sums.clusters.tolist() == [5, 8]
    assert sums.sums.tolist() == [3.0, 0.25]
    assert sums.counts.tolist() == [3, 1]
    assert sums.micro == 3.25 / 4
    assert sums.macro == 1.25 / 2


def test_repeats_of_a_query_are_averaged_and_count_once():
    ranks = table([0, 1, 4], [0, 0, 0], query=[0, 0, 1], repeat=[0, 1, 0], target=[3, 3, 2])
    assert MRR(20).measure(ranks) == pytest.approx(((1 + 1 / 2) / 2 + 1 / 5) / 2)
    assert MRR(20).per_cluster(ranks).counts.tolist() == [1, 1]
    # two targets and two repeats: rows stand by target, then repeat, and are regrouped by repeat
    several = table([0, 2, 1, 3], [0, 0, 0, 0], query=[0] * 4, repeat=[0, 1, 0, 1], target=[3, 3, 4, 4])
    assert MRR(20).measure(several) == pytest.approx((1 + 1 / 3) / 2)
    assert Recall(2).measure(several) == pytest.approx((1 + 0) / 2)


def test_ranx_agrees_without_ties(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)  # 40 queries are faster than compiling ranx
    from ranx import Qrels, Run, evaluate

    rng = np.random.default_rng(0)
    qrels, run, rows = {}, {}, []
    for q in range(40):
        scores = rng.permutation(30).astype(float)
        targets = rng.choice(30, rng.integers(1, 6), replace=False)
        qrels[f"q{q}"] = {f"i{t}": 1 for t in targets}
        run[f"q{q}"] = {f"i{i}": s for i, s in enumerate(scores)}
        rows += [(q, t, int((scores > scores[t]).sum())) for t in targets]
    query, target, greater = np.array(rows).T
    ranks = table(greater, np.zeros(len(greater), int), query=query, target=target, candidates=30)
    names = {
        "mrr@10": MRR(10),
        "recall@10": Recall(10),
        "hit_rate@10": HitRate(10),
        "precision@10": Precision(10),
        "ndcg@10": NDCG(10),
        "map@10": MAP(10),  # ranx divides by all targets, the same wherever there are at most k of them
    }
    theirs = evaluate(Qrels(qrels), Run(run), list(names))
    for name, metric in names.items():
        assert metric.measure(ranks) == pytest.approx(theirs[name], abs=1e-12), name


def test_scikit_learn_agrees_on_ndcg_with_ties_of_one_target():
    scores = np.array([3.0, 1.0, 1.0, 2.0, 1.0, 0.0])
    truth = np.array([[0, 0, 1, 0, 0, 0]])
    for k in (2, 3, 4, 6):
        theirs = ndcg_score(truth, scores[None], k=k)
        assert NDCG(k).measure(from_scores(scores, [2])) == pytest.approx(theirs)


@pytest.mark.parametrize("metric", [MRR(20), MRR(), NDCG(10), Recall(5, "pessimistic"), MeanRank(), MAP(3), SPS(10)])
def test_a_metric_is_found_by_either_of_its_names(metric):
    assert metric_named(metric.name) == metric
    assert metric_named(metric.mlflow_name) == metric
    assert metric_named(metric.name.upper()) == metric


def test_names_are_those_of_the_reports():
    assert MRR(20).name == "MRR@20"
    assert MRR(20).mlflow_name == "mrr_at_20"
    assert Recall(5, "pessimistic").name == "Recall@5 (pessimistic)"


@pytest.mark.parametrize("name", ["mr@20", "recall", "MeanRank@5", "mrr@0", "", "recall@x"])
def test_unknown_metrics_are_refused(name):
    with pytest.raises(ValueError, match="known are|cut-off|at least 1"):
        metric_named(name)


def test_an_empty_table_is_refused():
    with pytest.raises(ValueError, match="no rows"):
        MRR(20).measure(table([], []))


@pytest.mark.parametrize(("metric", "name", "mlflow_name"), [
    (MRR(), "MRR", "mrr"),
    (Recall(5), "Recall@5", "recall_at_5"),
    (NDCG(5, "optimistic"), "NDCG@5 (optimistic)", "ndcg_at_5_optimistic"),
    (MeanRank(None, "pessimistic"), "MeanRank (pessimistic)", "meanrank_pessimistic"),
])  # fmt: skip
def test_a_metric_is_found_by_both_of_its_names(metric, name, mlflow_name):
    assert (metric.name, metric.mlflow_name) == (name, mlflow_name)
    assert metric_named(name) == metric_named(mlflow_name) == metric_named(f" {name.upper()} ") == metric


KNOWN = "MRR, Recall, HitRate, SPS, Precision, MAP, NDCG, MeanRank"


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: Recall(), "Recall needs a cut-off k, such as Recall@20"),
    (lambda: MeanRank(5), "MeanRank has no cut-off, got k = 5"),
    (lambda: Recall(True), "k must be a whole number of at least 1, got True"),
    (lambda: Recall(1.0), "k must be a whole number of at least 1, got 1.0"),
    (lambda: MRR(0), "k must be a whole number of at least 1, got 0"),
    (lambda: MRR(1, "lucky"), "ties must be one of expected, optimistic, pessimistic, got 'lucky'"),
    (lambda: metric_named("AUC"), f"unknown metric 'AUC': known are {KNOWN}, with a cut-off such as MRR@20"),
    (lambda: metric_named("Gini@5"), "'Gini@5' is measured on all queries together and is no mean over queries, so it "
     f"has no test by user; choose one of {KNOWN}"),
    (lambda: MRR().measure(table([], [])), "this rank table has no rows, so nothing can be measured"),
])  # fmt: skip
def test_refusals_in_full(make, sentence):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == sentence
