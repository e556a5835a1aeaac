"""Cells put into a store by hand, for tests of MLflow."""

import json

from evaluation.results.suite_results import CellResult
from evaluation.stored_files import SCHEMAS
from tests.stored_records import write_sealed

RECORD = {
    "key": "abc", "dataset": "chain", "protocol": "p", "model": "GRU", "seed": 3, "state": "DONE",
    "model_fields": {"type": "x.GRU", "dim": 8, "loss": {"type": "x.Loss", "margin": 1.0}},
    "dataset_fields": {"type": "x.Chain"}, "protocol_fields": {"type": "x.Cut", "train": 0.9},
    "fingerprints": {"data": "d" * 64, "split": "s" * 64, "source": "c" * 64}, "device": "cpu", "device_name": "a cpu",
    "environment": {"commit": "f" * 40, "dirty": True, "cpu": "a cpu"}, "metrics": {"MRR@20": 0.25, "Recall@20": 0.5},
    "validation": {"MRR@20": 0.3}, "seconds": {"fit": 2.0, "score": 1.0}, "peak_memory_mb": 100.0, "threads": 1,
    "engine": None, "parameters": 99, "epochs": 2, "best_epoch": 2, "stopped": "epoch limit",
    "resumed_from": None, "caveats": ["NOT CONVERGED"], "started": "2030-01-01T00:00:00.000Z",
    "finished": "2030-01-01T00:00:03.000Z", "command": "python benchmark.py run x", "edition": "generated",
}  # fmt: skip
CURVE = [{"event": "epoch", "epoch": n, "loss": 3.0 - n, "validation": n / 10, "seconds": 1.0} for n in (1, 2)]
PLACE = ("chain", "p", "GRU")


def finished(store, **changes):
    """A finished cell put into the store by hand."""
    record = RECORD | changes

    def write(folder):
        (folder / "ranks.parquet").write_bytes(b"ranks")
        (folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in CURVE))
        write_sealed(folder / "cell.json", record)

    store.commit(record["key"], write)
    return CellResult(store.folder(record["key"]), "chain", "p", "GRU", 3, store.record(record["key"]))


def fail(store, key, reason):
    """Store that a cell failed."""
    record = {"schema": SCHEMAS["failure.json"], "key": key, "reason": reason, "finished": "2030"}
    store.commit_failure(key, record, "the traceback")
