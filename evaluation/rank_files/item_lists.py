"""Ranked lists of items (TREC runs, or CSV with user, item, rank or score) and the true items: ranks of targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.rank_files.rank_columns import UNKNOWN_CANDIDATES
from evaluation.rank_files.read import RankFile, find_tables
from evaluation.rank_files.tables import QRELS, FileTable, InvalidRankFile

ITEM_NAMES = ("item", "item_id", "itemid", "target", "doc", "docid")
GRADE_NAMES = ("relevance", "rel", "grade", "label")
UNLISTED = -1
Key = tuple[str, str]  # owner and query; the query is "" where a file has no such column


@dataclass(frozen=True)
class TrueItems:
    """The relevant items of each query, in the order of the file ``name``; notes: how it was read."""

    name: str
    items: Mapping[Key, list[str]]
    notes: tuple[str, ...]


def find_true_items(path: Path) -> FileTable:
    """Read the one table of true items in ``path``."""
    tables = find_tables(path)
    if len(tables) > 1:
        raise InvalidRankFile(f"{path} is a folder; {QRELS} needs one file")
    return tables[0]


def read_true_items(table: FileTable, cluster: str | None) -> TrueItems:
    """Read TREC's relevance judgements, or a table with user (or session), query (optional), item, relevance."""
    if table.is_trec and "relevance" not in table.columns:
        raise InvalidRankFile(
            f"{table.name} is a TREC run; {QRELS} needs judgements: query, iteration, item, relevance"
        )
    codes, names = _coded_keys(table, cluster)
    keys, items = [names[code] for code in codes.tolist()], table.keys(_column(table, ITEM_NAMES))
    grade = next((name for name in GRADE_NAMES if name in table.columns), None)
    grades = table.numbers(grade) if grade else np.ones(len(items))
    if grade:
        table.refuse(grade, table.texts, ~np.isfinite(grades), "must be a number")
    found: dict[Key, list[str]] = {}
    for key, item, relevance in zip(keys, items.tolist(), grades.tolist(), strict=True):
        true = found.setdefault(key, [])
        if relevance > 0 and item not in true:
            true.append(item)
    without = [key for key, true in found.items() if not true]
    found = {key: true for key, true in found.items() if true}
    if not found:
        raise InvalidRankFile(f"{table.name} has no item of a relevance above 0")
    notes = []
    if (grades > 0).any() and len(np.unique(grades[grades > 0])) > 1:
        notes.append(f"{table.name}: every grade above 0 counts as relevant; metrics here know no grades.")
    if without:
        notes.append(f"{table.name}: queries without a relevant item, which are left out: {len(without):,}.")
    return TrueItems(table.name, found, tuple(notes))


def is_list(table: FileTable) -> bool:
    """Whether a table can only hold lists of items: a TREC file, or items with scores and no targets or counts."""
    return table.is_trec or ("score" in table.columns and not {"target", "greater"} & set(table.columns))


