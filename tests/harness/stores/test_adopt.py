"""Adopted results: they enter, marked, where the code computes the same bits; after a changed constant none does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from evaluation.results.suite_results import read_suite
from harness.cells.keys import key_of, search_key
from harness.stores.adopt import Adoption
from reports.report import build
from reports.tables.as_csv import to_csv
from tests.harness.stores.conftest import run_into

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "baselines",
    "cli",
    "evaluation",
    "harness",
    "recsys_data",
    "recsys_models",
    "reports",
    "suites",
    "training",
)
OWN = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from harness.tuning import Choice, Tuning
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.scores import Dense

SHIFT = 1


@dataclass
class Noise:
    copies: int = 1
    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "popularity"
    signals: ClassVar[frozenset[str]] = frozenset({"chance"})

    def fit(self, train, run):
        drawn = run.generator("noise").random((self.copies, train.num_items), dtype=np.float32)
        self.scores_ = np.roll(drawn.sum(axis=0), SHIFT)
        return self

    def score(self, batch):
        return Dense(np.tile(self.scores_, (len(batch.query_positions), 1)))


SPLIT = PerUserFractions(train=0.8, validation=0.1, test=0.1)
TUNING = Tuning(2, {"Noise": {"copies": Choice(1, 2, 3)}})
MODELS = {"Popularity": Popularity(), "Noise": Noise()}
SUITE = Suite(name="small", title="Small", seeds=[0, 1], metrics=[MRR(5)], experiments=[
    Experiment(MarkovChainSequences(num_users=20, num_items=items, length=12), SPLIT, MODELS, tuning=TUNING)
    for items in (15, 16)])
"""


