"""Means that need ranks, joined from what bundles kept of parts of a row's cells, by hand."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from evaluation.results.cache import ResultCache
from evaluation.results.kept import kept_name
from evaluation.results.suite_results import RanksWithheld
from reports.chapters.findings.row_means import Means, left_out, means_of_rows, row_means_call
from reports.output.bundle import open_bundle
from reports.report import build

PUBLISHED = Path(__file__).resolve().parents[3] / "published" / "bundles"


def withheld(cells):
    raise RanksWithheld("the ranks are withheld")


@pytest.fixture
def group(tmp_path):
    """One row of three seeds."""
    cells = [SimpleNamespace(model="GRU", seed=n, key=f"key{n}", folder=tmp_path) for n in range(3)]
    runs = SimpleNamespace(model="GRU", cells=cells)
    return SimpleNamespace(heading="Clicks", finished=[runs])


def call_of(runs):
    return row_means_call("slices", "MRR@20", runs.cells, withheld)


def part(*seeds, values, about="MRR@20"):
    return {"about": about, "cells": [f"key{n}" for n in seeds], "values": values, "frame": {"cut": {"axis": "k"}}}


def found(group, kept, seen=None):
    return means_of_rows(group, ResultCache(kept=kept, seen=seen), call_of)


def test_a_row_is_the_mean_of_its_parts_by_their_numbers_of_cells(group):
    kept = {
        "slices-a": part(1, values={"cut": [0.1, 0.8], "bins-0": [0.4]}),
        "slices-b": part(0, 2, values={"cut": [0.4, 0.2], "bins-0": [None]}),
    }
    rows, missing = found(group, kept, seen := {})
    means = Means({"cut": [pytest.approx(0.3), pytest.approx(0.4)], "bins-0": [None]}, {"cut": {"axis": "k"}})
    assert rows == [(group.finished[0], means)] and missing == []
    call = call_of(group.finished[0])
    again = found(group, {kept_name(call.kind, call.inputs): seen[kept_name(call.kind, call.inputs)]})
    assert again.rows == rows  # so a bundle of what was joined keeps it


def test_a_larger_part_counts_before_one_that_it_holds(group):
    values = {"cut": [0.5]}
    kept = {"slices-a": part(0, values={"cut": [9.0]}), "slices-b": part(0, 1, values=values),
            "slices-c": part(2, values=values)}  # fmt: skip
    assert found(group, kept).rows[0][1].values == {"cut": [pytest.approx(0.5)]}


@pytest.mark.parametrize(
    "kept",
    [
        {"slices-a": part(0, 1, values={"cut": [0.5]})},  # nothing of seed 2
        {"slices-a": part(0, 1, values={"cut": [0.5]}), "slices-b": part(1, 2, values={"cut": [0.5]})},  # seed 1 twice
        {"slices-a": part(0, 1, 2, values={"cut": [0.5]}, about="Recall@20")},
        {"beyond-a": part(0, 1, 2, values={"cut": [0.5]})},
        {"slices-a": part(0, 1, values={"cut": [0.5]}), "slices-b": part(2, values={"cut": [0.5]}) | {"frame": {}}},
        {"slices-a": [["cut", {"axis": "k"}]]},  # of an earlier version, by data set
    ],
)
def test_a_row_without_means_of_all_its_cells_is_named(group, kept):
    rows, missing = found(group, kept)
    assert (rows, missing) == ([], ["GRU"])
    (text,) = left_out({"Clicks": missing, "Films": []})
    assert text.paragraphs[0].startswith("Left out: GRU on Clicks. The bundles of these cells withhold the ranks")


def test_the_bins_of_rows_whose_seeds_are_of_two_bundles_have_the_mean_of_the_row():
    """mlstm's fifth seed is of another bundle: weighted by queries, the bins have the mean of the sums by user."""
    with open_bundle(PUBLISHED / "mlstm.zip") as (root, suite):
        tables = {table.anchor: table for table in build(root, suite).tables()}
    standing = next(table for anchor, table in tables.items() if anchor.startswith("standing-"))
    means = {row.entries[0].text: standing.entry(row, "MRR").value for row in standing.rows if not row.kind}
    bins = [table for anchor, table in tables.items() if anchor.startswith("bins-")]
    assert len(bins) >= 3
    for table in bins:
        names = [column.key for column in table.columns[1:]]
        (queries,) = [row for row in table.rows if row.kind == "reference"]
        weights = [table.entry(queries, name).value for name in names]
        rows = [row for row in table.rows if not row.kind]
        assert {row.entries[0].text for row in rows} == set(means)
        for row in rows:
            values = [table.entry(row, name).value for name in names]
            assert np.average(values, weights=weights) == pytest.approx(means[row.entries[0].text], rel=1e-9)
