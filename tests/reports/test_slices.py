import dataclasses

import numpy as np
import pytest

from evaluation.metrics import Recall
from evaluation.ranks import RankTable
from reports.blocks import Picture, Section, Table, Words
from reports.chapters.slices import by_history, by_popularity, part
from reports.layout import items, kept_together


def ranks(history, target, greater, item_counts):
    rows = len(history)
    zeros = np.zeros(rows, dtype=np.int32)
    return RankTable(
        cluster=np.arange(rows), query=np.arange(rows), target=np.array(target), repeat=zeros,
        history=np.array(history), candidates=np.full(rows, 100), greater=np.array(greater), tied=zeros,
        item_counts=np.array(item_counts),
    )  # fmt: skip


def test_history_bins_join_what_is_too_few():
    # 25 histories of 1, 5 of 2, 25 of 3, 30 of 7, 3 of 60: the 2s join the 3s, the 60s join the 7s
    history = [1] * 25 + [2] * 5 + [3] * 25 + [7] * 30 + [60] * 3
    bins = by_history(ranks(history, [0] * 88, [0] * 88, [1]))
    assert bins.names == ["0–1", "2–5", "6–60"]
    assert [int(mask.sum()) for mask in bins.masks] == [25, 30, 33]


def test_history_bins_hold_every_row_once(store):
    some = next((store / "cells").glob("*/ranks.parquet"))
    bins = by_history(RankTable.read(some))
    assert np.array_equal(np.sum(bins.masks, axis=0), np.ones(360))


def test_popularity_is_by_thirds_of_the_training_events():
    # counts 60, 30, 30, 30, 30, 0: events before each item 0, 60, 90, 120, 150; thirds of 180 begin at 0, 60 and 120
    target = [0] * 20 + [1] * 20 + [2] * 20 + [3] * 20 + [4] * 20 + [5] * 20 + [-1] * 3
    bins = by_popularity(ranks([1] * 123, target, [0] * 123, [60, 30, 30, 30, 30, 0]))
    assert bins.names == ["head third", "middle third", "tail third", "unseen"]
    assert [int(mask.sum()) for mask in bins.masks] == [20, 40, 40, 23]


def test_a_part_is_measured_like_the_whole():
    table = ranks([1, 1, 9, 9], [0, 0, 0, 0], [0, 50, 0, 0], [1])
    assert Recall(20).measure(part(table, table.history == 1)) == pytest.approx(0.5)  # one of two
    assert Recall(20).measure(part(table, table.history == 9)) == pytest.approx(1.0)


def test_the_slices_of_the_store_agree_with_its_cells(store, report):
    table = next(t for t in report.tables() if t.anchor == "cut-1-table")
    standing = next(t for t in report.tables() if t.anchor == "standing-1")
    means = {r.entries[0].text: standing.entry(r, "MRR@20").value for r in standing.rows if not r.kind}
    for row in table.rows:
        assert table.entry(row, "20").value == pytest.approx(means[row.entries[0].text], rel=1e-12)


def test_layout_puts_beside_and_keeps_together():
    picture = Picture("p", "lines", "l", "c", {})
    beside = Table("t", "c", (), (), beside=True)
    long = Table("l", "c", (), tuple(range(40)))
    words = Words("h", ("short",))
    section = Section("s", "S", (words, picture, beside, beside, long, words, dataclasses.replace(beside, anchor="x")))
    assert [len(item.blocks) for item in items(section)] == [1, 3, 1, 1, 1]
    groups = [[item.blocks[0] for item in group] for group in kept_together(section)]
    assert groups[0] == [words, picture]  # an introduction stays with what it introduces
    assert groups[1] == [long]  # a long table may be cut, so it stands alone
    assert groups[2][0] == words
