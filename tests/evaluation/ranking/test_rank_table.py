import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import CellResult, read_suite
from evaluation.stored_files import read_record
from tests.evaluation.rank_tables import same_columns
from tests.stored_records import write_sealed


def toy(**changes):
    columns = {
        "cluster": [0, 0, 4],
        "query": [0, 1, 2],
        "target": [3, -1, 0],
        "repeat": [0, 0, 0],
        "history": [5, 6, 0],
        "candidates": [7, 7, 7],
        "greater": [0, 7, 2],
        "tied": [1, 0, 0],
    }
    arrays = {name: np.array(values, dtype=np.int32) for name, values in columns.items()}
    return RankTable(**{**arrays, "item_counts": np.arange(7), "top_items": None, **changes})


def test_round_trip_to_equal_bits(tmp_path):
    table = toy(top_items=np.array([[1, 2], [3, 4], [5, 6]], dtype=np.int32), meta={"dataset": "toy"})
    table.write(tmp_path / "ranks.parquet")
    again = RankTable.read(tmp_path / "ranks.parquet")
    assert same_columns(table, again)
    assert again.item_counts.tolist() == list(range(7))
    assert again.top_items.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert again.meta == {"dataset": "toy"}
    assert (again.num_queries, again.num_clusters, again.num_items) == (3, 2, 7)


def test_another_schema_is_refused(tmp_path):
    pq.write_table(pa.table({"query": [1]}), tmp_path / "ranks.parquet")
    with pytest.raises(ValueError, match="rank table of schema None, but this program reads schema 1"):
        RankTable.read(tmp_path / "ranks.parquet")


def test_read_suite_keeps_order_and_names_what_is_missing(tmp_path):
    cell = {"key": "k1", "metrics": {"MRR@20": 0.1}, "deterministic": False, "caveats": []}
    write_sealed(tmp_path / "cells" / "k1" / "cell.json", cell)
    write_sealed(tmp_path / "cells" / "k2" / "failure.json", {"key": "k2", "reason": "the loss was NaN"})
    labels = {"dataset": "d", "protocol": "p", "seed": 0}
    suite = {
        "name": "s",
        "cells": [
            {**labels, "model": "A", "key": "k1"},
            {**labels, "model": "B", "key": "k2", "command": "again"},
            {**labels, "model": "C", "key": None, "state": "SKIPPED", "reason": "no data"},
        ],
    }
    write_sealed(tmp_path / "suites" / "s" / "suite.json", suite)
    results = read_suite(tmp_path, "s")
    assert [(c.model, c.metrics) for c in results.cells] == [("A", {"MRR@20": 0.1})]
    assert [(f.model, f.state, f.reason) for f in results.failures] == [
        ("B", "FAILED", "the loss was NaN"),
        ("C", "SKIPPED", "no data"),
    ]
    with pytest.raises(FileNotFoundError, match="no results of suite 't' in .*it holds s"):
        read_suite(tmp_path, "t")


@pytest.mark.parametrize(("column", "row", "value", "said"), [
    ("greater", 2, -1, r"row 2: greater is -1, expected at least 0"),
    ("greater", 0, 6, r"row 0: greater is 6, expected with tied below candidates"),
    ("greater", 1, 8, r"row 1: greater is 8, expected with tied below candidates"),
    ("tied", 2, -3, r"row 2: tied is -3, expected at least 0"),
    ("tied", 0, 2**31 - 1, r"row 0: greater is 0, expected with tied below candidates"),
    ("tied", 1, 1, r"row 1: greater is 7, expected with tied below candidates"),
    ("target", 0, 7, r"row 0: target is 7, expected -1 to 6"),
    ("target", 2, -2, r"row 2: target is -2, expected -1 to 6"),
    ("candidates", 2, -1, r"row 2: candidates is -1, expected at least 0"),
    ("query", 0, -1, r"row 0: query is -1, expected at least 0"),
])  # fmt: skip
def test_a_row_that_no_ranking_gives_is_named(tmp_path, column, row, value, said):
    values = getattr(toy(), column).copy()
    values[row] = value
    toy(**{column: values}).write(tmp_path / "ranks.parquet")
    with pytest.raises(ValueError, match=said):
        RankTable.read(tmp_path / "ranks.parquet")


def test_the_ranks_of_another_cell_are_named(tmp_path):
    toy(meta={"key": "another"}).write(tmp_path / "ranks.parquet")
    write_sealed(tmp_path / "cell.json", {"key": "k"})
    cell = CellResult(tmp_path, "d", "p", "m", 0, read_record(tmp_path / "cell.json"))
    with pytest.raises(ValueError, match=r"ranks.parquet is damaged \(its ranks are of the cell another\): remove its"):
        _ = cell.ranks


def _stored(folder, ranks=None, items=None):
    """A stored table, with other columns in the file of the ranks or of the counts."""
    ones = dict.fromkeys(("cluster", "query", "target", "history", "candidates", "greater", "tied"), np.int32([1]))
    columns = ones | {"repeat": np.int16([0]), "candidates": np.int32([5])} | (ranks or {})
    kept = {name: values for name, values in columns.items() if values is not None}
    table = pa.table(kept).replace_schema_metadata({"schema": "1"})
    pq.write_table(table, folder / "ranks.parquet")
    pq.write_table(pa.table(items or {"count": np.int64([1, 2])}), folder / "items.parquet")
    return folder / "ranks.parquet"


def test_columns_of_another_type_are_refused_with_the_name_of_the_file(tmp_path):
    assert RankTable.read(_stored(tmp_path)).item_counts.tolist() == [1, 2]
    for changed, said in (
        ({"ranks": {"query": None}}, "its column query is missing, expected int32"),
        ({"ranks": {"greater": np.float64([0])}}, "its column greater is float64, expected int32"),
        ({"items": {"count": ["a"]}}, "items.parquet is damaged .its column count holds string, expected numbers"),
        ({"items": {"count": [0.5, 1.0]}}, "items.parquet is damaged .expected a column count of whole numbers"),
        ({"items": {"x": [1]}}, "items.parquet is damaged .expected a column count of whole numbers"),
    ):
        with pytest.raises(ValueError, match=said):
            RankTable.read(_stored(tmp_path, **changed))
