"""One model under two protocols, on made-up cells whose truth is known, beside scipy's paired test."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evaluation.metrics.accuracy import metric_named
from evaluation.verdicts.claims import OWN_CLAIM, AcrossProtocols, Compound, Outcome, claim_from_json, claim_to_json
from tests.evaluation.conftest import draw_ranks

from .judging import verdicts

CLAIM = AcrossProtocols("order helps", "GRU", "D", "MRR@20", "sorted", "shuffled", place=OWN_CLAIM)


def judged(store, claim=CLAIM, *more):
    return verdicts(store, claims=[claim, *more], baselines=[])[0]


def fixed(store, above, below, **record):
    store.add("GRU", draw_ranks(above, 0), protocol="sorted", deterministic=True, **record)
    return store.add("GRU", draw_ranks(below, 1), protocol="shuffled", deterministic=True)


def test_a_fixed_model_is_tested_over_users_as_scipy_tests_equal_counts(store):
    rng = np.random.default_rng(5)
    tables = {}
    for name, strength in (("sorted", 0.7), ("shuffled", 0.5)):
        ranks = draw_ranks(strength, int(rng.integers(99)))
        first = np.unique(ranks.cluster, return_index=True)[1]  # one query of each user: equal counts
        tables[name] = subset(ranks, first)
        store.add("GRU", tables[name], protocol=name, deterministic=True)
    found = judged(store)
    means = [metric_named("MRR@20").per_cluster(table).sums for table in tables.values()]
    test = stats.ttest_rel(*means)
    assert found.p_adjusted == pytest.approx(test.pvalue)
    assert found.estimate == pytest.approx(np.mean(means[0] - means[1]))
    assert found.interval == pytest.approx(tuple(test.confidence_interval(0.95)))


def subset(ranks, rows):
    columns = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied")
    return replace(ranks, **{name: getattr(ranks, name)[rows] for name in columns})


@pytest.mark.parametrize(
    ("above", "below", "outcome", "text"),
    [(1.5, 0.0, Outcome.REPRODUCED, "SUPPORTED"), (0.0, 1.5, Outcome.CONTRADICTED, "NOT SUPPORTED"),
     (0.5, 0.5, Outcome.INCONCLUSIVE, "INCONCLUSIVE")],
)  # fmt: skip
def test_the_three_outcomes(store, above, below, outcome, text):
    found = judged(fixed(store, above, below))
    assert (found.outcome, found.outcome_text, found.protocol, found.models) == (outcome, text, "sorted", ("GRU",))
    low, high = found.interval
    assert low <= found.estimate <= high and (found.p_adjusted < 0.05) == (low > 0 or high < 0)


def test_p_is_adjusted_over_all_claims_of_the_kind_parts_included(store):
    fixed(store, 0.75, 0.5)
    alone = judged(store).p_adjusted
    twice = judged(store, CLAIM, Compound("both", [CLAIM, CLAIM])).p_adjusted
    assert 0 < alone < 1 / 3 and twice == pytest.approx(3 * alone)


def test_a_learner_needs_seeds(store):
    store.learner("GRU", 1.2, protocol="sorted").learner("GRU", 0.2, protocol="shuffled")
    assert judged(store).outcome is Outcome.REPRODUCED


def test_one_seed_of_a_learner_is_inconclusive(store):
    store.learner("GRU", 1.2, seeds=1, protocol="sorted").learner("GRU", 0.2, seeds=1, protocol="shuffled")
    found = judged(store)
    assert found.outcome is Outcome.INCONCLUSIVE and found.estimate > 0
    assert "one seed applies to these trained models; run at least 3" in found.reason


def test_what_cannot_be_paired_is_not_compared(store):
    store.add("GRU", draw_ranks(1.0, 0), protocol="sorted", deterministic=True)
    found = judged(store)
    assert found.outcome is Outcome.INCONCLUSIVE and found.without_result and found.reason.endswith("under shuffled.")


def test_other_test_sets_are_not_comparable(store):
    store.add("GRU", draw_ranks(1.0, 0), protocol="sorted", deterministic=True)
    store.add("GRU", draw_ranks(1.0, 0, clusters=79), protocol="shuffled", deterministic=True)
    found = judged(store)
    assert found.outcome is Outcome.NOT_COMPARABLE
    assert found.reason.startswith("sorted was tested on 80 clusters but shuffled on 79")


def test_caveats_of_both_sides_are_told(store):
    found = judged(fixed(store, 1.5, 0.0, caveats=["SMOKE RUN: 9 of 10 users"]))
    assert found.reason.endswith(" Caveat: SMOKE RUN: 9 of 10 users.")


def test_one_protocol_named_twice_is_a_mistake_and_json_reads_back():
    assert not CLAIM.mistake() and claim_from_json(claim_to_json(CLAIM)) == CLAIM
    same = AcrossProtocols("t", "GRU", "D", "MRR@20", "P", "P")
    assert same.mistake() == "the claim 't' compares the protocol 'P' with itself; name two protocols"
