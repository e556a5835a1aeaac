"""Rank tables by hand: stored types, repeated targets, places in one list."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from evaluation.ranking.rank_table import RankTable
from tests.evaluation.ranking.test_rank_table import toy


def test_files_have_documented_types_and_compression(tmp_path):
    whole = toy(top_items=np.array([[1, 2], [3, 4], [5, 6]], dtype=np.int64), meta={"dataset": "toy", "lists": 2})
    whole.write(tmp_path / "ranks.parquet")
    narrow = {"cluster": "int32", "query": "int32", "target": "int32", "repeat": "int16", "history": "int32",
              "candidates": "int32", "greater": "int32", "tied": "int32"}  # fmt: skip
    for name, types in (("ranks", narrow), ("items", {"count": "int64"})):
        stored = pq.read_table(tmp_path / f"{name}.parquet")
        assert {field.name: str(field.type) for field in stored.schema} == types
    assert str(pq.read_schema(tmp_path / "lists.parquet").field("items").type).startswith("fixed_size_list<")
    assert pq.read_schema(tmp_path / "ranks.parquet").metadata == {b"schema": b"1", b"dataset": b"toy", b"lists": b"2"}
    for name in ("ranks", "items", "lists"):
        assert pq.ParquetFile(tmp_path / f"{name}.parquet").metadata.row_group(0).column(0).compression == "ZSTD"
    again = RankTable.read(tmp_path / "ranks.parquet")
    assert again.top_items.dtype == np.int32
    assert again.meta == {"dataset": "toy", "lists": "2"}
    with pytest.raises(ValueError) as error:
        RankTable.check_schema(tmp_path, {"schema": "2"})
    assert str(error.value) == (
        f"{tmp_path}: rank table of schema 2, but this program reads schema 1; remove its folder and run again"
    )


def test_a_table_without_lists_and_facts(tmp_path):
    toy().write(tmp_path / "ranks.parquet")
    again = RankTable.read(tmp_path / "ranks.parquet")
    assert (again.top_items, again.meta, len(again)) == (None, {}, 3)
    assert not (tmp_path / "lists.parquet").exists()


def several(query, target, greater, tied=None, **changes):
    """Rows of 7 candidates."""
    zeros = np.zeros(len(query), dtype=np.int32)
    columns = {"cluster": zeros, "repeat": zeros, "history": zeros, "candidates": zeros + 7}
    columns |= {"query": np.array(query), "target": np.array(target), "greater": np.array(greater)}
    return toy(**{**columns, "tied": zeros if tied is None else np.array(tied), **changes})


def test_a_repeated_target_counts_at_its_first_row():
    ranks = several([0, 0, 0, 0, 0, 1], [3, 5, 3, -1, -1, 3], [0, 1, 2, 7, 7, 4])
    assert ranks.distinct.greater.tolist() == [0, 1, 7, 7, 4]
    assert ranks.distinct.target.tolist() == [3, 5, -1, -1, 3]
    drawn = several([0, 0, 0], [3, 3, 3], [0, 1, 2], repeat=np.array([0, 1, 1]))
    assert drawn.distinct.greater.tolist() == [0, 1]
    single = several([0, 1, 2], [3, 3, 3], [0, 1, 2])
    assert single.distinct is single


@pytest.mark.parametrize(("query", "greater", "tied", "one_list"), [
    ([0, 1], [2, 2], [0, 0], True),  # one target each
    ([0, 0], [2, 3], [0, 0], True),
    ([0, 0], [2, 2], [0, 0], False),  # two at one place
    ([0, 0], [2, 2], [1, 1], True),  # a tie of two, both targets
    ([0, 0, 0], [2, 2, 2], [1, 1, 1], False),  # three targets in a tie of two
    ([0, 0], [2, 2], [1, 0], False),  # one place, ties of two sizes
    ([0, 0], [2, 3], [1, 0], False),  # the second lies within the tie of the first
    ([0, 0], [2, 4], [1, 0], True),  # and here right behind it
    ([0, 0], [7, 7], [0, 0], True),  # misses have no place
    ([0, 0, 1], [3, 2, 2], [0, 0, 0], True),  # in any order, query by query
])  # fmt: skip
def test_targets_of_one_list_have_places_of_their_own(query, greater, tied, one_list):
    assert several(query, list(range(len(query))), greater, tied).one_list is one_list


def test_drawn_candidates_are_no_one_list():
    rows = ([0, 0], [3, 4], [2, 3])
    assert several(*rows, meta={"candidate_rule": "all items"}).one_list
    assert not several(*rows, meta={"candidate_rule": "4 random other items"}).one_list
    assert not several(*rows, repeat=np.array([0, 1])).one_list
