"""Memo: an answer is found again by its inputs alone, the same to the bit, and is made anew where anything differs."""

import dataclasses
import math
import os

import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.comparison.table_json import from_record, to_record
from evaluation.results.cache import Memo, marks

FEW = {"flips": 500, "resamples": 200}


class Counting:
    def __init__(self, value):
        self.value, self.calls = value, 0

    def __call__(self):
        self.calls += 1
        return self.value


def test_an_answer_is_made_once_for_its_inputs(tmp_path):
    memo, make = Memo(tmp_path / "kept", "code"), Counting({"x": [0.1 + 0.2, math.inf]})
    assert [memo.answer("a", [1], make) for _ in range(3)] == [{"x": [0.30000000000000004, math.inf]}] * 3
    assert make.calls == 1
    for asked in (("a", [2], memo), ("b", [1], memo), ("a", [1], Memo(memo.folder, "other code"))):
        asked[2].answer(asked[0], asked[1], make)
    assert make.calls == 4


def test_without_a_folder_everything_is_made(tmp_path):
    make = Counting((1, 2))
    assert [Memo().answer("a", 0, make) for _ in range(2)] == [[1, 2]] * 2
    assert make.calls == 2


@pytest.mark.parametrize("damage", [b"", b"no checksum", b"\xff\xfe"])
def test_a_damaged_answer_is_made_again(tmp_path, damage):
    memo, make = Memo(tmp_path, ""), Counting(7)
    memo.answer("a", 0, make)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for broken in (damage, whole[:-1] + b"8"):
        path.write_bytes(broken)
        assert memo.answer("a", 0, make) == 7
        assert path.read_bytes() == whole
    assert make.calls == 3


def test_what_was_not_asked_for_in_a_month_is_dropped(tmp_path):
    memo = Memo.of(tmp_path, ("evaluation",))
    memo.answer("old", 0, Counting(1))
    memo.answer("new", 0, Counting(1))
    (old,) = tmp_path.glob("old-*")
    os.utime(old, (0, 0))
    again = Memo.of(tmp_path, ("evaluation",))
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["new"]
    assert again.code == memo.code != Memo.of(tmp_path, ("recsys_data",)).code


def test_a_table_survives_its_record(three_models):
    results = three_models.suite(baselines=["Markov", "Popularity"])
    for table in compare_suite(results, **FEW):
        assert from_record(to_record(table)) == table
        odd = dataclasses.replace(table.pairs[0], relative=math.inf, naive=None, method=None)
        assert from_record(to_record(dataclasses.replace(table, pairs=(odd,)))).pairs == (odd,)


def test_tables_are_kept_until_a_cell_changes(three_models, tmp_path):
    results, memo = three_models.suite(baselines=["Markov"]), Memo(tmp_path / "kept", "")
    plain = compare_suite(results, **FEW)
    assert compare_suite(results, memo=memo, **FEW) == plain
    held = {path.name: path.stat().st_mtime_ns for path in memo.folder.iterdir()}
    assert compare_suite(results, memo=memo, **FEW) == plain
    assert len(held) == len(plain) == len(list(memo.folder.iterdir()))
    before = marks(results.cells)
    (results.cells[0].folder / "ranks.parquet").touch()
    assert marks(results.cells) != before
    compare_suite(results, memo=memo, **FEW)
    assert len(list(memo.folder.iterdir())) == 2 * len(plain)
