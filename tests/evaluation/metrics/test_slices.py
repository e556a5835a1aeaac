"""Bins by hand-counted rows, and metrics inside them."""

import dataclasses

import numpy as np
import pytest

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.metrics.coverage import UserCoverage
from evaluation.metrics.lists import CatalogueCoverage
from evaluation.metrics.slices import (
    OUTSIDE,
    SLICINGS,
    ByHistory,
    ByPopularity,
    ByPosition,
    BySeen,
    positions,
    select_rows,
)
from evaluation.ranking.rank_table import RankTable


def table(rows, *, history=None, target=None, greater=None, item_counts=(1,), cluster=None, query=None):
    zeros = np.zeros(rows, dtype=np.int32)
    given = {"history": history, "target": target, "greater": greater}
    columns = {name: zeros if values is None else np.array(values) for name, values in given.items()}
    return RankTable(
        cluster=np.arange(rows) if cluster is None else np.array(cluster),
        query=np.arange(rows) if query is None else np.array(query),
        repeat=zeros, candidates=np.full(rows, 100), tied=zeros, item_counts=np.array(item_counts), **columns,
    )  # fmt: skip


def test_history_bins_join_what_is_too_few():
    # 25 histories of 1, 5 of 2, 25 of 3, 30 of 7, 3 of 60: the 2s join the 3s, the 60s join the 7s
    bins = ByHistory().of(table(88, history=[1] * 25 + [2] * 5 + [3] * 25 + [7] * 30 + [60] * 3))
    assert bins.names == ("0–1", "2–5", "6–60")
    assert bins.sizes.tolist() == [25, 30, 33]
    assert bins.bin.tolist() == [0] * 25 + [1] * 30 + [2] * 33


def test_one_history_is_one_bin():
    bins = ByHistory().of(table(30, history=[0] * 30))
    assert bins.names == ("0",)
    assert bins.sizes.tolist() == [30]


def test_popularity_is_by_thirds_of_the_training_events():
    # counts 60, 30, 30, 30, 30, 0: events before each item 0, 60, 90, 120, 150; thirds of 180 begin at 0, 60 and 120
    target = [0] * 20 + [1] * 20 + [2] * 20 + [3] * 20 + [4] * 20 + [5] * 20 + [-1] * 3
    bins = ByPopularity().of(table(123, target=target, item_counts=[60, 30, 30, 30, 30, 0]))
    assert bins.names == ("head third", "middle third", "tail third", "unseen")
    assert bins.sizes.tolist() == [20, 40, 40, 23]


def test_kinds_of_few_rows_are_left_out():
    # 4 rows of the head (item 0: all events before 3 of 4), 1 of the tail (item 1), 2 unseen
    bins = ByPopularity(min_rows=2).of(table(7, target=[0, 1, 0, 2, 0, -1, 0], item_counts=[3, 1, 0]))
    assert bins.names == ("head third", "unseen")
    assert bins.bin.tolist() == [0, OUTSIDE, 0, 1, 0, 1, 0]
    assert bins.sizes.tolist() == [4, 2]


def test_position_counts_the_queries_of_a_cluster_and_not_its_rows():
    # cluster 5 asks queries 0, 1 (two targets), 4; cluster 2 asks queries 2, 3; they need not lie together
    ranks = table(6, cluster=[5, 5, 5, 2, 2, 5], query=[0, 1, 1, 2, 3, 4])
    assert positions(ranks).tolist() == [1, 2, 2, 1, 2, 3]
    bins = ByPosition(min_rows=1).of(ranks)
    assert bins.names == ("1", "2", "3")
    assert bins.bin.tolist() == [0, 1, 1, 0, 1, 2]
    # two rows of position 1, and 4 of the rest, of which position 3 alone has too few
    assert ByPosition(min_rows=2).of(ranks).names == ("1", "2–3")


def test_cold_targets_are_never_in_training_and_dropped_ones_in_no_catalogue():
    bins = BySeen(min_rows=1).of(table(5, target=[1, 0, -1, 1, 2], item_counts=[4, 0, 2]))
    assert bins.names == ("seen", "unseen, a candidate", "unseen, a miss")
    assert bins.bin.tolist() == [1, 0, 2, 1, 0]
    assert BySeen(min_rows=1).of(table(2, target=[0, 0])).names == ("seen",)


def test_metrics_of_bins_by_hand():
    # histories 0: ranks 1 and 51; histories 9: ranks 1 and 2
    ranks = table(4, history=[0, 0, 9, 9], greater=[0, 50, 0, 1], cluster=[0, 1, 2, 2])
    bins = ByHistory(min_rows=2).of(ranks)
    assert bins.names == ("0", "1–9")
    assert bins.measure(Recall(20), ranks) == pytest.approx([1 / 2, 1])
    assert bins.measure(MRR(20), ranks) == pytest.approx([1 / 2, 3 / 4])
    assert bins.measure(UserCoverage(20), ranks) == pytest.approx([1 / 2, 1])


