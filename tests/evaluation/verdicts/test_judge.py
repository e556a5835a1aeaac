"""Every outcome of every kind of claim, on a store whose truth is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evaluation.comparison.compare import compare_suite
from evaluation.metrics.accuracy import MRR
from evaluation.statistics.equivalence import seeds_to_decide
from evaluation.verdicts.claims import Compound, Cost, Gain, Outcome, Published, Ranking
from evaluation.verdicts.judge import judge_suite, requests_of

from ..conftest import draw_ranks

FEW = {"flips": 2000, "resamples": 300}


def ranking(better, worse, **more):
    return Ranking(f"{better} beats {worse}", better, worse, "D", "MRR@20", **more)


def verdicts(store, published=(), claims=(), **record):
    record = {"baselines": ["Markov", "Popularity"]} | record
    results = store.suite(published=[p.to_json() for p in published], claims=[c.to_json() for c in claims], **record)
    return judge_suite(results, compare_suite(results, requests_of(results), **FEW))


def mean_of(store, model):
    cells = [c for c in store.suite().cells if c.model == model]
    return sum(c.metrics["MRR@20"] for c in cells) / len(cells)


def published(value, model="Markov", **more):
    return Published("D", model, "MRR@20", value, "table 1", digits=6, **more)


def test_levels_of_a_deterministic_model(three_models):
    true = mean_of(three_models, "Markov")
    values = [published(true), published(true * 1.07), published(true * 1.3), published(true * 0.7)]
    found = verdicts(three_models, values)
    assert [v.outcome.name for v in found] == ["REPRODUCED", "REPRODUCED", "NOT_REPRODUCED", "NOT_REPRODUCED"]
    assert "within ±5 %" in found[0].reason
    assert "within ±10 %, not ±5 %" in found[1].reason
    assert "below −10 %" in found[2].reason
    assert "above +10 %" in found[3].reason
    assert found[0].estimate == pytest.approx(1.0, abs=1e-4)
    assert found[0].kind == "Published"


def test_another_draw_of_the_population_adds_the_sample_of_both_sides(three_models):
    true = mean_of(three_models, "Markov")
    (found,) = verdicts(three_models, [published(true, same_test=False)])
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "No number of seeds can decide it; the largest source of uncertainty is the test sample" in found.reason


def test_a_learner_needs_seeds(store):
    store.learner("GRU", 0.8, seeds=1).add("Markov", draw_ranks(0.3, 0), deterministic=True)
    level, direction = verdicts(store, [published(0.2, "GRU")], [ranking("GRU", "Markov")])
    assert level.outcome is Outcome.INCONCLUSIVE
    assert "run at least 3 seeds" in level.reason
    assert direction.outcome is Outcome.INCONCLUSIVE
    assert "these trained models" in direction.reason


def test_an_open_level_says_how_many_seeds_would_decide(store):
    store.learner("GRU", 0.8, seeds=3, seed_shift=0.06)
    true = mean_of(store, "GRU")
    near, far = verdicts(store, [published(true, "GRU"), published(1.05 * true, "GRU")])
    values = [c.metrics["MRR@20"] for c in store.suite().cells]
    needed = seeds_to_decide(true, round(true, 6), 0.5e-6, np.std(values, ddof=1) / true, 1)
    assert (near.outcome, far.outcome) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)
    assert needed > 3
    assert f"About {needed} seeds would decide it" in near.reason
    assert "No number of seeds can decide it" in far.reason


def half_width(verdict):
    """Half the 90 % interval of the log ratio; the rounding of the published value is negligible."""
    low, high = verdict.interval
    return math.log(high / low) / 2


def test_a_level_on_another_test_set_has_the_noise_of_both_samples(three_models):
    value = Published("D", "Markov", "MRR@20", mean_of(three_models, "Markov"), "t", digits=12, same_test=False)
    (found,) = verdicts(three_models, [value])
    row = compare_suite(three_models.suite(), **FEW)[0].model("Markov")
    t = stats.t.ppf(0.95, 80 - 1)
    assert half_width(found) == pytest.approx(t * math.sqrt(2) * row.error / row.mean)


def test_a_gain_on_another_test_set_has_the_noise_of_both_samples(three_models):
    ratio = mean_of(three_models, "Markov") / mean_of(three_models, "Popularity")
    claim = Gain("gains", "Markov", "Popularity", "D", "MRR@20", ratio - 1, digits=12, same_test=False)
    (found,) = verdicts(three_models, claims=[claim])
    cells = {c.model: MRR(20).per_cluster(c.ranks) for c in three_models.suite().cells}
    ours, theirs = cells["Markov"].sums, cells["Popularity"].sums
    residuals = ours - ratio * theirs  # the delta method of a ratio of means, by cluster
    error = math.sqrt(80 / 79 * (residuals**2).sum()) / ours.sum()
    t = stats.t.ppf(0.95, 80 - 1)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert half_width(found) == pytest.approx(t * math.sqrt(2) * error)
    (same,) = verdicts(three_models, claims=[replace(claim, same_test=True)])
    assert same.outcome is Outcome.REPRODUCED


def test_a_cost_has_the_interval_of_welch(store):
    fast, slow = [100.0, 101.0, 99.5, 103.0], [200.0, 190.0, 207.0]
    for name, values in (("A", fast), ("B", slow)):
        for seed, value in enumerate(values):
            store.add(name, draw_ranks(0.0, seed), seed=seed, targets_per_second=value)
    (found,) = verdicts(store, claims=[Cost("half as fast", "A", "B", "D", 0.5)])
    parts = [np.var(v, ddof=1) / np.mean(v) ** 2 / len(v) for v in (fast, slow)]
    df = sum(parts) ** 2 / sum(part**2 / (len(v) - 1) for part, v in zip(parts, (fast, slow), strict=True))
    assert half_width(found) == pytest.approx(stats.t.ppf(0.95, df) * math.sqrt(sum(parts)))


@pytest.mark.parametrize(
    ("more", "words"),
    [({"not_comparable": "another split"}, "another split"), ({"certain": False}, "not certain")],
)
def test_not_comparable_comes_before_all(three_models, more, words):
    (found,) = verdicts(three_models, [published(0.1, **more)])
    assert found.outcome is Outcome.NOT_COMPARABLE
    assert words in found.reason


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


def test_gains_need_direction_and_size(three_models):
    ratio = mean_of(three_models, "Markov") / mean_of(three_models, "Popularity")

    def gain(size, better="Markov", worse="Popularity"):
        return Gain(f"{size:.0%}", better, worse, "D", "MRR@20", size, digits=4)

    claims = [gain(ratio - 1), gain(2 * ratio - 1), gain(0.1, "Popularity", "Markov")]
    found = verdicts(three_models, claims=claims)
    assert [v.outcome.name for v in found] == ["REPRODUCED", "NOT_REPRODUCED", "CONTRADICTED"]
    assert "The direction holds" in found[1].reason
    assert found[0].estimate == pytest.approx(ratio)
    assert found[2].estimate == pytest.approx(mean_of(three_models, "Popularity") / mean_of(three_models, "Markov"))
    assert found[2].interval is None
    assert "Popularity − Markov = -" in found[2].reason


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


def test_a_gain_bears_its_caveats(store):
    store.add("GRU", draw_ranks(0.8, 0), deterministic=True, caveats=["NOT CONVERGED: 3 epochs"])
    store.add("Popularity", draw_ranks(-0.5, 0), deterministic=True)
    gains = [Gain("gains", "GRU", "Popularity", "D", "MRR@20", gain) for gain in (0.5, 3.0, 30.0)]
    for found in verdicts(store, claims=gains, baselines=[]):
        assert found.reason.endswith(" Caveat: NOT CONVERGED: 3 epochs.")


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
