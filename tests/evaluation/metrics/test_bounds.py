"""Every metric on random rank tables: within its bounds, and equal to an enumeration of all tie orders."""

import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics.accuracy import METRICS, NDCG, Precision, Recall, metric_named
from evaluation.metrics.lists import COVERAGE_METRICS, LIST_METRICS
from evaluation.metrics.ties import TIES
from evaluation.ranking.rank_table import RankTable

NUM_ITEMS = 200  # of the catalogue; six are candidates
CANDIDATES = 6
MISS = math.inf
CUT_OFFS = (1, 2, 4, 20)


def table(rows, **more):
    """A rank table from rows (cluster, query, target, repeat, candidates, greater, tied)."""
    names = ("cluster", "query", "target", "repeat", "candidates", "greater", "tied")
    columns = dict(zip(names, np.array(rows, dtype=np.int64).reshape(-1, 7).T, strict=True))
    return RankTable(history=np.ones(len(rows), int), item_counts=np.arange(NUM_ITEMS)[::-1], **columns, **more)


@st.composite
def shared_lists(draw):
    """Rows of a table where the targets of a query are ranked in one list, and each query's outcomes.

    Targets repeat, some are dropped (−1), some are misses with a name, and scores tie. An outcome is the rank of each
    different target, in their order, under one order of the tied candidates.
    """
    rows, outcomes = [], []
    for query in range(draw(st.integers(1, 4))):
        scores = draw(st.lists(st.integers(0, 3), min_size=CANDIDATES, max_size=CANDIDATES))
        targets = draw(st.lists(st.integers(-1, CANDIDATES), min_size=1, max_size=6))  # item 6 is no candidate
        cluster = query // 2
        for target in targets:
            found = 0 <= target < CANDIDATES
            greater = sum(s > scores[target] for s in scores) if found else CANDIDATES
            tied = scores.count(scores[target]) - 1 if found else 0
            rows.append((cluster, query, target, 0, CANDIDATES, greater, tied))
        different = [t for n, t in enumerate(targets) if t == -1 or t not in targets[:n]]
        groups = [[i for i in range(CANDIDATES) if scores[i] == s] for s in sorted(set(scores), reverse=True)]
        found = Counter()
        for orders in itertools.product(*map(itertools.permutations, groups)):
            place = {item: n + 1 for n, item in enumerate(itertools.chain(*orders))}
            found[tuple(place.get(t, MISS) for t in different)] += 1
        outcomes.append((cluster, different, [found]))
    return rows, outcomes


