"""sums.parquet: per-cluster sums of each metric, stored beside the ranks so that a report of many cells is fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.metrics.accuracy import Metric
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.coverage import WholeTableMetric
from evaluation.metrics.ties import TIES
from evaluation.ranking.rank_table import RankTable
from evaluation.stored_files import REMOVE_FOLDER, checked_bytes, name_damaged, read_parquet_columns
from recsys_data.arrow import pa, pq
from recsys_data.sealed_json import SealBroken

SCHEMA_VERSION = 2
FILE_NAME = "sums.parquet"
_RANKS = "ranks.parquet"
_NUMBERING = "numbering"


def write_sums(
    folder: Path, ranks: RankTable, metrics: Iterable[Metric | WholeTableMetric], ranks_sha256: str
) -> dict[str, float]:
    """Write ``folder``/sums.parquet and return each metric's micro mean; skip whole-table metrics.

    Columns: cluster, count, one per metric, and one per metric under the two other tie rules. ranks_sha256: of the
    ranks.parquet that they are made from; the file holds it.
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
    _write(folder, columns, {_RANKS: ranks_sha256}, level=1)
    return means


def write_shared_sums(folder: Path, sums: Mapping[str, ClusterSums]) -> None:
    """Write ``folder``/sums.parquet for a bundle that has no ranks; all sums have the same clusters and numbering."""
    first = next(iter(sums.values()))
    columns = {"cluster": first.clusters.astype(np.int64), "count": first.counts}
    columns |= {name: found.sums for name, found in sums.items()}
    _write(folder, columns, {_NUMBERING: first.numbering}, level=19)


def _write(folder: Path, columns: Mapping[str, np.ndarray], facts: Mapping[str, str], level: int) -> None:
    """Write columns, compressed at a level of zstd (1 fast, 19 small); clusters, which rise, as their differences."""
    table = pa.table(dict(columns)).replace_schema_metadata({"schema": str(SCHEMA_VERSION), **facts})
    pq.write_table(
        table, folder / FILE_NAME, compression="zstd", compression_level=level,
        use_dictionary=[name for name in columns if name != "cluster"],
        column_encoding={"cluster": "DELTA_BINARY_PACKED"},
    )  # fmt: skip


def read_sums(folder: Path, files: Mapping[str, str]) -> dict[str, ClusterSums]:
    """Read the sums in ``folder`` by metric name; empty if the cell has no such file.

    files: the SHA-256 of each file in the cell's record. Raises ValueError for another schema version, for a file that
    was changed and for sums of other ranks.
    """
    path = folder / FILE_NAME
    if FILE_NAME not in files:
        return {}
    data = checked_bytes(path, files)
    with name_damaged(path):
        columns, metadata = read_parquet_columns(pa.BufferReader(data))
        version = metadata.get("schema", "none")
        if version != str(SCHEMA_VERSION):
            raise ValueError(
                f"{path}: sums of schema {version}, but this program reads schema {SCHEMA_VERSION}; "
                f"{REMOVE_FOLDER} and run again"
            )
        if metadata.get(_RANKS) != files.get(_RANKS):
            raise SealBroken("its sums are not of the ranks.parquet beside it")
        for name in ("cluster", "count"):
            if name not in columns or columns[name].dtype != np.int64:
                raise SealBroken(f"expected a column {name} of whole numbers")
        clusters, counts = columns.pop("cluster"), columns.pop("count")
    numbering = metadata.get(_NUMBERING, "")
    return {name: ClusterSums(clusters, found, counts, numbering) for name, found in columns.items()}
