"""Paired sums by hand, and test sets that do not match."""

import numpy as np
import pytest

from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.statistics.paired_sums import PairedSums, UnequalTestSets

SEEDS = [ClusterSums(np.array([3, 5, 9]), np.array(sums), np.array([1, 2, 5])) for sums in ([1.0, 1.0, 3.0], [0, 2, 4])]
OTHER = ClusterSums(np.array([3, 5, 9]), np.array([0.5, 2.0, 0.0]), np.array([1, 2, 5]))


def test_means_and_differences_by_hand():
    paired = PairedSums.of({"A": SEEDS, "B": [OTHER]})
    # A's seeds average to 0.5, 1.5, 3.5: micro 5.5 / 8, macro (0.5 + 0.75 + 0.7) / 3
    assert paired.sums.tolist() == [[0.5, 0.5], [1.5, 2.0], [3.5, 0.0]]
    assert (paired.num_clusters, paired.num_events) == (3, 8)
    assert paired.means == pytest.approx([5.5 / 8, 2.5 / 8])
    assert paired.macro == pytest.approx([(0.5 + 0.75 + 0.7) / 3, (0.5 + 1 + 0) / 3])
    pairs = paired.index([("B", "A"), ("A", "B")])
    assert pairs.tolist() == [[1, 0], [0, 1]]
    assert paired.differences(pairs).tolist() == [[0, 0], [0.5, -0.5], [-3.5, 3.5]]
    assert paired.index([]).shape == (0, 2)


def test_random_numbers_depend_on_the_test_set_and_the_purpose_alone():
    one, two = PairedSums.of({"A": SEEDS}), PairedSums.of({"A": SEEDS, "B": [OTHER]})
    fewer = PairedSums.of({"A": [ClusterSums(OTHER.clusters, OTHER.sums, np.array([1, 2, 4]))]})
    draws = [p.generator(why).integers(2**62) for p in (one, two, fewer) for why in ("flips", "bootstrap")]
    assert draws[0] == draws[2]
    assert draws[1] == draws[3]
    assert len(set(draws)) == 4


def test_unequal_test_sets_and_a_single_user_are_refused():
    first = ClusterSums(np.arange(3), np.ones(3), np.array([1, 2, 3]))
    with pytest.raises(UnequalTestSets, match="queries, first at cluster 2: 3 against 4"):
        PairedSums.of({"A": [first], "B": [ClusterSums(np.arange(3), np.ones(3), np.array([1, 2, 4]))]})
    with pytest.raises(UnequalTestSets, match="clusters, first at cluster 2: 2 against 3"):
        PairedSums.of({"A": [first], "B": [ClusterSums(np.array([0, 1, 3]), np.ones(3), np.array([1, 2, 3]))]})
    with pytest.raises(UnequalTestSets, match="3 clusters but B on 2"):
        PairedSums.of({"A": [first], "B": [ClusterSums(np.arange(2), np.ones(2), np.array([1, 2]))]})
    with pytest.raises(ValueError, match="one user"):
        PairedSums.of({"A": [ClusterSums(np.array([4]), np.ones(1), np.array([3]))]})
