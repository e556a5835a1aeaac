"""Records of a suite and of its variants on the command line: a partial, smoke or --set run replaces nothing."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from tests.stored_records import change_sealed, write_sealed

QUIET = ("--no-mlflow", "--no-report")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("ENCORE_RESULTS", "ENCORE_DATA", "ENCORE_REQUIRE_DATA", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def call(*args, code=0):
    result = CliRunner().invoke(benchmark.app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def rows(name, results):
    """Model, seed and state of the cells that ``show`` lists."""
    return [(r["model"], r["seed"], r["state"]) for r in json.loads(
        call("show", name, "--results", results, "--json").stdout)]  # fmt: skip


def files(results, name):
    """The hash of every file of a suite's record and report."""
    found = [p for place in (results / "suites" / name, results / name) for p in place.rglob("*") if p.is_file()]
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def mlflow_runs(results, name):
    """The runs of an MLflow experiment with their status, read from its database."""
    with sqlite3.connect(results / "mlflow.db") as database:
        query = ("SELECT run_uuid, status, runs.name, end_time FROM runs JOIN experiments USING (experiment_id) "
                 "WHERE experiments.name = ? ORDER BY run_uuid")  # fmt: skip
        return database.execute(query, [name]).fetchall()


FULL = [("Popularity", 0, "DONE"), ("GRU", 0, "DONE"), ("GRU", 1, "DONE")]


@pytest.fixture(scope="module")
def full(tmp_path_factory, tiny_text):
    """A complete run of the tiny suite with MLflow and report: suite file and results folder."""
    folder = tmp_path_factory.mktemp("records")
    (folder / "tiny.py").write_text(tiny_text)
    call("run", folder / "tiny.py", "--results", folder / "results")
    return folder / "tiny.py", folder / "results"


@pytest.fixture
def mine(full, tmp_path):
    """A copy of the complete run, to change."""
    shutil.copytree(full[1], tmp_path / "results")
    record = tmp_path / "results" / "suites" / "tiny" / "suite.json"
    change_sealed(record, file=str(full[0]))
    assert str(full[0]) in record.read_text()
    return full[0], tmp_path / "results"


def test_the_readmes_example_leaves_the_full_record_report_and_runs_as_they_are(full):
    suite, results = full
    before, tracked = files(results, "tiny"), mlflow_runs(results, "tiny")
    assert (
        any(name.endswith("report.html") for name in before) and len(tracked) == 6
    )  # two parents, three cells, the report
    said = call("run", suite, "--results", results, "--only", "*/GRU", "--seeds", "0,", "--set", "GRU.dim=64")
    name = "tiny@GRU.dim=64"
    assert files(results, "tiny") == before
    assert mlflow_runs(results, "tiny") == tracked
    assert said.stdout.splitlines()[-2:] == [str(results / name / f"report.{kind}") for kind in ("html", "pdf")]
    assert rows(name, results) == [FULL[0], FULL[1], ("GRU", 1, "MISSING")]
    assert {run[2] for run in mlflow_runs(results, name)} >= {"GRU, seed 0", "Popularity, seed 0"}
    assert "Tiny (GRU.dim=64)" in (results / name / "report.html").read_text()
    assert f"1 other cell of the suite is not computed; run python benchmark.py run {suite} --set GRU.dim=64" in (
        said.stderr)  # fmt: skip


def test_every_command_reaches_the_variant_and_the_full_record_by_name(full, tmp_path):
    suite, results = full
    before = files(results, "tiny")
    call("run", suite, "--results", results, "--limit-users", 12, "--no-mlflow")
    name = "tiny@limit-users=12"
    place = ("--results", results)
    assert all("SMOKE RUN: 12 of 30 users" in str(row["caveats"]) for row in json.loads(
        call("show", name, *place, "--json").stdout))  # fmt: skip
    assert "3 cells entered into MLflow" in call("track", name, *place).stdout
    assert call("report", name, *place).stdout.splitlines()[-2] == str(results / name / "report.html")
    assert len(mlflow_runs(results, name)) == 6
    call("bundle", name, *place, "-o", tmp_path / "small.zip")
    assert "identical to the packed one" in call("report", "--from", tmp_path / "small.zip").stdout
    said = call("verify", name, *place)
    assert said.stdout.count("same: markov-30x25/") == 3
    assert Path(said.stdout.splitlines()[-1]) == results / "suites" / name / "certificate.json"
    assert files(results, "tiny") == before
    assert rows("tiny", results) == FULL
    said = call("show", "tiny@no=1", *place, code=2).stderr
    assert name in said
    assert said.endswith("run it first: python benchmark.py run tiny with the options of the variant\n")
    listed = {row["name"]: row for row in json.loads(call("list", "results", *place, "--json").stdout)}
    assert (listed["tiny"]["done"], listed["tiny"]["cells"]) == (3, 3)
    assert listed[name]["title"] == "Tiny (limit-users=12)"


