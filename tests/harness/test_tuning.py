"""Search spaces and samplers: distributions, refused inputs, independent draws, unchanged by a resume."""

import math

import numpy as np
import pytest
from scipy import stats

from harness.tuning import Choice, IntUniform, LogUniform, Tuning, Uniform, propose

SPACE = {
    "dim": Choice(32, 64, 128),
    "rate": LogUniform(1e-4, 1e-1),
    "dropout": Uniform(0.0, 0.5),
    "neighbours": IntUniform(3, 5),
}


def trials(sampler, number, past=(), space=SPACE, seed="s"):
    """The points of ``number`` trials in a row; the score is a fixed function of the point, each fifth fails."""
    past = list(past)
    while len(past) < number:
        point = propose(sampler, space, seed, past)
        score = None if len(past) % 5 == 4 else -((math.log10(point["rate"]) + 2) ** 2) - point["dropout"]
        past.append({"point": point, "score": score})
    return past


def test_random_points_follow_their_distributions():
    points = [t["point"] for t in trials("random", 600)]
    counts = np.bincount([p["dim"] for p in points], minlength=3)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert {p["neighbours"] for p in points} == {3, 4, 5}
    for values, low, high in (
        ([math.log10(p["rate"]) for p in points], -4.0, 3.0),
        ([p["dropout"] for p in points], 0.0, 0.5),
    ):
        assert stats.kstest(values, stats.uniform(low, high).cdf).pvalue > 1e-3
    pairs = [(p["rate"], p["dropout"]) for p in points]
    assert abs(stats.spearmanr(pairs).statistic) < 0.15  # fields of one trial have streams of their own


def test_a_random_trial_depends_on_its_number_and_its_field_alone():
    seven = propose("random", SPACE, "s", [{"point": {}, "score": None}] * 7)
    assert seven == trials("random", 8)[7]["point"]
    fewer = propose("random", {"rate": SPACE["rate"]}, "s", [{}] * 7)
    assert fewer == {"rate": seven["rate"]}
    assert propose("random", SPACE, "other", [{}] * 7) != seven


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_search_that_was_cut_goes_on_as_if_it_was_not(sampler):
    whole = trials(sampler, 16)
    for cut in (1, 9, 12):
        assert trials(sampler, 16, past=whole[:cut]) == whole
    for trial in whole:
        values = {name: SPACE[name].at(number) for name, number in trial["point"].items()}
        assert values["dim"] in (32, 64, 128)
        assert 1e-4 <= values["rate"] <= 1e-1 and 0 <= values["dropout"] <= 0.5 and values["neighbours"] in (3, 4, 5)


def test_tpe_goes_where_the_score_is_best():
    def late(sampler):
        return np.mean([abs(math.log10(t["point"]["rate"]) + 2) for t in trials(sampler, 40)[20:]])

    assert late("tpe") < 0.7 * late("random")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Choice(), "Choice needs at least one option"),
        (lambda: Uniform(1.0, 1.0), "Uniform needs low < high, got low=1.0 and high=1.0"),
        (lambda: LogUniform(0.0, 1.0), "LogUniform needs finite ends above 0, got 0.0"),
        (lambda: Uniform(0.0, math.inf), "Uniform needs finite ends"),
        (lambda: IntUniform(5, 3), "IntUniform needs low < high"),
        (lambda: Tuning(0, {"GRU": SPACE}), "trials must be at least 1, got 0"),
        (lambda: Tuning(3, {}), "spaces names no model"),
        (lambda: Tuning(3, {"GRU": {}}), "the space of 'GRU' is empty"),
        (lambda: Tuning(3, {"GRU": {"dim": (32, 64)}}), "the space of GRU.dim must be a Choice"),
        (lambda: Tuning(3, {"GRU": SPACE}, sampler="grid"), "sampler must be one of random, tpe, got 'grid'"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_sentence(make, words):
    with pytest.raises(ValueError) as refused:
        make()
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_field_held_fixed_leaves_the_others():
    tuning = Tuning(3, {"GRU": {"dim": Choice(1, 2), "rate": Uniform(0, 1)}, "kNN": {"neighbours": IntUniform(1, 9)}})
    assert list(tuning.without("GRU", "dim").spaces["GRU"]) == ["rate"]
    assert list(tuning.without("kNN", "neighbours").spaces) == ["GRU"]
    assert tuning.without("kNN", "neighbours").without("GRU", "dim").without("GRU", "rate") is None
    assert tuning.without("GRU", "epochs") == tuning