def call(*args, code=0):
    result = CliRunner().invoke(benchmark.app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def by_label(root):
    """The stored cells of the suite by data set, model and seed."""
    return {(cell.dataset, cell.model, cell.seed): cell for cell in read_suite(root, "small").cells}


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """The store of a suite with a tuned model of its own, by the code as it first was."""
    folder = tmp_path_factory.mktemp("earlier")
    (folder / "small.py").write_text(OWN)
    return run_into(folder / "results", folder / "small.py")[0]


@pytest.fixture
def changed(tmp_path):
    """Write the suite with a change; return its path and the options for a new store."""

    def write(old, new):
        path = tmp_path / "small.py"
        assert old in OWN
        path.write_text(OWN.replace(old, new))
        return path, "--results", tmp_path / "results"

    return write


def test_a_tuned_model_whose_code_computes_the_same(earlier, changed, tmp_path):
    suite, *place = changed("drawn.sum(axis=0)", "np.add.reduce(drawn)")
    said = call("adopt", suite, "--from", earlier.root, "--sample", 1, *place).stdout
    assert "stale only because code changed: 4 cells; of the sample, 1 to compute" in said
    assert said.count("same: ") == 1 and said.endswith("cells adopted: 3\n")
    old, new = by_label(earlier.root), by_label(tmp_path / "results")
    adopted = {label: cell for label, cell in new.items() if "adopted" in cell.record}
    assert len(adopted) == 3 and len(new) == 4  # popularity's code is as it was: its cells are merged, not adopted
    for label, cell in new.items():
        assert (cell.ranks.greater == old[label].ranks.greater).all() and cell.key != old[label].key
        assert key_of(cell.record["key_parts"]) == cell.key
        assert cell.record["tuning"]["search"] == search_key(cell.record["key_parts"])
        assert [trial["point"] for trial in cell.search.trials] == [
            trial["point"] for trial in old[label].search.trials
        ]
    (step,) = next(iter(adopted.values())).record["adopted"]
    assert (step["recomputed"], step["of"]) == (1, 4)
    plan = {(row["dataset"], row["model"], row["seed"]): row for row in json.loads(
        call("plan", suite, *place, "--json").stdout)}  # fmt: skip
    for label, cell in adopted.items():
        text = plan[label]["why"]
        assert plan[label]["state"] == "cached" and text.endswith("adopted after 1 of 4 recomputed bit-equal")
        assert f"ADOPTED: {text}" in cell.caveats
    assert "nothing to adopt: " in call("adopt", suite, "--from", earlier.root, *place).stdout
    call("merge", earlier.root, *place)
    assert "nothing to compute" in call("run", suite, *place, "--no-mlflow", "--no-report").stdout


def test_a_changed_constant_is_refused_and_shown(earlier, changed, tmp_path):
    suite, *place = changed("SHIFT = 1", "SHIFT = 2")
    said = call("adopt", suite, "--from", earlier.root, "--sample", 1, *place, code=1)
    (line,) = [line for line in said.stdout.splitlines() if line.startswith("different: ")]
    assert "greater: first at row " in line and "/Noise/" in line
    assert f"nothing is adopted, since recomputed cells differ from those of {earlier.root} (1)" in said.stderr
    cells = by_label(tmp_path / "results")
    assert len(cells) == 1 and "adopted" not in next(iter(cells.values())).record  # the recomputed one is kept


def test_an_adoption_that_is_interrupted_is_repeated(earlier, changed, tmp_path, monkeypatch):
    suite, *place = changed("drawn.sum(axis=0)", "np.add.reduce(drawn)")
    enter, entered = Adoption._enter, []

    def interrupted(adoption, match, step):
        entered.append(enter(adoption, match, step))
        if len(entered) == 2:
            raise KeyboardInterrupt
        return entered[-1]

    monkeypatch.setattr(Adoption, "_enter", interrupted)
    call("adopt", suite, "--from", earlier.root, "--sample", 1, *place, code=130)
    said = call("adopt", suite, "--from", earlier.root, "--sample", 1, *place).stdout
    assert "1 cells; of the sample, nothing to compute" in said and said.endswith("cells adopted: 1\n")
    steps = [cell.record["adopted"][0] for cell in by_label(tmp_path / "results").values() if "adopted" in cell.record]
    assert [(step["recomputed"], step["of"]) for step in steps] == [(1, 4)] * 3


def test_other_fields_and_missing_folders_are_no_matter_of_code(earlier, changed, tmp_path):
    suite, *place = changed("MRR(5)", "MRR(6)")
    said = call("adopt", suite, "--from", earlier.root, *place).stdout
    assert "nothing to adopt: " in said and "is new (never computed)" in said
    assert "is no results folder" in call("adopt", suite, "--from", tmp_path, *place, code=2).stderr
    assert "Missing option '--from'" in call("adopt", suite, *place, code=2).stderr


RANDOM = """
from baselines.simple.random_scores import Random
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions

SUITE = Suite(name="small", title="Small", seeds=range(4), metrics=[MRR(5)], experiments=[
    Experiment(MarkovChainSequences(num_users=20, num_items=15, length=12),
               PerUserFractions(train=0.8, validation=0.1, test=0.1), {"Random": Random()})])
"""


def test_a_renamed_module_in_a_clone(tmp_path):
    clone, suite, results = tmp_path / "clone", tmp_path / "small.py", tmp_path / "results"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, clone / name)
    shutil.copy(ROOT / "benchmark.py", clone)
    suite.write_text(RANDOM)

    def python(*args):
        command = [sys.executable, "benchmark.py", *map(str, args), "--results", str(results)]
        environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
        return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=True).stdout

    python("run", suite, "--no-mlflow", "--no-report")
    before = {cell.seed: (cell.key, cell.ranks.greater) for cell in read_suite(results, "small").cells}
    (clone / "baselines/simple/random_scores.py").rename(clone / "baselines/simple/chance.py")
    for path in [suite, *clone.rglob("*.py")]:
        text = path.read_text()
        if "random_scores" in text:
            path.write_text(text.replace("simple.random_scores", "simple.chance"))
    said = python("adopt", suite, "--from", results, "--sample", "1")
    assert "cells adopted: 3" in said and "stale only because code changed: 4 cells" in said
    cells = read_suite(results, "small").cells
    assert all(cell.key != before[cell.seed][0] for cell in cells)
    assert all((cell.ranks.greater == before[cell.seed][1]).all() for cell in cells)
    python("verify", suite, "--only", "*/Random", "--seeds", "0,1")
    report = build(results, "small")
    text = "computed by an unknown commit, adopted after 1 of 4 recomputed bit-equal"
    assert f"3 runs {text}: markov-20x15 · Random " in str(report.section("provenance").blocks[0])
    tables = {table.anchor: str(to_csv(table)) for table in report.tables()}
    assert tables["cells"].count(", adopted") == 3
    assert tables["certificate"].count("same") == 2 and text in tables["certificate"]
