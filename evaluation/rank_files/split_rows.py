"""Ranks of a split's own test targets, joined from a file of any origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluation.rank_files.item_lists import TrueItems, is_list, rank_true_items, read_true_items
from evaluation.rank_files.join import matched_rows
from evaluation.rank_files.rank_columns import UNKNOWN_CANDIDATES
from evaluation.rank_files.read import DROPPED, RankFile, to_rank_file
from evaluation.rank_files.tables import CLUSTERS, FileTable, InvalidRankFile
from evaluation.ranking.rank_table import RankTable
from recsys_data.split import HeldOut, Split

HEADER_LINES = 2  # the first row of queries.csv, whose lines messages name, is line 2
QUERY, CODES = "query", "cluster"  # owner columns of files without users, and of Encore's own tables


@dataclass(frozen=True, eq=False)
class SplitRanks:
    """The ranks of a split's targets; depth: length of the lists they come from, or None; notes on how it was read."""

    ranks: RankTable
    depth: int | None
    notes: tuple[str, ...]
    caveats: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Targets:
    """The rows that a file must have: each known target of each query once, per repeat.

    rows, query (R,) int64: the place in the test part's targets, and the query; repeat (R,) int64.
    """

    split: Split
    where: str
    rows: np.ndarray
    query: np.ndarray
    repeat: np.ndarray

    @classmethod
    def of(cls, split: Split, where: str) -> _Targets:
        test = split.test
        query = np.repeat(np.arange(len(test)), np.diff(test.target_offsets))
        order = np.lexsort((test.targets, query))
        first = np.ones(len(order), dtype=bool)
        first[1:] = (query[order][1:] != query[order][:-1]) | (test.targets[order][1:] != test.targets[order][:-1])
        rows = np.sort(order[first & (test.targets[order] >= 0)])
        repeats = test.repeats if test.num_sampled else 1
        repeat = np.tile(np.arange(repeats), len(rows))
        return cls(split, where, np.repeat(rows, repeats), np.repeat(query[rows], repeats), repeat)

    def owners(self, column: str) -> np.ndarray:
        """The owner of each row as text: the query, the number of the cluster, or the raw id of its user."""
        test = self.split.test
        clusters = test.clusters[test.sequence_of[self.query]]
        if column == QUERY:
            return self.query.astype(str)
        ids = self.split.user_ids
        return (clusters if column == CODES or ids is None else ids[clusters]).astype(str)

    def items(self, column: str) -> np.ndarray:
        """The target of each row as text: the number of the item in Encore's own tables, else its raw id."""
        codes = self.split.test.targets[self.rows]
        return (codes if column == CODES else self.split.item_ids[codes]).astype(str)

    def like(self, file: RankFile) -> RankFile:
        """The rows as a rank file with the columns of ``file``, to be joined with it."""
        column, nothing = file.cluster_name, np.zeros(len(self.rows), dtype=np.int64)
        return replace(
            file,
            name=self.where,
            cluster=self.owners(column),
            query=None if file.query is None else self.query.astype(str),
            target=None if file.target is None else self.items(column),
            repeat=self.repeat,
            lines=self.rows + HEADER_LINES,
            **dict.fromkeys(("greater", "tied", "candidates"), nothing),
        )


def ranks_on_split(
    tables: Sequence[FileTable], name: str, split: Split, where: str, qrels: FileTable | None = None
) -> SplitRanks:
    """Join the ranks, or the lists, in ``tables`` on the targets of the split's test part.

    name, where: of the file and of the test part in messages. qrels: the true items of lists; they must be the test
    part's. Rows match by user or session (of the raw data) and query (a number of queries.csv), as far as the file has
    them, and true item. A target outside the catalogue is a miss and needs no row. Raises InvalidRankFile naming the
    first row that is missing, additional or doubled.
    """
    wanted = _Targets.of(split, where)
    owner = _owner(tables[0])
    if qrels is not None or all(map(is_list, tables)):
        file = _from_lists(tables, name, wanted, owner, qrels)
        rows = np.arange(len(wanted.rows))
    else:
        file = _without_dropped(to_rank_file(tables, name, owner))
        file = replace(file, name=name)
        expected = wanted.like(file)
        _, (ours, theirs) = matched_rows([expected, file])
        rows = np.empty(len(ours), dtype=np.int64)
        rows[ours] = theirs
    return _table(wanted, file, rows)


