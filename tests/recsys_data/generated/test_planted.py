import numpy as np
import pytest

from recsys_data.generated.planted import SIGNALS, PlantedSignal, best_mrr


def test_best_mrr_by_hand():
    # .6/1 + .3/2 + .1/3
    assert best_mrr([0.1, 0.6, 0.3]) == pytest.approx(0.6 + 0.15 + 0.1 / 3)
    # beyond rank 20 nothing counts
    assert best_mrr(np.full(40, 1 / 40)) == pytest.approx(sum(1 / r for r in range(1, 21)) / 40)


@pytest.mark.parametrize("signal", SIGNALS)
def test_permuted_events_keep_counts_and_lose_the_signal(signal):
    plain, dealt = PlantedSignal(signal).load(), PlantedSignal(signal, permuted=True).load()
    assert np.array_equal(np.bincount(plain.items), np.bincount(dealt.items))
    assert np.array_equal(plain.offsets, dealt.offsets)
    assert dealt.facts["best"] == dealt.facts["chance"] == plain.facts["chance"]


def test_an_oracle_reaches_the_stated_best_on_order():
    data = PlantedSignal("order").load()
    follow = np.zeros((60, 60))
    inner = data.users[1:] == data.users[:-1]
    np.add.at(follow, (data.items[:-1][inner], data.items[1:][inner]), 1)
    rank = (follow[data.items[:-1]] > follow[data.items[:-1], data.items[1:]][:, None]).sum(1)[inner] + 1
    assert np.mean(1 / rank) == pytest.approx(data.facts["best"]["MRR@20"], rel=0.02)


def test_same_seed_same_data():
    assert PlantedSignal("order").load().fingerprint == PlantedSignal("order").load().fingerprint
    assert PlantedSignal("order", seed=1).load().fingerprint != PlantedSignal("order").load().fingerprint


def test_unknown_signal_is_refused():
    with pytest.raises(ValueError, match="signal must be one of order, .*got 'tempo'"):
        PlantedSignal("tempo").load()
