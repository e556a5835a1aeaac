"""Rendering of a report of 500 cells: wall-clock and CPU seconds, peak memory.

    python -m speed.report [--profile]

Writes a store of 10 data sets × 10 models × 5 seeds with 1,000 users and 5,000 queries each, in the harness's layout,
with generated ranks. Each printed line is a fresh process: the first report of these results, the first on one core, a
second report of the same results, one after a single cell was replaced, and one from a bundle of the suite, unpacked
and checked. Times are wall-clock and CPU seconds (of all processes) of reading, statistics, HTML and PDF. The bound,
for a page from a store or a bundle, is 10 s. Fails if torch was imported, or if two reports of the same results differ
in a byte. --profile shows where the first report spends its time.

A process before them renders a small report, so that bytecode and compiled kernels exist, as after a first use.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import contextlib
import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.sums_file import write_sums
from evaluation.ranking.rank_table import RankTable
from evaluation.results.process_pool import cores
from evaluation.stored_files import SCHEMAS
from evaluation.verdicts.claims import Published, Ranking
from harness.store import write_record
from recsys_data.sealed_json import sealed_text, sha256
from reports.bundles.write import write_bundle

DATASETS = [f"set {letter}" for letter in "ABCDEFGHIJ"]
MODELS = ["Popularity", "Markov chain", "Item-kNN", "BPR-MF", "GRU", "LSTM", "Time-LSTM", "mLSTM", "STAMP", "GRU4Rec"]
SEEDS, USERS, QUERIES, ITEMS, EPOCHS = 5, 1000, 5000, 3000, 20
METRICS = ("MRR@20", "Recall@20")
PROTOCOL = "per-user 90/5/5"
BOUND = 10.0
ROOT = Path(__file__).resolve().parent.parent


def ranks_of(rng: np.random.Generator, skill: float, difficulty: np.ndarray, clusters: np.ndarray) -> RankTable:
    """Generate ranks that improve with skill; all models share difficulty."""
    score = 1 / (1 + np.exp(skill + 1 - difficulty - rng.standard_normal(QUERIES)))
    return RankTable(
        cluster=clusters, query=np.arange(QUERIES), target=np.arange(QUERIES) * 7919 % ITEMS,
        repeat=np.zeros(QUERIES, np.int16), history=1 + np.arange(QUERIES) % 200,
        candidates=np.full(QUERIES, ITEMS), greater=np.floor((ITEMS - 1) * score**4).astype(np.int64),
        tied=np.zeros(QUERIES, np.int64), item_counts=np.arange(ITEMS, 0, -1, dtype=np.int64),
    )  # fmt: skip


def record_of(key: str, dataset: str, model: str, seed: int, means: dict[str, float]) -> dict:
    """The content of cell.json."""
    return {
        "schema": SCHEMAS["cell.json"], "key": key, "state": "DONE", "dataset": dataset, "protocol": PROTOCOL,
        "model": model, "seed": seed,
        "model_fields": {"type": f"models.{model}", "dim": 64, "learning_rate": 0.001, "epochs": 100},
        "dataset_fields": {}, "protocol_fields": {}, "deterministic": False, "family": "recurrent",
        "parameters": 100_000, "fingerprints": {"data": "d" * 64, "split": "5" * 64, "source": "c" * 64},
        "device": "cpu", "device_name": "A processor", "threads": 1, "engine": "torch",
        "environment": {"python": "3.11", "torch": "2.13", "numpy": "2.4", "commit": "0" * 40, "dirty": False,
                        "cpu": "A processor", "cores": 2, "platform": "Linux"},
        "metrics": means, "validation": {"MRR@20": means["MRR@20"]}, "seconds": {"fit": 60.0 + seed, "score": 2.0},
        "targets_per_second": 9000.0, "peak_memory_mb": 700.0, "epochs": EPOCHS, "best_epoch": 15,
        "stopped": "patience", "resumed_from": None, "caveats": [], "started": "2026-01-01T00:00:00Z",
        "finished": "2026-01-01T00:01:00Z", "command": f"benchmark.py run many --only '{dataset}/{model}/{seed}'",
        "clock": "absolute", "unit": "user",
        "counts": {"train_events": 500_000, "validation_queries": 5000, "test_queries": QUERIES,
                   "test_clusters": USERS, "items": ITEMS, "users": USERS},
        "steps": [{"step": "read", "events": 510_000, "users": USERS, "items": ITEMS}],
        "audit": [{"level": "note", "name": "ties", "value": 0.02, "sentence": "2 % of events share their time."}],
        "facts": {}, "edition": "as released", "licence": "free", "citation": "Someone (2001)",
    }  # fmt: skip


def write_cell(root: Path, key: str, dataset: str, model: str, seed: int, table: RankTable) -> None:
    """Write the folder of a finished cell, with a curve."""
    folder = root / "cells" / key
    folder.mkdir(parents=True, exist_ok=True)
    table.write(folder / "ranks.parquet")
    sum_of_ranks = sha256((folder / "ranks.parquet").read_bytes())
    means = write_sums(folder, table, [metric_named(name) for name in METRICS], sum_of_ranks)
    curve = [{"event": "epoch", "epoch": e, "epochs": 100, "loss": 6 / e, "validation": means["MRR@20"] - 0.05 / e,
              "seconds": 3.0, "targets_per_second": 9000.0} for e in range(1, EPOCHS + 1)]  # fmt: skip
    (folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in curve))
    write_record(folder / "cell.json", record_of(key, dataset, model, seed, means))


def make_store(root: Path, datasets: list[str] = DATASETS) -> None:
    """Write the cells of these data sets and their suite."""
    rng, entries = np.random.default_rng(0), []
    for d, dataset in enumerate(datasets):
        clusters = np.sort(np.concatenate([np.arange(USERS), rng.integers(0, USERS, QUERIES - USERS)]))
        difficulty = rng.standard_normal(QUERIES) + rng.standard_normal(USERS)[clusters]
        for m, model in enumerate(MODELS):
            for seed in range(SEEDS):
                key = hashlib.sha256(f"{d} {m} {seed}".encode()).hexdigest()[:24]
                write_cell(root, key, dataset, model, seed, ranks_of(rng, 0.1 * m, difficulty, clusters))
                entries.append({"dataset": dataset, "protocol": PROTOCOL, "model": model, "seed": seed, "key": key,
                                "state": "DONE", "reason": "", "command": ""})  # fmt: skip
    record = {
        "schema": SCHEMAS["suite.json"], "name": "many", "title": "Many cells", "paper": None, "notes": [],
        "metrics": list(METRICS), "seeds": list(range(SEEDS)), "baselines": MODELS[:3], "comparisons": [],
        "published": [Published(d, "GRU", "MRR@20", 0.3, "table 1").to_json() for d in datasets],
        "claims": [Ranking("STAMP beats GRU", "STAMP", "GRU", d, "MRR@20").to_json() for d in datasets],
        "command": "python benchmark.py run many", "created": "2026-01-01T01:00:00Z", "caveats": [], "cells": entries,
    }  # fmt: skip
    folder = root / "suites" / "many"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.json").write_text(sealed_text(record))


def render(root: Path) -> None:
    """Render a report in this process, from a store or a bundle; print the seconds of its parts as JSON."""
    clocks = []

    def lap() -> None:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        clocks.append((time.perf_counter(), time.process_time() + used.ru_utime + used.ru_stime))

    lap()
    from reports.output.bundle import open_bundle
    from reports.output.html import render_html
    from reports.output.pdf import write_pdf
    from reports.report import build

    lap()
    with open_bundle(root) if root.suffix == ".zip" else contextlib.nullcontext((root, "many")) as (store, _):
        report = build(store, "many")
        lap()
        html = render_html(report)
        lap()
        write_pdf(report, store / "many.pdf")
        lap()
        pdf = (store / "many.pdf").read_bytes()
    spent = np.diff(np.array(clocks), axis=0)
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({
        "wall": spent[:, 0].tolist(), "cpu": spent[:, 1].tolist(), "torch": "torch" in sys.modules,
        "html": hashlib.sha256(html.encode()).hexdigest(), "size": len(html.encode()),
        "pdf": hashlib.sha256(pdf).hexdigest(), "peak": peaks,
    }))  # fmt: skip


def render_in_process(root: Path, num_cores: int | None = None) -> dict:
    """Render a report in a fresh process; return its measurements."""
    bound = {} if num_cores is None else {"preexec_fn": lambda: os.sched_setaffinity(0, range(num_cores))}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(root.parent / "bytecode")
    command = [sys.executable, "-m", "speed.report", "--render", str(root)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT, **bound)
    return json.loads(out.stdout.splitlines()[-1])


def print_line(name: str, found: dict) -> float:
    """Print one line; return the wall-clock seconds of its page."""
    wall, cpu = ([*v[:3], sum(v[:3]), v[3]] for v in (found["wall"], found["cpu"]))
    parts = " ".join(f"{w:6.2f} ({c:4.1f})" for w, c in zip(wall, cpu, strict=True))
    peaks = " + ".join(f"{peak:.0f}" for peak in found["peak"] if peak > 1)
    print(f"{name:30} {parts}  {found['size'] / 1e6:7.2f}  {peaks:>10}", flush=True)
    return wall[3]


def main() -> None:
    """Write the store, render it five times and print the lines."""
    with tempfile.TemporaryDirectory() as folder:
        root, bundle = Path(folder) / "store", Path(folder) / "many.zip"
        make_store(Path(folder) / "small", DATASETS[:1])
        render_in_process(Path(folder) / "small")
        make_store(root)
        write_bundle(root, "many", bundle)
        print(f"{len(DATASETS) * len(MODELS) * SEEDS} cells; seconds by the wall clock (CPU), {cores()} cores")
        print(f"{'':30} {'import':>13} {'build':>13} {'HTML':>13} {'together':>13} {'PDF':>13}  HTML MB     peak MB")
        first = render_in_process(root)
        slowest = print_line("first report", first)
        for name in ("first report on one core", "the same results again", "one cell computed anew", "from a bundle"):
            if name.endswith("one core"):
                shutil.rmtree(root / "derived")
            if name.startswith("one cell"):
                cell = next((root / "cells").iterdir())
                RankTable.read(cell / "ranks.parquet").write(cell / "ranks.parquet")
            found = render_in_process(
                bundle if name == "from a bundle" else root, 1 if name.endswith("one core") else None
            )
            seconds = print_line(name, found)
            if not name.endswith("one core"):
                slowest = max(slowest, seconds)
            if found["torch"] or any(first[k] != found[k] for k in ("html", "pdf")):
                sys.exit("FAILED: " + ("torch was imported" if found["torch"] else "the report's bytes differ"))
        print(f"bound for the page: {BOUND:g} s: {'met' if slowest <= BOUND else 'MISSED'}")


def profile(root: Path) -> None:
    """Print where the first report spends its time."""
    import cProfile
    import pstats

    make_store(root)
    watch = cProfile.Profile()
    watch.runcall(render, root)
    pstats.Stats(watch).sort_stats("cumulative").print_stats(60)


if __name__ == "__main__":
    if "--render" in sys.argv:
        render(Path(sys.argv[-1]))
    elif "--profile" in sys.argv:
        with tempfile.TemporaryDirectory() as folder:
            profile(Path(folder))
    else:
        main()