def rank_true_items(
    tables: Sequence[FileTable], name: str, true: TrueItems, cluster: str | None, *, exact: bool = False
) -> RankFile:
    """Return the rank of each true item in its query's list, in the order of ``true``; one that it lacks is a miss.

    Lists are ordered by ``score``, equal scores are ties; without scores by ``rank``. exact: refuse queries without a
    list, and lists of other queries, which are otherwise noted.
    """
    lists, notes = _read_lists(tables, cluster)
    if exact:
        _refuse_other_queries(lists.keys, true, name, tables[0], cluster)
    if not any(key in lists.keys for key in true.items):
        owner = _owner(tables[0], cluster)
        example, known = _named(next(iter(lists.keys)), owner), _named(next(iter(true.items)), owner)
        raise InvalidRankFile(f"{name} and {true.name} share no query: one has {example}, the other {known}")
    rows = [(*key, item) for key, items in true.items.items() for item in items]
    owners, queries, targets = zip(*rows, strict=True)
    greater, tied = lists.place(
        np.array([lists.keys.get(row[:2], UNLISTED) for row in rows]),
        np.array([lists.items.get(item, UNLISTED) for item in targets]),
    )
    missing, extra = sum(key not in lists.keys for key in true.items), sum(key not in true.items for key in lists.keys)
    if missing:
        share = f"{missing:,} of {len(true.items):,}"
        notes.append(f"{name}: queries without a list, whose true items are misses: {share}.")
    if extra:
        notes.append(f"{name}: lists without true items in {true.name}, which are left out: {extra:,}.")
    return RankFile(
        name=name,
        cluster_name=_owner(tables[0], cluster),
        cluster=np.array(owners, dtype=str),
        query=np.array([f"{owner} {query}" for owner, query in zip(owners, queries, strict=True)], dtype=str),
        target=np.array(targets, dtype=str),
        repeat=np.zeros(len(rows), dtype=np.int64),
        greater=greater,
        tied=tied,
        candidates=np.where(greater == UNKNOWN_CANDIDATES, 0, greater + tied) + UNKNOWN_CANDIDATES,
        lines=np.arange(1, len(rows) + 1),
        notes=tuple(notes),
        depth=int(np.bincount(lists.key).max()),
    )


def _refuse_other_queries(
    lists: Mapping[Key, object], true: TrueItems, name: str, table: FileTable, cluster: str | None
) -> None:
    """Refuse lists whose queries are not exactly those of the true items; name the first."""
    owner = _owner(table, cluster)
    for here, there, partner in ((lists, true.items, true.name), (true.items, lists, name)):
        key = next((key for key in here if key not in there), None)
        if key is not None:
            raise InvalidRankFile(
                f"{true.name} and {name} differ: {_named(key, owner)} is not in {partner}; a comparison needs the same "
                "test set"
            )


