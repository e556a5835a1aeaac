"""Ties of neighbour lists against whole numbers and fractions: at a cut, the lower number stays."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from baselines.counts.nearest_sequences import NearestSequences, no_exclusion, ordered_profiles
from baselines.counts.recency import recency_weights, whole_multiples
from baselines.neighbours.item_knn import Cosine, ItemKNN
from baselines.neighbours.session_knn import position_weights
from baselines.neighbours.user_knn import UserKNN
from baselines.simple.rules import SequentialRules
from recsys_data.sequences import SequenceBatch
from training.run import Run

NUM_ITEMS = 60


def tied_rows(seed):
    """Many short profiles of few items, so that similarities such as 1/√2 and 2/√8 meet."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, NUM_ITEMS, rng.integers(2, 14)).tolist() for _ in range(150)]


def best(keys, length):
    """The numbers with the highest positive keys, ties by the lower number."""
    return sorted((n for n in keys if keys[n] > 0), key=lambda n: (-keys[n], n))[:length]


# s_ij orders j as the whole-number fraction C^m / (supp_j + λ)^p does, for 1 − α = p / m
EXPONENTS = {0.5: (2, 1), 0.75: (4, 1), 0.25: (4, 3), 0.0: (1, 1), 1.0: (1, 0)}


@pytest.mark.parametrize("alpha", EXPONENTS)
@pytest.mark.parametrize("shrinkage", [0.0, 20.0])
def test_item_lists_are_cut_as_whole_numbers_say(training_set, alpha, shrinkage):
    m, p = EXPONENTS[alpha]
    ties = 0
    for seed in range(6):
        rows = tied_rows(seed)
        holders = [{u for u, row in enumerate(rows) if i in row} for i in range(NUM_ITEMS)]
        model = ItemKNN(neighbours=7, similarity=Cosine(shrinkage, alpha))
        lists = model.fit(training_set(rows, NUM_ITEMS), Run(0)).lists_
        for i in range(NUM_ITEMS):
            keys = {
                j: Fraction(len(holders[i] & holders[j]) ** m, (len(holders[j]) + int(shrinkage)) ** p)
                for j in range(NUM_ITEMS)
                if j != i and holders[j]
            }
            expected = best(keys, 8)
            found = lists.of(i)
            assert [j for j, _ in found] == expected[:7]
            for (j, weight), (k, other) in itertools.pairwise(found):
                assert weight == other if keys[j] == keys[k] else weight >= other, "equal similarities have one weight"
            ties += len(expected) == 8 and keys[expected[7]] == keys[expected[6]]
    assert ties > 20, "the cut falls into ties, or nothing was tested"


# counts u and supports with u^m / (supp + λ)^p the same for all u, where float64 products differ in the last bit
TIED = {0.5: lambda u, a: (u, a * u**2), 0.75: lambda u, a: (u, a * u**4), 0.0: lambda u, a: (u, a * u)}


@pytest.mark.parametrize(("alpha", "most"), [(0.5, 9), (0.75, 4), (0.0, 9)])
@pytest.mark.parametrize("shrinkage", [0, 20])
def test_similarities_that_rounding_parts_are_tied(training_set, alpha, most, shrinkage):
    wrong_in_floats = 0
    for factor in range(shrinkage + 2, shrinkage + 14):
        counts, shrunk = np.array(
            [TIED[alpha](u, factor) for u in np.random.default_rng(factor).permutation(most) + 1]
        ).T
        supports = shrunk - shrinkage
        # item 0 is in the first profiles, with items 1 … most as often as counted; the other profiles have no item 0
        rows = [[0, *(1 + np.flatnonzero(counts > p))] for p in range(counts.max())]
        rows += [[*(1 + np.flatnonzero(supports - counts > p))] for p in range((supports - counts).max())]
        train = training_set(rows, most + 1)
        keep = most // 2
        lists = ItemKNN(neighbours=keep, similarity=Cosine(shrinkage, alpha)).fit(train, Run(0)).lists_
        assert [j for j, _ in lists.of(0)] == list(range(1, keep + 1))
        assert len({weight for _, weight in lists.of(0)}) == 1
        naive = counts * shrunk.astype(float) ** (alpha - 1)
        wrong_in_floats += (np.argsort(-naive, kind="stable")[:keep] != np.arange(keep)).any()
    assert wrong_in_floats > 0, "products of floats order these rightly, so nothing was tested"


