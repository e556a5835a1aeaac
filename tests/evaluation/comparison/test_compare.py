"""compare_suite on a small store: what is compared, with what, and the same numbers as the parts it is made of."""

import numpy as np
import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.comparison.request import ComparisonRequest
from evaluation.metrics.accuracy import MRR
from evaluation.statistics.crossed import crossed_test
from evaluation.statistics.effects import Conclusion
from evaluation.statistics.paired_sums import UnequalTestSets

from ..conftest import draw_ranks

FEW = {"flips": 2000, "resamples": 500}


def test_the_family_is_best_baseline_declared_and_claimed(three_models):
    request = ComparisonRequest("D", "MRR@20", ("GRU", "Popularity"))
    results = three_models.suite(baselines=["Markov", "Popularity"], comparisons=[["GRU", "LSTM"], ["LSTM", "GRU"]])
    first, second = compare_suite(results, [request], **FEW)
    assert (first.metric, second.metric) == ("MRR@20", "Recall@20")
    assert first.reference == "Markov"
    assert [(p.a, p.b, p.why) for p in first.pairs] == [
        ("GRU", "Markov", "against the best baseline"),
        ("LSTM", "Markov", "against the best baseline"),
        ("Popularity", "Markov", "against the best baseline"),
        ("GRU", "LSTM", "declared"),
        ("GRU", "Popularity", "claimed"),
    ]
    assert len(second.pairs) == 4  # the claim is of MRR@20
    assert len(first.exploratory) == 6


def test_numbers_are_those_of_the_parts(three_models):
    results = three_models.suite(baselines=["Markov", "Popularity"])
    table = compare_suite(results, **FEW)[0]
    cells = {(c.model, c.seed): c for c in results.cells}
    gru = [MRR(20).per_cluster(cells["GRU", s].ranks) for s in range(3)]
    markov = [MRR(20).per_cluster(cells["Markov", 0].ranks)]
    pair, row = table.pair("GRU", "Markov"), table.model("GRU")
    assert row.mean == pytest.approx(np.mean([s.micro for s in gru]))
    assert row.sd == pytest.approx(np.std([s.micro for s in gru], ddof=1))
    assert row.seed_values == {s: gru[s].micro for s in range(3)}
    assert row.macro == pytest.approx(np.mean([s.macro for s in gru]))
    assert pair.difference == pytest.approx(row.mean - markov[0].micro)
    assert pair.method == crossed_test(gru, markov, deterministic=(False, True))
    assert pair.decision.p == pair.method.p
    assert pair.interval[0] < pair.difference < pair.interval[1]
    assert pair.simultaneous[0] < pair.interval[0]
    assert pair.decision.conclusion is Conclusion.BETTER
    assert pair.relative == pytest.approx(row.mean / markov[0].micro - 1)
    assert pair.naive.error > 0
    assert table.model("GRU").best
    assert not table.model("Popularity").matches_best


def test_two_deterministic_models_are_decided_by_sign_flips(three_models):
    pair = compare_suite(three_models.suite(baselines=["Markov"]), **FEW)[0].pair("Popularity", "Markov")
    assert pair.decision.p == pair.p
    assert "deterministic models across users" in pair.sentence


def test_one_seed_speaks_of_trained_models(store):
    store.learner("GRU", 0.8, seeds=1).add("Markov", draw_ranks(0.0, 0), deterministic=True)
    table = compare_suite(store.suite(baselines=["Markov"]), **FEW)[0]
    pair = table.pair("GRU", "Markov")
    assert pair.method is None
    assert not pair.decision.of_methods
    assert pair.decision.conclusion is Conclusion.BETTER
    assert "these trained models" in pair.sentence
    assert "except where GRU takes part" in table.notes[0]


def test_the_best_baseline_is_chosen_on_validation_where_it_is_stored(store):
    store.learner("GRU", 0.8)
    store.add("Markov", draw_ranks(0.3, 0), deterministic=True, validation={"MRR@20": 0.01})
    store.add("Popularity", draw_ranks(-0.5, 0), deterministic=True, validation={"MRR@20": 0.02})
    table = compare_suite(store.suite(baselines=["Markov", "Popularity"]), **FEW)[0]
    assert (table.reference, table.reference_by) == ("Popularity", "MRR@20 on validation")


