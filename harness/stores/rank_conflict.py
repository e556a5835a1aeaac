"""Conflict of two stored results of one cell: whether their ranks differ, and by how much."""

from __future__ import annotations

from typing import Any

from evaluation.changes.ranks import table_moves
from evaluation.ranking.rank_table import RankTable
from evaluation.results.shared_sums import rank_digest
from evaluation.stored_files import name_damaged
from harness.store import Store

_RANK_FILES = ("ranks.parquet", "items.parquet", "lists.parquet")


def rank_conflict(first: Store, second: Store, key: str) -> str:
    """How the ranks of a cell in two stores differ, in words; empty where they are the same."""
    records = [store.record(key) or {} for store in (first, second)]
    sums = [[record["files"].get(name) for name in _RANK_FILES] for record in records]
    if sums[0] == sums[1]:
        return ""
    if any("withheld" in record for record in records):
        pairs = zip((first, second), records, strict=True)
        digests = {record["withheld"]["ranks"] if "withheld" in record else rank_digest(_ranks(store, key, record))
                   for store, record in pairs}  # fmt: skip
        return "" if len(digests) == 1 else "the SHA-256 of the ranks, which one of them withholds"
    tables = [_ranks(store, key, record) for store, record in zip((first, second), records, strict=True)]
    return _difference(*tables, devices=[_machine(record) for record in records])


def _ranks(store: Store, key: str, record: dict[str, Any]) -> RankTable:
    path = store.folder(key) / "ranks.parquet"
    with name_damaged(path):
        return RankTable.read(path, record["files"])


def _difference(first: RankTable, second: RankTable, devices: list[str]) -> str:
    """The difference in words; between devices, a move by one place is counted as a near-tie."""
    moves = table_moves(first, second)
    text = str(moves)
    if moves.moved and devices[0] != devices[1]:
        text += (
            f"; {moves.by_one:,} of them by one place or less, as near-ties do between {devices[0]} and {devices[1]}"
        )
    return text


def _machine(record: dict[str, Any]) -> str:
    """The device of a cell and the processor of its machine."""
    cpu = record.get("environment", {}).get("cpu", "")
    return " on ".join(dict.fromkeys(filter(None, (record.get("device_name", ""), cpu)))) or "an unknown device"