def _owner(table: FileTable) -> str | None:
    """The column of each query's owner: None for the usual ones, the query where a file names no user."""
    if table.is_trec or "cluster" in table.columns or any(column in table.columns for column in CLUSTERS):
        return None
    return QUERY if QUERY in table.columns else None


def _without_dropped(file: RankFile) -> RankFile:
    """The rows of Encore's own table without the targets that the protocol dropped, which are misses everywhere."""
    if file.cluster_name != CODES or file.target is None:
        return file
    kept = ~np.char.startswith(file.target, DROPPED)
    columns = ("cluster", "query", "target", "repeat", "greater", "tied", "candidates", "lines")
    return replace(file, **{column: getattr(file, column)[kept] for column in columns})


def _from_lists(
    tables: Sequence[FileTable], name: str, wanted: _Targets, owner: str | None, qrels: FileTable | None
) -> RankFile:
    """The rank of each wanted row in its query's list, in the order of the wanted rows."""
    first = tables[0]
    column = QUERY if first.is_trec else first.owner(owner)
    if wanted.repeat.any() or wanted.split.test.num_sampled:
        raise InvalidRankFile(
            f"{name} holds lists, but {wanted.where} ranks among sampled items; give ranks of targets"
        )
    queries = wanted.query.astype(str).tolist()
    with_query = column != QUERY and QUERY in first.columns
    keys = [(own, query if with_query else "") for own, query in zip(wanted.owners(column), queries, strict=True)]
    if not with_query and column != QUERY:
        _refuse_several_queries(first.name, column, keys, queries)
    items: dict[tuple[str, str], list[str]] = {}
    for key, item in zip(keys, wanted.items(column).tolist(), strict=True):
        items.setdefault(key, []).append(item)
    true = TrueItems(wanted.where, items, ())
    notes: tuple[str, ...] = ()
    if qrels is not None:
        given = read_true_items(qrels, owner)
        _refuse_other_items(given, true, column)
        notes = given.notes
    file = rank_true_items(tables, name, true, owner, exact=True)
    if file.depth == 1:
        raise InvalidRankFile(f"{name} lists one item per query; give longer lists, or the rank of each true item with "
                              "the columns target and rank")  # fmt: skip
    return replace(file, notes=(*notes, *file.notes))


def _refuse_several_queries(name: str, column: str, keys: Sequence[tuple[str, str]], queries: Sequence[str]) -> None:
    """Refuse lists by user where a user has several queries."""
    known: dict[tuple[str, str], str] = {}
    for key, query in zip(keys, queries, strict=True):
        if known.setdefault(key, query) != query:
            raise InvalidRankFile(f"{name} has no column query, and {column} {key[0]} has several queries; add the "
                                  "column with the numbers of queries.csv")  # fmt: skip


def _refuse_other_items(given: TrueItems, true: TrueItems, column: str) -> None:
    """Refuse true items that are not those of the test part."""
    for key in {**given.items, **true.items}:
        theirs, ours = (set(found.items.get(key, ())) for found in (given, true))
        if theirs != ours:
            item = min(theirs ^ ours)
            has, lacks = (given.name, true.name) if item in theirs else (true.name, given.name)
            what = f"{column} {' query '.join(filter(None, key))}, item {item}"
            raise InvalidRankFile(f"{given.name} and {true.name} differ: {what} is in {has} and not in {lacks}; "
                                  "the true items must be those of the same test set")  # fmt: skip