def test_without_baselines_and_claims_all_pairs_are_the_family(three_models):
    table = compare_suite(three_models.suite(), **FEW)[0]
    assert len(table.pairs) == 6
    assert table.reference is None


def test_cached_sums_and_ranks_give_the_same_tables(tmp_path):
    from ..conftest import StoreBuilder

    tables = []
    for name, cached in (("a", True), ("b", False)):
        store = StoreBuilder(tmp_path / name)
        for seed in range(2):
            store.add("GRU", draw_ranks(0.8, seed), seed=seed, cached=cached)
        store.add("Markov", draw_ranks(0.3, 0), deterministic=True, cached=cached)
        tables.append(compare_suite(store.suite(baselines=["Markov"]), **FEW))
    assert tables[0] == tables[1]


def test_same_results_give_the_same_tables_and_a_further_model_the_same_raw_p(three_models):
    results = three_models.suite(baselines=["Markov"])
    first = compare_suite(results, **FEW)[0]
    assert first == compare_suite(results, **FEW)[0]
    three_models.add("Constant", draw_ranks(-3.0, 1), deterministic=True)
    more = compare_suite(three_models.suite(baselines=["Markov"]), **FEW)[0]
    for pair in first.pairs:
        assert more.pair(pair.a, pair.b).p == pair.p
        assert more.pair(pair.a, pair.b).interval == pair.interval


def test_requested_metrics_are_measured_too(three_models):
    requests = [ComparisonRequest("D", name) for name in ("NDCG@10", "AUC", "MRR@20")]
    tables = compare_suite(three_models.suite(), requests, **FEW)
    assert [t.metric for t in tables] == ["MRR@20", "Recall@20", "NDCG@10"]


@pytest.mark.parametrize("request_", [
    ComparisonRequest("E", "MRR@20", ("GRU", "Popularity")),
    ComparisonRequest("D", "MRR@20", ("GRU", "Popularity"), protocol="Q"),
    ComparisonRequest("D", "Recall@20", ("GRU", "Popularity")),
    ComparisonRequest("D", "MRR@20"),
])  # fmt: skip
def test_a_request_concerns_its_own_table_only(three_models, request_):
    results = three_models.suite(comparisons=[["GRU", "LSTM"]])
    first, _ = compare_suite(results, [request_], **FEW)
    assert [(p.a, p.b) for p in first.pairs] == [("GRU", "LSTM")]


def test_other_queries_are_refused_with_the_data_set_named(store):
    store.add("A", draw_ranks(0.0, 0), deterministic=True).add("B", draw_ranks(0.0, 0, clusters=79), deterministic=True)
    with pytest.raises(UnequalTestSets, match="D, P: A was tested on 80 clusters but B on 79"):
        compare_suite(store.suite(), **FEW)


def test_a_single_model_is_a_table_without_pairs(store):
    store.add("A", draw_ranks(0.0, 0), deterministic=True)
    table = compare_suite(store.suite(baselines=["A"]), **FEW)[0]
    assert table.pairs == ()
    assert table.models[0].best
    assert table.models[0].interval[0] < table.models[0].mean < table.models[0].interval[1]


@pytest.mark.parametrize(
    ("seeds", "deterministic", "words"),
    [
        ((3, 2), 1, "apply to the methods (users × seeds)."),
        ((), 2, "apply to the methods (users only, since they are deterministic)."),
        ((1, 1), 0, "apply to these trained models (users only): each has one seed."),
        ((3, 1), 1, "apply to the methods (users × seeds), except where L1 takes part: with one seed, to these"),
        ((1,), 1, "to the methods (users only, since they are deterministic), except where L0 takes part"),
    ],
)
def test_a_note_says_to_what_the_numbers_apply(store, seeds, deterministic, words):
    for n, number in enumerate(seeds):
        store.learner(f"L{n}", 0.5 + 0.1 * n, seeds=number)
    for n in range(deterministic):
        store.add(f"D{n}", draw_ranks(0.1 * n, 0), deterministic=True)
    for table in compare_suite(store.suite(), **FEW):
        assert words in table.notes[0]
        assert [row.of_method for row in table.models] == [n > 1 for n in seeds] + [True] * deterministic
