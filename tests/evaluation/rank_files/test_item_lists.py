"""Places in lists against a count of every list's items, over tables of texts, numbers and dictionaries."""

import numpy as np
import pyarrow as pa
import pytest

from evaluation.rank_files.item_lists import TrueItems, rank_true_items
from evaluation.rank_files.rank_columns import UNKNOWN_CANDIDATES
from evaluation.rank_files.tables import FileTable, InvalidRankFile

SHAPES = {
    "texts": lambda column: [f" {value} " for value in column],
    "numbers": list,
    "dictionaries": lambda column: pa.array(map(str, column)).dictionary_encode(),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_places_are_counts_of_higher_and_equal_scores(shape, seed):
    rng = np.random.default_rng(seed)
    rows = {(user, query, item): float(rng.choice([-1.0, -0.0, 0.0, 0.5, 2.0]))
            for user, query, item in rng.integers(0, [4, 3, 8], (60, 3)).tolist()}  # fmt: skip
    order = [list(rows)[n] for n in rng.permutation(len(rows))]
    tables = []
    for part in (order[:20], order[20:]):  # the lists of a user go on in the second file
        columns = dict(zip(("user", "query", "item"), map(SHAPES[shape], zip(*part, strict=True)), strict=True))
        tables.append(FileTable("part", pa.table({**columns, "score": [rows[row] for row in part]})))
    wanted = [(user, query, item) for user in range(5) for query in range(3) for item in (0, 3, 9)]
    true = {(str(user), str(query)): ["0", "3", "9"] for user, query, _ in wanted}
    found = rank_true_items(tables, "lists", TrueItems("true", true, ()), None)
    for row, greater, tied in zip(wanted, found.greater, found.tied, strict=True):
        others = [score for other, score in rows.items() if other[:2] == row[:2] and other != row]
        expected = (sum(s > rows[row] for s in others), others.count(rows[row])) if row in rows else None
        assert (greater, tied) == (expected or (UNKNOWN_CANDIDATES, 0)), row
    assert found.depth == max(sum(other[:2] == row[:2] for other in rows) for row in rows)


def test_the_first_row_that_repeats_an_item_is_named_in_its_file():
    first = pa.table({"user": ["b", "a", "a"], "item": ["x", "x", "y"], "score": [3, 2, 1]})
    second = pa.table({"user": ["c", "a", "b", "b"], "item": ["x", "y", "z", "x"], "score": [9, 8, 7, 6]})
    tables = [FileTable("one.csv", first, first_line=2), FileTable("two.csv", second, first_line=2)]
    with pytest.raises(InvalidRankFile, match=r"two.csv, line 3: user a lists item y twice, first in line 4; an item"):
        rank_true_items(tables, "lists", TrueItems("true", {("a", ""): ["x"]}, ()), None)