@pytest.mark.parametrize("options", [("--only", "*/GRU", "--seeds", "0,"), ("--seeds", 1), ("--only", "Popularity"),
                                     ("--protocol", "per-user*", "--seeds", "1,")])  # fmt: skip
def test_a_partial_run_keeps_every_cell_of_the_record(full, options):
    suite, results = full
    before = files(results, "tiny")
    call("run", suite, "--results", results, *options)
    assert rows("tiny", results) == FULL
    assert files(results, "tiny") == before, "nothing was computed, so nothing has changed"


def test_a_partial_run_finds_the_cells_without_an_earlier_record(mine):
    suite, results = mine
    shutil.rmtree(results / "suites" / "tiny")
    call("run", suite, "--results", results, "--only", "Popularity", *QUIET)
    assert rows("tiny", results) == FULL


def test_a_partial_run_first_lists_the_rest_as_missing(full, tmp_path):
    said = call("run", full[0], "--results", tmp_path, "--only", "Popularity", "--no-mlflow")
    assert rows("tiny", tmp_path) == [FULL[0], ("GRU", 0, "MISSING"), ("GRU", 1, "MISSING")]
    printed = said.stdout[said.stdout.index("All models") :]
    assert "Popularity" in printed
    assert "NO RESULT" not in printed and "MISSING" not in printed
    assert said.stderr.strip() == (
        f"2 other cells of the suite are not computed; run python benchmark.py run {full[0]} --results {tmp_path} "
        "for them"
    )
    assert "Not shown, without a result here: 1 claim" in (tmp_path / "tiny" / "report.html").read_text()
    assert "NO RESULT" in (tmp_path / "tiny" / "tables" / "claims.csv").read_text(), "the report's files hold all"


def test_the_end_of_a_partial_run_shows_its_rows_and_the_claims_with_a_result(full):
    suite, results = full
    said = call("run", suite, "--results", results, "--only", "*/GRU", "--no-mlflow").stdout
    printed = said[said.index("All models") :]
    table = printed[: printed.index("\n\n")] if "\n\n" in printed else printed
    assert [line.split()[0] for line in table.splitlines()[2:4]] == ["GRU", "Best"]
    assert "GRU beats popularity" in printed, "popularity is stored, so the claim can be judged"


def test_cells_whose_fields_changed_in_the_file_are_not_kept(mine, tmp_path):
    suite, results = mine
    changed = tmp_path / "tiny.py"
    changed.write_text(suite.read_text().replace("dim=8", "dim=9"))
    record = results / "suites" / "tiny" / "suite.json"
    before = record.read_bytes()
    for command in (("run", "--only", "Popularity", *QUIET), ("report",), ("show",), ("bundle", "--out", changed)):
        said = call(command[0], changed, "--results", results, *command[1:], code=2)
        assert f"{changed} and {suite} both define a suite called 'tiny'" in said.stderr
        assert record.read_bytes() == before
    change_sealed(record, file="../moved.py")  # as if the file had been moved
    call("run", changed, "--results", results, "--only", "Popularity", *QUIET)
    assert rows("tiny", results) == [FULL[0], ("GRU", 0, "MISSING"), ("GRU", 1, "MISSING")]


def test_cells_of_earlier_code_are_kept_with_a_caveat(mine):
    suite, results = mine
    entries = json.loads(call("show", "tiny", "--results", results, "--json").stdout)
    for entry in entries[1:]:  # as if they had been computed by another version
        folder, other = results / "cells" / entry["key"], f"{entry['key'][:-4]}0000"
        record = json.loads((folder / "cell.json").read_text())
        record["key_parts"]["code"]["training/loop.py"], record["key"] = "an earlier version", other
        write_sealed(folder / "cell.json", record)
        folder.rename(results / "cells" / other)
        path = results / "suites" / "tiny" / "suite.json"
        write_sealed(path, json.loads(path.read_text().replace(entry["key"], other)))
    call("run", suite, "--results", results, "--only", "Popularity", *QUIET)
    assert rows("tiny", results) == FULL
    caveats = json.loads((results / "suites" / "tiny" / "suite.json").read_text())["caveats"]
    assert caveats == ["EARLIER CODE: 2 of 3 cells were computed with other code, libraries or hardware; run the whole "
                       "suite to compute them again"]  # fmt: skip


