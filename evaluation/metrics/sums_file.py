"""sums.parquet: per-cluster sums of each metric, stored beside the ranks so that a report of many cells is fast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.metrics.accuracy import Metric
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.coverage import WholeTableMetric
from evaluation.metrics.ties import TIES
from evaluation.ranking.rank_table import RankTable
from evaluation.stored_files import REMOVE_FOLDER, name_damaged, read_parquet_columns

SCHEMA_VERSION = 1
FILE_NAME = "sums.parquet"


def write_sums(folder: Path, ranks: RankTable, metrics: Iterable[Metric | WholeTableMetric]) -> dict[str, float]:
    """Write ``folder``/sums.parquet and return each metric's micro mean; skip whole-table metrics.

    Columns: cluster, count, one per metric, and one per metric under the two other tie rules.
    """
    columns: dict[str, np.ndarray] = {}
    means: dict[str, float] = {}
    for metric in (metric for metric in metrics if isinstance(metric, Metric)):
        found = metric.per_cluster(ranks)
        columns |= {"cluster": found.clusters.astype(np.int64), "count": found.counts}
        columns[metric.name] = found.sums
        means[metric.name] = found.micro
        for ties in TIES:
            other = replace(metric, ties=ties)
            columns.setdefault(other.name, other.per_cluster(ranks).sums)
    if not columns:
        raise ValueError("no metric given, so there are no sums to write")
    table = pa.table(columns).replace_schema_metadata({"schema": str(SCHEMA_VERSION)})
    pq.write_table(table, folder / FILE_NAME, compression="zstd")
    return means


def read_sums(folder: Path) -> dict[str, ClusterSums]:
    """Read the sums in ``folder`` by metric name; empty if there is no such file.

    Raises ValueError for another schema version and for a damaged file.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return {}
    with name_damaged(path):
        columns, metadata = read_parquet_columns(path)
    version = metadata.get("schema", "none")
    if version != str(SCHEMA_VERSION):
        raise ValueError(
            f"{path}: sums of schema {version}, but this program reads schema {SCHEMA_VERSION}; "
            f"{REMOVE_FOLDER} and run again"
        )
    clusters, counts = columns.pop("cluster"), columns.pop("count")
    return {name: ClusterSums(clusters, found, counts) for name, found in columns.items()}
