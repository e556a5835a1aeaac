"""The command diff: exit code, text, page and JSON of two stores that differ in one planted model."""

import dataclasses
import json
import shutil

import pytest
from typer.testing import CliRunner

from benchmark import app
from evaluation.ranking.rank_table import RankTable
from tests.stored_records import change_sealed


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def planted(store, tmp_path_factory):
    """A copy of the store with other ranks and other code for one deterministic model on one data set."""
    root = shutil.copytree(store, tmp_path_factory.mktemp("planted") / "b")
    shutil.rmtree(root / "derived", ignore_errors=True)
    (folder,) = root.glob("cells/000100*")
    ranks = RankTable.read(folder / "ranks.parquet")
    ranks = dataclasses.replace(ranks, greater=ranks.greater[::-1].copy())
    (folder / "ranks.parquet").unlink()
    ranks.write(folder / "ranks.parquet")
    record = json.loads((folder / "cell.json").read_text())
    worse = {name: value / 2 for name, value in record["metrics"].items()}
    change_sealed(folder / "cell.json", metrics=worse, fingerprints=record["fingerprints"] | {"source": "e" * 64})
    return root


def test_nothing_differs_from_itself(store):
    result = call("diff", store, store)
    assert result.exit_code == 0, result.output
    assert "Nothing moved in 16 cells that both sides have." in result.output


def test_one_planted_change_and_nothing_else(store, planted, tmp_path):
    page = tmp_path / "diff.html"
    result = call("diff", store, planted, "--out", page)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[2] == "1 cell and 2 numbers of tables moved beyond the noise of seeds: Markov chain/Markov."
    assert lines[3] == "cells: 15 equal bits, 1 beyond seed noise"
    assert "  code: other source files (1 cell, 1 not equal)" in lines
    moved = [line for line in lines if line.startswith("  beyond seed noise: little/")]
    assert moved[0].startswith("  beyond seed noise: little/Markov chain/Markov/0")
    text = page.read_text()
    assert "What changed: " in text and "<script>alert" not in text
    assert text.count('class="bad"') == 1 + 1 + 2  # the legend, the cell and its two numbers


@pytest.mark.parametrize("fault", ["byte", "swap", "absent"])
def test_changed_files_of_equal_records_are_not_called_equal(store, tmp_path, fault):
    root = shutil.copytree(store, tmp_path / "b")
    first, second = sorted(root.glob("cells/*/ranks.parquet"))[:2]
    if fault == "absent":
        first.unlink()
    else:
        data = first.read_bytes()
        first.write_bytes(second.read_bytes() if fault == "swap" else data[:90] + bytes([data[90] ^ 1]) + data[91:])
    for sides in ((store, root), (root, store)):
        result = call("diff", *sides)
        assert result.exit_code == 2 and f"{first} is damaged" in result.stderr, result.output


def test_json_has_every_cell_and_number(store, planted):
    result = call("diff", store, planted, "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["beyond"], len(found["cells"]), len(found["numbers"])) == (1, True, 16, 20)
    assert [cell["model"] for cell in found["cells"] if cell["change"] != "equal bits"] == ["Markov"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("none", "."), "none does not exist: expected a results folder"),
        ((".", ".", "--out", "x.pdf"), "must end in .html, .txt or .json"),
    ],
)
def test_bad_input_is_one_sentence(words, sentence):
    result = call("diff", *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert sentence in line