def _table(wanted: _Targets, file: RankFile, rows: np.ndarray) -> SplitRanks:
    """The table of all targets of the test part, from the file's ``rows`` for the wanted ones."""
    test, repeats = wanted.split.test, int(wanted.repeat.max(initial=0)) + 1
    counts = np.diff(test.target_offsets)
    query = np.repeat(np.repeat(np.arange(len(test)), counts), repeats)
    targets = np.repeat(test.targets, repeats)
    usual = candidates_of(test, wanted.split.train.num_items)
    candidates, caveats = usual[query], []
    greater, tied = candidates.copy(), np.zeros(len(query), dtype=np.int64)  # a miss, unless the file has a row
    above, equal, among = (getattr(file, name)[rows] for name in ("greater", "tied", "candidates"))
    missed, known, own = above >= among, among < UNKNOWN_CANDIDATES, usual[wanted.query]
    _refuse_beyond(file, wanted, ~missed & ~known & (above + equal >= own), rows, above + equal, own)
    others = np.flatnonzero(known & (among != own))
    if len(others):
        caveats.append(
            f"OTHER CANDIDATES: {len(others):,} of {len(rows):,} targets were ranked among other candidates "
            f"({among[others[0]]:,} against {own[others[0]]:,} here in the first of them)"
        )
    among = np.where(known, among, own)
    where = wanted.rows * repeats + wanted.repeat
    candidates[where], greater[where] = among, np.where(missed, among, above)
    tied[where] = np.where(missed, 0, equal)
    _repeat_items(query, targets, np.tile(np.arange(repeats), len(test.targets)), candidates, greater, tied)
    if test.num_sampled:
        caveats.append("DRAWN ELSEWHERE: the other code drew the sampled candidates itself, so they are other items")
    if file.depth is not None:
        caveats.append(f"KEPT TO {file.depth}: its lists hold at most {file.depth} items; one they lack is a miss")
    ranks = RankTable(
        cluster=test.clusters[test.sequence_of[query]].astype(np.int32),
        query=query.astype(np.int32),
        target=targets.astype(np.int32),
        repeat=np.tile(np.arange(repeats, dtype=np.int16), len(test.targets)),
        history=test.history_lengths[query].astype(np.int32),
        candidates=candidates.astype(np.int32),
        greater=greater.astype(np.int32),
        tied=tied.astype(np.int32),
        item_counts=wanted.split.train.item_counts.copy(),
        meta={"candidate_rule": _rule(file, test)},
    )
    ranks.check_rows()
    return SplitRanks(ranks, file.depth, file.notes, tuple(caveats))


def _rule(file: RankFile, test: HeldOut) -> str:
    """The candidates in words: those of the file where it says so."""
    return file.candidate_rule or ("random items" if test.num_sampled else "as the other code ranks them")


def _refuse_beyond(
    file: RankFile, wanted: _Targets, wrong: np.ndarray, rows: np.ndarray, places: np.ndarray, own: np.ndarray
) -> None:
    """Refuse a rank that is impossible among the split's candidates, in a file that says of no others."""
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InvalidRankFile(
            f"{file.name}, line {file.lines[rows[at]]}: rank {places[at] + 1:,} is beyond the {own[at]:,} candidates "
            f"of {wanted.where}; write a miss as an empty value, or add a column candidates if the other code ranks "
            "more items"
        )


def _repeat_items(query: np.ndarray, targets: np.ndarray, repeat: np.ndarray, *columns: np.ndarray) -> None:
    """Give the later occurrences of an item in a query what its first occurrence has, in place."""
    order = np.lexsort((repeat, targets, query))  # stable: the first occurrence comes first
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (targets[order][1:] >= 0) & (
        np.stack([c[order][1:] == c[order][:-1] for c in (query, targets, repeat)]).all(axis=0)
    )
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    for column in columns:
        column[order] = column[order][first]


def candidates_of(held_out: HeldOut, num_items: int) -> np.ndarray:
    """The number of candidates of each query, (Q,) int64, as rank_held_out counts them."""
    if held_out.num_sampled:
        return np.full(len(held_out), held_out.num_sampled + 1, dtype=np.int64)
    if not held_out.exclude_seen:
        return np.full(len(held_out), num_items, dtype=np.int64)
    sequences = held_out.sequences
    order = np.lexsort((sequences.items, sequences.owners()))  # stable: the first occurrence comes first
    again = np.zeros(len(order), dtype=bool)
    owners, items = sequences.owners()[order], sequences.items[order]
    again[1:] = (owners[1:] == owners[:-1]) & (items[1:] == items[:-1])
    fresh = np.zeros(len(order), dtype=np.int64)
    fresh[order] = ~again
    seen = np.concatenate([[0], np.cumsum(fresh)])
    starts = sequences.offsets[held_out.sequence_of]
    return num_items - (seen[starts + held_out.history_lengths] - seen[starts])
