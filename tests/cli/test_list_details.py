"""The command list: every kind, one of them in full, and the words of its refusals; -h, --version and completion."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark import app
from cli.lists.fields import field_rows, meaning
from cli.lists.kinds import CLASSES, LOSS_MODULES, classes
from recsys_models.rnn import GRU
from training.losses.loss import Loss
from training.losses.sampled import BPRMax


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("what", CLASSES)
def test_every_kind_is_listed_with_its_first_sentence(what):
    rows = json.loads(call("list", what, "--json").stdout)
    assert {row["name"] for row in rows} == set(classes(what)) - {"NextItemModel"}
    assert all(row["about"] for row in rows)


@pytest.mark.parametrize("what", CLASSES)
def test_every_field_has_a_type_a_default_and_a_meaning(what):
    for name, kind in classes(what).items():
        for row in field_rows(kind):
            assert all(row.values()), f"{name}.{row['field']}"


def test_all_losses_and_protocols_are_listed():
    modules = [m.name for m in pkgutil.iter_modules(importlib.import_module("training.losses").__path__)]
    for module in modules:
        for _, kind in inspect.getmembers(importlib.import_module(f"training.losses.{module}"), inspect.isclass):
            if issubclass(kind, Loss) and not kind.__subclasses__():
                assert kind.__name__ in classes("losses"), f"name {module} in LOSS_MODULES"
    assert set(LOSS_MODULES) <= set(modules)
    assert {"LeaveLastOut", "PerUserFractions", "GlobalTimeCut"} <= set(classes("protocols"))
    assert {"MRR", "Gini", "MeanRank"} <= set(classes("metrics"))
    assert {"Ranking", "Published"} <= set(classes("claims"))


@pytest.mark.parametrize(
    ("kind", "field", "words"),
    [
        (GRU, "reset", '"after" the product (torch, cuDNN) or "before" it (Cho et al.)'),
        (GRU, "dim", "size of the last layer"),  # of RNN, before that of NextItemModel
        (GRU, "batch_size", "windows per step"),
        (GRU, "max_len", "events in a training window (a query reads its whole history)"),
        (BPRMax, "regularisation", "λ"),
        (BPRMax, "num_negatives", "how many other items are drawn for each target"),
    ],
)
def test_meanings_come_from_docstrings(kind, field, words):
    assert meaning(kind, field) == words


def test_one_model_in_full():
    result = call("list", "models", "gru")
    assert result.exit_code == 0
    for words in ("from recsys_models.rnn import GRU", "size of the last layer", "lower_layers", "CrossEntropy"):
        assert words in result.output


def test_one_data_set_in_full():
    rows = json.loads(call("list", "datasets", "ml-100k", "--json").stdout)
    assert [(row["name"], row["events"]) for row in rows] == [("ml-100k", 100_000)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("modles",), "cannot list 'modles': did you mean 'models'?"),
        (("models", "GRUU"), "list models: there is no 'GRUU'; did you mean 'GRU'?"),
        (("datasets", "ml-100"), "list datasets: there is no 'ml-100'; did you mean 'ml-100k'?"),
    ],
)
def test_a_wrong_word_gets_the_closest(words, sentence):
    result = call("list", *words)
    assert (result.exit_code, result.stderr) == (2, f"error: {sentence}\n")


@pytest.mark.parametrize("words", [["-h"], ["run", "-h"], ["data", "-h"], ["data", "import", "-h"]])
def test_short_help(words):
    assert call(*words).output == call(*words[:-1], "--help").output


def test_version():
    result = call("--version")
    assert result.exit_code == 0
    assert result.output.startswith("Encore ")


@pytest.mark.parametrize(
    ("line", "offered"),
    [("run sta", ["stamp"]), ("pla", ["plan"]), ("run stamp --limit", ["--limit-users"]), ("list mod", ["models"])],
)
def test_completion_of_a_shell(line, offered):
    benchmark = Path(__file__).resolve().parents[2] / "benchmark.py"
    environment = {"COMP_WORDS": f"benchmark.py {line}", "COMP_CWORD": str(len(line.split())),
                   "_BENCHMARK.PY_COMPLETE": "complete_bash"}  # fmt: skip
    run = subprocess.run([sys.executable, benchmark], env=environment, capture_output=True, text=True, check=False)
    assert run.stdout.split() == offered
