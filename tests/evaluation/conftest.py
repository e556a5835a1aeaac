"""A small store of made-up cells: ranks drawn so that the models' true order is known."""

import numpy as np
import pytest

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.sums_file import write_sums
from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import SuiteResults, read_suite
from recsys_data.sealed_json import sha256
from tests.stored_records import write_sealed

NUM_ITEMS = 200


def draw_ranks(strength, seed, *, clusters=80, seed_shift=0.0):
    """Ranks of 2 to 9 events a cluster; users differ, and share their difficulty over models; lower is better."""
    users = np.random.default_rng(7)
    counts = users.integers(2, 10, clusters)
    difficulty = np.repeat(users.normal(0, 0.6, clusters), counts)
    own = np.random.default_rng([seed, int(1000 * (strength + 9))])
    level = 3.0 - strength + difficulty + own.normal(0, seed_shift) + own.normal(0, 0.8, len(difficulty))
    greater = np.clip(np.exp(level), 0, NUM_ITEMS - 1).astype(int)
    n = len(greater)
    return RankTable(
        cluster=np.repeat(np.arange(clusters), counts), query=np.arange(n), target=users.integers(0, NUM_ITEMS, n),
        repeat=np.zeros(n, int), history=np.ones(n, int), candidates=np.full(n, NUM_ITEMS), greater=greater,
        tied=np.zeros(n, int), item_counts=np.arange(NUM_ITEMS) + 1,
    )  # fmt: skip


class StoreBuilder:
    """Writes cells and one suite.json into a folder, then reads the suite back."""

    def __init__(self, root):
        self.root = root
        self.entries = []

    def add(self, model, ranks, *, seed=0, dataset="D", protocol="P", deterministic=False, cached=True, **record):
        key = f"{dataset}-{protocol}-{model}-{seed}".replace(" ", "_")
        folder = self.root / "cells" / key
        folder.mkdir(parents=True)
        ranks.write(folder / "ranks.parquet")
        metrics = [metric_named("MRR@20"), metric_named("Recall@20")]
        means = {m.name: m.measure(ranks) for m in metrics}
        if cached:
            write_sums(folder, ranks, metrics, sha256((folder / "ranks.parquet").read_bytes()))
        cell = {"key": key, "metrics": means, "deterministic": deterministic, "caveats": [],
                "unit": "user", "validation": {}, "seconds": {"fit": 1.0}} | record  # fmt: skip
        write_sealed(folder / "cell.json", cell)
        self.entries.append({"dataset": dataset, "protocol": protocol, "model": model, "seed": seed, "key": key,
                             "state": "DONE"})  # fmt: skip
        return self

    def learner(self, model, strength, *, seeds=3, seed_shift=0.02, **more):
        for seed in range(seeds):
            self.add(model, draw_ranks(strength, seed, seed_shift=seed_shift), seed=seed, **more)
        return self

    def fail(self, model, reason, state="FAILED", dataset="D", protocol="P"):
        self.entries.append({"dataset": dataset, "protocol": protocol, "model": model, "seed": 0, "key": None,
                             "state": state, "reason": reason, "command": "python benchmark.py run s"})  # fmt: skip
        return self

    def suite(self, **record) -> SuiteResults:
        folder = self.root / "suites" / "s"
        whole = {"name": "s", "title": "S", "metrics": ["MRR@20", "Recall@20"], "baselines": [],
                 "comparisons": [], "published": [], "claims": [], "caveats": [], "cells": self.entries}  # fmt: skip
        write_sealed(folder / "suite.json", whole | record)
        return read_suite(self.root, "s")


@pytest.fixture
def store(tmp_path):
    return StoreBuilder(tmp_path)


@pytest.fixture
def three_models(store):
    """Two learners of three seeds, one much better, and two baselines, one far below."""
    store.learner("GRU", 0.8).learner("LSTM", 0.5)
    store.add("Markov", draw_ranks(0.3, 0), deterministic=True)
    return store.add("Popularity", draw_ranks(-0.5, 0), deterministic=True)
