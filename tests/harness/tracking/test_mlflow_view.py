"""MLflow as a view of hand-made store content: filled, rebuilt, killed runs marked, errors harmless."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from evaluation.results.suite_results import CellFailure, CellResult
from evaluation.stored_files import SCHEMAS
from harness.store import Store
from harness.system.environment import ROOT
from harness.tracking.database import tracking_uri
from harness.tracking.fields import metric_key, params_of
from harness.tracking.mlflow_view import Tracker
from tests.stored_records import write_sealed

RECORD = {
    "key": "abc", "dataset": "chain", "protocol": "p", "model": "GRU", "seed": 3, "state": "DONE",
    "model_fields": {"type": "x.GRU", "dim": 8, "loss": {"type": "x.Loss", "margin": 1.0}},
    "dataset_fields": {"type": "x.Chain"}, "protocol_fields": {"type": "x.Cut", "train": 0.9},
    "fingerprints": {"data": "d" * 64, "split": "s" * 64, "source": "c" * 64}, "device": "cpu", "device_name": "a cpu",
    "environment": {"commit": "f" * 40, "dirty": True, "cpu": "a cpu"}, "metrics": {"MRR@20": 0.25, "Recall@20": 0.5},
    "validation": {"MRR@20": 0.3}, "seconds": {"fit": 2.0, "score": 1.0}, "peak_memory_mb": 100.0, "threads": 1,
    "engine": None, "parameters": 99, "epochs": 2, "best_epoch": 2, "stopped": "epoch limit",
    "resumed_from": None, "caveats": ["NOT CONVERGED"], "started": "2030-01-01T00:00:00.000Z",
    "finished": "2030-01-01T00:00:03.000Z", "command": "python benchmark.py run x", "edition": "generated",
}  # fmt: skip
CURVE = [{"event": "epoch", "epoch": n, "loss": 3.0 - n, "validation": n / 10, "seconds": 1.0} for n in (1, 2)]
LABELS = ("chain", "GRU", 3)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One results folder for all tests, since making a database takes seconds; each test has its own suite."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def store(root, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.rmtree(root / "cells", ignore_errors=True)
    return Store.open(root)


@pytest.fixture
def suite(request):
    return request.node.name


@pytest.fixture
def tracker(suite):
    """Opens a tracker of this test's suite."""
    return lambda store, warnings=None: Tracker(store, suite, print if warnings is None else warnings.append).open()


@pytest.fixture
def runs(suite):
    """Finds this test's runs."""

    def found(store, words=""):
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=tracking_uri(store.root))
        return client, client.search_runs([client.get_experiment_by_name(suite).experiment_id], words)

    return found


def finished(store, **changes):
    """A finished cell put into the store by hand."""
    record = RECORD | changes

    def write(folder):
        (folder / "ranks.parquet").write_bytes(b"ranks")
        (folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in CURVE))
        write_sealed(folder / "cell.json", record)

    store.commit(record["key"], write)
    return CellResult(store.folder(record["key"]), "chain", "p", "GRU", 3, store.record(record["key"]))


def fail(store, key, reason):
    """Store that a cell failed."""
    record = {"schema": SCHEMAS["failure.json"], "key": key, "reason": reason, "finished": "2030"}
    store.commit_failure(key, record, "the traceback")


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


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.store import Store
from harness.tracking.mlflow_view import Tracker
tracker = Tracker(Store.open(Path(sys.argv[1])), sys.argv[2], print).open()
tracker.begin([("chain", "GRU")])
tracker.progress("abc", ("chain", "GRU", 3), {"event": "started"}, "MRR@20")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_marked_at_the_next_start(store, suite, tracker, runs):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", KILLED, str(store.root), suite], env=environment, check=False)
    assert {run.info.status for run in runs(store)[1]} == {"RUNNING"}
    opened = tracker(store)
    assert {run.info.status for run in runs(store)[1]} == {"KILLED"}
    opened.begin([LABELS[:2]])
    opened.enter([finished(store, resumed_from=1)])
    opened.close()
    found = {(run.info.status, run.data.tags.get("resumed_from")) for run in runs(store, "tags.cell_key = 'abc'")[1]}
    assert found == {("KILLED", None), ("FINISHED", "1")}
    assert {run.info.status for run in runs(store, f"tags.suite = '{suite}'")[1]} == {"KILLED", "FINISHED"}


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


@pytest.mark.parametrize("call", ["log_batch", "log_inputs", "log_artifact", "set_terminated"])
def test_a_process_killed_while_it_enters_a_cell_loses_nothing(store, tracker, runs, monkeypatch, call):
    cell, first = finished(store), tracker(store)
    client = first._experiment.client
    first.begin([LABELS[:2]])

    class Killed(BaseException):
        """Ends the process's part of this test, as a signal would."""

    def kill(*_, **__):
        raise Killed

    monkeypatch.setattr(client, call, kill)
    with pytest.raises(Killed):
        first.enter([cell])
    monkeypatch.setattr("harness.tracking.mlflow_client.process_start", lambda pid: None)  # it has ended
    later = tracker(store)
    assert later.enter([cell]) == 1
    assert later.enter([cell]) == 0
    later.close()
    states = [run.info.status for run in runs(store, "tags.cell_key = 'abc'")[1]]
    assert sorted(states) == ["FINISHED", "KILLED"]


