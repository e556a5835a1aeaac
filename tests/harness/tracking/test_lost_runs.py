"""No cell is lost or entered twice: killed processes, runs of others, deleted runs, any name, full disks."""

import os
import subprocess
import sys

import pytest

from evaluation.results.suite_results import CellFailure, CellResult
from harness.system.environment import ROOT
from harness.tracking.mlflow_view import Tracker
from tests.harness.tracking.made_up_cells import CURVE, PLACE, fail, finished

KILLED = """
import os, signal, sys
from pathlib import Path
from harness.store import Store
from harness.tracking.mlflow_view import Tracker
tracker = Tracker(Store.open(Path(sys.argv[1])), sys.argv[2], print).open()
tracker.begin([("chain", "p", "GRU")])
tracker.progress("abc", ("chain", "p", "GRU"), 3, {"event": "started"}, "MRR@20")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_is_marked_at_the_next_start(store, suite, tracker, runs):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", KILLED, str(store.root), suite], env=environment, check=False)
    assert {run.info.status for run in runs(store)[1]} == {"RUNNING"}
    opened = tracker(store)
    assert {run.info.status for run in runs(store)[1]} == {"KILLED"}
    opened.begin([PLACE])
    opened.enter([finished(store, resumed_from=1)])
    opened.close()
    found = {(run.info.status, run.data.tags.get("resumed_from")) for run in runs(store, "tags.cell_key = 'abc'")[1]}
    assert found == {("KILLED", None), ("FINISHED", "1")}
    assert {run.info.status for run in runs(store, f"tags.suite = '{suite}'")[1]} == {"KILLED", "FINISHED"}


@pytest.mark.parametrize("call", ["log_batch", "log_inputs", "log_artifact", "set_terminated"])
def test_a_process_killed_while_it_enters_a_cell_loses_nothing(store, tracker, runs, monkeypatch, call):
    cell, first = finished(store), tracker(store)
    client = first._experiment.client
    first.begin([PLACE])

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
    first.begin([PLACE])
    second.begin([PLACE])
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
    first.begin([PLACE])
    if moment == "before":
        first.close()
    client, [parent] = runs(store)
    client.delete_run(parent.info.run_id)
    warnings = []
    opened = tracker(store, warnings) if moment == "before" else first
    opened.begin([PLACE])
    opened.enter([finished(store)])
    opened.close()
    assert warnings == []
    assert not opened.failed
    [run] = runs(store, "tags.cell_key = 'abc'")[1]
    assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert client.get_run(parent.info.run_id).info.lifecycle_stage == "active"


def test_a_run_deleted_while_it_is_open_is_restored(store, tracker, runs):
    opened = tracker(store)
    opened.progress("abc", PLACE, 3, CURVE[0], "MRR@20")
    client, [run] = runs(store, "tags.cell_key = 'abc'")
    for step in (lambda: opened.progress("abc", PLACE, 3, CURVE[1], "MRR@20"), lambda: opened.enter([finished(store)])):
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
        opened.begin([(name, "p", name)])
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
tracker.begin([("chain", "p", "GRU")])
tracker.progress("abc", ("chain", "p", "GRU"), 3, {"event": "started"}, "MRR@20")
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