def test_a_query_is_measured_on_its_targets_of_the_bin():
    # one query, targets 0 (seen, rank 1) and 1 (cold, rank 31): Recall@20 is 1/2 on both, 1 on the seen, 0 on the cold
    ranks = table(2, query=[0, 0], cluster=[0, 0], target=[0, 1], greater=[0, 30], item_counts=[1, 0])
    assert Recall(20).measure(ranks) == pytest.approx(1 / 2)
    assert BySeen(min_rows=1).of(ranks).measure(Recall(20), ranks) == pytest.approx([1, 0])


def test_stored_lists_follow_their_queries():
    ranks = dataclasses.replace(
        table(3, history=[0, 9, 9], item_counts=[1] * 4), top_items=np.array([[0, 1], [2, 3], [2, 3]])
    )
    assert select_rows(ranks, ranks.history == 9).query.tolist() == [0, 1]
    assert select_rows(ranks, ranks.history == 9).top_items.tolist() == [[2, 3], [2, 3]]
    # query 0 lists items 0 and 1, the others 2 and 3 of four items; all three queries list all four
    assert ByHistory(min_rows=1).of(ranks).measure(CatalogueCoverage(2), ranks) == [0.5, 0.5]
    assert CatalogueCoverage(2).measure(ranks) == 1.0


def test_bins_partition_the_whole():
    rng = np.random.default_rng(3)
    n = 600
    ranks = table(
        n, history=rng.integers(0, 90, n), target=rng.integers(-1, 30, n), greater=rng.integers(0, 100, n),
        item_counts=np.maximum(0, rng.integers(-4, 40, 30)), cluster=np.sort(rng.integers(0, 90, n)),
    )  # fmt: skip
    for slicing in SLICINGS:
        bins = type(slicing)(min_rows=1).of(ranks)
        assert len(bins.names) > 1
        assert (bins.sizes > 0).all()
        assert bins.sizes.sum() == n
        assert bins.sizes @ bins.measure(MRR(20), ranks) / n == pytest.approx(MRR(20).measure(ranks), rel=1e-12)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="min_rows must be at least 1, got 0"):
        ByHistory(min_rows=0)
    with pytest.raises(ValueError, match="bins have 3 rows, but the rank table has 2"):
        ByHistory(min_rows=1).of(table(3)).measure(MRR(20), table(2))
    with pytest.raises(ValueError, match="no rows"):
        BySeen().of(table(0))


@pytest.mark.parametrize("metric", [MRR(20), Recall(5), MRR(20, "pessimistic")])
def test_a_bin_holds_the_bits_of_its_rows_alone(metric):
    rng = np.random.default_rng(2)
    ranks = table(500, greater=rng.integers(0, 40, 500), history=rng.integers(0, 30, 500),
                  cluster=rng.integers(0, 60, 500))  # fmt: skip
    ranks = dataclasses.replace(ranks, tied=rng.integers(0, 3, 500))
    for numbers in (ranks.query, ranks.query // 2):  # one row a query, and two
        asked = dataclasses.replace(ranks, query=numbers)
        bins = ByHistory().of(asked)
        assert len(bins.names) > 3
        assert bins.measure(metric, asked) == [metric.measure(bins.subset(asked, n)) for n in range(len(bins.names))]
    with pytest.raises(ValueError, match="these bins have 500 rows, but the rank table has 30"):
        bins.measure(metric, table(30))


def test_many_queries_of_few_clusters_keep_their_order():
    clusters = np.tile([4, 2], 30)
    assert positions(table(60, cluster=clusters)).tolist() == np.repeat(np.arange(1, 31), 2).tolist()
    # 40 items of one count each: thirds begin at the items 0, 14 and 27 (3 · item // 40)
    bins = ByPopularity(min_rows=1).of(table(40, target=range(40), item_counts=[1] * 40))
    assert bins.bin.tolist() == [3 * item // 40 for item in range(40)]


def test_messages_and_axes():
    with pytest.raises(ValueError) as error:
        ByHistory().of(table(0))
    assert str(error.value) == "this rank table has no rows, so nothing can be sliced"
    assert [slicing.axis for slicing in SLICINGS] == [
        "history length", "popularity of the target", "position among the user's queries",
        "whether training has seen the target",
    ]  # fmt: skip
    assert {slicing.min_rows for slicing in SLICINGS} == {20}
    assert [slicing.of(table(20)).axis for slicing in SLICINGS] == [slicing.axis for slicing in SLICINGS]
