"""MLflow as a view of hand-made store content: filled, rebuilt, killed runs marked, errors harmless."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from evaluation.results.suite_results import CellFailure
from evaluation.verdicts.verdict import Outcome, Verdict
from harness.tracking.fields import metric_key, params_of
from harness.tracking.mlflow_client import views
from harness.tracking.summaries import TrackedReport
from tests.harness.tracking.made_up_cells import CURVE, PLACE, RECORD, fail, finished


def test_a_cell_becomes_a_complete_run(store, suite, tracker, runs):
    opened = tracker(store)
    assert opened.enter([finished(store)]) == 1
    opened.close()
    client, [run] = runs(store, "tags.cell_key = 'abc'")
    assert run.info.status == "FINISHED"
    assert run.info.end_time - run.info.start_time == 3000
    assert run.data.metrics["test/mrr_at_20"] == 0.25
    assert run.data.metrics["test/recall_at_20"] == 0.5
    assert run.data.params["model.loss.margin"] == "1.0"
    assert run.data.params["protocol.train"] == "0.9"
    tags = run.data.tags
    assert (tags["mlflow.source.git.commit"], tags["dirty"], tags["data_sha256"]) == ("f" * 40, "true", "d" * 64)
    curve = client.get_metric_history(run.info.run_id, "validation/mrr_at_20")
    assert [(point.step, point.value) for point in curve] == [(1, 0.1), (2, 0.2)]
    assert sorted(file.path for file in client.list_artifacts(run.info.run_id)) == ["cell.json", "ranks.parquet"]
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    parent = client.get_run(tags["mlflow.parentRunId"])
    assert (parent.data.tags["dataset"], parent.data.tags["model"]) == ("chain", "GRU")
    assert parent.info.status == "FINISHED"
    kept = json.loads(store.suite_file(suite, "mlflow.json").read_text())
    assert (kept["suite"], kept["runs"]) == (suite, {"abc": run.info.run_id})


def test_cells_are_entered_once_and_deleted_runs_are_rebuilt(store, tracker, runs):
    cell = finished(store)
    first = tracker(store)
    first.enter([cell])
    first.close()
    again = tracker(store)
    assert again.enter([cell]) == 0
    again.close()
    client, [run] = runs(store, "tags.cell_key = 'abc'")
    client.delete_run(run.info.run_id)
    rebuilt = tracker(store)
    assert rebuilt.enter([cell]) == 1
    rebuilt.close()
    assert len(runs(store, "tags.cell_key = 'abc'")[1]) == 1


def test_live_epochs_are_not_logged_twice(store, tracker, runs):
    opened = tracker(store)
    opened.begin([PLACE])
    opened.progress("abc", PLACE, 3, {"event": "started"}, "MRR@20")
    opened.progress("abc", PLACE, 3, CURVE[0], "MRR@20")
    client, [running] = runs(store, "tags.cell_key = 'abc'")
    assert running.info.status == "RUNNING"
    opened.enter([finished(store)])
    opened.close()
    [run] = runs(store, "tags.cell_key = 'abc'")[1]
    assert run.info.run_id == running.info.run_id
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [1, 2]


def test_the_runs_of_a_living_process_are_unchanged(store, tracker, runs):
    first = tracker(store)
    first.begin([PLACE])
    tracker(store)
    assert [run.info.status for run in runs(store)[1]] == ["RUNNING"]
    first.close("KILLED")
    assert [run.info.status for run in runs(store)[1]] == ["KILLED"]


def test_a_failure_is_a_failed_run_entered_once(store, tracker, runs):
    fail(store, "abc", "it broke")
    failure = CellFailure("chain", "p", "GRU", 3, "FAILED", "it broke", "command", "abc", store.folder("abc"))
    opened = tracker(store)
    assert opened.enter([failure]) == 1
    opened.close()
    again = tracker(store)
    assert again.enter([failure]) == 0
    [run] = runs(store, "tags.cell_key = 'abc'")[1]
    assert (run.info.status, run.data.tags["reason"]) == ("FAILED", "it broke")


def test_an_unreachable_server_gives_one_warning(store, suite, monkeypatch, tracker):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    warnings = []
    opened = tracker(store, warnings)
    opened.begin([PLACE])
    opened.progress("abc", PLACE, 3, CURVE[0], "MRR@20")
    assert opened.enter([finished(store)]) == 0
    opened.close()
    assert len(warnings) == 1
    assert "MLflow at http://127.0.0.1:9 cannot be used" in warnings[0]
    assert f"enter them later with python benchmark.py track {suite}" in warnings[0]
    assert opened.failed
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    later = tracker(store)
    assert later.enter([finished(store)]) == 1
    later.close()


def test_parameters_keep_their_values_whatever_their_names():
    fields = {"a//b": 1, "a__b": 2, "../c": 3, "x" * 300: 4, "d\n": 5, "用户": 6}
    params = dict(params_of(RECORD | {"model_fields": fields}))
    assert {name: value for name, value in params.items() if name.startswith("model.")} == {
        "model.a__b": "1", "model.a__b_2": "2", "model..._c": "3", "model." + "x" * 234: "4", "model.d_": "5",
        "model.用户": "6"}  # fmt: skip


def test_metric_names_are_valid_in_mlflow():
    assert metric_key("MRR@20") == "mrr_at_20"
    assert metric_key("My metric (odd)@5") == "my metric _odd__at_5"


def test_a_parent_has_what_its_seeds_have_in_common(store, tracker, runs):
    days = {2: 0.2, 1: 0.1, 3: 0.6}
    cells = [finished(store, key=f"k{n}", metrics={"MRR@20": value}, started=f"2030-01-0{n}T00:00:00.000Z",
                      finished=f"2030-01-0{n}T00:00:05.000Z", epochs=n) for n, value in days.items()]  # fmt: skip
    first = tracker(store)
    first.enter(cells[:2])
    first.close()
    [parent] = runs(store, "tags.kind = 'model' and tags.protocol = 'p'")[1]
    assert parent.data.metrics["test/mrr_at_20"] == pytest.approx(0.15)
    assert parent.data.metrics["test/mrr_at_20_sd"] == pytest.approx(np.std([0.1, 0.2], ddof=1))
    assert (parent.data.params["model.dim"], parent.data.params.get("epochs")) == ("8", None)  # epochs differ
    assert parent.inputs.dataset_inputs[0].dataset.name == "chain"
    assert parent.info.end_time - parent.info.start_time == 86_405_000  # from the first seed's start to the last's end
    later = tracker(store)
    later.enter(cells[2:])
    later.close()
    [parent] = runs(store, "tags.kind = 'model'")[1]
    assert parent.data.metrics["test/mrr_at_20"] == pytest.approx(0.3)
    assert parent.data.metrics["seconds/fit"] == 2.0


def test_protocols_of_one_data_set_have_parents_of_their_own(store, tracker, runs):
    opened, cell = tracker(store), finished(store)
    opened.enter([cell, dataclasses.replace(finished(store, key="other"), protocol="q")])
    opened.close()
    parents = runs(store, "tags.kind = 'model'")[1]
    assert {run.data.tags["protocol"] for run in parents} == {"p", "q"}
    assert runs(store, "tags.not_converged = 'true' and tags.kind = 'cell'")[1]


def test_the_report_adds_intervals_and_its_page_once(store, suite, tracker, runs, tmp_path):
    page = tmp_path / "report.html"
    page.write_text("<p>the report</p>")
    opened = tracker(store)
    opened.enter([finished(store)])
    opened.close()
    row = SimpleNamespace(model="GRU", interval=(0.2, 0.3))
    table = SimpleNamespace(dataset="chain", protocol="p", metric="MRR@20", models=(row,))
    record = {"title": "A suite", "metrics": ["MRR@20"], "created": "2030", "command": "run"}
    for _ in range(2):
        opened.add_report(TrackedReport([table], [Verdict("claim", Outcome.REPRODUCED, "so")], record, [page]))
    [parent] = runs(store, "tags.kind = 'model'")[1]
    assert [parent.data.metrics[f"test/mrr_at_20_{end}"] for end in ("low", "high")] == [0.2, 0.3]
    client, [whole] = runs(store, "tags.kind = 'suite'")
    assert [file.path for file in client.list_artifacts(whole.info.run_id)] == ["report.html"]
    assert whole.data.metrics == {"verdicts/reproduced": 1.0}
    tags = client.get_experiment_by_name(suite).tags
    assert tags["mlflow.experiment.primaryMetric.name"] == "test/mrr_at_20"
    columns = json.loads(tags["mlflow.sharedViewState.encore"])["selectedColumns"]
    assert columns == [f"metrics.`test/mrr_at_20{end}`" for end in ("", "_low", "_high", "_sd")]
    assert any(view.startswith(f"{suite}: http://127.0.0.1:7/#/experiments/") for view in views(store.root, 7))
    opened.add_report(TrackedReport([table], [Verdict("claim", Outcome.CONTRADICTED, "no")], record, [page]))
    [whole] = runs(store, "tags.kind = 'suite'")[1]
    assert whole.data.metrics == {"verdicts/reproduced": 0.0, "verdicts/contradicted": 1.0}
