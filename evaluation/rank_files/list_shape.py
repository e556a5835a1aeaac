"""Recommendation lists in place of ranks of targets, told by their shape: places 1 to n of each user."""

from __future__ import annotations

import numpy as np

from evaluation.rank_files.tables import QRELS, FileTable, InvalidRankFile

NEARLY_ALL = 0.95
LISTED = ("item", "item_id", "itemid", "score", "prediction", "recommendation")


def refuse_recommendation_lists(file: FileTable, cluster: np.ndarray, query: np.ndarray | None) -> None:
    """Raise InvalidRankFile if the rows look like lists of recommended items and nothing says that they are targets.

    cluster, query (R,) str: as in a RankFile. Lists have ranks 1 to n (or 0 to n − 1) for nearly all users, n ≥ 2, or
    rank 1 beside a column of items or scores. A column target says that rows are targets, as does one row per query.
    """
    if "target" in file.columns or "rank" not in file.columns:
        return
    owner = cluster if query is None else np.char.add(np.char.add(cluster, "\t"), query)
    _, where, sizes = np.unique(owner, return_inverse=True, return_counts=True)
    if query is not None and sizes.max() == 1:
        return
    ranks = file.numbers("rank")
    first = min(ranks.min(), 1) if ranks.min() >= 0 else 1  # NaN and −1 are no places
    order = np.lexsort((ranks, where))
    places = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + first
    is_list = np.add.reduceat(ranks[order] != places, np.cumsum(sizes) - sizes) == 0
    long = sizes >= 2
    if long.any():
        listed = np.mean(is_list[long]) >= NEARLY_ALL
    else:
        listed = is_list.all() and any(column in LISTED for column in file.columns)
    if listed:
        unit = "users" if query is None else "queries"
        raise InvalidRankFile(
            f"{file.name} holds recommendation lists, not ranks of true items: the ranks of {is_list.sum():,} of "
            f"{len(sizes):,} {unit} are exactly {first:g} to the number of their rows; give one row per query and true "
            "item with its rank, the item in a column target, or give the true items of these lists with " + QRELS
        )
