"""Coverage, popularity and list measures by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from evaluation.metrics.accuracy import WHOLE_TABLE, metric_named
from evaluation.metrics.coverage import BlockbusterShare, ItemCoverage, ItemCoverageShare, UserCoverage
from evaluation.metrics.lists import CatalogueCoverage, Gini, Novelty, PopularityLift, whole_table_metric_named
from evaluation.ranking.rank_table import RankTable


def table(greater, *, tied=None, target=None, cluster=None, items=200, top=None, counts=None):
    n = len(greater)
    ties = np.zeros(n, int) if tied is None else np.array(tied)
    return RankTable(
        cluster=np.arange(n) if cluster is None else np.array(cluster), query=np.arange(n),
        target=np.arange(n) if target is None else np.array(target), repeat=np.zeros(n, int), history=np.ones(n, int),
        candidates=np.full(n, items), greater=np.array(greater), tied=ties,
        item_counts=np.arange(items)[::-1] if counts is None else np.array(counts),
        top_items=None if top is None else np.array(top),
    )  # fmt: skip


def test_user_coverage_needs_one_hit_a_user():
    ranks = table([0, 30, 30, 2, 30], cluster=[0, 0, 1, 1, 2])
    assert UserCoverage(10).measure(ranks) == pytest.approx(2 / 3)


def test_ties_of_different_queries_are_broken_apart():
    # two queries of one user, each a hit with chance 1/2: covered with 3/4; both of item 7: covered with 3/4
    ranks = table([0, 0], tied=[1, 1], cluster=[0, 0], target=[7, 7])
    outcomes = [max(pair) for pair in itertools.product((0, 1), repeat=2)]
    assert UserCoverage(1).measure(ranks) == pytest.approx(np.mean(outcomes))
    assert ItemCoverage(1).measure(ranks) == pytest.approx(np.mean(outcomes))


def test_item_coverage_counts_items_once_and_drops_dropped_targets():
    ranks = table([0, 3, 30, 200, 1], target=[5, 5, 6, -1, 7])
    assert ItemCoverage(10).measure(ranks) == 2.0
    assert ItemCoverageShare(10).measure(ranks) == 2 / 200


def test_blockbusters_are_the_hundredth_part_with_the_highest_counts():
    # 200 items with falling counts: blockbusters are items 0 and 1; hits: items 0, 1, 5 → 2/3
    ranks = table([0, 0, 0, 50], target=[0, 1, 5, 1])
    assert BlockbusterShare(10).measure(ranks) == pytest.approx(2 / 3)
    assert BlockbusterShare(10).measure(table([50])) == 0.0
    with pytest.raises(ValueError, match="at least 100 items"):
        BlockbusterShare(10).measure(table([0], items=99))


LISTS = {"items": 4, "counts": [7, 3, 1, 1], "top": [[0, 1], [0, 2], [0, -1]], "target": [1, 2, 0]}


def test_list_measures_by_hand():
    ranks = table([1, 1, 0], **LISTS)
    # recommended 3, 1, 1, 0 times; ascending 0, 1, 1, 3: (−3·0 − 1·1 + 1·1 + 3·3) / (4 · 5) = 9/20
    assert CatalogueCoverage(2).measure(ranks) == 3 / 4
    assert Gini(2).measure(ranks) == pytest.approx(9 / 20)
    p = np.array([8, 4, 2, 2]) / 16
    assert Novelty(2).measure(ranks) == pytest.approx((3 * 1 + 2 + 3) / 5)
    assert -np.log2(p[0]) == 1
    # recommended: (3·7 + 3 + 1) / 5 = 5; targets: (3 + 1 + 7) / 3 = 11/3
    assert PopularityLift(2).measure(ranks) == pytest.approx(5 / (11 / 3) - 1)
    assert Gini(1).measure(ranks) == pytest.approx(3 / 4)  # one item of four, always


def test_lists_must_be_stored():
    with pytest.raises(ValueError, match="were not stored; rank with top_k=3"):
        Gini(3).measure(table([0]))
    with pytest.raises(ValueError, match="lists of 3 items, but the stored ones have 2"):
        Gini(3).measure(table([1, 1, 0], **LISTS))
    with pytest.raises(ValueError, match="at least one target that occurs"):
        PopularityLift(2).measure(table([1], items=4, counts=[0, 1, 1, 1], top=[[0, 1]], target=[0]))


@pytest.mark.parametrize("kind", [UserCoverage, ItemCoverage, ItemCoverageShare, BlockbusterShare, CatalogueCoverage,
                                  Gini, Novelty, PopularityLift])  # fmt: skip
def test_whole_table_metrics_are_no_means_over_queries(kind):
    assert kind.symbol.lower() in WHOLE_TABLE
    with pytest.raises(ValueError, match="no mean over queries"):
        metric_named(kind(10).name)
    with pytest.raises(ValueError, match="at least 1"):
        kind(0)


def test_equal_counts_go_by_item_number():
    ranks = table([0] * 4, target=[0, 1, 2, 199], counts=[1] * 200)
    assert BlockbusterShare(10).measure(ranks) == 2 / 4


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: BlockbusterShare(10).measure(table([0], items=99)),
     "BlockbusterShare@10 needs at least 100 items, got 99"),
    (lambda: Gini(3).measure(table([0])), "Gini@3 needs the recommended lists, which were not stored; rank with "
     "top_k=3"),
    (lambda: Gini(3).measure(table([1, 1, 0], **LISTS)), "Gini@3 needs lists of 3 items, but the stored ones have 2"),
    (lambda: PopularityLift(2).measure(table([1], items=4, counts=[0, 1, 1, 1], top=[[0, 1]], target=[0])),
     "PopularityLift@2 needs at least one target that occurs in training, got none"),
    (lambda: PopularityLift(2).measure(table([4], items=4, counts=[1] * 4, top=[[0, 1]], target=[-1])),
     "PopularityLift@2 needs at least one target that occurs in training, got none"),
    (lambda: ItemCoverage(5).measure(replace(table([0]), repeat=np.array([1]))),
     "ItemCoverage@5 is not defined for sampled candidates; rank all items"),
    (lambda: UserCoverage(0), "k must be a whole number of at least 1, got 0"),
])  # fmt: skip
def test_refusals_in_full(make, sentence):
    with pytest.raises(ValueError) as error:
        make()
    assert str(error.value) == sentence


def test_names_and_what_is_found_by_them():
    for kind in (UserCoverage, ItemCoverage, ItemCoverageShare, BlockbusterShare, CatalogueCoverage, Gini, Novelty,
                 PopularityLift):  # fmt: skip
        metric = kind(7)
        assert (metric.name, metric.mlflow_name) == (f"{kind.__name__}@7", f"{kind.__name__.lower()}_at_7")
        assert whole_table_metric_named(metric.name) == metric
        assert metric.needs_lists is (kind in (CatalogueCoverage, Gini, Novelty, PopularityLift))
        assert metric.higher_is_better is (kind not in (BlockbusterShare, Gini, PopularityLift))
    for name in ("Gini", "Gini@", "Gini@x", "gini@7", "MRR@7", "@7"):
        assert whole_table_metric_named(name) is None
