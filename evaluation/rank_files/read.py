"""Read rank files: CSV, TSV and Parquet files of any tool, and Encore's own.

Columns: ``user`` or ``session`` (the cluster), ``query`` (optional), ``target`` (optional), and ``rank`` (1 is best) or
``greater`` and ``tied`` (other candidates scored higher than, and the same as, the target), ``candidates`` (optional:
a target with greater = candidates is a miss).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.rank_files.list_shape import refuse_recommendation_lists
from evaluation.rank_files.rank_columns import read_ranks
from evaluation.rank_files.tables import SEPARATORS, FileTable, InvalidRankFile, read_file_table, suffix_of
from evaluation.ranking.rank_table import RankTable
from evaluation.stored_files import checked_bytes, read_record

DROPPED = "-1"  # the target of a stored rank table that the protocol dropped


@dataclass(frozen=True, eq=False)
class RankFile:
    """One rank file, rows in the file's order.

    cluster (R,) str; query (R,) str or None; target (R,) str or None; repeat (R,) int64; greater, tied, candidates (R,)
    int64; lines (R,) int64: the line number of each row, as in an editor; notes: sentences on how it was read; depth:
    the length of the longest list where ranks come from lists, beyond which no rank is known; candidate_rule: the
    candidates in words, "" where unknown.
    """

    name: str
    cluster_name: str
    cluster: np.ndarray
    query: np.ndarray | None
    target: np.ndarray | None
    repeat: np.ndarray
    greater: np.ndarray
    tied: np.ndarray
    candidates: np.ndarray
    lines: np.ndarray
    notes: tuple[str, ...] = ()
    depth: int | None = None
    candidate_rule: str = ""


def table_paths(path: Path) -> list[Path]:
    """Return the files that hold the table in ``path``: a file, a stored cell's folder, or a folder of parts."""
    if not path.exists():
        raise FileNotFoundError(f"no rank file {path}; expected a CSV, TSV or Parquet file with ranks")
    stored = path / "ranks.parquet"
    if not path.is_dir() or stored.exists():
        return [stored if path.is_dir() else path]
    parts = sorted(p for p in path.iterdir() if suffix_of(p) in (*SEPARATORS, ".parquet"))
    if not parts:
        raise InvalidRankFile(f"{path} contains no rank file; expected .csv, .tsv, .txt or .parquet files")
    return parts


def find_tables(path: Path) -> list[FileTable]:
    """Read the tables in ``path``: a file, the folder of a stored cell, or a folder of files that form one table."""
    parts = table_paths(path)
    stored = parts[0]
    if stored.name == "ranks.parquet":
        record = read_record(stored.with_name("cell.json"), ["files"])
        checked = None if record is None else checked_bytes(stored, record["files"])
        return [read_file_table(stored, str(path), checked)]
    return [read_file_table(part) for part in parts]


def read_rank_file(path: Path, cluster: str | None = None) -> RankFile:
    """Read ``path``: a file, the folder of a stored cell, or a folder of files that form one table.

    ``cluster``: the column with the owner of a query; by default ``user``, else ``session``. Raises FileNotFoundError,
    and InvalidRankFile naming file, line, value and the expected form.
    """
    return to_rank_file(find_tables(path), str(path), cluster)


def to_rank_file(tables: Sequence[FileTable], name: str, cluster: str | None = None) -> RankFile:
    """Make one rank file of the tables in ``name``; errors as in read_rank_file."""
    files = [_rank_file(table, cluster) for table in tables]
    return files[0] if len(files) == 1 else _join_parts(files, name)


def _rank_file(table: FileTable, cluster: str | None) -> RankFile:
    if {"cluster", "count"} <= set(table.columns) and "greater" not in table.columns:
        raise InvalidRankFile(
            f"{table.name} has sums by user and no ranks, like every cell of a bundle made for sharing; expected a "
            "cell with ranks.parquet, which rerun --from BUNDLE computes where the data are at hand"
        )
    if b"schema" in table.metadata and "cluster" in table.columns:
        RankTable.check_schema(Path(table.name), {"schema": table.metadata[b"schema"].decode()})
        rule = table.metadata.get(b"candidate_rule", b"").decode()
        return _distinct_targets(replace(_read_columns(table, "cluster"), notes=(), candidate_rule=rule))
    if table.is_trec:
        raise InvalidRankFile(
            f"{table.name} is a TREC file: it lists items without saying which are true; give the true items with "
            "--qrels FILE"
        )
    return _read_columns(table, cluster)


def _read_columns(table: FileTable, cluster: str | None) -> RankFile:
    """Read the columns of a rank file."""
    owner = table.owner(cluster)
    keys = {name: table.keys(name) if name in table.columns else None for name in ("query", "target")}
    clusters = table.keys(owner)
    refuse_recommendation_lists(table, clusters, keys["query"])
    ranks = read_ranks(table)
    repeat = table.whole_numbers("repeat", 0) if "repeat" in table.columns else np.zeros(len(clusters), dtype=np.int64)
    return RankFile(
        name=table.name,
        cluster_name=owner,
        cluster=clusters,
        repeat=repeat,
        greater=ranks.greater,
        tied=ranks.tied,
        candidates=ranks.candidates,
        lines=table.lines,
        notes=ranks.notes,
        **keys,
    )


def _distinct_targets(file: RankFile) -> RankFile:
    """Number the dropped targets of a query, which are not known to be one item; keep the first of other repeated ones.

    They count once (RankTable.distinct).
    """
    keys = np.char.add(np.char.add(file.query, " "), np.char.add(file.target, np.char.mod(" %d", file.repeat)))
    _, where = np.unique(keys, return_inverse=True)
    order = np.argsort(where, kind="stable")
    firsts = np.flatnonzero(np.concatenate([[True], np.diff(where[order]) != 0]))
    occurrence = np.empty(len(keys), dtype=np.int64)
    occurrence[order] = np.arange(len(keys)) - np.repeat(firsts, np.diff(np.append(firsts, len(keys))))
    target = np.where(occurrence > 0, np.char.add(file.target, np.char.mod("#%d", occurrence)), file.target)
    kept = (occurrence == 0) | (file.target == DROPPED)
    columns = ("cluster", "query", "repeat", "greater", "tied", "candidates", "lines")
    return replace(file, target=target[kept], **{column: getattr(file, column)[kept] for column in columns})


def _join_parts(parts: Sequence[RankFile], name: str) -> RankFile:
    """Concatenate files; without a ``query`` column their order is the order within a user."""
    first = parts[0]
    for part in parts[1:]:
        for column in ("query", "target"):
            if (getattr(first, column) is None) != (getattr(part, column) is None):
                raise InvalidRankFile(f"{first.name} and {part.name} must both have a column {column}, or neither")
        if part.cluster_name != first.cluster_name:
            raise InvalidRankFile(
                f"{first.name} has a column {first.cluster_name}, {part.name} has {part.cluster_name}"
            )

    def joined(column: str) -> np.ndarray | None:
        if getattr(first, column) is None:
            return None
        return np.concatenate([getattr(part, column) for part in parts])

    columns = ("cluster", "query", "target", "repeat", "greater", "tied", "candidates", "lines")
    notes = tuple(note for part in parts for note in part.notes)
    return RankFile(name, first.cluster_name, **{column: joined(column) for column in columns}, notes=notes)
