"""Repeated options: each adds up, or is refused in one sentence; none silently keeps its last value."""

import json

import pytest
import typer
from typer.core import TyperOption
from typer.testing import CliRunner

import benchmark

TOP = typer.main.get_command(benchmark.app).commands
COMMANDS = {(name,): command for name, command in TOP.items() if name != "data"}
COMMANDS |= {("data", name): command for name, command in TOP["data"].commands.items()}
OPTIONS = [
    (words, option)
    for words, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, TyperOption) and option.name != "help"
]


def call(*words):
    return CliRunner().invoke(benchmark.app, [str(word) for word in words])


SELECTING = {"only", "protocol", "seeds"}  # repeated, each selects more
ONCE = [(words, option) for words, option in OPTIONS if option.name not in SELECTING]


@pytest.mark.parametrize(("words", "option"), ONCE, ids=[f"{' '.join(w)} {o.opts[0]}" for w, o in ONCE])
def test_every_option_of_every_command_adds_up_or_is_refused(words, option):
    name = option.opts[0]
    one = [name] if option.is_flag else [name, "3=4"]
    result = call(*words, *one, *one)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    what = f"{name} 3" if option.multiple else name
    assert line == f"error: {what} is given more than once, and only one value can count; give it once"


def test_options_that_collect_values_are_named():
    assert {option.name for _, option in OPTIONS if option.multiple} == {
        "sets",
        "metric",
        "models",
        "deterministic",
    } | SELECTING


def chosen(*words):
    options = ("--results", "none", "--data", "none", "--json")
    result = call("plan", "zoo", *words, *options)
    assert result.exit_code == 0, result.output
    return {(row["model"], row["seed"]) for row in json.loads(result.stdout) if row["state"] != "left out"}


def test_repeated_selections_of_cells_add_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        chosen("--only", "GRU", "--only", "ml-100k/LSTM") == {("GRU", 0), ("LSTM", 0)} == chosen("--only", "GRU|LSTM")
    )
    assert chosen("--only", "LSTM", "--seeds", "2,", "--seeds", "4-5") == {("LSTM", 2), ("LSTM", 4), ("LSTM", 5)}
    protocols = ("--protocol", "per-user*", "--protocol", "other")
    assert chosen("--only", "GRU", *protocols) == {("GRU", 0)}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("--only", "GRU", "--only", "GRUU"), "--only 'GRUU' matches none of "),
     (("--seeds", "1", "--seeds", "2"), "lists a seed twice"), (("--seeds", "4-2"), "'4-2' is not understood")],
)  # fmt: skip
def test_each_selection_must_be_usable(words, sentence):
    result = call("plan", "zoo", *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert sentence in line


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("bundle", "quickstart", "-o", "a.zip", "--out=b.zip"), "-o/--out"),
        (("data", "import", "f.csv", "--name", "x", "--header", "--no-header"), "--header/--no-header"),
        (("plan", "quickstart", "--set", "GRU.dim=3", "--set", "dim=4", "--set", "GRU.dim=5"), "--set GRU.dim"),
        (("run", "quickstart", "--jobs", "1", "--only", "*/GRU", "--jobs", "2"), "--jobs"),
    ],
)
def test_the_sentence_names_the_option_as_it_was_given(words, name):
    result = call(*words)
    assert result.exit_code == 2
    assert result.stderr == f"error: {name} is given more than once, and only one value can count; give it once\n"


def test_different_fields_are_all_set(tmp_path):
    fields = ("--set", "GRU.dim=3", "--set", "LSTM.dim=4")
    result = call("plan", "quickstart", *fields, "--results", tmp_path, "--data", tmp_path)
    assert result.exit_code == 0, result.output


def test_a_positional_list_may_repeat(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("user,query,rank\nx,1,2\ny,1,4\n")
    assert call("compare", path, path, path).exit_code == 0


@pytest.mark.parametrize("metrics", [["--metric", "mrr@5,recall@3"], ["--metric", "mrr@5", "--metric", "recall@3"]])
def test_several_metrics_with_commas_or_by_repeating(tmp_path, metrics):
    path = tmp_path / "a.csv"
    path.write_text("user,query,rank\nx,1,2\ny,1,4\n")
    rows = json.loads(call("compare", path, path, *metrics, "--json").stdout)["comparisons"]
    assert [row["metric"] for row in rows] == ["mrr@5", "recall@3"]
