"""Add metrics to a stored cell, computed from its ranks, for a suite that names other metrics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.coverage import WholeTableMetric
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.metrics.sums_file import FILE_NAME as SUMS
from evaluation.metrics.sums_file import write_sums
from evaluation.ranking.rank_table import RankTable
from evaluation.stored_files import checked_bytes, name_damaged
from harness.store import Store, write_record


def add_metrics(store: Store, key: str, metrics: Sequence[Any]) -> bool:
    """Add the metrics that the cell's record lacks; return whether any was missing.

    The key, the ranks and the other entries of the record do not change.
    """
    record = store.record(key)
    if record is None or "withheld" in record or all(metric.name in record["metrics"] for metric in metrics):
        return False
    with store.lock(key, wait=True):
        record = store.record(key)
        if record is None:
            return False
        folder = store.folder(key)
        with name_damaged(folder / "ranks.parquet"):
            ranks = RankTable.read(folder / "ranks.parquet", record["files"])
        names = [name for name in record["metrics"] if name not in {metric.name for metric in metrics}]
        wanted = [*metrics, *(whole_table_metric_named(name) or metric_named(name) for name in names)]
        kept = {name: checked_bytes(folder / name, record["files"]) for name in record["files"] if name != SUMS}

        def write(aside: Path) -> None:
            for name, data in kept.items():
                (aside / name).write_bytes(data)
            means = write_sums(aside, ranks, wanted, record["files"]["ranks.parquet"])
            means |= {metric.name: metric.measure(ranks) for metric in metrics if isinstance(metric, WholeTableMetric)}
            for name, value in means.items():
                record["metrics"].setdefault(name, float(value))
            write_record(aside / "cell.json", record)

        store.commit(key, write)
    return True