def test_a_running_run_without_an_owner_is_of_an_earlier_version_and_mended(store, suite, tracker, runs):
    opened = tracker(store)
    tags = {"suite": suite, "dataset": "chain", "model": "GRU", "cell_key": "abc", "mlflow.source.name": "benchmark.py"}
    opened._experiment.client.create_run(opened._experiment._id, tags=tags)
    opened.close()
    later = tracker(store)
    assert later.enter([finished(store)]) == 1
    assert sorted(run.info.status for run in runs(store, "tags.cell_key = 'abc'")[1]) == ["FINISHED", "KILLED"]


def test_two_processes_enter_a_cell_once_and_share_the_parent_run(store, tracker, runs):
    cell, first, second = finished(store), tracker(store), tracker(store)
    first.begin([LABELS[:2]])
    second.begin([LABELS[:2]])
    assert (first.enter([cell]), second.enter([cell]), first.enter([cell, cell])) == (1, 0, 0)
    first.close()
    second.close()
    found = runs(store)[1]
    assert sorted("cell_key" in run.data.tags for run in found) == [False, True]
    assert {run.info.status for run in found} == {"FINISHED"}


@pytest.mark.parametrize("tags", [{"suite": "SUITE"}, {"suite": "SUITE", "cell_key": "abc"},
                                  {"suite": "SUITE", "owner_host": "x", "owner_pid": "none"}])  # fmt: skip
def test_runs_of_others_in_the_experiment_are_left_alone(store, suite, tracker, runs, tags):
    opened = tracker(store)
    tags = {name: value.replace("SUITE", suite) for name, value in tags.items()}
    foreign = opened._experiment.client.create_run(opened._experiment._id, tags=tags).info.run_id
    opened.close()
    warnings = []
    later = tracker(store, warnings)
    assert later.enter([finished(store)]) == 1
    later.close()
    assert warnings == []
    client, found = runs(store)
    assert len(found) == 3
    assert client.get_run(foreign).info.status == "RUNNING"


@pytest.mark.parametrize("moment", ["before", "while"])
def test_a_deleted_parent_is_restored(store, tracker, runs, moment):
    first = tracker(store)
    first.begin([LABELS[:2]])
    if moment == "before":
        first.close()
    client, [parent] = runs(store)
    client.delete_run(parent.info.run_id)
    warnings = []
    opened = tracker(store, warnings) if moment == "before" else first
    opened.begin([LABELS[:2]])
    opened.enter([finished(store)])
    opened.close()
    assert warnings == []
    assert not opened.failed
    [run] = runs(store, "tags.cell_key = 'abc'")[1]
    assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert client.get_run(parent.info.run_id).info.lifecycle_stage == "active"


def test_a_run_deleted_while_it_is_open_is_restored(store, tracker, runs):
    opened = tracker(store)
    opened.progress("abc", LABELS, CURVE[0], "MRR@20")
    client, [run] = runs(store, "tags.cell_key = 'abc'")
    for step in (lambda: opened.progress("abc", LABELS, CURVE[1], "MRR@20"), lambda: opened.enter([finished(store)])):
        client.delete_run(run.info.run_id)
        step()
    opened.close()
    assert not opened.failed
    assert [run.info.status for run in runs(store, "tags.cell_key = 'abc'")[1]] == ["FINISHED"]


@pytest.mark.parametrize("name", ["it's", 'say "so"', "100%_a;b--", "`tags`", "用户 ü"])
def test_any_name_of_suite_and_model_can_be_tracked(store, name):
    warnings = []
    fail(store, "fed", name)
    record = finished(store, model_fields={name: name, "a//b": "../c"}).record
    cell = CellResult(store.folder("abc"), name, "p", name, 3, record)
    failure = CellFailure(name, "p", name, 4, "FAILED", name, "command", "fed", store.folder("fed"))
    for entered in (2, 0):
        opened = Tracker(store, name, warnings.append).open()
        opened.begin([(name, name)])
        assert opened.enter([cell, failure]) == entered
        opened.close()
    assert warnings == []


SMALL_DISK = """
import resource, sys
from pathlib import Path
from harness.store import Store
from harness.tracking.mlflow_view import Tracker
store = Store.open(Path(sys.argv[1]))
if sys.argv[3] == "disk":
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
tracker = Tracker(store, sys.argv[2], lambda text: print(text)).open()
tracker.begin([("chain", "GRU")])
tracker.progress("abc", ("chain", "GRU", 3), {"event": "started"}, "MRR@20")
tracker.close()
print("it goes on")
"""


@pytest.mark.parametrize("cause", ["disk", "server"])
def test_a_full_disk_or_a_dead_server_gives_one_sentence_and_no_log(store, suite, tracker, cause):
    tracker(store)  # the database is there
    address = {} if cause == "disk" else {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"} | address
    ended = subprocess.run([sys.executable, "-c", SMALL_DISK, str(store.root), suite, cause], env=environment,
                           capture_output=True, text=True, check=True)  # fmt: skip
    warning, rest = ended.stdout.splitlines()
    assert warning.startswith("warning: MLflow at ")
    assert "SQL:" not in warning
    assert (rest, ended.stderr) == ("it goes on", "")


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