def test_seeds_of_another_suite_are_a_variant(full):
    suite, results = full
    before = files(results, "tiny")
    call("run", suite, "--results", results, "--only", "GRU", "--seeds", "7,", *QUIET)
    assert files(results, "tiny") == before
    assert rows("tiny@seeds=7,", results) == [FULL[0], ("GRU", 7, "DONE")]


def test_a_users_suite_is_verified_and_run_by_name_once_it_is_stored(mine, tmp_path):
    _, results = mine
    assert call("verify", "tiny", "--results", results, "--only", "Popularity").stdout.startswith("same: ")
    assert "3 cached; nothing to compute" in call("run", "tiny", "--results", results, *QUIET).stdout
    assert "unknown suite 'tiny'" in call("verify", "tiny", "--results", tmp_path / "none", code=2).stderr
    record = results / "suites" / "tiny" / "suite.json"
    change_sealed(record, file="../gone.py")
    said = call("verify", "tiny", "--results", results, code=2).stderr
    assert said == (f"error: the file of suite 'tiny' was {tmp_path / 'gone.py'} and no longer exists: give the path "
                    "that it has now, such as ./my_suite.py\n")  # fmt: skip


def test_a_partial_certificate_keeps_the_rows_of_other_cells(mine):
    _, results = mine
    for only in ("Popularity", "*/GRU"):
        call("verify", "tiny", "--results", results, "--only", only)
    found = json.loads((results / "suites" / "tiny" / "certificate.json").read_text())["cells"]
    assert [(row["model"], row["seed"], row["state"]) for row in found] == [(m, s, "same") for m, s, _ in FULL]


def test_a_suite_named_as_a_built_in_one_is_refused(tmp_path, tiny_text):
    path = tmp_path / "mine.py"
    path.write_text(tiny_text.replace('name="tiny"', 'name="quickstart"'))
    for words in (("run", path), ("plan", path), ("show", path), ("verify", path)):
        said = call(*words, "--results", tmp_path / "r", code=2).stderr
        assert said == (f"error: {path}: SUITE's name 'quickstart' is that of the built-in suite suites/quickstart.py, "
                        "and both would have one record and report; choose another name\n")  # fmt: skip


MODEL = """
from dataclasses import dataclass
from baselines.simple.popularity import Popularity


@dataclass
class Mine(Popularity):
    def fit(self, train, run):
        {fit}

    def score(self, batch):
        {score}
"""


@pytest.mark.parametrize("fit, score, sentence", [
    ("return super().fit(train, run)", "return [0.0] * 25", "Mine.score must return Dense, Factored or Sparse from "
     "recsys_data.scores for 63 queries × 25 items, got a list of 25 values; make it an array and wrap it: "
     "Dense(np.array(scores)) (in {model}, line 6, Mine)"),
    ("return super().fit(train, run)", "return batch.nothing", "AttributeError: 'SequenceBatch' object has no "
     "attribute 'nothing' (in {model}, line 12, score)"),
    ("return train.items[10 ** 9]", "pass", " (in {model}, line 9, fit)"),
    ("super().fit(train, run)", "pass", "Mine.fit must return the fitted model (return self), got NoneType (in "
     "{model}, line 6, Mine)"),
])  # fmt: skip
def test_a_failing_model_names_file_line_and_traceback(tmp_path, tiny_text, fit, score, sentence):
    model, suite = (tmp_path / f"{name}_{abs(hash(fit + score))}.py" for name in ("my_model", "failing"))
    model.write_text(MODEL.format(fit=fit, score=score))
    suite.write_text(
        f"from {model.stem} import Mine\n" + tiny_text.replace('"GRU": GRU(', '"Mine": Mine(), "GRU": GRU(')
    )
    said = call("run", suite, "--results", tmp_path / "r", "--only", "*/Mine", "--no-mlflow", code=1)
    lines = [line.strip() for line in said.stderr.splitlines()]
    assert lines[-3].startswith("FAILED markov-30x25/Mine/0: ")
    assert sentence.format(model=model) in lines[-3]
    trace = Path(lines[-2].removeprefix("traceback: "))
    assert trace.parent.parent == tmp_path / "r" / "cells" and "Traceback (most recent call last)" in trace.read_text()
    assert lines[-1].startswith(f"repeat it with: python benchmark.py run {suite} --only markov-30x25/Mine")
