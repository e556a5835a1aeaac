import json
from types import SimpleNamespace

from evaluation.results.suite_results import read_suite
from reports.document.run_index import ModelRuns, RunGroup, RunIndex
from tests.stored_records import write_sealed


def test_models_keep_their_colour_on_every_data_set(store):
    index = RunIndex.of(read_suite(store, "little"))
    colors = {}
    for runs in index.runs:
        colors.setdefault(runs.model, set()).add(runs.color)
    assert all(len(found) == 1 for found in colors.values())
    assert len(set.union(*colors.values())) == 5


def test_a_label_names_a_protocol_where_the_suite_has_several(tmp_path, make_store):
    make_store(tmp_path, published=False)
    path = tmp_path / "suites" / "little" / "suite.json"
    record = json.loads(path.read_text())
    first, second = dict.fromkeys(entry["dataset"] for entry in record["cells"])
    rule = record["cells"][0]["protocol"]
    other = [entry | {"protocol": "another", "key": None, "state": "MISSING"} for entry in record["cells"]]
    record["cells"] += [entry for entry in other if entry["dataset"] == first]
    record["labels"] = [{"dataset": name, "protocol": rule, "label": "ten users"} for name in (first, second)]
    write_sealed(path, record)
    index = RunIndex.of(read_suite(tmp_path, "little"))
    assert [group.heading for group in index.groups.values()] == [f"{first}, ten users", second, f"{first}, another"]
    assert index.heading(first, rule) == f"{first}, ten users"


def test_caveats_of_seeds_that_differ_in_their_best_epoch_are_one():
    group = RunGroup("D", "P", 1, "D", caveats=("shared",))
    runs = ModelRuns(group, "GRU", 0, number=1)
    for seed, caveats in enumerate((["shared", "late (best epoch 9)", "odd"], ["shared", "late (best epoch 7)"])):
        runs.cells.append(SimpleNamespace(seed=seed, caveats=caveats, record={}))
    assert runs.caveats == ("late (best epochs 7, 9)", "odd (seed 0)")
    runs.cells.append(SimpleNamespace(seed=2, caveats=["shared"], record={}))
    assert runs.caveats == ("late (best epochs 7, 9) (seeds 0 and 1)", "odd (seed 0)")
