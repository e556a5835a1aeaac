"""Ranks of one cell in two results, compared: equal to the bit, moved by near-ties, or moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import CellResult

NEAR = 1.0  # places that a near-tie moves a rank by, at most
NEAR_VALUE = 0.001  # relative change of a metric by near-ties, at most
_ROWS = ("cluster", "query", "target", "repeat", "history", "candidates", "item_counts")
_RANK_FILES = ("ranks.parquet", "items.parquet", "lists.parquet")


@dataclass(frozen=True)
class RankMoves:
    """How the ranks of two results differ: the rows that moved of all, by how many places at most, and how many by one.

    other_rows: the column in which the rows themselves differ; the results are then of other test events.
    """

    moved: int = 0
    of: int = 0
    places: float = 0.0
    by_one: int = 0
    other_rows: str = ""
    other_lists: bool = False

    @property
    def same(self) -> bool:
        """Whether every bit of rows, ranks and kept lists is the same."""
        return not (self.moved or self.other_rows or self.other_lists)

    @property
    def near(self) -> bool:
        """Whether no rank moved by more than one place, and the rows are the same."""
        return not self.other_rows and self.places <= NEAR

    def __str__(self) -> str:
        if self.other_rows:
            return f"other test rows: their column {self.other_rows} differs"
        if self.moved:
            return f"{self.moved:,} of {self.of:,} ranks moved, by at most {self.places:g} places"
        return "the kept lists differ" if self.other_lists else ""


def rank_moves(before: CellResult, after: CellResult) -> RankMoves:
    """Compare the ranks of two results. Raises ValueError naming a damaged file, and RanksWithheld."""
    files = [[cell.files.get(name) for name in _RANK_FILES] for cell in (before, after)]
    if files[0] == files[1] and files[0][0] is not None:
        return RankMoves()
    return table_moves(before.ranks, after.ranks)


def table_moves(before: RankTable, after: RankTable) -> RankMoves:
    """Compare two tables of ranks."""
    for name in _ROWS:
        if not np.array_equal(getattr(before, name), getattr(after, name)):
            return RankMoves(other_rows=name)
    places = [table.greater + table.tied / 2 for table in (before, after)]
    moved = (before.greater != after.greater) | (before.tied != after.tied)
    lists = [np.empty(0) if table.top_items is None else table.top_items for table in (before, after)]
    moves = np.abs(places[0] - places[1])[moved]
    return RankMoves(
        moved=len(moves), of=len(before), places=float(moves.max(initial=0.0)), by_one=int((moves <= NEAR).sum()),
        other_lists=not np.array_equal(*lists),
    )  # fmt: skip
