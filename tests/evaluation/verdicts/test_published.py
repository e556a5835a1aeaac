"""Published numbers: levels, zeros, uncertain ones and their noise, on a store whose truth is known."""

import math

import numpy as np
import pytest
from scipy import stats

from evaluation.comparison.compare import compare_suite
from evaluation.statistics.equivalence import seeds_to_decide
from evaluation.verdicts.claims import Outcome, Published

from ..conftest import draw_ranks
from .judging import FEW, half_width, mean_of, published, verdicts


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


def test_a_level_on_another_test_set_has_the_noise_of_both_samples(three_models):
    value = Published("D", "Markov", "MRR@20", mean_of(three_models, "Markov"), "t", digits=12, same_test=False)
    (found,) = verdicts(three_models, [value])
    row = compare_suite(three_models.suite(), **FEW)[0].model("Markov")
    t = stats.t.ppf(0.95, 80 - 1)
    assert half_width(found) == pytest.approx(t * math.sqrt(2) * row.error / row.mean)


def test_not_comparable_comes_before_all(three_models):
    other = [published(0.1, not_comparable="another split", certain=certain) for certain in (True, False)]
    for found in verdicts(three_models, other):
        assert found.outcome is Outcome.NOT_COMPARABLE
        assert "another split" in found.reason


def test_an_uncertain_number_has_its_own_outcome(three_models):
    (found,) = verdicts(three_models, [published(0.1, certain=False)])
    assert (found.outcome, found.outcome_text) == (Outcome.NOT_JUDGED, "NOT JUDGED")
    assert "not certain" in found.reason
    assert found.rerun_value == pytest.approx(mean_of(three_models, "Markov"))


def test_a_published_zero_is_judged_against_the_largest_value_that_rounds_to_it(store):
    store.add("Good", draw_ranks(0.8, 0), deterministic=True).add("Bad", draw_ranks(-9.0, 0), deterministic=True)
    store.learner("Learner", 0.8).learner("One", 0.8, seeds=1).learner("Wild", -0.5, seed_shift=3.0)
    values = [Published("D", m, "MRR@20", 0.0, "t", digits=4) for m in ("Good", "Bad", "Learner", "One")]
    values.append(Published("D", "Good", "MRR@20", 0.0, "t", digits=0))  # 0 stands for anything up to .5
    found = verdicts(store, values, baselines=[])
    assert mean_of(store, "Good") < 0.5
    assert [v.outcome.name for v in found] == [
        "NOT_REPRODUCED", "REPRODUCED", "NOT_REPRODUCED", "INCONCLUSIVE", "INCONCLUSIVE",
    ]  # fmt: skip
    assert "clearly above the .00005 that the published one can be at most" in found[0].reason
    assert "run at least 3 seeds" in found[3].reason
    # a mean of about half of 3 seeds' spread: the 90 % interval reaches down to 0, so nothing is clear
    wild = mean_of(store, "Wild")
    (open_,) = verdicts(store, [Published("D", "Wild", "MRR@20", wild / 4, "t", digits=0)], baselines=[])
    assert open_.outcome is Outcome.INCONCLUSIVE
