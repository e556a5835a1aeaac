import dataclasses

import pytest

from evaluation.metrics.slices import SLICINGS
from evaluation.ranking.rank_table import RankTable
from reports.document.blocks import Figure, Section, Table, Text
from reports.output.layout import items, keep_together


def test_every_way_of_slicing_with_more_than_one_bin_is_shown(store, report):
    ranks = RankTable.read(next((store / "cells").glob("*/ranks.parquet")))
    tables = {table.anchor: table for table in report.tables()}
    for number, slicing in enumerate(SLICINGS):
        bins = slicing.of(ranks)
        assert (f"bins-{number}-1-table" in tables) == (len(bins.names) > 1)
        if len(bins.names) > 1:
            table = tables[f"bins-{number}-1-table"]
            assert slicing.axis in table.caption
            counted = next(row for row in table.rows if row.kind == "reference")
            assert [table.entry(counted, name).value for name in bins.names] == bins.sizes.tolist()
    assert "bins-2-1-table" in tables  # the users of the store ask several queries each
    assert "bins-3-1-table" not in tables  # and all its items occur in training


def test_the_slices_of_the_store_agree_with_its_cells(store, report):
    table = next(t for t in report.tables() if t.anchor == "cut-1-table")
    standing = next(t for t in report.tables() if t.anchor == "standing-1")
    means = {r.entries[0].text: standing.entry(r, "MRR@20").value for r in standing.rows if not r.kind}
    for row in table.rows:
        assert table.entry(row, "20").value == pytest.approx(means[row.entries[0].text], rel=1e-12)


def test_layout_puts_beside_and_keeps_together():
    figure = Figure("p", "lines", "l", "c", {})
    beside = Table("t", "c", (), (), beside=True)
    long = Table("l", "c", (), tuple(range(40)))
    words = Text("h", ("short",))
    section = Section("s", "S", (words, figure, beside, beside, long, words, dataclasses.replace(beside, anchor="x")))
    assert [len(item.blocks) for item in items(section)] == [1, 3, 1, 1, 1]
    groups = [[item.blocks[0] for item in group] for group in keep_together(section)]
    assert groups[0] == [words, figure]  # an introduction stays with what it introduces
    assert groups[1] == [long]  # a long table may be cut, so it stands alone
    assert groups[2][0] == words
