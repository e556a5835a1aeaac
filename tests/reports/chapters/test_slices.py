import pytest

from evaluation.metrics.slices import SLICINGS
from evaluation.ranking.rank_table import RankTable


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
