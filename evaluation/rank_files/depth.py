"""The depth of lists: metrics that need more places than lists have are refused."""

from __future__ import annotations

from typing import Any

from evaluation.rank_files.tables import InvalidRankFile


def check_depth(name: str, depth: int | None, metric: Any) -> None:
    """Refuse a metric that needs ranks beyond ``depth``, the length of the lists in the file ``name``."""
    cut = getattr(metric, "k", None)
    if depth is not None and (cut is None or cut > depth):
        raise InvalidRankFile(
            f"{metric.name} needs more places than {name} lists, at most {depth} items per query; choose a "
            f"metric with a cut-off of at most {depth}, such as mrr@{depth}"
        )
