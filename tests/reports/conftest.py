"""A small but real store, written from a seeded generator in the layout of the harness."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from evaluation.metrics.accuracy import metric_named
from evaluation.ranking.rank_table import RankTable
from evaluation.verdicts.claims import Gain, Published, Ranking
from reports.output.html import render_html
from reports.report import build
from tests.stored_records import write_sealed

NASTY = "<script>alert(1)</script>"
CHAIN, CLICKS = "Markov chain", "Clicks & <b>taps</b> 50%"
MODELS = {"Popularity": 0.0, "Markov": 0.9, "kNN_{50%} $k$": 0.6, "GRU": 1.05, NASTY: 1.0}
LEARNERS = ("GRU", NASTY)
PROTOCOL = "per user 90/5/5"
METRICS = ("MRR@20", "Recall@20")
COMMIT = "0ff3456789abcdef0123456789abcdef01234567"


def ranks_of(rng, skill, difficulty, clusters, items=400):
    """Ranks whose quality grows with skill; difficulty (Q,) is shared between models, as in real test sets."""
    score = norm.cdf(0.9 * difficulty + 0.6 * rng.standard_normal(len(difficulty)) - 1.2 - skill)
    queries = len(difficulty)
    return RankTable(
        cluster=clusters, query=np.arange(queries, dtype=np.int32),
        target=(np.arange(queries) * 7919 % items).astype(np.int32),
        repeat=np.zeros(queries, np.int16), history=(1 + np.arange(queries) % 40).astype(np.int32),
        candidates=np.full(queries, items, np.int32),
        greater=np.minimum(np.floor(items * score), items - 1).astype(np.int32),
        tied=np.zeros(queries, np.int32), item_counts=np.arange(items, 0, -1, dtype=np.int64),
    )  # fmt: skip


def record_of(key, dataset, model, seed, table, command, caveats):
    """What cell.json holds."""
    learner = model in LEARNERS
    return {
        "key": key, "state": "DONE", "dataset": dataset, "protocol": PROTOCOL, "model": model,
        "seed": seed, "model_fields": {"type": f"models.{len(model)}", "dim": 32}, "dataset_fields": {},
        "protocol_fields": {}, "deterministic": not learner, "family": "recurrent" if learner else "neighbours",
        "parameters": 12_345 if learner else None,
        "fingerprints": {"data": "d" * 64, "split": "5" * 64, "source": "c" * 64}, "device": "cpu",
        "device_name": "A plain processor", "threads": 1, "engine": "torch",
        "environment": {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "commit": COMMIT, "dirty": False,
                        "cpu": "A plain processor", "cores": 2, "platform": "Linux", "deterministic": True,
                        "tf32": False},
        "metrics": {name: metric_named(name).measure(table) for name in METRICS},
        "validation": {"MRR@20": 0.2 + 0.01 * seed} if learner else {},
        "seconds": {"fit": (40.0 + seed) if learner else 0.2, "score": 1.5},
        "targets_per_second": 5000.0 + seed if learner else 250000.0, "peak_memory_mb": 512.0 if learner else 96.0,
        "epochs": 6 if learner else None, "best_epoch": 4 if learner else None,
        "stopped": "patience" if learner else None, "resumed_from": None, "caveats": caveats,
        "started": f"2026-03-01T10:0{seed}:00+00:00", "finished": f"2026-03-01T10:0{seed}:42+00:00",
        "command": command, "clock": "absolute", "unit": "user",
        "counts": {"train_events": 90_000, "validation_queries": 500, "test_queries": len(table),
                   "test_clusters": table.num_clusters, "items": 400, "users": 60},
        "steps": [{"step": "read", "events": 100_209, "users": 80, "items": 420},
                  {"step": "items with at least 5 events", "events": 100_000, "users": 60, "items": 400}],
        "audit": [{"level": "note", "name": "ties", "value": 0.02, "sentence": "2 % of events share their time."},
                  {"level": "caveat", "name": "future", "value": 0.5,
                   "sentence": "50 % of training events are later than some test event."}],
        "facts": {"best": {"MRR@20": 0.41, "Recall@20": 0.93}, "chance": {"MRR@20": 0.009, "Recall@20": 0.05}}
        if dataset == CHAIN else {}, "edition": "as released", "licence": "research only",
        "citation": "Someone (2001)",
    }  # fmt: skip


def write_cell(root, key, record, table, rng):
    """One finished cell's folder."""
    folder = root / "cells" / key
    folder.mkdir(parents=True)
    table.write(folder / "ranks.parquet")
    if record["epochs"]:
        reached = record["metrics"]["MRR@20"]
        curve = [{"event": "epoch", "epoch": e, "epochs": 20, "loss": 6.0 / e + rng.uniform(0, 0.3),
                  "validation": reached - 0.2 / e - 0.02 * max(0, e - 4), "seconds": 7.0,
                  "targets_per_second": 5000.0} for e in range(1, record["epochs"] + 1)]  # fmt: skip
        (folder / "curve.jsonl").write_text("".join(json.dumps(c) + "\n" for c in curve))
    write_sealed(folder / "cell.json", record)


