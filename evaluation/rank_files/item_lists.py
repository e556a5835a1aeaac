"""Ranked lists of items (TREC runs, or CSV with user, item, rank or score) and the true items: ranks of targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.rank_files.rank_columns import UNKNOWN_CANDIDATES
from evaluation.rank_files.read import RankFile, find_tables
from evaluation.rank_files.tables import FileTable, InvalidRankFile

ITEM_NAMES = ("item", "item_id", "itemid", "target", "doc", "docid")
GRADE_NAMES = ("relevance", "rel", "grade", "label")
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
        raise InvalidRankFile(f"{path} is a folder; --qrels needs one file")
    return tables[0]


def read_true_items(table: FileTable, cluster: str | None) -> TrueItems:
    """Read TREC's relevance judgements, or a table with user (or session), query (optional), item, relevance."""
    if table.is_trec and "relevance" not in table.columns:
        raise InvalidRankFile(
            f"{table.name} is a TREC run; --qrels needs judgements: query, iteration, item, relevance"
        )
    keys, items = _keys(table, cluster), table.keys(_column(table, ITEM_NAMES))
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
        _refuse_other_queries(lists, true, name, tables[0], cluster)
    if not any(key in lists for key in true.items):
        example, known = next(iter(lists))[0], next(iter(true.items))[0]
        raise InvalidRankFile(
            f"{name} and {true.name} share no query: one has {example!r}, the other {known!r}, for example"
        )
    rows = []
    for (owner, query), items in true.items.items():
        scores = lists.get((owner, query), {})
        ordered = np.sort(np.fromiter(scores.values(), dtype=np.float64))
        for item in items:
            above = equal = UNKNOWN_CANDIDATES
            if item in scores:
                low, high = (
                    np.searchsorted(ordered, scores[item], "left"),
                    np.searchsorted(ordered, scores[item], "right"),
                )
                above, equal = len(ordered) - high, high - low - 1
            rows.append((owner, query, item, above, 0 if item not in scores else equal))
    owners, queries, targets, greater, tied = zip(*rows, strict=True)
    missing, extra = sum(key not in lists for key in true.items), sum(key not in true.items for key in lists)
    if missing:
        share = f"{missing:,} of {len(true.items):,}"
        notes.append(f"{name}: queries without a list, whose true items are misses: {share}.")
    if extra:
        notes.append(f"{name}: lists without true items in {true.name}, which are left out: {extra:,}.")
    counted = np.array(greater, dtype=np.int64)
    return RankFile(
        name=name,
        cluster_name=tables[0].owner(cluster) if not tables[0].is_trec else "query",
        cluster=np.array(owners, dtype=str),
        query=np.array([f"{owner} {query}" for owner, query in zip(owners, queries, strict=True)], dtype=str),
        target=np.array(targets, dtype=str),
        repeat=np.zeros(len(rows), dtype=np.int64),
        greater=counted,
        tied=np.array(tied, dtype=np.int64),
        candidates=np.where(counted == UNKNOWN_CANDIDATES, 0, counted + np.array(tied)) + UNKNOWN_CANDIDATES,
        lines=np.arange(1, len(rows) + 1),
        notes=tuple(notes),
        depth=max(map(len, lists.values())),
    )


def _refuse_other_queries(
    lists: Mapping[Key, object], true: TrueItems, name: str, table: FileTable, cluster: str | None
) -> None:
    """Refuse lists whose queries are not exactly those of the true items; name the first."""
    owner = "query" if table.is_trec else table.owner(cluster)
    for here, there, partner in ((lists, true.items, true.name), (true.items, lists, name)):
        key = next((key for key in here if key not in there), None)
        if key is not None:
            what = f"{owner} {key[0]}" + (f", query {key[1]}" if key[1] else "")
            raise InvalidRankFile(f"{true.name} and {name} differ: {what} is not in {partner}; a comparison needs the "
                                  "same test set")  # fmt: skip


def _read_lists(tables: Sequence[FileTable], cluster: str | None) -> tuple[dict[Key, dict[str, float]], list[str]]:
    """Return the score of each item in each query's list, and notes."""
    lists: dict[Key, dict[str, float]] = {}
    lines: dict[tuple[Key, str], int] = {}
    notes = []
    for table in tables:
        if table.is_trec and "relevance" in table.columns:
            raise InvalidRankFile(
                f"{table.name} holds relevance judgements; give it with --qrels and a run in its place"
            )
        keys, items = _keys(table, cluster), table.keys(_column(table, ITEM_NAMES))
        scores = _scores(table, keys, notes)
        for key, item, score, line in zip(keys, items.tolist(), scores.tolist(), table.lines.tolist(), strict=True):
            if item in lists.setdefault(key, {}):
                raise InvalidRankFile(
                    f"{table.name}, line {line}: {' '.join(filter(None, key))} lists {item} twice, first in line "
                    f"{lines[key, item]}; an item has one place in a list"
                )
            lists[key][item] = score
            lines[key, item] = line
    return lists, notes


def _scores(table: FileTable, keys: Sequence[Key], notes: list[str]) -> np.ndarray:
    """Return the scores of a list's items, higher first: the column score, or the negative rank."""
    ranks = -table.numbers("rank") if "rank" in table.columns else None
    if "score" not in table.columns and ranks is None:
        raise InvalidRankFile(f"{table.name} has no column score or rank: it has {', '.join(table.columns)}")
    column = "score" if "score" in table.columns else "rank"
    scores = table.numbers(column) if column == "score" else ranks
    table.refuse(column, table.texts, ~np.isfinite(scores), "must be a number")
    if column == "score" and ranks is not None:
        _, query = np.unique(np.array([" ".join(key) for key in keys]), return_inverse=True)
        order = np.lexsort((-scores, -ranks, query))
        falls = (scores[order][1:] > scores[order][:-1]) & (query[order][1:] == query[order][:-1])
        if falls.any():
            line = table.lines[order[1:][np.argmax(falls)]]
            notes.append(
                f"{table.name}: scores and ranks disagree, first at line {line}; scores decide, as in trec_eval."
            )
    return scores


def _keys(table: FileTable, cluster: str | None) -> list[Key]:
    """Return the owner and query of each row."""
    owner = "query" if table.is_trec else table.owner(cluster)
    owners = table.keys(owner).tolist()
    queries = table.keys("query").tolist() if "query" in table.columns and owner != "query" else [""] * len(owners)
    return list(zip(owners, queries, strict=True))


def _column(table: FileTable, names: Sequence[str]) -> str:
    """Return the first of these columns that a table has."""
    found = next((name for name in names if name in table.columns), None)
    if found is None:
        raise InvalidRankFile(f"{table.name} has no column {names[0]}: it has {', '.join(table.columns)}")
    return found
