"""RankTable: one row per (query, target), from which metrics and tests are computed without the model."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.frames import frame_of
from evaluation.stored_files import checked_bytes, name_damaged, read_parquet_columns
from recsys_data.arrow import pa, pq
from recsys_data.sealed_json import SealBroken

if TYPE_CHECKING:
    from evaluation.frames import DataFrame

SCHEMA_VERSION = 1
_COLUMNS = {
    "cluster": np.int32,  # user or session, the unit of inference
    "query": np.int32,  # number of the query in the held-out part
    "target": np.int32,  # the next item; −1: dropped by the protocol, a miss
    "repeat": np.int16,  # number of the negative sample; 0 under full ranking
    "history": np.int32,  # number of events read
    "candidates": np.int32,  # number of items ranked, the target among them
    "greater": np.int32,  # candidates scored strictly greater than the target
    "tied": np.int32,  # other candidates with exactly the same score
}


@dataclass(frozen=True, eq=False)
class RankTable:
    """Ranks of all targets of a held-out part.

    All columns are (R,) arrays, sorted by query, target position, repeat. item_counts (num_items,) int64: how often
    each item occurs in training. top_items (Q, k) int32 or None: the stored lists, row q for query q. meta: facts
    stored in the file.
    """

    cluster: np.ndarray
    query: np.ndarray
    target: np.ndarray
    repeat: np.ndarray
    history: np.ndarray
    candidates: np.ndarray
    greater: np.ndarray
    tied: np.ndarray
    item_counts: np.ndarray
    top_items: np.ndarray | None = None
    meta: dict[str, Any] | None = None

    def __len__(self) -> int:
        """The number of rows R."""
        return len(self.query)

    @property
    def num_items(self) -> int:
        """The size of the catalogue."""
        return len(self.item_counts)

    @cached_property
    def num_queries(self) -> int:
        """The number of distinct queries."""
        return len(np.unique(self.query))

    @cached_property
    def num_clusters(self) -> int:
        """The number of distinct clusters."""
        return len(np.unique(self.cluster))

    @property
    def distinct(self) -> RankTable:
        """The table with one row per query, repeat and target item, the first; itself where no item repeats.

        Dropped targets (−1) are not known to be the same item, so all of them stay.
        """
        if not len(self._later_occurrences):
            return self
        keep = np.ones(len(self), dtype=bool)
        keep[self._later_occurrences] = False
        return replace(self, **{name: getattr(self, name)[keep] for name in _COLUMNS})

    @cached_property
    def _later_occurrences(self) -> np.ndarray:
        """The rows whose target item is in an earlier row of the same query and repeat, (D,) int64."""
        if self._one_target_each:
            return np.zeros(0, dtype=np.int64)
        order = np.lexsort((self.repeat, self.target, self.query))  # stable: the first occurrence stays first
        same = self.target[order][1:] >= 0
        for column in (self.query, self.repeat, self.target):
            same &= column[order][1:] == column[order][:-1]
        return order[1:][same]

    @cached_property
    def _one_target_each(self) -> bool:
        """Whether every row is a query of its own."""
        return bool((self.query[1:] > self.query[:-1]).all())

    @cached_property
    def one_list(self) -> bool:
        """Whether the targets of a query are ranked in one list: different targets have different places in it.

        Not so where candidates are drawn for each target, which the table says or its counts show: each target then
        has a list of its own.
        """
        if self._one_target_each:
            return True
        if self.repeat.any() or "random" in str((self.meta or {}).get("candidate_rule", "")):
            return False
        ranks = self.distinct
        found = np.flatnonzero(ranks.greater < ranks.candidates)
        order = found[np.lexsort((ranks.greater[found], ranks.query[found]))]
        query, greater, tied = (column[order].astype(np.int64) for column in (ranks.query, ranks.greater, ranks.tied))
        follows = query[1:] == query[:-1]
        same_place = follows & (greater[1:] == greater[:-1]) & (tied[1:] == tied[:-1])
        if (follows & ~same_place & (greater[1:] <= greater[:-1] + tied[:-1])).any():
            return False
        first = np.flatnonzero(np.concatenate([[True], ~same_place])[: len(order)])
        return bool((np.diff(np.append(first, len(order))) <= tied[first] + 1).all())

    def to_frame(self) -> DataFrame:
        """The columns as a pandas frame, one row per query and target."""
        return frame_of({name: getattr(self, name) for name in _COLUMNS})

    def write(self, path: Path) -> None:
        """Write ``path`` (Parquet, zstd), and item_counts and top_items to two more files in its folder."""
        table = pa.table({name: getattr(self, name).astype(dtype) for name, dtype in _COLUMNS.items()})
        metadata = {"schema": str(SCHEMA_VERSION), **{k: str(v) for k, v in (self.meta or {}).items()}}
        pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")
        items = pa.table({"count": self.item_counts.astype(np.int64)})
        pq.write_table(items, path.with_name("items.parquet"), compression="zstd")
        if self.top_items is not None:
            lists = pa.FixedSizeListArray.from_arrays(self.top_items.astype(np.int32).ravel(), self.top_items.shape[1])
            pq.write_table(pa.table({"items": lists}), path.with_name("lists.parquet"), compression="zstd")

    @classmethod
    def read(cls, path: Path, files: Mapping[str, str] | None = None) -> RankTable:
        """Read a table that ``write`` wrote.

        files: the SHA-256 of each file in the record of the cell, where there is one. Raises ValueError for another
        schema version, a changed file, and a row that no ranking gives.
        """
        columns, metadata = read_parquet_columns(pa.BufferReader(_stored(path, files)))
        cls.check_schema(path, metadata)
        for name, dtype in _COLUMNS.items():
            if name not in columns or columns[name].dtype != dtype:
                found = columns[name].dtype if name in columns else "missing"
                raise SealBroken(f"its column {name} is {found}, expected {np.dtype(dtype)}")
        metadata.pop("schema")
        lists = path.with_name("lists.parquet")
        has_lists = lists.exists() if files is None else lists.name in files
        table = cls(
            **{name: columns[name] for name in _COLUMNS},
            item_counts=_column(path.with_name("items.parquet"), files, "count", 1),
            top_items=_column(lists, files, "items", 2) if has_lists else None,
            meta=metadata,
        )
        table.check_rows()
        return table

    def check_rows(self) -> None:
        """Raise SealBroken naming the first row that no ranking gives: a count or an item outside its range."""
        last = self.candidates.astype(np.int64) - 1
        missed = (self.greater == self.candidates) & (self.tied == 0)  # a target that could not be recommended
        for name, wrong, expected in (
            ("candidates", self.candidates < 0, "at least 0"),
            ("greater", self.greater < 0, "at least 0"),
            ("tied", self.tied < 0, "at least 0"),
            ("greater", (self.greater.astype(np.int64) + self.tied > last) & ~missed, "with tied below candidates"),
            ("target", (self.target < -1) | (self.target >= self.num_items), f"-1 to {self.num_items - 1}"),
            ("query", self.query < 0, "at least 0"),
        ):
            if wrong.any():
                row = int(wrong.argmax())
                raise SealBroken(f"row {row}: {name} is {getattr(self, name)[row]}, expected {expected}")

    @staticmethod
    def check_schema(path: Path, metadata: dict[str, str]) -> None:
        """Raise ValueError unless the file's metadata has the schema that this program reads."""
        version = metadata.get("schema")
        if version != str(SCHEMA_VERSION):
            raise ValueError(
                f"{path}: rank table of schema {version}, but this program reads schema {SCHEMA_VERSION}; "
                f"remove its folder and run again"
            )


def _stored(path: Path, files: Mapping[str, str] | None) -> bytes:
    """The bytes of a file, compared with its SHA-256 where that is known."""
    return path.read_bytes() if files is None else checked_bytes(path, files)


def _column(path: Path, files: Mapping[str, str] | None, name: str, dimensions: int) -> np.ndarray:
    """The whole numbers in a column of a file beside the ranks. Raises ValueError naming the file."""
    with name_damaged(path):
        found = _columns(_stored(path, files)).get(name)
        if found is None or found.ndim != dimensions or found.dtype.kind != "i":
            raise SealBroken(f"expected a column {name} of whole numbers")
    return found


@functools.lru_cache(maxsize=8)
def _columns(stored: bytes) -> dict[str, np.ndarray]:
    """Parse a file; all cells of a data set share the training counts in items.parquet."""
    return read_parquet_columns(pa.BufferReader(stored))[0]