def build_store(
    root,
    suite="little",
    seeds=(0, 1, 2),
    datasets=(CHAIN, CLICKS),
    models=MODELS,
    queries=360,
    published=True,
    caveats=("TRIAL: not for citation",),
):
    """Write a store under root and return the suite's record; one cell fails and one is skipped where 3 seeds run."""
    rng, cells = np.random.default_rng(20260301), []
    for d, dataset in enumerate(datasets):
        difficulty = rng.standard_normal(queries)
        clusters = np.sort(rng.integers(0, queries // 6, queries)).astype(np.int32)
        difficulty += 0.5 * rng.standard_normal(queries // 6)[clusters]
        for m, (model, skill) in enumerate(models.items()):
            for seed in seeds if model in LEARNERS else (0,):
                key = f"{d:02d}{m:02d}{seed:02d}" + "ab12" * 14 + "00"
                command = f"python benchmark.py run {suite} --only '{dataset}/{model}' --seeds {seed}"
                entry = {"dataset": dataset, "protocol": PROTOCOL, "model": model, "seed": seed, "key": key,
                         "state": "DONE", "reason": "", "command": command}  # fmt: skip
                cells.append(entry)
                if (d, model, seed) == (1, NASTY, 2):
                    entry |= {"state": "FAILED", "reason": f"the loss became NaN in epoch 3 of {NASTY}"}
                    failure = {"key": key, "dataset": dataset, "protocol": PROTOCOL, "model": model,
                               "seed": seed, "reason": entry["reason"], "exception": "NotFinite",
                               "finished": "2026-03-01T10:05:00+00:00"}  # fmt: skip
                    write_sealed(root / "cells" / key / "failure.json", failure)
                    continue
                if (d, model, seed) == (1, "GRU", 2):
                    entry |= {"state": "SKIPPED", "key": None, "reason": "the file is absent: put it in data/taps"}
                    continue
                table = ranks_of(rng, skill + 0.03 * seed, difficulty, clusters)
                told = ["NOT CONVERGED: reached its limit of 6 epochs"] if (d, model) == (0, "GRU") else []
                write_cell(root, key, record_of(key, dataset, model, seed, table, command, told), table, rng)
    gru = metric_named("MRR@20")
    record = {
        "name": suite, "suite": suite, "title": "A little suite", "notes": ["Drawn from a generator."],
        "paper": {"authors": "A. Author & B. <Writer>", "title": "On small things", "venue": "RecSys", "year": 2017,
                  "doi": "10.1000/182", "url": "https://example.org/paper"},
        "metrics": list(METRICS), "seeds": list(seeds), "baselines": ["Popularity", "Markov"], "comparisons": [],
        "published": [], "claims": [], "command": f"python benchmark.py run {suite}",
        "created": "2026-03-01T11:00:00+00:00", "caveats": list(caveats), "cells": cells,
    }  # fmt: skip
    if published:
        record["published"] = [p.to_json() for p in (
            Published(CHAIN, "GRU", gru.name, 0.31, "table 2"),
            Published(CHAIN, "Markov", gru.name, 0.09, "table 2", not_comparable="another candidate set"),
            Published(CLICKS, "GRU", gru.name, 0.2915, "table 3"),
            Published(CHAIN, "Markov", "Recall@10", 0.6, "table 2", digits=1),
            Published(CLICKS, NASTY, gru.name, 0.30, "figure 4", digits=2, certain=False))]  # fmt: skip
        record["claims"] = [c.to_json() for c in (
            Ranking("GRU beats popularity", "GRU", "Popularity", CHAIN, gru.name, "abstract"),
            Ranking(f"popularity beats {NASTY}", "Popularity", NASTY, CLICKS, gru.name, "section 5"),
            Gain("GRU gains 12 % on Markov", "GRU", "Markov", CHAIN, gru.name, 0.12, "abstract"))]  # fmt: skip
    folder = root / "suites" / suite
    write_sealed(folder / "suite.json", record)
    write_sealed(folder / "mlflow.json", {"suite": suite, "runs": {cells[0]["key"]: "feedface" * 4}})
    return record


@pytest.fixture(scope="session")
def make_store():
    """The function that writes a store, for tests that need another one."""
    return build_store


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("results")
    build_store(root)
    return root


@pytest.fixture(scope="session")
def report(store):
    return build(store, "little")


@pytest.fixture(scope="session")
def html(report):
    return render_html(report)