@st.composite
def own_lists(draw):
    """The same where each target is ranked among candidates drawn for it, two draws per query."""
    rows, outcomes = [], []
    for query in range(draw(st.integers(1, 4))):
        targets = draw(st.lists(st.integers(0, CANDIDATES - 1), min_size=1, max_size=3))
        places = []
        for target, repeat in itertools.product(targets, (0, 1)):
            greater = draw(st.integers(0, CANDIDATES))
            tied = draw(st.integers(0, max(0, CANDIDATES - 1 - greater)))
            rows.append((query // 2, query, target, repeat, CANDIDATES, greater, tied))
            places.append(range(greater + 1, greater + tied + 2) if greater < CANDIDATES else [MISS])
        first = [n for n, t in enumerate(targets) if t not in targets[:n]]
        found = [Counter(itertools.product(*(places[2 * n + repeat] for n in first))) for repeat in (0, 1)]
        outcomes.append((query // 2, [targets[n] for n in first], found))
    return rows, outcomes


def value(symbol, ranks, k, own):
    """A metric of one outcome by its definition; ``own``: each rank is of another list."""
    k = MISS if k is None else k
    hits = [r for r in ranks if r <= k and r != MISS]
    gains = [1 / math.log2(r + 1) for r in hits]
    if symbol == "MRR":
        return 1 / min(hits) if hits else 0
    if symbol == "Recall":
        return len(hits) / len(ranks)
    if symbol == "HitRate":
        return float(len(hits) > 0)
    if symbol == "SPS":
        return float(ranks[0] <= k)
    if symbol == "MeanRank":
        return sum(CANDIDATES + 1 if r == MISS else r for r in ranks) / len(ranks)
    if symbol == "Precision":
        return len(hits) / k / (len(ranks) if own else 1)
    if own:
        return sum(gains if symbol == "NDCG" else [1 / r for r in hits]) / len(ranks)
    if symbol == "MAP":
        return sum((n + 1) / r for n, r in enumerate(sorted(hits))) / min(k, len(ranks))
    return sum(gains) / sum(1 / math.log2(r + 1) for r in range(1, int(min(k, len(ranks))) + 1))


def by_enumeration(metric, outcomes, own):
    """The mean over queries of the metric's mean, best or worst value over the orders of the tied candidates."""
    means = []
    for _, _, repeats in outcomes:
        for found in repeats:
            values = {ranks: value(metric.symbol, ranks, metric.k, own) for ranks in found}
            best = (metric.ties == "optimistic") == metric.higher_is_better
            mean = sum(values[r] * n for r, n in found.items()) / found.total()
            means.append(mean if metric.ties == "expected" else (max if best else min)(values.values()))
    return np.mean(means)


def all_metrics():
    """Every accuracy metric at every cut-off and tie rule."""
    for kind, k, ties in itertools.product(METRICS.values(), (None, *CUT_OFFS), TIES):
        if (k is None and kind.cut_off != "required") or (k is not None and kind.cut_off != "none"):
            yield kind(k, ties)


def check(drawn, own):
    rows, outcomes = drawn
    ranks = table(rows)
    assert own or ranks.one_list
    for metric in all_metrics():
        found = metric.measure(ranks)
        assert found == pytest.approx(by_enumeration(metric, outcomes, own), abs=1e-12), metric.name
        assert (metric.per_query(ranks)[0] >= 0).all(), metric.name
        assert (metric.per_query(ranks)[0] <= metric.upper_bound + 1e-12).all(), metric.name


@settings(deadline=None, max_examples=60)
@given(shared_lists())
def test_targets_in_one_list(drawn):
    check(drawn, own=False)


@settings(deadline=None, max_examples=60)
@given(own_lists())
def test_targets_in_sampled_lists_of_their_own(drawn):
    check(drawn, own=True)


def hit_chances(outcomes, k):
    """P(rank ≤ k) as (cluster, item, query, chance) of each different target, and (cluster, chance of any hit)."""
    items, queries = [], []
    for query, (cluster, different, (found,)) in enumerate(outcomes):
        for n, item in enumerate(different):
            items.append((item, query, sum(c for ranks, c in found.items() if ranks[n] <= k) / found.total()))
        queries.append((cluster, sum(c for ranks, c in found.items() if min(ranks) <= k) / found.total()))
    return items, queries


@settings(deadline=None, max_examples=60)
@given(shared_lists(), st.sampled_from(CUT_OFFS))
def test_coverage_counts_an_item_of_a_query_once(drawn, k):
    rows, outcomes = drawn
    items, queries = hit_chances(outcomes, k)
    users, found = defaultdict(lambda: 1.0), defaultdict(lambda: 1.0)
    for cluster, chance in queries:
        users[cluster] *= 1 - chance
    for item, _, chance in items:
        found[item] *= 1 - chance if item >= 0 else 1
    hits = sum(chance for item, _, chance in items)
    covered = sum(1 - none for none in found.values())
    expected = {
        "UserCoverage": np.mean([1 - none for none in users.values()]),
        "ItemCoverage": covered,
        "ItemCoverageShare": covered / NUM_ITEMS,
        # the two most popular of 200 items are 0 and 1
        "BlockbusterShare": sum(c for item, _, c in items if item in (0, 1)) / hits if hits else 0,
    }
    for kind in COVERAGE_METRICS:
        measured = kind(k).measure(table(rows))
        assert measured == pytest.approx(expected[kind.symbol], abs=1e-12), kind
        assert 0 <= measured <= (NUM_ITEMS if kind.symbol == "ItemCoverage" else 1 + 1e-12), kind


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3, unique=True), min_size=1, max_size=5), st.data())
def test_list_metrics_follow_their_definitions(lists, data):
    targets = [data.draw(st.lists(st.integers(0, 9), min_size=1, max_size=4)) for _ in lists]
    rows = [(q, q, t, 0, NUM_ITEMS, 0, 0) for q, found in enumerate(targets) for t in found]
    ranks = table(rows, top_items=np.array(lists))
    counts, shown = ranks.item_counts, [item for found in lists for item in found]
    sorted_counts = sorted(shown.count(item) for item in range(NUM_ITEMS))
    area = sum(sum(sorted_counts[: n + 1]) for n in range(NUM_ITEMS))  # under the Lorenz curve, times n Σ x
    true = [counts[t] for found in targets for t in set(found)]
    expected = {
        "CatalogueCoverage": len(set(shown)) / NUM_ITEMS,
        "Gini": (NUM_ITEMS + 1 - 2 * area / len(shown)) / NUM_ITEMS,
        "Novelty": np.mean([-math.log2((counts[i] + 1) / (counts.sum() + NUM_ITEMS)) for i in shown]),
        "PopularityLift": np.mean([counts[i] for i in shown]) / np.mean(true) - 1,
    }
    bounds = {"CatalogueCoverage": (0, 1), "Gini": (0, 1), "Novelty": (0, math.inf), "PopularityLift": (-1, math.inf)}
    for kind in LIST_METRICS:
        measured = kind(3).measure(ranks)
        assert measured == pytest.approx(expected[kind.symbol], abs=1e-12), kind
        assert bounds[kind.symbol][0] <= measured <= bounds[kind.symbol][1], kind


def test_a_target_three_times_at_rank_one_by_hand():
    # the second half of a history is a a a b; a ranks first, b third
    rows = [(0, 0, 7, 0, 50, 0, 0)] * 3 + [(0, 0, 8, 0, 50, 2, 0)]
    ranks = table(rows)
    assert Precision(1).measure(ranks) == 1.0  # was 3.0: one rank holds one item
    assert NDCG(1).measure(ranks) == 1.0
    assert Recall(1).measure(ranks) == 1 / 2  # one of two items; Devooght's program divides by four
    assert Precision(3).measure(ranks) == pytest.approx(2 / 3)
    assert NDCG(3).measure(ranks) == pytest.approx((1 + 1 / 2) / (1 + 1 / math.log2(3)))
    assert metric_named("MAP@3").measure(ranks) == pytest.approx((1 + 2 / 3) / 2)
    assert metric_named("MeanRank").measure(ranks) == 2.0


def test_dropped_targets_are_not_taken_for_one_item():
    ranks = table([(0, 0, 7, 0, 50, 0, 0), (0, 0, -1, 0, 50, 50, 0), (0, 0, -1, 0, 50, 50, 0)])
    assert Recall(5).measure(ranks) == pytest.approx(1 / 3)


def test_a_table_without_repeated_targets_is_the_distinct_one():
    ranks = table([(0, 0, 7, 0, 50, 0, 0), (0, 0, 8, 0, 50, 2, 0), (0, 1, 7, 0, 50, 1, 0)])
    assert ranks.distinct is ranks


@pytest.mark.parametrize(
    "places, one_list",
    [
        ([(0, 0), (1, 0)], True),
        ([(0, 1), (0, 1)], True),
        ([(0, 0), (0, 0)], False),  # two items at rank 1
        ([(0, 2), (2, 0)], False),  # ranks 1 to 3 are tied, so rank 3 is taken
        ([(3, 1), (3, 2)], False),
        ([(50, 0), (50, 0)], True),  # misses have no place
        ([(0, 1), (2, 3), (2, 3), (50, 0)], True),
    ],
)
def test_counts_show_whether_targets_share_one_list(places, one_list):
    ranks = table([(0, 0, target, 0, 50, greater, tied) for target, (greater, tied) in enumerate(places)])
    assert ranks.one_list is one_list
    assert Precision(1).measure(ranks) <= 1
