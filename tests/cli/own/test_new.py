"""The command new: what it writes runs as it is, keeps the contract, and overwrites and guesses nothing."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark import app
from cli.own import templates
from recsys_data.catalogue.all_datasets import DATASETS


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """A folder of the user's own, in which commands are given."""
    monkeypatch.chdir(tmp_path)
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("kind", "name", "file", "rules"),
    [("model", "TinyNet", "tiny_net.py", 13), ("baseline", "my_counts", "my_counts.py", 13),
     ("dataset", "shop-log", "shop_log.py", 2)],
)  # fmt: skip
def test_each_kind_keeps_the_contract_as_written(kind, name, file, rules):
    written = call("new", kind, name)
    assert written.exit_code == 0, written.output
    assert written.output.splitlines()[0] == file
    assert f"python benchmark.py check {file}" in Path(file).read_text()
    checked = call("check", file)
    assert checked.exit_code == 0, checked.output
    assert checked.output.endswith(f"{rules} of {rules} rules hold\n")


def test_a_suite_takes_models_and_data_and_can_be_planned(own_folder):
    call("new", "baseline", "MyCounts")
    call("new", "dataset", "ring")
    written = call("new", "suite", "order", "--model", "my_counts.py", "--dataset", "ring.py")
    assert written.exit_code == 0, written.output
    plan = call("plan", "./order.py", "--results", own_folder / "results")
    assert plan.exit_code == 0, plan.output
    for word in ("MyCounts", "ring", "Popularity", "GRU"):
        assert word in plan.output
    assert "MyCounts beats the GRU" in Path("order.py").read_text()


def test_a_suite_takes_a_file_of_events():
    Path("clicks.csv").write_text("user,item,timestamp\n" + "".join(f"u,i{n},{n}\n" for n in range(5)))
    assert call("new", "suite", "my_clicks", "--dataset", "clicks.csv").exit_code == 0
    assert "DATASET = InteractionFile('clicks.csv')" in Path("my_clicks.py").read_text()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.name)
def test_every_built_in_data_set_can_be_written_into_a_suite(dataset):
    line, value = templates._dataset_source(dataset.name, None)
    names = {}
    exec(line, names)
    assert eval(value, names) == dataset


def test_the_template_of_suites_has_the_statements_that_change():
    text = templates._template("suite")
    for part in (templates._SUITE_DATA_IMPORT, templates._SUITE_DATA, templates._SUITE_MODELS,
                 templates._SUITE_LAST_IMPORT, templates.SUITE_CLAIM):  # fmt: skip
        assert text.count(part) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("mdel", "x"), "there is no template for 'mdel': did you mean 'model'?"),
        (("model", "3x"), "'3x' cannot name a file and a class"),
        (("model", "class"), "'class' cannot name a file and a class"),
        (("model", "../x"), "'../x' cannot name a file and a class"),
        (("model", "Überx"), "'Überx' cannot name a file and a class"),
        (("model", "numpy"), "'numpy' is the name of a Python module"),
        (("model", "x1", "--dataset", "ml-1m"), "--dataset and --model are for new suite, not for new model"),
        (("suite", "x1", "--dataset", "ml-100"), "did you mean 'ml-100k'?"),
        (("suite", "x1", "--model", "none.py"), "no Python file at none.py"),
        (("suite", "ml1m"), "is that of the built-in suite"),
    ],
)
def test_bad_input_gives_one_sentence_and_writes_nothing(words, sentence):
    result = call("new", *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert sentence in line
    assert list(Path().glob("*.py")) == []


def test_no_file_is_overwritten():
    Path("mine.py").write_text("precious")
    result = call("new", "model", "mine")
    assert result.exit_code == 2
    assert "mine.py exists already" in result.stderr
    assert Path("mine.py").read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "kind", "stem", "label"),
    [("MyGRU", "MyGRU", "my_gru", "my-gru"), ("my-gru", "MyGru", "my_gru", "my-gru"),
     ("GRU4RecV2", "GRU4RecV2", "gru4_rec_v2", "gru4-rec-v2"), ("a", "A", "a", "a")],
)  # fmt: skip
def test_names(name, kind, stem, label):
    assert templates.Names.of(name) == templates.Names(kind, stem, label)
