"""Join rank files on (user, query, target); an error names the first line without a partner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.rank_files.read import RankFile
from evaluation.rank_files.tables import InvalidRankFile
from evaluation.ranking.rank_table import RankTable


def join_rank_files(files: Sequence[RankFile]) -> list[RankTable]:
    """Return one RankTable per file, with the same queries in the same rows; clusters are numbered by name.

    Errors as in matched_rows.
    """
    keys, orders = matched_rows(files)
    first_order = np.lexsort((orders[0], keys[:, 1], keys[:, 0]))  # targets of a query in the order of the first file
    is_first = np.ones(len(keys), dtype=bool)
    is_first[1:] = (keys[1:, :2] != keys[:-1, :2]).any(axis=1)
    query = (np.cumsum(is_first) - 1)[first_order]
    tables = []
    for file, order in zip(files, orders, strict=True):
        rows = order[first_order]
        tables.append(
            RankTable(
                cluster=keys[first_order, 0],
                query=query,
                target=keys[first_order, 2],
                repeat=file.repeat[rows],
                history=np.zeros(len(rows), dtype=np.int32),
                candidates=file.candidates[rows],
                greater=file.greater[rows],
                tied=file.tied[rows],
                item_counts=np.zeros(0, dtype=np.int64),
                meta={"name": file.name, "candidate_rule": file.candidate_rule},
            )
        )
    return tables


def matched_rows(files: Sequence[RankFile]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return keys (R, 4) int64 in ascending order, and for each file the rows (R,) that have them.

    Rows match by cluster, query and (where all files have it) target; without a ``query`` column, by their order
    within the cluster. Raises InvalidRankFile naming the first line without a partner, or the first duplicate.
    """
    first = files[0]
    for other in files[1:]:
        if (first.query is None) != (other.query is None):
            with_it, without = (first, other) if other.query is None else (other, first)
            raise InvalidRankFile(
                f"{with_it.name} has a column query and {without.name} has none; add it to both or neither"
            )
    by_target = all(file.target is not None for file in files)
    codes = _codes(files, by_target)
    orders = []
    for file, keys in zip(files, codes, strict=True):
        order = np.lexsort(keys.T[::-1])
        _refuse_duplicates(file, keys, order, by_target)
        orders.append(order)
    for file, keys, order in zip(files[1:], codes[1:], orders[1:], strict=True):
        if len(order) != len(orders[0]) or (keys[order] != codes[0][orders[0]]).any():
            raise InvalidRankFile(_mismatch_message(first, codes[0], file, keys))
    return codes[0][orders[0]], orders


def _codes(files: Sequence[RankFile], by_target: bool) -> list[np.ndarray]:
    """Return each file's keys (R, 4) int64: cluster, query, target, repeat; equal values have equal numbers."""
    columns = [_numbered([file.cluster for file in files])]
    if files[0].query is None:
        columns.append([_position_in_cluster(cluster) for cluster in columns[0]])
    else:
        columns.append(_numbered([file.query for file in files]))
    if by_target and files[0].query is not None:
        columns.append(_numbered([file.target for file in files]))
    else:
        columns.append([np.zeros(len(file.lines), dtype=np.int64) for file in files])
    columns.append([file.repeat for file in files])
    codes = [np.stack(keys, axis=1) for keys in zip(*columns, strict=True)]
    if by_target and files[0].query is None:
        _compare_targets(files, codes)
    return codes


def _numbered(columns: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Number the distinct texts of all columns in sorted order."""
    _, where = np.unique(np.concatenate(columns), return_inverse=True)
    return np.split(where.astype(np.int64), np.cumsum([len(column) for column in columns])[:-1])


def _position_in_cluster(cluster: np.ndarray) -> np.ndarray:
    """Return the position of each row among the rows of its cluster, in file order."""
    order = np.argsort(cluster, kind="stable")
    firsts = np.flatnonzero(np.concatenate([[True], np.diff(cluster[order]) != 0]))
    sizes = np.diff(np.append(firsts, len(cluster)))
    positions = np.empty(len(cluster), dtype=np.int64)
    positions[order] = np.arange(len(cluster)) - np.repeat(firsts, sizes)
    return positions


def _compare_targets(files: Sequence[RankFile], codes: Sequence[np.ndarray]) -> None:
    """Raise InvalidRankFile where rows joined by order have different targets: the files differ in order."""
    first = files[0]
    known = {tuple(key): target for key, target in zip(codes[0].tolist(), first.target, strict=True)}
    for file, keys in zip(files[1:], codes[1:], strict=True):
        for key, target, line in zip(keys.tolist(), file.target, file.lines, strict=True):
            theirs = known.get(tuple(key))
            if theirs is not None and theirs != target:
                raise InvalidRankFile(
                    f"{first.name} and {file.name} differ first at line {line} of {file.name}: target {target} where "
                    f"{first.name} has {theirs}; without a column query, both need the same order within a user"
                )


def _refuse_duplicates(file: RankFile, keys: np.ndarray, order: np.ndarray, by_target: bool) -> None:
    ordered = keys[order]
    same = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
    if len(same):
        later = file.lines[np.maximum(order[same], order[same + 1])]
        at = order[same + 1][np.argmin(later)]
        what = f"{file.cluster_name} {file.cluster[at]}, query {file.query[at]}"
        if by_target:
            what += f", target {file.target[at]}"
        hint = "" if by_target else "; several targets of a query need a column target in every file"
        raise InvalidRankFile(f"{file.name}, line {later.min()}: {what} is a duplicate{hint}")


def _mismatch_message(first: RankFile, ours: np.ndarray, other: RankFile, theirs: np.ndarray) -> str:
    """Return an error message about the first line of either file without a partner in the other."""
    for file, keys, partner, partners in ((other, theirs, first, ours), (first, ours, other, theirs)):
        known = set(map(tuple, partners.tolist()))
        for row, key in enumerate(keys.tolist()):
            if tuple(key) not in known:
                place = f"query {file.query[row]}" if file.query is not None else f"event {key[1] + 1}"
                if file.query is not None and file.target is not None:
                    place += f", target {file.target[row]}"
                return (
                    f"{first.name} and {other.name} differ first at line {file.lines[row]} of {file.name}: "
                    f"{file.cluster_name} {file.cluster[row]}, {place} is not in {partner.name}; a comparison needs "
                    f"the same test set"
                )
    raise AssertionError("both files have the same rows")
