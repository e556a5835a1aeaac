"""--precision and --engine from the command line to records, variants, verification and the report."""

import json

import pytest
from typer.testing import CliRunner

from benchmark import app
from evaluation.results.suite_results import read_suite
from training.precision import products_by

USER_GRU = "from recsys_models.user_gru import StandardGRU\n"


@pytest.fixture
def suite(tmp_path, tiny_text):
    """The tiny suite with a model that the compiled engine runs, beside one that it does not."""
    path = tmp_path / "tiny.py"
    path.write_text(
        USER_GRU + tiny_text.replace("MODELS = {", 'MODELS = {"Standard GRU": StandardGRU(dim=8, epochs=2), ')
    )
    return path


@pytest.fixture
def encore(tmp_path, suite):
    """Run a command of Encore in the test's folders; return its exit code and output."""

    def run(command, *options):
        places = ["--results", str(tmp_path / "results")]
        found = CliRunner().invoke(app, [command, *options, *places])
        return found.exit_code, found.output

    return run


def test_a_run_in_bfloat16_is_a_variant_that_says_so_and_verifies(encore, suite, tmp_path):
    chosen = [str(suite), "--precision", "bfloat16", "--seeds", "0,", "--only", "*/GRU"]
    code, output = encore("run", *chosen, "--no-mlflow")
    assert code == 0, output
    cells = {cell.model: cell for cell in read_suite(tmp_path / "results", "tiny@precision=bfloat16").cells}
    environment = cells["GRU"].record["environment"]
    assert (environment["precision"], environment["products"]) == ("bfloat16", products_by("bfloat16", "cpu"))
    assert cells["GRU"].record["key_parts"]["precision"] == "bfloat16"
    assert "--precision bfloat16" in cells["GRU"].record["command"]
    assert encore("verify", *chosen)[0] == 0
    code, output = encore("plan", "tiny@precision=bfloat16", "--json")
    assert code == 0, output
    states = {row["model"]: row["state"] for row in json.loads(output) if row["seed"] == 0}
    assert states["GRU"] == "cached"
    page = (tmp_path / "results" / "tiny@precision=bfloat16" / "report.html").read_text()
    assert "precision=bfloat16" in page and products_by("bfloat16", "cpu") in page


def test_a_cell_in_another_precision_is_no_earlier_form(encore, suite):
    chosen = [str(suite), "--seeds", "0,", "--only", "*/GRU"]
    assert encore("run", *chosen, "--precision", "bfloat16", "--no-mlflow", "--no-report")[0] == 0

    def planned(*options):
        code, output = encore("plan", *chosen, *options, "--json")
        assert code == 0, output
        return [(row["state"], row["why"]) for row in json.loads(output)]

    assert planned("--precision", "bfloat16") == [("cached", "")]
    assert planned() == [("new", "never computed; another variant is stored")]


def test_the_compiled_engine_is_announced_and_shares_what_it_does_not_run(encore, suite, tmp_path):
    assert encore("run", str(suite), "--seeds", "0,", "--no-mlflow", "--no-report")[0] == 0
    code, output = encore("plan", str(suite), "--engine", "compiled", "--seeds", "0,", "--json")
    assert code == 0, output
    rows = {row["model"]: (row["engine"], row["state"]) for row in json.loads(output) if row["seed"] == 0}
    assert rows["Standard GRU"] == ("compiled-cpu", "stale")  # of the plain suite
    assert rows["GRU"] == ("torch-cpu", "cached") and rows["Popularity"] == (None, "cached")
    code, output = encore("run", str(suite), "--engine", "compiled", "--seeds", "0,", "--no-mlflow", "--no-report")
    assert code == 0, output
    found = {cell.model: cell for cell in read_suite(tmp_path / "results", "tiny@engine=compiled").cells}
    assert found["Standard GRU"].record["engine"] == "compiled-cpu"


@pytest.mark.parametrize("options, message", [
    (["--precision", "tf32", "--device", "cpu"], "precision tf32 is a format of NVIDIA GPUs, and the device is cpu"),
    (["--precision", "half"], "unknown precision 'half': expected float32, tf32 or bfloat16"),
    (["--engine", "fast"], "unknown engine 'fast': expected torch or compiled"),
    (["--engine", "compiled", "--precision", "bfloat16", "--device", "cpu"], "engine compiled computes in float32"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["run", "plan"])
def test_what_cannot_be_combined_is_refused_in_one_sentence(encore, suite, command, options, message):
    code, output = encore(command, str(suite), *options)
    assert code != 0 and message in " ".join(output.split()) and "Traceback" not in output
