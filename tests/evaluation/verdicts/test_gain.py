"""Gains: their own sign, their size and their noise, on a store whose truth is known."""

import math
from dataclasses import replace

import pytest
from scipy import stats

from evaluation.metrics.accuracy import MRR, MeanRank
from evaluation.verdicts.claims import Compound, Gain, Outcome

from ..conftest import draw_ranks
from .judging import half_width, mean_of, verdicts


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
    assert "Popularity − Markov = −" in found[2].reason


@pytest.mark.parametrize("compound", [False, True])
def test_the_direction_of_a_gain_is_its_own_sign(three_models, compound):
    # found: Markov over Popularity is above 1, Popularity over Markov its inverse, below 1
    up = mean_of(three_models, "Markov") / mean_of(three_models, "Popularity")
    down = 1 / up
    assert up > 1.5

    def gain(better, worse, size):
        claim = Gain(f"{size:+.0%}", better, worse, "D", "MRR@20", size, digits=4)
        return Compound("all", (claim,)) if compound else claim

    claims = [
        gain("Markov", "Popularity", up - 1),  # claimed above 0, found above 0
        gain("Popularity", "Markov", up - 1),  # claimed above 0, found below 0
        gain("Markov", "Popularity", down - 1),  # claimed below 0, found above 0
        gain("Popularity", "Markov", down - 1),  # claimed below 0, found below 0
        gain("Popularity", "Markov", down / 2 - 1),  # the sign is right, the size is not
    ]
    found = verdicts(three_models, claims=claims)
    expected = ["REPRODUCED", "CONTRADICTED", "CONTRADICTED", "REPRODUCED", "NOT_REPRODUCED"]
    assert [v.outcome.name for v in found] == expected
    reasons = [(v.parts[0] if compound else v).reason for v in found]
    assert f"against the published −{100 * (1 - down):.1f} %" in reasons[3] and "The direction holds" in reasons[3]
    assert all("significant in the other direction" in reason for reason in reasons[1:3])


def test_a_gain_where_less_is_better_has_the_sign_of_the_difference_too(three_models):
    ranks = {c.model: MeanRank().measure(c.ranks) for c in three_models.suite().cells if c.deterministic}
    ratio = ranks["Markov"] / ranks["Popularity"]
    assert ratio < 0.9, "Markov ranks targets higher, so its mean rank is lower"
    claims = [Gain("g", "Markov", "Popularity", "D", "MeanRank", size, digits=4) for size in (ratio - 1, 1 - ratio)]
    assert [v.outcome.name for v in verdicts(three_models, claims=claims)] == ["REPRODUCED", "CONTRADICTED"]


def test_a_gain_of_nothing_is_judged_by_its_size_alone(three_models):
    three_models.add("Twin", draw_ranks(0.3, 0), deterministic=True)
    claims = [Gain("equal", "Twin", other, "D", "MRR@20", 0.0) for other in ("Markov", "Popularity")]
    found = verdicts(three_models, claims=claims)
    assert [v.outcome.name for v in found] == ["REPRODUCED", "NOT_REPRODUCED"]
    assert "No difference is claimed" in found[0].reason
    (one_seed,) = verdicts(three_models.learner("One", 0.3, seeds=1),
                           claims=[Gain("equal", "One", "Markov", "D", "MRR@20", 0.0)])  # fmt: skip
    assert one_seed.outcome is Outcome.INCONCLUSIVE


def test_a_gain_of_minus_all_has_no_ratio(store):
    store.add("Good", draw_ranks(0.8, 0), deterministic=True).add("Bad", draw_ranks(-9.0, 0), deterministic=True)
    assert mean_of(store, "Bad") == 0
    claims = [Gain("g", "Bad", "Good", "D", "MRR@20", size, digits=2) for size in (-0.999, -0.5)]
    claims.append(Gain("g", "Good", "Bad", "D", "MRR@20", -0.999, digits=2))
    found = verdicts(store, claims=claims)
    assert [v.outcome.name for v in found] == ["REPRODUCED", "NOT_REPRODUCED", "CONTRADICTED"]
    assert "0 up to its rounding" in found[0].reason and "a gain of −100 %" in found[1].reason


def test_a_gain_bears_its_caveats(store):
    store.add("GRU", draw_ranks(0.8, 0), deterministic=True, caveats=["NOT CONVERGED: 3 epochs"])
    store.add("Popularity", draw_ranks(-0.5, 0), deterministic=True)
    gains = [Gain("gains", "GRU", "Popularity", "D", "MRR@20", gain) for gain in (0.5, 3.0, 30.0)]
    for found in verdicts(store, claims=gains, baselines=[]):
        assert found.reason.endswith(" Caveat: NOT CONVERGED: 3 epochs.")