@dataclass(frozen=True, eq=False)
class _Lists:
    """Items with scores, higher first: key, item (R,) int64 number the queries ``keys`` and the texts ``items``.

    The queries are in the order of the file.
    """

    keys: Mapping[Key, int]
    items: Mapping[str, int]
    key: np.ndarray
    item: np.ndarray
    scores: np.ndarray

    def place(self, key: np.ndarray, item: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many other items of each list ``key`` (N,) score above its ``item`` (N,), and how many as it.

        Where a list lacks the item: UNKNOWN_CANDIDATES and 0.
        """
        listed = self.key * len(self.items) + self.item
        order = np.argsort(listed)
        wanted = key * len(self.items) + item
        row = order[np.minimum(np.searchsorted(listed, wanted, sorter=order), len(order) - 1)]
        found = (listed[row] == wanted) & (key != UNLISTED) & (item != UNLISTED)

        values, level = np.unique(self.scores, return_inverse=True)
        levels = self.key * len(values) + level
        ordered, own = np.sort(levels), levels[row]
        low, high = (np.searchsorted(ordered, own, side) for side in ("left", "right"))
        end = np.searchsorted(ordered, (self.key[row] + 1) * len(values))
        return np.where(found, end - high, UNKNOWN_CANDIDATES), np.where(found, high - low - 1, 0)


def _read_lists(tables: Sequence[FileTable], cluster: str | None) -> tuple[_Lists, list[str]]:
    """Return the lists in all tables, and notes."""
    keys: dict[Key, int] = {}
    items: dict[str, int] = {}
    notes: list[str] = []
    parts = []
    for table in tables:
        if "score" not in table.columns and (counts := {"target", "greater"} & set(table.columns)):
            raise InvalidRankFile(
                f"{table.name} holds ranks of true items (column {min(counts)}), and {QRELS} is for lists of items; "
                "give files of one kind"
            )
        if table.is_trec and "relevance" in table.columns:
            raise InvalidRankFile(
                f"{table.name} holds relevance judgements; give it with {QRELS}, and a run in its place"
            )
        key = _number_in(keys, *_coded_keys(table, cluster))
        item = _number_in(items, *table.coded_keys(_column(table, ITEM_NAMES)))
        parts.append((key, item, _scores(table, key, notes)))
    lists = _Lists(keys, items, *map(np.concatenate, zip(*parts, strict=True)))
    _refuse_repeated_items(lists, tables, cluster)
    return lists, notes


def _number_in(known: dict[Any, int], codes: np.ndarray, names: Sequence[Any]) -> np.ndarray:
    """Return the number in ``known`` of each row's name; names that it lacks are added in the order of the rows."""
    used, first = np.unique(codes, return_index=True)
    numbers = np.zeros(len(names), dtype=np.int64)
    for code in used[np.argsort(first)].tolist():
        numbers[code] = known.setdefault(names[code], len(known))
    return numbers[codes]


def _refuse_repeated_items(lists: _Lists, tables: Sequence[FileTable], cluster: str | None) -> None:
    """Refuse a list with an item in two places; name the first row that repeats one, and the row that it repeats."""
    listed = lists.key * len(lists.items) + lists.item
    order = np.argsort(listed, kind="stable")
    again = np.flatnonzero(listed[order][1:] == listed[order][:-1])
    if not len(again):
        return
    place = again[np.argmin(order[again + 1])]
    first, second = order[place], order[place + 1]
    ends = np.cumsum([table.table.num_rows for table in tables])
    table = tables[int(np.searchsorted(ends, second, "right"))]
    lines = np.concatenate([table.lines for table in tables])
    key, item = list(lists.keys)[lists.key[second]], list(lists.items)[lists.item[second]]
    raise InvalidRankFile(
        f"{table.name}, line {lines[second]}: {_named(key, _owner(table, cluster))} lists item {item} twice, first in "
        f"line {lines[first]}; an item has one place in a list"
    )


def _scores(table: FileTable, key: np.ndarray, notes: list[str]) -> np.ndarray:
    """Return the scores of a list's items, higher first: the column score, or the negative rank."""
    ranks = -table.numbers("rank") if "rank" in table.columns else None
    if "score" not in table.columns and ranks is None:
        raise InvalidRankFile(f"{table.name} has no column score or rank: it has {', '.join(table.columns)}")
    column = "score" if "score" in table.columns else "rank"
    scores = table.numbers(column) if column == "score" else ranks
    table.refuse(column, table.texts, ~np.isfinite(scores), "must be a number")
    if column == "score" and ranks is not None:
        order = np.lexsort((-scores, -ranks, key))
        falls = (scores[order][1:] > scores[order][:-1]) & (key[order][1:] == key[order][:-1])
        if falls.any():
            line = table.lines[order[1:][np.argmax(falls)]]
            notes.append(
                f"{table.name}: scores and ranks disagree, first at line {line}; scores decide, as in trec_eval."
            )
    return scores


def _owner(table: FileTable, cluster: str | None) -> str:
    """Return the column of each list's owner."""
    return "query" if table.is_trec else table.owner(cluster)


def _named(key: Key, owner: str) -> str:
    """Return a list in words."""
    return f"{owner} {key[0]}" + (f", query {key[1]}" if key[1] else "")


def _coded_keys(table: FileTable, cluster: str | None) -> tuple[np.ndarray, list[Key]]:
    """Return the number (R,) of each row's owner and query in a list of these."""
    owner = _owner(table, cluster)
    codes, owners = table.coded_keys(owner)
    if "query" not in table.columns or owner == "query":
        return codes, [(name, "") for name in owners]
    own, queries = table.coded_keys("query")
    pairs, codes = np.unique(codes * len(queries) + own, return_inverse=True)
    return codes, [(owners[pair // len(queries)], queries[pair % len(queries)]) for pair in pairs.tolist()]


def _column(table: FileTable, names: Sequence[str]) -> str:
    """Return the first of these columns that a table has."""
    found = next((name for name in names if name in table.columns), None)
    if found is None:
        raise InvalidRankFile(f"{table.name} has no column {names[0]}: it has {', '.join(table.columns)}")
    return found
