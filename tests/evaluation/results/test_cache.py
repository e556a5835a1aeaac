"""A cached result is found by its inputs alone, equal to the bit, and computed again if anything differs."""

import dataclasses
import math
import os

import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.comparison.table import ComparisonTable
from evaluation.json_codec import from_json, to_json
from evaluation.results.cache import ResultCache, cell_fingerprints

FEW = {"flips": 500, "resamples": 200}


class Counting:
    def __init__(self, value):
        self.value, self.calls = value, 0

    def __call__(self):
        self.calls += 1
        return self.value


def test_a_result_is_computed_once_for_its_inputs(tmp_path):
    cache, compute = ResultCache(tmp_path / "stored", "code"), Counting({"x": [0.1 + 0.2, math.inf]})
    assert [cache.get("a", [1], compute) for _ in range(3)] == [{"x": [0.30000000000000004, math.inf]}] * 3
    assert compute.calls == 1
    for asked in (("a", [2], cache), ("b", [1], cache), ("a", [1], ResultCache(cache.folder, "other code"))):
        asked[2].get(asked[0], asked[1], compute)
    assert compute.calls == 4


def test_without_a_folder_everything_is_computed(tmp_path):
    compute = Counting((1, 2))
    assert [ResultCache().get("a", 0, compute) for _ in range(2)] == [[1, 2]] * 2
    assert compute.calls == 2


@pytest.mark.parametrize("damage", [b"", b"no checksum", b"\xff\xfe"])
def test_a_damaged_result_is_computed_again(tmp_path, damage):
    cache, compute = ResultCache(tmp_path, ""), Counting(7)
    cache.get("a", 0, compute)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for broken in (damage, whole[:-1] + b"8"):
        path.write_bytes(broken)
        assert cache.get("a", 0, compute) == 7
        assert path.read_bytes() == whole
    assert compute.calls == 3


def test_a_result_unused_for_a_month_is_deleted(tmp_path):
    cache = ResultCache.for_packages(tmp_path, ("evaluation",))
    cache.get("old", 0, Counting(1))
    cache.get("new", 0, Counting(1))
    (old,) = tmp_path.glob("old-*")
    os.utime(old, (0, 0))
    again = ResultCache.for_packages(tmp_path, ("evaluation",))
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["new"]
    assert again.code == cache.code != ResultCache.for_packages(tmp_path, ("recsys_data",)).code


def test_a_table_is_equal_after_json(three_models):
    results = three_models.suite(baselines=["Markov", "Popularity"])
    for table in compare_suite(results, **FEW):
        assert from_json(ComparisonTable, to_json(table, exact=True)) == table
        odd = dataclasses.replace(table.pairs[0], relative=math.inf, naive=None, method=None)
        record = to_json(dataclasses.replace(table, pairs=(odd,)), exact=True)
        assert from_json(ComparisonTable, record).pairs == (odd,)


def test_tables_are_cached_until_a_cell_changes(three_models, tmp_path):
    results, cache = three_models.suite(baselines=["Markov"]), ResultCache(tmp_path / "stored", "")
    plain = compare_suite(results, **FEW)
    assert compare_suite(results, cache=cache, **FEW) == plain
    held = {path.name: path.stat().st_mtime_ns for path in cache.folder.iterdir()}
    assert compare_suite(results, cache=cache, **FEW) == plain
    assert len(held) == len(plain) == len(list(cache.folder.iterdir()))
    before = cell_fingerprints(results.cells)
    (results.cells[0].folder / "ranks.parquet").touch()
    assert cell_fingerprints(results.cells) != before
    compare_suite(results, cache=cache, **FEW)
    assert len(list(cache.folder.iterdir())) == 2 * len(plain)
