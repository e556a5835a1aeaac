"""The command line: arguments in, messages and exit codes out."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from tests.stored_records import change_sealed

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("ENCORE_RESULTS", "ENCORE_DATA", "ENCORE_REQUIRE_DATA", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def call(*args):
    return CliRunner().invoke(benchmark.app, [str(arg) for arg in args])


def refused(*args):
    """The only line on stderr of a command that exits with 2."""
    result = call(*args)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture(scope="module")
def stored(tmp_path_factory, tiny_text):
    """A finished run of the tiny suite with MLflow and report: suite file, results folder, what was printed."""
    folder = tmp_path_factory.mktemp("cli")
    suite, results = folder / "tiny.py", folder / "results"
    suite.write_text(tiny_text)
    result = call("run", suite, "--results", results)
    assert result.exit_code == 0, result.output
    return suite, results, result


def test_run_prints_the_report_paths_last(stored):
    _, results, result = stored
    html, pdf = map(Path, result.stdout.splitlines()[-2:])
    assert (html, pdf) == (results / "tiny" / "report.html", results / "tiny" / "report.pdf")
    assert html.stat().st_size > 10_000
    assert pdf.read_bytes().startswith(b"%PDF")
    assert list((results / "tiny" / "tables").glob("*.csv"))
    assert "[3/3] markov-30x25/GRU/1  MRR@20 0." in result.stdout


def test_the_layout_of_the_store(stored):
    _, results, _ = stored
    suite = json.loads((results / "suites" / "tiny" / "suite.json").read_text())
    assert suite["name"] == "tiny"
    assert suite["metrics"] == ["MRR@20", "Recall@20"]
    assert suite["claims"]
    assert {entry["state"] for entry in suite["cells"]} == {"DONE"}
    for entry in suite["cells"]:
        folder = results / "cells" / entry["key"]
        names = {path.name for path in folder.iterdir()}
        assert {"cell.json", "ranks.parquet", "items.parquet", "sums.parquet"} <= names
        assert ("curve.jsonl" in names) == (entry["model"] == "GRU")
    runs = json.loads((results / "suites" / "tiny" / "mlflow.json").read_text())
    assert set(runs["runs"]) == {entry["key"] for entry in suite["cells"]}
    assert (results / "mlflow.db").exists()


def test_show_prints_every_cell_as_json(stored):
    _, results, _ = stored
    rows = json.loads(call("show", "tiny", "--results", results, "--json").stdout)
    assert [(row["model"], row["seed"]) for row in rows] == [("Popularity", 0), ("GRU", 0), ("GRU", 1)]
    for row in rows:
        assert row["state"] == "DONE"
        assert 0 < row["mrr@20"] < 1
        assert row["seconds"] > 0
        assert row["peak_memory_mb"] > 10
        assert len(row["key"]) == 24
    assert "mrr@20" in call("show", "tiny", "--results", results).stdout


def test_run_show_plan_and_report_name_the_engine(stored):
    suite, results, run = stored
    lines = [line for line in run.stdout.splitlines() if line.startswith("[") and "/3] " in line]
    assert [line.endswith(" MB, torch-cpu") for line in lines] == [False, True, True]  # popularity has no engine
    others = ("--set", "GRU.lower_layers=(4,)")
    for words, engines in ((("show", "tiny"), ["torch-cpu"] * 2), (("plan", suite), ["torch-cpu"] * 2),
                           (("plan", suite, *others), ["torch-unrolled-cpu"] * 2)):  # fmt: skip
        rows = json.loads(call(*words, "--results", results, "--json").stdout)
        assert [row["engine"] for row in rows] == [None, *engines]
        printed = call(*words, "--results", results).stdout
        assert " engine " in printed
        assert engines[0] in printed
    assert "torch-cpu" in (results / "tiny" / "report.html").read_text()


def test_a_second_run_computes_nothing_and_still_reports(stored):
    suite, results, first = stored
    result = call("run", suite, "--results", results, "--no-mlflow")
    assert result.exit_code == 0
    assert "3 cached; nothing to compute" in result.stdout
    assert result.stdout.splitlines()[-2:] == first.stdout.splitlines()[-2:]


def test_plan_shows_cached_and_stale_cells_with_costs(stored):
    suite, results, _ = stored
    rows = json.loads(call("plan", suite, "--results", results, "--set", "GRU.dim=9", "--json").stdout)
    assert [row["state"] for row in rows] == ["cached", "stale", "stale"]
    assert rows[1]["why"] == "changed: model fields: dim 8 → 9"
    assert rows[1]["seconds"] > 0
    dry = call("run", suite, "--results", results, "--set", "GRU.dim=9", "--dry-run")
    assert "1 cached, 2 stale; 2 to compute, about" in dry.stdout
    assert dry.exit_code == 0


def test_track_fills_mlflow_from_the_store_once(stored):
    _, results, _ = stored
    result = call("track", "tiny", "--results", results)
    assert result.exit_code == 0
    assert "0 cells entered" in result.stdout


def test_report_is_rebuilt_from_stored_results(stored):
    _, results, first = stored
    result = call("report", "tiny", "--results", results)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == first.stdout.splitlines()[-2:]


def test_a_smoke_run_has_a_caveat(stored, tmp_path):
    suite, _, _ = stored
    assert call("run", suite, "--results", tmp_path, "--limit-users", 12, "--seeds", "0", "--no-mlflow").exit_code == 0
    rows = json.loads(call("show", "tiny@limit-users=12", "--results", tmp_path, "--json").stdout)
    assert [row["state"] for row in rows] == ["DONE", "DONE", "MISSING"]
    assert all(any("SMOKE RUN: 12 of 30 users" in caveat for caveat in row["caveats"]) for row in rows[:2])


FAILING = '"GRU": GRU(dim=8, embedding_dim=6, epochs=3, patience=3, batch_size=8, learning_rate=1e30)'


def test_a_failed_cell_is_listed_with_the_command_that_repeats_it(stored, tmp_path, tiny_text):
    suite = tmp_path / "failing.py"
    suite.write_text(
        tiny_text.replace('"GRU": GRU(dim=8, embedding_dim=6, epochs=3, patience=3, batch_size=8)', FAILING)
    )
    assert FAILING in suite.read_text()
    result = call("run", suite, "--results", tmp_path / "results", "--no-mlflow", "--seeds", "1")
    assert result.exit_code == 1
    printed = [line.strip() for line in result.stderr.splitlines()]
    assert printed[0].startswith("1 other cell of the suite is not computed; run python benchmark.py run ")
    assert printed[1].startswith("FAILED markov-30x25/GRU/0: ")
    assert printed[2].startswith(f"traceback: {tmp_path / 'results' / 'cells'}")
    command = printed[3].removeprefix("repeat it with: ")
    assert command.startswith(f"python benchmark.py run {suite} --only markov-30x25/GRU --seeds 0, ")
    again = call(*command.split()[2:], "--no-mlflow", "--no-report")
    assert again.exit_code == 1
    assert again.stderr.count("FAILED") == 1
    rows = json.loads(call("show", "tiny", "--results", tmp_path / "results", "--json").stdout)
    assert [row["state"] for row in rows if row["model"] == "Popularity"] == ["DONE"]


def test_absent_data_are_skipped_unless_they_are_required(tmp_path, tiny_text, monkeypatch):
    suite = tmp_path / "two.py"
    text = tiny_text.replace("CHAIN = ", "from recsys_data.datasets.movielens import MovieLens1MOrdered\nCHAIN = ")
    suite.write_text(text.replace(
        "experiments=[", "experiments=[Experiment(MovieLens1MOrdered(), PerUserFractions(train=0.8, validation=0.1, "
                         "test=0.1), MODELS), "))  # fmt: skip
    words = ("run", suite, "--results", tmp_path / "r", "--data", tmp_path, "--no-mlflow", "--no-report", "--seeds", 0)
    result = call(*words)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("SKIPPED ml-1m-ordered, 2 cells: ") == 1
    assert "[2/2] markov-30x25/GRU/0" in result.stdout
    monkeypatch.setenv("ENCORE_REQUIRE_DATA", "1")
    assert call(*words).exit_code == 1


@pytest.mark.parametrize("words, sentence", [
    (["run", "quikstart"], "error: unknown suite 'quikstart': did you mean 'quickstart'?"),
    (["plan", "./none.py"], "error: no suite file at ./none.py"),
    (["run", "quickstart", "--device", "gpu"], "unknown device 'gpu': expected auto, cpu, cuda or cuda:<number>"),
    (["run", "quickstart", "--seeds", "many"], "error: --seeds 'many' is not understood"),
    (["run", "quickstart", "--set", "GRU.dmi=3"], "GRU has no field 'dmi': did you mean 'dim'?"),
    (["run", "quickstart", "--set", "GRU.dim=x"], "GRU.dim must be a whole number, got 'x'"),
    (["run", "quickstart", "--only", "nothing"], "error: --only 'nothing' matches none of"),
    (["show", "quickstart"], "error: no results of suite 'quickstart' in"),
    (["report", "quickstart"], "error: no results of suite 'quickstart' in"),
    (["track", "quickstart"], "error: no results of suite 'quickstart' in"),
    (["list", "things"], "error: cannot list 'things': expected suites, models, metrics, protocols, "),
])  # fmt: skip
def test_invalid_arguments_give_a_one_line_error(tmp_path, monkeypatch, words, sentence):
    monkeypatch.setenv("ENCORE_RESULTS", str(tmp_path / "results"))
    assert sentence in refused(*words)


def test_results_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is in the way" in refused("run", "quickstart", "--results", tmp_path / "file")
    assert "cannot write results in /proc/encore" in refused("run", "quickstart", "--results", "/proc/encore")


def test_errors_of_the_operating_system_name_the_path(stored, tmp_path):
    _, results, _ = stored
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    words = ("bundle", "tiny", "--results", results, "--out")
    assert refused(*words, tmp_path / "folder") == (
        f"error: {tmp_path / 'folder'}: Is a directory; choose another path, or make this one usable, and run again"
    )
    assert f"{tmp_path / 'file'}: File exists" in refused(*words, tmp_path / "file" / "x.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"], "nothing half-written is left"
    assert f"{tmp_path / 'file'}: File exists" in refused("report", "tiny", "--results", results, "--out",
                                                          tmp_path / "file")  # fmt: skip


def test_a_stored_file_that_is_damaged_is_named(stored, tmp_path):
    suite, results, _ = stored
    mine = tmp_path / "r"
    shutil.copytree(results, mine)
    key = json.loads(call("show", "tiny", "--results", mine, "--json").stdout)[1]["key"]
    for path in (mine / "cells" / key / "cell.json", mine / "suites" / "tiny" / "suite.json"):
        path.write_text(path.read_text()[:200])
        for words in (("show", "tiny"), ("report", "tiny"), ("bundle", "tiny"), ("run", suite, "--only", "GRU")):
            assert f"error: {path} is damaged (" in refused(*words, "--results", mine)
        shutil.rmtree(path.parent)
        if path.name == "cell.json":
            rows = json.loads(call("show", "tiny", "--results", mine, "--json").stdout)
            assert (rows[1]["state"], rows[1]["reason"]) == ("MISSING", "its result is no longer in the store")


def test_ranks_of_two_cells_are_compared(stored, tmp_path):
    _, results, _ = stored
    rows = json.loads(call("show", "tiny", "--results", results, "--json").stdout)
    cells = [results / "cells" / row["key"] for row in rows[:2]]
    out = tmp_path / "answer.html"
    result = call("compare", *cells, "--metric", "mrr@20", "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    [row] = json.loads(result.stdout)["comparisons"]
    assert row["estimate"] == pytest.approx(rows[0]["mrr@20"] - rows[1]["mrr@20"])
    assert f"{row['estimate']:+.5f}" in out.read_text()
    assert "at least two rank files, got 1" in refused("compare", cells[0])
    assert "must end in .html, .txt or .json" in refused("compare", *cells, "--out", tmp_path / "x.doc")


def test_data_are_imported_described_verified_and_exported(tmp_path):
    source = tmp_path / "clicks.csv"
    source.write_text("u1,a,100\nu1,b,200\nu2,a,150\n")
    words = ("--data", tmp_path, "--json")
    facts = json.loads(call("data", "import", source, "--columns", "user,item,timestamp", "--name", "c", *words).stdout)
    assert (facts["events"], facts["users"], facts["items"], facts["sessions"]) == (3, 2, 2, None)
    assert (facts["start"], facts["end"]) == ("1970-01-01T00:01:40+00:00", "1970-01-01T00:03:20+00:00")
    assert facts["clock"] == "absolute" and len(facts["sha256"]) == 64
    kept = tmp_path / "imported" / "c.parquet"
    assert json.loads(call("data", "describe", kept, *words).stdout)["sha256"] == facts["sha256"]
    out = tmp_path / "out.inter"
    assert call("data", "export", kept, "--format", "inter", "--out", out).exit_code == 0
    assert out.read_text().splitlines()[0] == "user_id:token\titem_id:token\ttimestamp:float"
    assert "no data set or file is called 'ml-100': did you mean 'ml-100k'?" in refused("data", "verify", "ml-100")
    assert "ratings-file-order.tsv not found under" in refused("data", "verify", "ml-1m-ordered", "--data", tmp_path)


def test_a_suites_splits_are_audited(stored):
    suite, _, _ = stored
    rows = json.loads(call("data", "audit", suite, "--json").stdout)
    assert {row["level"] for row in rows} <= {"note", "caveat"}
    assert "temporal leakage" in {row["name"] for row in rows}


def test_a_suite_with_a_syntax_error_names_the_line(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("SUITE = (\n")
    assert f"{path}, line 1: '(' was never closed" in refused("run", path)


def test_lists_as_json():
    assert {"quickstart", "ml1m"} <= {row["name"] for row in json.loads(call("list", "--json").stdout)}
    models = {row["name"]: row for row in json.loads(call("list", "models", "--json").stdout)}
    assert models["GRU"]["family"] == "recurrent"
    assert models["GRU"]["fields"]["dim"] == 128
    assert models["Popularity"]["deterministic"] is True
    datasets = {row["name"]: row for row in json.loads(call("list", "datasets", "--json").stdout)}
    assert datasets["ml-100k"]["events"] == 100_000


def test_doctor_reports_problems(tmp_path):
    rows = {row["name"]: row for row in json.loads(call("doctor", "--results", tmp_path, "--json").stdout)}
    assert rows["determinism"]["level"] == "ok"
    assert rows["torch"]["level"] in ("ok", "note")
    assert rows["results"]["found"].startswith("0 finished cells")
    (tmp_path / "file").write_text("")
    result = call("doctor", "--results", tmp_path / "file", "--json")
    assert result.exit_code == 1
    red = [row for row in json.loads(result.stdout) if row["level"] == "red"]
    assert "choose another folder" in red[0]["advice"]


def test_help_is_fast_and_errors_reach_the_shell(tmp_path):
    words = [sys.executable, "benchmark.py"]
    times = []
    for _ in range(3):
        before = os.times().children_user
        subprocess.run([*words, "--help"], capture_output=True, cwd=ROOT, check=True)
        times.append(os.times().children_user - before)
    assert min(times) < 0.5, f"--help took {times} s of processor time"
    done = subprocess.run([sys.executable, "-X", "importtime", *words[1:], "--help"], capture_output=True, text=True,
                          cwd=ROOT, check=True)  # fmt: skip
    assert "run" in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"torch", "numpy", "pandas", "scipy", "pyarrow", "mlflow", "matplotlib", "numba", "joblib"}
    done = subprocess.run([*words, "show", "x", "--results", str(tmp_path)], capture_output=True, text=True, cwd=ROOT,
                          check=False)  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: no results of suite 'x'")
    assert "Traceback" not in done.stderr


def test_verify_certifies_stored_cells_and_names_a_changed_one(stored, tmp_path):
    suite, results, _ = stored
    mine = tmp_path / "results"
    shutil.copytree(results, mine)
    result = call("verify", suite, "--results", mine, "--only", "*/GRU", "--seeds", "0,")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].startswith("same: markov-30x25/GRU/0, ")
    assert Path(result.stdout.splitlines()[-1]) == mine / "suites" / "tiny" / "certificate.json"
    entry = next(e for e in json.loads((mine / "suites" / "tiny" / "suite.json").read_text())["cells"] if e["seed"] == 0
                 and e["model"] == "GRU")  # fmt: skip
    record = mine / "cells" / entry["key"] / "cell.json"
    change_sealed(record, best_epoch=1000)
    result = call("verify", suite, "--results", mine, "--only", "*/GRU", "--seeds", "0,")
    assert result.exit_code == 1 and "different: markov-30x25/GRU/0, best_epoch: 1000 before" in result.stdout
