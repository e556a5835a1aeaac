import pytest

from evaluation.metrics.slices import SLICINGS
from evaluation.ranking.rank_table import RankTable
from reports.chapters.findings.row_means import Means
from reports.chapters.findings.slices import aligned


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


def test_a_row_with_more_cut_offs_is_shown_at_those_of_all_rows():
    def row(name, *cuts):
        frame = {"cut": {"axis": "k", "bins": [str(k) for k in cuts], "metric": "MRR@k"}}
        return name, Means({"cut": [k / 100 for k in cuts]}, frame)

    frame, lines = aligned("cut", [row("here", 1, 5, 20), row("of another program", 1, 5, 20, 50)])
    assert frame["bins"] == ["1", "5", "20"]
    assert [values for _, values in lines] == [[0.01, 0.05, 0.2]] * 2
    frame, lines = aligned("cut", [row("of another program", 1, 5, 20, 50), row("here", 1, 5)])
    assert frame["bins"] == ["1", "5"] and [values for _, values in lines] == [[0.01, 0.05]] * 2
