"""Estimates of a cell's cost from measured cells: the most similar first, each with its basis."""

import json
from types import SimpleNamespace

import pytest

from harness.running.estimates import Estimate, StoredCells, total_cost
from harness.store import Store

GRU = {"type": "recsys_models.rnn.GRU", "dim": 8}
WIDE = {**GRU, "dim": 64}


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path)


def put(store, key, dataset, split, events, fields, fit=30.0, score=10.0, queries=100, memory=500.0, device="cpu"):
    """A measured cell whose folder takes 1,000 bytes a test query."""
    record = {
        "key": key, "dataset": dataset, "key_parts": {"split": split}, "model_fields": fields, "device": device,
        "seconds": {"fit": fit, "score": score}, "counts": {"train_events": events, "test_queries": queries},
        "peak_memory_mb": memory, "finished": key,
    }  # fmt: skip
    text = json.dumps(record)

    def write(folder):
        (folder / "cell.json").write_text(text)
        (folder / "ranks.parquet").write_bytes(b"0" * (1000 * queries - len(text)))

    store.commit(key, write)


def ask(store, fields=GRU, split="here", events=1000, queries=200, device="cpu"):
    prepared = SimpleNamespace(fingerprint=split, sizes={"train_events": events, "test_queries": queries})
    return StoredCells.of(store).estimate({"model fields": fields, "device": device}, prepared)


def test_nothing_is_known_of_what_was_never_run(store):
    assert ask(store) == Estimate(None, None, None, "no GRU has been run on cpu", "not known", "GRU")
    put(store, "a", "ml-100k", "there", 500, {"type": "baselines.simple.markov.MarkovChain"})
    unknown = ask(store)
    assert (unknown.seconds, unknown.memory_mb) == (None, None)
    assert unknown.disk_mb == pytest.approx(0.2), "1,000 bytes a query, whatever the model"


def test_the_same_fields_on_the_same_split_come_first(store):
    put(store, "a", "ml-100k", "here", 1000, GRU, fit=30, score=10, queries=200)
    put(store, "b", "ml-100k", "here", 1000, GRU, fit=50, score=10, queries=200, memory=700)
    put(store, "c", "ml-1m", "there", 1000, GRU, fit=999)
    estimate = ask(store)
    assert estimate.seconds == pytest.approx(50.0), "the median of 40 and 60"
    assert estimate.memory_mb == 700
    assert estimate.basis == "measured on these data, 2 runs"


def test_other_data_are_scaled_fitting_by_events_and_scoring_by_queries(store):
    put(store, "a", "ml-100k", "there", 500, GRU, fit=30, score=10, queries=100)
    put(store, "b", "smoke", "tiny", 10, GRU, fit=5, score=5, queries=10)
    put(store, "c", "ml-100k", "there", 500, WIDE, fit=999)
    estimate = ask(store)
    assert estimate.seconds == pytest.approx(30 * 1000 / 500 + 10 * 200 / 100), "from ml-100k, nearer than smoke"
    assert estimate.basis == "by events from ml-100k (500), 1 run"


def test_other_fields_are_the_last_resort_and_said_to_be(store):
    put(store, "a", "ml-100k", "there", 500, WIDE, fit=30, score=10, queries=100)
    assert ask(store).basis == "other fields of GRU, by events from ml-100k (500), 1 run"
    assert ask(store).seconds == pytest.approx(80.0)
    assert ask(store, device="cuda").seconds is None, "another device was never measured"


def test_the_cost_of_many_is_bounded_by_the_longest_and_says_what_it_leaves_out(monkeypatch):
    monkeypatch.setattr("harness.running.estimates.usable_cores", lambda: 4)
    cells = [
        Estimate(100.0, 300.0, 1.0, "x"),
        Estimate(20.0, 900.0, 2.0, "x"),
        Estimate(None, None, 4.0, "no GRU", unmeasured="GRU"),
    ]
    one, two = total_cost(cells, 1), total_cost(cells, 2)
    assert (one.seconds, one.memory_mb, one.disk_mb, one.known) == (120.0, 900.0, 7.0, 2)
    assert (two.seconds, two.memory_mb) == (100.0, 1200.0)
    assert two.unknown == {"GRU": 1}
    assert total_cost([], 1).cells == 0
