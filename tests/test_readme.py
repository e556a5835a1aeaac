"""The README's examples, patterns and options work as printed."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmark import app
from harness.suites.load import load_suite
from harness.suites.overrides import Overrides
from harness.suites.parse_overrides import parse_seeds
from recsys_data.sequences import SequenceBatch
from training.run import Run

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()
MODEL, MINE, TUNED = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SHELL = "\n".join(re.findall(r"```\n(.*?)```", README, re.DOTALL))
LINES = [re.split(r"\s+#", line)[0] for line in SHELL.splitlines() if line.startswith("python benchmark.py ")]
CHOOSING = [line for line in LINES if re.search(r"py (run|plan) (?!all|\./)", line)]


@pytest.fixture
def pasted(tmp_path, monkeypatch):
    """A folder with clicks.tsv, mine.py and last_item.py, from which commands are given."""
    clicks = [f"u{user}\ti{(user + step) % 7}\t{100 * user + step}" for user in range(9) for step in range(20)]
    (tmp_path / "clicks.tsv").write_text("\n".join(["user\titem\ttimestamp", *clicks]) + "\n")
    (tmp_path / "last_item.py").write_text(MODEL)
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("last_item", "user_suite_mine"):
        sys.modules.pop(name, None)


def test_the_suite_and_the_model_work_as_pasted(pasted):
    (experiment,) = load_suite("./mine.py").experiments
    split = experiment.protocol.prepare(experiment.dataset.load())
    from last_item import LastItem

    model = LastItem().fit(split.train, Run(seed=0))
    answer = model.score(SequenceBatch.of([[3, 1], []]))
    expected = np.zeros((2, split.train.num_items))
    expected[0, 1] = 1  # the last item read; nothing is known of an empty history
    assert np.array_equal(answer.block(slice(0, 2)), expected)


def test_the_tuning_names_models_and_fields_that_there_are(pasted):
    names = "experiment = SUITE.experiments[0]\ndataset, protocol = experiment.dataset, experiment.protocol\n"
    models = (
        'from baselines.neighbours.item_knn import ItemKNN\nmodels = {**experiment.models, "Item-kNN": ItemKNN()}\n'
    )
    tuned = TUNED.replace("Experiment(", "experiment = Experiment(", 1)
    last = "import dataclasses\nSUITE = dataclasses.replace(SUITE, experiments=[experiment])\n"
    Path("mine.py").write_text(MINE + names + models + tuned + last)
    assert load_suite("./mine.py").experiments[0].tuning.trials == 20


@pytest.mark.parametrize("line", CHOOSING)
def test_commands_choose_cells(line):
    _, _, _, suite, *words = shlex.split(line)
    said = dict(zip(words[::2], words[1::2], strict=True))
    seeds = parse_seeds(said["--seeds"]) if "--seeds" in said else None
    sets = (said["--set"],) if "--set" in said else ()
    overrides = Overrides(sets, said.get("--only", ""), seeds, None, said.get("--protocol", ""))
    assert any(overrides.selection(overrides.apply(load_suite(suite))))


@pytest.mark.parametrize("line", LINES)
def test_options_are_known(line):
    _, _, command, *words = shlex.split(line)
    called = [command, words[0]] if command == "data" else [command]
    known = CliRunner().invoke(app, [*called, "--help"]).output
    assert all(word in known for word in words if word.startswith("--"))
