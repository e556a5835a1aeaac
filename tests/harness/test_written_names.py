"""Moving or renaming a module changes no random stream."""

import dataclasses
import importlib
import inspect
import pkgutil

import pytest

from harness.cells.search import search_seed
from harness.spec import Cell, Experiment, written_form, written_name
from harness.suites.load import SuiteNotLoadable, load_suite
from harness.system.sources import classes_in
from harness.tuning import Choice, Tuning
from recsys_models.rnn import GRU
from suites import full, mlstm, quickstart, rnn_cf, stamp, time_lstm, tuned, user_gru, zoo

SUITES = [full, mlstm, quickstart, rnn_cf, stamp, time_lstm, tuned, user_gru, zoo]
PACKAGES = ("recsys_data", "training", "recsys_models", "baselines")


def named_cells():
    """A cell for each model that a suite names."""
    for module in SUITES:
        for experiment in module.SUITE.experiments:
            for label, model in experiment.models.items():
                yield Cell(experiment, label, model, 3)


def test_moving_every_module_changes_no_seed(monkeypatch):
    cells = list(named_cells())
    before = [cell.random_seed("split") for cell in cells]
    kinds = {
        kind for cell in cells for kind in classes_in((cell.model, cell.experiment.protocol, cell.experiment.dataset))
    }
    assert len(kinds) > 60  # models, losses, optimisers, penalties, controls, samplers, protocols
    protocols = [written_form(cell.experiment.protocol) for cell in cells]
    for kind in kinds:
        monkeypatch.setattr(kind, "__module__", "elsewhere.and_deeper")
    assert [cell.random_seed("split") for cell in cells] == before
    assert [written_form(cell.experiment.protocol) for cell in cells] == protocols


def test_moving_a_model_changes_no_search(monkeypatch):
    space = {"similarity": Choice(1, 2), "dim": Choice(8, 16)}
    cell = Cell(Experiment(None, None, {"GRU": GRU()}, tuning=Tuning(trials=2, spaces={"GRU": space})), "GRU", GRU(), 0)
    before = search_seed(cell)
    for kind in (GRU, Choice):
        monkeypatch.setattr(kind, "__module__", "elsewhere")
    assert search_seed(cell) == before


def test_the_written_names_of_the_project_are_distinct():
    owners = {}
    for package in PACKAGES:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            for kind in vars(importlib.import_module(found.name)).values():
                if inspect.isclass(kind) and dataclasses.is_dataclass(kind) and kind.__module__ == found.name:
                    owners.setdefault(written_name(kind), set()).add(kind.__module__)
    assert len(owners) > 150
    assert {name: places for name, places in owners.items() if len(places) > 1} == {}


TWO_OF_A_NAME = """
from dataclasses import dataclass
from baselines.simple.popularity import Popularity as Known
from harness.spec import Experiment, Suite
from evaluation.metrics.accuracy import MRR
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions

@dataclass
class Popularity(Known):
    pass

SUITE = Suite(name="s", title="S", seeds=[0], metrics=[MRR(20)], experiments=[
    Experiment(MarkovChainSequences(), PerUserFractions(), {"a": Known(), "b": Popularity()})])
"""


def test_two_classes_written_alike_are_refused(tmp_path):
    path = tmp_path / "two.py"
    path.write_text(TWO_OF_A_NAME)
    with pytest.raises(
        SuiteNotLoadable, match=r"baselines.simple.popularity and user_suite_two both define a class .* 'Popularity'"
    ):
        load_suite(str(path))
    path = tmp_path / "three.py"
    path.write_text(TWO_OF_A_NAME.replace("    pass", "    written_name = 'Popularity of my own'"))
    assert load_suite(str(path)).name == "s"
