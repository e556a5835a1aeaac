"""Every outcome of every kind of claim, on a store whose truth is known."""

import math

import numpy as np
import pytest
from scipy import stats

from evaluation.comparison.compare import compare_suite
from evaluation.verdicts.claims import Compound, Cost, Gain, Outcome, Published, Ranking

from ..conftest import draw_ranks
from .judging import FEW, half_width, mean_of, published, ranking, verdicts


def test_a_learner_needs_seeds(store):
    store.learner("GRU", 0.8, seeds=1).add("Markov", draw_ranks(0.3, 0), deterministic=True)
    level, direction = verdicts(store, [published(0.2, "GRU")], [ranking("GRU", "Markov")])
    assert level.outcome is Outcome.INCONCLUSIVE
    assert "run at least 3 seeds" in level.reason
    assert direction.outcome is Outcome.INCONCLUSIVE
    assert "these trained models" in direction.reason


def test_a_cost_has_the_interval_of_welch(store):
    fast, slow = [100.0, 101.0, 99.5, 103.0], [200.0, 190.0, 207.0]
    for name, values in (("A", fast), ("B", slow)):
        for seed, value in enumerate(values):
            store.add(name, draw_ranks(0.0, seed), seed=seed, targets_per_second=value)
    (found,) = verdicts(store, claims=[Cost("half as fast", "A", "B", "D", 0.5)])
    parts = [np.var(v, ddof=1) / np.mean(v) ** 2 / len(v) for v in (fast, slow)]
    df = sum(parts) ** 2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (fast, slow), strict=True))
    assert half_width(found) == pytest.approx(stats.t.ppf(0.95, df) * math.sqrt(sum(parts)))


def test_a_smoke_run_can_judge_no_level_and_no_gain_but_directions(three_models):
    true = mean_of(three_models, "Markov")
    gain = Gain("far better", "GRU", "Popularity", "D", "MRR@20", 3.0)
    caveats = ["SMOKE RUN: at most 80 users of each data set"]
    found = verdicts(three_models, [published(true)], [gain, ranking("GRU", "Popularity")], caveats=caveats)
    assert [v.outcome.name for v in found] == ["NOT_COMPARABLE", "NOT_COMPARABLE", "REPRODUCED"]
    assert "SMOKE RUN" in found[2].reason


def test_a_smoke_caveat_on_the_cell_counts_too(store):
    store.add("Markov", draw_ranks(0.3, 0), deterministic=True, caveats=["SMOKE RUN: 80 of 900 users"])
    (found,) = verdicts(store, [published(mean_of(store, "Markov"))])
    assert found.outcome is Outcome.NOT_COMPARABLE


def test_rankings_hold_are_contradicted_or_open(three_models):
    three_models.add("Twin", draw_ranks(0.3, 1), deterministic=True)
    claims = [ranking("GRU", "Popularity"), ranking("Popularity", "GRU"), ranking("Twin", "Markov")]
    found = verdicts(three_models, claims=claims)
    assert [v.outcome.name for v in found] == ["REPRODUCED", "CONTRADICTED", "INCONCLUSIVE"]
    assert found[0].estimate == pytest.approx(-found[1].estimate)
    assert found[0].interval[0] > 0 > found[1].interval[1]


def test_holm_runs_over_all_claims_of_the_suite(three_models):
    alone = verdicts(three_models, claims=[ranking("GRU", "Popularity")])[0]
    others = [ranking("GRU", "LSTM"), ranking("LSTM", "Markov")]
    beside = verdicts(three_models, claims=[ranking("GRU", "Popularity"), Compound("both", others)])[0]
    assert beside.p_adjusted == pytest.approx(3 * alone.p_adjusted)  # the smallest of three


