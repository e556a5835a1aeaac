"""Conflict of two stored results of one cell: whether their ranks differ, and by how much."""

from __future__ import annotations

from typing import Any

import numpy as np

from evaluation.ranking.rank_table import RankTable
from evaluation.stored_files import name_damaged
from harness.store import Store

_ROWS = ("cluster", "query", "target", "repeat", "history", "candidates", "item_counts")
_RANK_FILES = ("ranks.parquet", "items.parquet", "lists.parquet")


def rank_conflict(first: Store, second: Store, key: str) -> str:
    """How the ranks of a cell in two stores differ, in words; empty where they are the same."""
    records = [store.record(key) or {} for store in (first, second)]
    sums = [[record["files"].get(name) for name in _RANK_FILES] for record in records]
    if sums[0] == sums[1]:
        return ""
    tables = [_ranks(store, key, record) for store, record in zip((first, second), records, strict=True)]
    return _difference(*tables, devices=[_machine(record) for record in records])


def _ranks(store: Store, key: str, record: dict[str, Any]) -> RankTable:
    path = store.folder(key) / "ranks.parquet"
    with name_damaged(path):
        return RankTable.read(path, record["files"])


def _difference(first: RankTable, second: RankTable, devices: list[str]) -> str:
    """The difference in words; between devices, a move by one place is counted as a near-tie."""
    for name in _ROWS:
        if not np.array_equal(getattr(first, name), getattr(second, name)):
            return f"other rows: their column {name} differs"
    places = [table.greater + table.tied / 2 for table in (first, second)]
    moved = (first.greater != second.greater) | (first.tied != second.tied)
    if moved.any():
        moves = np.abs(places[0] - places[1])[moved]
        text = f"{int(moved.sum()):,} of {len(first):,} ranks differ, by at most {moves.max():g} places"
        if devices[0] != devices[1]:
            near = int((moves <= 1).sum())
            text += f"; {near:,} of them by one place or less, as near-ties do between {devices[0]} and {devices[1]}"
        return text
    lists = [np.empty(0) if table.top_items is None else table.top_items for table in (first, second)]
    return "" if np.array_equal(*lists) else "the kept lists differ"


def _machine(record: dict[str, Any]) -> str:
    """The device of a cell and the processor of its machine."""
    cpu = record.get("environment", {}).get("cpu", "")
    return " on ".join(dict.fromkeys(filter(None, (record.get("device_name", ""), cpu)))) or "an unknown device"
