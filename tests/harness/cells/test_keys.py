from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from evaluation.metrics.accuracy import MRR, NDCG, Recall
from evaluation.metrics.coverage import ItemCoverage
from evaluation.metrics.lists import Gini
from harness.cells.keys import differences, engine_of, key_of, key_parts, search_key
from harness.spec import Cell, Experiment


@dataclass(frozen=True)
class Data:
    name: str = "data"


@dataclass(frozen=True)
class Protocol:
    name: str = "protocol"
    share: float = 0.9


@dataclass
class Model:
    dim: int = 8
    deterministic = False
    family = "popularity"


METRICS = (MRR(20),)
SOURCES = {"recsys_models/a.py": "1", "training/loop.py": "2"}


def prepared(data="d", split="s", caveats=()):
    return SimpleNamespace(data={"fingerprint": data}, fingerprint=split, caveat_marks=list(caveats))


def parts(cell=None, ready=None, sources=SOURCES, metrics=METRICS, device="cpu", threads=1, **chosen):
    experiment = Experiment(Data(), Protocol(), {})
    return key_parts(cell or Cell(experiment, "Model", Model(), 0), ready or prepared(), sources=sources,
                     metrics=metrics, device=device, threads=threads, **chosen)  # fmt: skip


CELL = Cell(Experiment(Data(), Protocol(), {}), "Model", Model(), 0)


def with_engine(name):
    """A model on another engine; the engine is no field of it."""
    model = Model()
    model.engine = name
    return model


CHANGES = {
    "data": {"ready": prepared(data="other")},
    "split": {"ready": prepared(split="other")},
    "caveats": {"ready": prepared(caveats=["SMOKE RUN"])},
    "protocol": {"cell": replace(CELL, experiment=Experiment(Data(), Protocol(share=0.8), {}))},
    "max padded events": {"cell": replace(CELL, experiment=Experiment(Data(), Protocol(), {}, max_padded_events=99))},
    "model fields": {"cell": replace(CELL, model=Model(dim=9))},
    "seed": {"cell": replace(CELL, seed=1)},
    "code": {"sources": SOURCES | {"training/loop.py": "3"}},
    "validation metric": {"metrics": [NDCG(10)]},
    "list length": {"metrics": [MRR(20), Gini(5)]},
    "device": {"device": "cuda:1"},
    "threads": {"threads": 2},
    "precision": {"precision": "bfloat16"},
    "engine": {"cell": replace(CELL, model=with_engine("another"))},
}


@pytest.mark.parametrize("part", CHANGES)
def test_each_part_changes_the_key_and_is_named(part):
    before, after = parts(), parts(**CHANGES[part])
    assert key_of(before) != key_of(after)
    assert [words.partition(":")[0] for words in differences(before, after)] == [part]


def test_a_library_version_changes_the_key(monkeypatch):
    before = parts()
    monkeypatch.setattr("harness.cells.keys.key_versions", lambda: {"torch": "99"})
    assert key_of(parts()) != key_of(before)


def test_names_do_not_count():
    renamed = replace(CELL, model_name="Another", experiment=Experiment(Data("other name"), Protocol(), {}))
    assert key_of(parts(cell=renamed)) == key_of(parts())


def test_further_metrics_that_the_ranks_hold_do_not_count():
    assert key_of(parts(metrics=[MRR(20), Recall(5), ItemCoverage(5)])) == key_of(parts())


def test_a_part_that_is_no_longer_there_is_named():
    assert differences(parts(metrics=[MRR(20), Gini(5)]), parts()) == ["list length: 5 → null"]


def test_neither_seed_nor_kept_lists_make_another_search():
    assert search_key(parts(metrics=[MRR(20), Gini(5)])) == search_key(parts()) == search_key(parts(**CHANGES["seed"]))
    assert search_key(parts(**CHANGES["model fields"])) != search_key(parts())


def test_the_number_of_a_gpu_does_not_count():
    assert key_of(parts(device="cuda:0")) == key_of(parts(device="cuda:1"))


def test_float32_and_the_usual_engine_leave_keys_as_they_were():
    assert key_of(parts(precision="float32", engine="torch")) == key_of(parts()) and "precision" not in parts()
    assert key_of(parts(engine="compiled")) == key_of(parts())  # this model has no other engine


def test_what_changed_is_told_with_both_values():
    after = parts(cell=replace(CELL, model=Model(dim=9)), sources=SOURCES | {"training/new.py": "4"})
    assert differences(parts(), after) == ["model fields: dim 8 → 9", "code: training/new.py"]


def test_an_engine_is_asked_for_where_a_model_resolves_one():
    assert (
        engine_of(SimpleNamespace(resolved_engine=lambda device: f"fast-{device}", engine="auto"), "cpu") == "fast-cpu"
    )
    assert engine_of(SimpleNamespace(engine="torch"), "cpu") == "torch"
    assert engine_of(SimpleNamespace(engine="torch"), "cpu", "compiled") == "torch"
    assert engine_of(Model(), "cpu") is None