def test_the_interval_of_a_claim_agrees_with_its_p(store):
    # eight equal learners against one: the smallest p is about .02 alone, and above .05 when Holm adjusts over all
    store.add("Markov", draw_ranks(0.3, 0), deterministic=True)
    names = [f"L{n}" for n in range(8)]
    for n, name in enumerate(names):
        for seed in range(3):
            store.add(name, draw_ranks(0.3 + 0.04 * n, 100 * n + seed, seed_shift=0.05), seed=seed)
    found = verdicts(store, claims=[ranking(name, "Markov") for name in names], baselines=[])
    alone = compare_suite(store.suite(baselines=["Markov"]), **FEW)[0]
    wider = 0
    for verdict, name in zip(found, names, strict=True):
        excluded = verdict.interval[0] > 0 or verdict.interval[1] < 0
        assert excluded == (verdict.p_adjusted < 0.05)
        raw = alone.pair(name, "Markov").method.interval
        wider += (raw[0] > 0 or raw[1] < 0) and not excluded
    assert wider, "some are significant alone and not after adjustment"


def test_compound_claims_need_every_part(three_models):
    good, bad = ranking("GRU", "Popularity"), ranking("Popularity", "LSTM")
    found = verdicts(three_models, claims=[Compound("both", (good, ranking("LSTM", "Popularity"))),
                                           Compound("all", (good, bad), "section 5")])  # fmt: skip
    assert [v.outcome.name for v in found] == ["REPRODUCED", "CONTRADICTED"]
    assert found[0].reason == "2 of 2 parts hold."
    assert found[1].reason.startswith("1 of 2 parts hold; Popularity beats LSTM (CONTRADICTED)")
    assert len(found[1].parts) == 2


def test_the_worst_part_decides_a_compound_claim(three_models):
    three_models.add("Twin", draw_ranks(0.3, 1), deterministic=True)
    unclear, bad = ranking("Twin", "Markov"), ranking("Popularity", "GRU")
    closed = ranking("GRU", "Popularity", not_comparable="other data")
    far = Gain("far better", "GRU", "Popularity", "D", "MRR@20", 30.0)
    claims = [Compound("c", parts) for parts in ((unclear, bad), (unclear, far), (unclear, closed), (closed, far))]
    found = verdicts(three_models, claims=claims)
    assert [v.outcome.name for v in found] == ["CONTRADICTED", "NOT_REPRODUCED", "NOT_COMPARABLE", "NOT_REPRODUCED"]


def test_a_hypothesis_without_a_cited_paper_is_supported_or_not(three_models):
    good, bad = ranking("GRU", "Popularity"), ranking("Popularity", "GRU")
    claims = [good, bad, ranking("GRU", "Popularity", place="table 2"), Compound("all", (good, bad))]
    found = verdicts(three_models, claims=claims)
    assert [v.outcome.name for v in found] == ["REPRODUCED", "CONTRADICTED", "REPRODUCED", "CONTRADICTED"]
    assert [v.outcome_text for v in found] == ["SUPPORTED", "NOT SUPPORTED", "REPRODUCED", "NOT SUPPORTED"]
    assert "Popularity beats GRU (NOT SUPPORTED)" in found[3].reason
    paper = {"title": "On small things"}
    assert [v.outcome_text for v in verdicts(three_models, claims=claims, paper=paper)] == [
        "REPRODUCED", "CONTRADICTED", "REPRODUCED", "CONTRADICTED",
    ]  # fmt: skip


def test_a_pair_that_several_claims_speak_of_is_one_test(three_models):
    gain = Gain("gains", "GRU", "Popularity", "D", "MRR@20", 3.0)
    claims = [ranking("GRU", "Popularity"), ranking("Popularity", "GRU", protocol="P"), gain]
    alone = verdicts(three_models, claims=claims[:1])[0].p_adjusted
    assert [v.p_adjusted for v in verdicts(three_models, claims=claims)] == [alone] * 3


