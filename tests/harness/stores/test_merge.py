"""Merged stores: two halves make the whole; what is damaged, different or busy does not enter; kills break nothing."""

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import benchmark
from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import read_suite
from harness.store import Store
from harness.stores.merge import merge
from reports.report import build
from reports.tables.export import write_tables
from tests.stored_records import change_sealed, seal_again, write_sealed

RANKS = ("ranks.parquet", "items.parquet")
TIMED = {"fit", "score", "rate", "score_rate", "memory", "gpu_memory", "energy", "seconds"}  # columns of costs


def call(*args, code=0):
    result = CliRunner().invoke(benchmark.app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def copied(store, folder):
    """A copy of a store, to change."""
    shutil.copytree(store.root, folder)
    return Store.open(folder)


def ranks(store):
    """The bytes of every cell's ranks."""
    return {(path.parent.name, path.name): path.read_bytes() for name in RANKS
            for path in store.root.glob(f"cells/*/{name}")}  # fmt: skip


def every_file(store):
    """Every file of a store with its bytes, locks apart."""
    return {str(path.relative_to(store.root)): path.read_bytes() for path in store.root.rglob("*")
            if path.is_file() and path.parent.name != "locks"}  # fmt: skip


def tables(store, folder):
    """The report's tables as CSV, without columns of times, memory, environments and commands, which name folders."""
    write_tables(build(store.root, "small"), folder)
    found = {}
    for path in sorted(folder.glob("*.csv")):
        head, *rows = csv.reader(path.read_text().splitlines())
        kept = [n for n, name in enumerate(head) if name not in (*TIMED, "command")]
        found[path.name] = [[row[n] for n in kept] for row in (head, *rows)]
    return found


def suite_head(store):
    """What a suite's record says, apart from its cells, its place and its time."""
    record = json.loads(store.suite_file("small").read_text())
    return {
        name: value for name, value in record.items() if name not in ("cells", "created", "file", "command", "sha256")
    }


def learner(store, seed):
    """The folder of the GRU's cell with this seed."""
    return next(
        cell.folder for cell in read_suite(store.root, "small").cells if (cell.model, cell.seed) == ("GRU", seed)
    )


def test_two_halves_make_the_whole(stores, tmp_path):
    (tmp_path / "merged").mkdir()
    call("bundle", "small", "--results", stores["second"].root, "-o", tmp_path / "second.zip")
    said = call("merge", stores["first"].root, tmp_path / "second.zip", "--results", tmp_path / "merged").stdout
    counts = ("cells entered: 3, here before: 0", "cells entered: 1, here before: 2")
    sources = (stores["first"].root, tmp_path / "second.zip")
    assert said.splitlines() == [f"{s}: {n}; suites: small" for s, n in zip(sources, counts, strict=True)]
    merged = Store.open(tmp_path / "merged")
    assert ranks(merged) == ranks(stores["whole"]) and len(ranks(merged)) == 8
    whole, joined = map(suite_head, (stores["whole"], merged))
    assert joined == whole
    report, other = (tables(store, tmp_path / name) for name, store in (("a", stores["whole"]), ("b", merged)))
    assert len(report) > 8 and report.keys() == other.keys()
    assert report == other
    before = every_file(merged)
    said = call("merge", stores["first"].root, "--results", merged.root).stdout
    assert "cells entered: 0, here before: 3" in said
    assert every_file(merged) == before


def test_other_ranks_under_one_key_are_refused_and_both_named(stores, tmp_path):
    mine, other = (copied(stores["whole"], tmp_path / name) for name in "ab")
    folder = learner(other, 1)
    table = CellTable(folder)
    table.move_rows(2)
    before = every_file(mine)
    said = call("merge", other.root, "--results", mine.root, code=1)
    assert (
        f"REFUSED {learner(mine, 1)} and {folder} have different ranks for one cell, markov-20x15/GRU/1: 2 of"
        in said.stderr
    )
    assert "by at most 1 places; 2 of them by one place or less, as near-ties do between" not in said.stderr
    assert every_file(mine) == before and "cells entered: 0, here before: 3, refused: 1" in said.stdout
    change_sealed(folder / "cell.json", device_name="Another GPU")
    said = call("merge", other.root, "--results", mine.root, code=1).stderr
    assert "; 2 of them by one place or less, as near-ties do between" in said and "Another GPU" in said


class CellTable:
    """The ranks of a stored cell, to change."""

    def __init__(self, folder):
        self.folder = folder
        self.ranks = RankTable.read(folder / "ranks.parquet")

    def move_rows(self, number):
        """Move the first targets that are not last by one place, and seal the cell again."""
        greater = self.ranks.greater.copy()
        rows = [n for n in range(len(greater)) if greater[n] + self.ranks.tied[n] < self.ranks.candidates[n] - 1]
        greater[rows[:number]] += 1
        replace(self.ranks, greater=greater).write(self.folder / "ranks.parquet")
        seal_again(self.folder)


def test_a_damaged_or_incomplete_part_is_refused_alone(stores, tmp_path):
    source, mine = copied(stores["whole"], tmp_path / "source"), Store.open(tmp_path / "mine")
    path = learner(source, 0) / "ranks.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (search,) = (source.root / "tuning").iterdir()
    (search / "ledger.jsonl").write_text((search / "ledger.jsonl").read_text().replace("DONE", "GONE"))
    said = call("merge", source.root, "--results", mine.root, code=1)
    assert "cells entered: 2, here before: 0, refused: 3" in said.stdout
    assert f"REFUSED {path} is damaged (its SHA-256 is " in said.stderr
    assert f"REFUSED {search / 'ledger.jsonl'} is damaged" in said.stderr
    assert "the search that chose its fields is not" in said.stderr
    states = {(c.model, c.seed): c.reason for c in read_suite(mine.root, "small").failures}
    assert states == {("Markov", 0): "its result is not in this store", ("GRU", 0): "its result is not in this store"}
    said = call("merge", stores["whole"].root, "--results", mine.root).stdout
    assert "cells entered: 2, here before: 2; suites: small" in said
    assert ranks(mine) == ranks(stores["whole"]) and not read_suite(mine.root, "small").failures


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.store import Store
from harness.stores import merge
calls = []
def die(source):
    calls.append(source)
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return source
write = Path.write_bytes
Path.write_bytes = lambda path, data: write(die(path), data)
merge.merge(Store.open(Path(sys.argv[1])), Path(sys.argv[2]), "source")
"""


def test_a_merge_that_is_killed_can_be_repeated(stores, tmp_path):
    for number in (2, 6, 9):
        place = tmp_path / str(number)
        killed = subprocess.run([sys.executable, "-c", KILLED, place, stores["whole"].root, str(number)], check=False)
        assert killed.returncode == -9
        held = [path.parent.name for path in place.glob("cells/[!.]*/cell.json")]
        assert len(held) < 4
        mine = Store.open(place)
        assert [mine.record(key)["key"] for key in held] == held
        outcome = merge(mine, stores["whole"].root, "source")
        assert (outcome.entered, outcome.known, outcome.refused) == (4 - len(held), len(held), [])
        assert ranks(mine) == ranks(stores["whole"]) and not list((place / "cells").glob(".*"))


def test_a_cell_that_is_being_computed_is_left_for_later(stores, tmp_path):
    mine = Store.open(tmp_path / "mine")
    key = learner(stores["whole"], 0).name
    with mine.lock(key):
        outcome = merge(mine, stores["whole"].root, "source")
    assert outcome.entered == 3
    (line,) = outcome.refused
    assert "is in use by another process" in line and key in line
    assert merge(mine, stores["whole"].root, "source").entered == 1


def test_failures_and_certificates_come_along(stores, tmp_path):
    mine, other = copied(stores["first"], tmp_path / "a"), copied(stores["second"], tmp_path / "b")
    lost = learner(other, 1).name
    shutil.rmtree(other.folder(lost))
    other.commit_failure(lost, {"reason": "it broke", "state": "TIMEOUT"}, "trace")
    rows = [{"dataset": "d", "protocol": "p", "model": "m", "seed": seed, "key": str(seed)} for seed in range(3)]
    places = [store.suite_file("small", "certificate.json") for store in (mine, other)]
    for place, own in zip(places, (rows[:2], rows[1:]), strict=True):
        write_sealed(place, {"suite": "small", "created": "now", "environment": {"cpu": "x"}, "cells": own})
    outcome = merge(mine, other.root, "other")
    assert (outcome.entered, outcome.failures, outcome.known, outcome.refused) == (0, 1, 2, [])
    (failure,) = read_suite(mine.root, "small").failures
    assert (failure.model, failure.seed, failure.state, failure.reason) == ("GRU", 1, "TIMEOUT", "it broke")
    assert mine.traceback(lost).read_text() == "trace"
    keys = [row["key"] for row in json.loads(places[0].read_text())["cells"]]
    assert sorted(keys) == ["0", "1", "2"]
    change_sealed(places[1], environment={"cpu": "y"}, cells=[rows[0] | {"key": "other"}])
    merge(mine, other.root, "other")
    assert [row["key"] for row in json.loads(places[0].read_text())["cells"]] == keys
    assert merge(mine, stores["whole"].root, "whole").entered == 1, "a result replaces the failure"
    assert not read_suite(mine.root, "small").failures


def test_a_suite_of_another_file_and_mixed_code_are_told(stores, tmp_path):
    mine, other = (copied(stores[name], tmp_path / name) for name in ("first", "second"))
    record = json.loads(learner(other, 1).joinpath("cell.json").read_text())
    code = record["key_parts"] | {"code": record["key_parts"]["code"] | {"training/loop.py": "another"}}
    change_sealed(learner(other, 1) / "cell.json", key_parts=code)
    merge(mine, other.root, "other")
    caveats = json.loads(mine.suite_file("small").read_text())["caveats"]
    assert caveats == ["MIXED CODE: the cells were computed with different training/loop.py; run the whole suite to "
                       "compute them alike"]  # fmt: skip
    change_sealed(other.suite_file("small"), title="Larger")
    (line,) = merge(mine, other.root, "other").refused
    assert "the suite small of" in line and "(they differ in title)" in line


@pytest.mark.parametrize("make, words", [
    (lambda folder, store: folder / "missing", "there is no results folder or bundle at"),
    (lambda folder, store: folder, "is no results folder: expected one with a folder cells"),
    (lambda folder, store: store, "is the results folder to merge into"),
])  # fmt: skip
def test_what_is_no_other_store_is_refused_in_a_sentence(stores, tmp_path, make, words):
    said = call("merge", make(tmp_path, stores["whole"].root), "--results", stores["whole"].root, code=2)
    assert words in said.stderr and said.stderr.count("\n") == 1