def test_user_lists_are_cut_as_whole_numbers_say(training_set):
    ties = 0
    for seed in range(6):
        rows = tied_rows(seed)
        sets = [set(row) for row in rows]
        model = UserKNN(neighbours=7).fit(training_set(rows, NUM_ITEMS), Run(0))
        histories = tied_rows(seed + 100)[:40]
        scores = model.score(SequenceBatch.of(histories)).block(slice(None))
        for history, row in zip(map(set, histories), scores, strict=True):
            keys = {u: Fraction(len(history & s) ** 2, len(history) * len(s)) for u, s in enumerate(sets)}
            near = best(keys, 8)
            expected = np.zeros(NUM_ITEMS)
            for u in near[:7]:
                expected[list(sets[u])] += math.sqrt(keys[u])
            np.testing.assert_allclose(row, expected, rtol=1e-5)
            ties += len(near) == 8 and keys[near[7]] == keys[near[6]]
    assert ties > 20


@pytest.mark.parametrize("kind", ["share", "linear", "quadratic"])
def test_weighted_sessions_are_cut_as_fractions_say(training_set, kind):
    weight = {
        "share": lambda p, n: Fraction(p, n),
        "quadratic": lambda p, n: Fraction(p, n) ** 2,
        "linear": lambda p, n: max(Fraction(0), 1 - Fraction(n - p, 10)),
    }[kind]
    ties = 0
    for seed in range(4):
        rows = tied_rows(seed)
        sets = [set(row) for row in rows]
        histories = tied_rows(seed + 100)[:40]
        batch, longest = SequenceBatch.of(histories), max(map(len, histories))
        scores = NearestSequences(
            ordered_profiles(training_set(rows, NUM_ITEMS), None), batch.items, batch.query_positions,
            no_exclusion(batch), *position_weights(kind, longest), np.ones(longest), "vector", np.ones(NUM_ITEMS), 999,
            7, longest,
        ).block(slice(None))  # fmt: skip
        for history, row in zip(histories, scores, strict=True):
            newest = {item: p + 1 for p, item in enumerate(history)}
            keys = {
                u: sum(weight(p, len(history)) for item, p in newest.items() if item in s) / len(newest)
                for u, s in enumerate(sets)
            }
            near = best(keys, 8)
            expected = np.zeros(NUM_ITEMS)
            for u in near[:7]:
                expected[list(sets[u])] += float(keys[u])
            np.testing.assert_allclose(row, expected, rtol=1e-5)
            ties += len(near) == 8 and keys[near[7]] == keys[near[6]]
    assert ties > 10


@pytest.mark.parametrize("recency", ["reciprocal", "linear", "quadratic"])
def test_rules_are_cut_as_fractions_say(training_set, recency):
    weight = {
        "reciprocal": lambda d: Fraction(1, d),
        "linear": lambda d: max(Fraction(0), 1 - Fraction(d, 10)),
        "quadratic": lambda d: Fraction(1, d * d),
    }[recency]
    ties = 0
    for seed in range(6):
        rows = tied_rows(seed)
        model = SequentialRules(steps=6, recency=recency, neighbours=9)
        rules = model.fit(training_set(rows, NUM_ITEMS), Run(0)).rules_
        sums = [dict.fromkeys(range(NUM_ITEMS), Fraction(0)) for _ in range(NUM_ITEMS)]
        for row in rows:
            for p, i in enumerate(row):
                for d, j in enumerate(row[p + 1 : p + 7], start=1):
                    sums[i][j] += weight(d)
        for i in range(NUM_ITEMS):
            expected = best(sums[i], 10)
            assert [j for j, _ in rules.of(i)] == expected[:9]
            np.testing.assert_allclose(
                [w for _, w in rules.of(i)], [float(sums[i][j]) for j in expected[:9]], rtol=1e-6
            )
            ties += len(expected) == 10 and sums[i][expected[9]] == sums[i][expected[8]]
    assert ties > 10


@pytest.mark.parametrize(
    "kind, scale",
    [("same", 1), ("reciprocal", 2520), ("linear", 10), ("quadratic", 6350400), ("logarithmic", 1)],
)
def test_weights_as_whole_multiples(kind, scale):
    # lcm(1 … 10) = 2520, and its square for 1 / d²; logarithms have none
    weights = recency_weights(kind, 10)
    whole, found = whole_multiples(weights)
    assert found == scale
    np.testing.assert_allclose(whole / found, weights, rtol=1e-15)
    assert kind == "logarithmic" or (whole == np.rint(whole)).all()