def test_a_metric_may_be_spelled_as_the_command_line_does(three_models):
    claim = Ranking("GRU beats popularity", "GRU", "Popularity", "D", "mrr@20")
    value = Published("D", "Markov", "recall_at_20", 0.5, "table 1")
    level, direction = verdicts(three_models, [value], [claim])
    assert direction.outcome is Outcome.REPRODUCED
    assert (direction.about.metric, level.about.metric) == ("MRR@20", "Recall@20")
    assert level.rerun_value is not None
    assert Published("D", "Markov", "auc", 0.5, "table 1").metric == "auc"


def test_costs_on_different_devices_are_no_ratio_of_models(store):
    for seed in range(3):
        store.add("A", draw_ranks(0.0, seed), seed=seed, targets_per_second=100.0, device_name="a GPU")
        store.add("B", draw_ranks(0.1, seed), seed=seed, targets_per_second=10.0, device_name="a CPU")
    (found,) = verdicts(store, claims=[Cost("ten times as fast", "A", "B", "D", 10.0)])
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "different devices (a GPU, a CPU)" in found.reason


def test_a_smoke_run_can_judge_no_cost(store):
    for seed in range(3):
        store.add("A", draw_ranks(0.0, seed), seed=seed, targets_per_second=100.0 + seed)
        store.add("B", draw_ranks(0.1, seed), seed=seed, targets_per_second=100.0 + seed)
    (found,) = verdicts(store, claims=[Cost("as fast", "A", "B", "D", 1.0)], caveats=["SMOKE RUN: 80 users"])
    assert found.outcome is Outcome.NOT_COMPARABLE
    assert "SMOKE RUN" in found.reason


def test_costs_are_ratios_with_their_noise_and_other_hardware_named(store):
    for seed, (fast, slow) in enumerate([(100.0, 200.0), (101.0, 199.0), (99.5, 201.0)]):
        store.add("A", draw_ranks(0.0, seed), seed=seed, targets_per_second=fast, device_name="a CPU")
        store.add("B", draw_ranks(0.1, seed), seed=seed, targets_per_second=slow, device_name="a CPU")
    claims = [
        Cost("half as fast", "A", "B", "D", 0.5),
        Cost("as fast", "A", "B", "D", 1.0),
        Cost("as long", "A", "B", "D", 1.0, "fit"),
        Cost("as large", "A", "B", "D", 1.0, "peak_memory_mb"),
    ]
    found = verdicts(store, claims=claims, baselines=[])
    assert [v.outcome.name for v in found] == ["REPRODUCED", "NOT_REPRODUCED", "REPRODUCED", "INCONCLUSIVE"]
    assert "measured on a CPU, other hardware" in found[0].reason
    assert found[0].estimate == pytest.approx(0.5, abs=0.01)


def test_what_failed_is_inconclusive_with_its_reason(three_models):
    three_models.fail("STAMP", "the data are absent", "SKIPPED")
    level, direction, alien, unknown = verdicts(
        three_models, [published(0.1, "STAMP")],
        [ranking("STAMP", "GRU"), Ranking("x", "GRU", "LSTM", "D", "AUC"), Ranking("x", "GRU", "LSTM", "E", "MRR@20")],
    )  # fmt: skip
    assert all(v.outcome is Outcome.INCONCLUSIVE for v in (level, direction, alien, unknown))
    assert "SKIPPED: the data are absent" in level.reason
    assert "SKIPPED: the data are absent" in direction.reason
    assert "AUC is not measured here" in alien.reason
    assert "no result of GRU on E" in unknown.reason


def test_a_claim_without_a_protocol_is_judged_under_each(store):
    for protocol in ("P", "Q"):
        store.learner("GRU", 0.8, protocol=protocol)
        store.add("Popularity", draw_ranks(-0.5, 0), deterministic=True, protocol=protocol)
    found = verdicts(store, claims=[ranking("GRU", "Popularity"), ranking("GRU", "Popularity", protocol="Q")])
    assert [v.protocol for v in found] == ["P", "Q", "Q"]
