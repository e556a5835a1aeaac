"""MLflow as a view of hand-made store content: filled, rebuilt, killed runs marked, errors harmless."""

import json

from evaluation.results.suite_results import CellFailure
from harness.tracking.fields import metric_key, params_of
from tests.harness.tracking.made_up_cells import CURVE, LABELS, RECORD, fail, finished


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
    opened.begin([LABELS[:2]])
    opened.progress("abc", LABELS, {"event": "started"}, "MRR@20")
    opened.progress("abc", LABELS, CURVE[0], "MRR@20")
    client, [running] = runs(store, "tags.cell_key = 'abc'")
    assert running.info.status == "RUNNING"
    opened.enter([finished(store)])
    opened.close()
    [run] = runs(store, "tags.cell_key = 'abc'")[1]
    assert run.info.run_id == running.info.run_id
    assert [point.step for point in client.get_metric_history(run.info.run_id, "loss")] == [1, 2]


def test_the_runs_of_a_living_process_are_unchanged(store, tracker, runs):
    first = tracker(store)
    first.begin([LABELS[:2]])
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
    opened.begin([LABELS[:2]])
    opened.progress("abc", LABELS, CURVE[0], "MRR@20")
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
