import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import read_suite
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
    write_sealed(tmp_path / "cells" / "k1" / "cell.json", {"key": "k1", "metrics": {"MRR@20": 0.1}})
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
