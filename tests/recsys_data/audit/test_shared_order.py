"""Pairs of items in both orders, against a count by hand over all pairs of all words."""

import time
from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_data.audit import shared_order
from recsys_data.audit.leakage import audit
from recsys_data.audit.shared_order import SharedOrder, find_shared_order
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.datasets.diginetica import DigineticaViews
from recsys_data.protocols.by_time import GlobalTimeCut
from recsys_data.protocols.inner_order import InnerOrder
from recsys_data.protocols.per_user import LeaveLastOut
from recsys_data.protocols.published import AsPublished
from recsys_data.sequences import Sequences
from tests.recsys_data.splits import events

WHOLE = AsPublished(validation=0, unseen="candidate")
NAME = "one order of all items"


def sequences(words):
    items = np.array([ord(letter) - 97 for word in words for letter in word], dtype=np.int32)
    offsets = np.cumsum([0, *map(len, words)]).astype(np.int64)
    return Sequences(items, np.zeros(len(items)), offsets, np.arange(len(words), dtype=np.int32))


def by_hand(words):
    orders = defaultdict(list)
    for word in words:
        for a, b in combinations(dict.fromkeys(word), 2):  # each item where it first occurs
            orders[frozenset((a, b))].append((a, b))
    shared = [found for found in orders.values() if len(found) >= 2]
    conflicts = sum(len(set(found)) == 2 for found in shared)
    return len(shared), conflicts, sum(1 - 2.0 ** (1 - len(found)) for found in shared)


@given(st.lists(st.text("abcdef", max_size=9), max_size=12), st.integers(0, 12))
def test_counts_are_those_by_hand(words, cut):
    parts = [sequences(words[:cut]), sequences(words[cut:])]
    found = SharedOrder.of(parts, 6)
    assert (found.pairs, found.conflicts) == by_hand(words)[:2]
    assert found.expected == pytest.approx(by_hand(words)[2])


def test_a_pair_in_three_words_conflicts_in_three_of_four_shuffles():
    assert SharedOrder.of([sequences(["ab", "ab", "ba"])], 2) == SharedOrder(1, 1, 0.75)
    assert SharedOrder.of([sequences(["ab", "ab", "ab", "c", ""])], 3) == SharedOrder(1, 0, 0.75)
    assert SharedOrder.of([sequences(["aba", "bab"])], 2) == SharedOrder(1, 1, 0.5)  # first occurrences count


def test_shuffled_sequences_have_as_many_conflicts_as_expected():
    rng = np.random.default_rng(3)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrst"), 5, replace=False)) for _ in range(120)]
    found = SharedOrder.of([sequences(words)], 20)
    assert found.pairs > 150 and abs(found.conflicts - found.expected) < 4 * np.sqrt(found.pairs / 4)


def test_much_data_are_sampled_by_whole_sequences(monkeypatch):
    words = ["abc", "cba"] * 8
    monkeypatch.setattr(shared_order, "_MOST_PAIRS", 24)  # every second sequence: 8 of 16, three pairs each
    assert SharedOrder.of([sequences(words)], 3) == SharedOrder(3, 0, 3 * (1 - 0.5**7))
    monkeypatch.setattr(shared_order, "_MOST_EVENTS", 2)  # now 16 pairs in all
    assert SharedOrder.of([sequences(words)], 3).pairs == 2  # ab and cb


def found_in(split, protocol):
    return {finding.name: finding for finding in audit(split, protocol)}[NAME]


def long_sessions():
    rng = np.random.default_rng(1)
    words = ["".join(rng.permutation(list("abcdefgh"))[:5]) for _ in range(60)]
    return events(words, unit="session", parts=[0] * 250 + [2] * 50)


@pytest.mark.parametrize(("order", "level"), [("time", "note"), ("shuffled", "note"), ("global", "severe caveat")])
def test_one_order_of_the_items_is_a_severe_caveat_and_only_that(order, level):
    protocol = InnerOrder(order, protocol=WHOLE)
    finding = found_in(protocol.prepare(long_sessions()), protocol)
    assert finding.level == level
    assert (finding.value == 0) is (order == "global")
    assert ("what comes next can be read off it" in finding.sentence) is (order == "global")


def test_the_sentence_gives_both_references():
    finding = find_shared_order(InnerOrder("global", protocol=WHOLE).prepare(long_sessions()))
    assert finding.sentence == (
        "0.00% of the 28 pairs of items that two sessions or more have in common occur in both orders; 100.00% would "
        "if the sessions were shuffled, 0.00% if all shared one order of the items: they share one, so what comes next "
        "can be read off it, without any knowledge of time"
    )


def test_few_pairs_tell_nothing():
    finding = find_shared_order(WHOLE.prepare(events(["ab", "ab", "ab"], unit="session", parts=[0] * 4 + [2] * 2)))
    assert finding.level == "note" and finding.sentence.endswith(": too few pairs to tell")


def test_a_session_cut_in_two_does_not_agree_with_itself():
    rng = np.random.default_rng(2)
    words = ["".join(rng.permutation(list("abcdefghijklmnopqrstuvwxyz"))[:12]) for _ in range(8)]
    split = LeaveLastOut(unseen="candidate").prepare(events(words))
    assert split.facts["in_train_and_test"] == 8
    counted = SharedOrder.of([split.train.sequences], split.train.num_items)
    assert find_shared_order(split).value == counted.conflicts / counted.pairs > 0


@pytest.mark.parametrize("order", ["timeframe", "file"])
def test_the_raw_sample_of_diginetica_is_in_one_order_in_its_file_alone(order):
    dataset = DigineticaViews(order=order, sample=True)
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not in the data folder")
    protocol = GlobalTimeCut(by="end", unseen="candidate", validation=0)
    finding = found_in(protocol.prepare(dataset.load()), protocol)
    assert finding.level == {"timeframe": "note", "file": "severe caveat"}[order]
    assert finding.value == 0 if order == "file" else finding.value > 0.3


@pytest.mark.parametrize("name", ["yoochoose-1-64", "diginetica"])
def test_published_sessions_in_the_order_of_time_take_seconds(name):
    if not DATASETS[name].present(None):
        pytest.skip(f"{name} is not in the data folder")
    split = WHOLE.prepare(DATASETS[name].load())
    start = time.process_time()
    finding = find_shared_order(split)
    assert time.process_time() - start < 3  # 0.3 s on one idle core
    assert finding.level == "note" and 0.5 < finding.value < 0.7
