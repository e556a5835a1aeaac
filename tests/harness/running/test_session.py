"""Runs of a suite with failing models: each failure is a row, and the other cells are computed."""

import json
import os
from pathlib import Path

import pytest

from evaluation.metrics.accuracy import MRR
from evaluation.results.suite_results import read_suite
from harness.backends.processes import ProcessBackend
from harness.running.listener import RunListener
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store, StoreUnusable
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest

BREAKING = """
import errno, os, signal
from dataclasses import dataclass
from pathlib import Path
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.generated.markov_chain import MarkovChainSequences


@dataclass
class Breaking(Popularity):
    how: str = "raise"

    def fit(self, train, run):
        with Path(os.environ["ENCORE_TEST_CALLS"]).open("a") as file:
            file.write(self.how + "\\n")
        if self.how == "raise":
            raise RuntimeError("it broke\\nbadly")
        if self.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.how == "full disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        super().fit(train, run)
        if self.how == "nan":
            self.counts_[0] = float("nan")
        return self


MODELS = {name: Breaking(how) for name, how in HOWS.items()}
SUITE = Suite(name="breaking", title="Breaking", seeds=[0], metrics=[MRR(20)],
              experiments=[Experiment(MarkovChainSequences(num_users=20, num_items=15, length=12),
                                      PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)])
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a suite of breaking models; gives the outcome, the stored results and which fits were called."""
    calls = tmp_path / "calls"
    monkeypatch.setenv("ENCORE_TEST_CALLS", str(calls))

    def go(hows, *, jobs=1, fresh=False, only="", **options):
        path = tmp_path / f"breaking_{abs(hash(tuple(hows)))}.py"
        path.write_text(f"HOWS = {hows!r}\n{BREAKING}")
        store = Store.open(tmp_path / "results")
        order = RunRequest(str(path), store.root, overrides=Overrides(only=only))
        plan = make_plan(order.load(), store, fresh=fresh)
        calls.write_text("")
        outcome = run_session(plan, store, jobs=jobs, fresh=fresh, **options)
        return outcome, read_suite(store.root, "breaking"), sorted(calls.read_text().split("\n")[:-1])

    return go


def test_a_cell_that_fails_is_a_row_and_the_others_go_on(run):
    outcome, results, _ = run({"A": "work", "B": "raise", "C": "nan", "D": "works too"})
    assert [cell.model for cell in results.cells] == ["A", "D"]
    reasons = {failure.model: failure.reason for failure in results.failures}
    assert reasons["B"].startswith("RuntimeError: it broke badly (in ") and reasons["B"].endswith(", line 21, fit)")
    assert "NaN or infinite score" in reasons["C"]
    assert {planned.cell.model_name for planned, _ in outcome.failed} == {"B", "C"}
    failure = results.failures[0]
    assert failure.state == "FAILED"
    assert "--only markov-20x15/B" in failure.command
    assert "it broke" in (Path(failure.folder) / "traceback.txt").read_text()
    assert json.loads((Path(failure.folder) / "failure.json").read_text())["exception"] == "RuntimeError"


def test_what_is_stored_is_not_computed_again_and_what_failed_is(run):
    hows = {"A": "work", "B": "raise"}
    run(hows)
    assert run(hows)[2] == ["raise"]
    assert run(hows, fresh=True)[2] == ["raise", "work"]


def test_two_names_of_one_cell_are_computed_once(run):
    outcome, results, calls = run({"A": "work", "Twin": "work"})
    assert calls == ["work"]
    assert [cell.model for cell in results.cells] == ["A", "Twin"]
    assert len({cell.key for cell in results.cells}) == 1
    assert not outcome.failed


def test_only_keeps_what_was_known_of_the_others(run):
    hows = {"A": "work", "B": "work too"}
    run(hows)
    _, results, calls = run(hows, only="B")
    assert calls == []
    assert [cell.model for cell in results.cells] == ["A", "B"]


def test_a_worker_that_dies_fails_its_own_cell_only(run):
    outcome, results, _ = run({"A": "die", "B": "work"}, jobs=2)
    assert [cell.model for cell in results.cells] == ["B"], [f.reason for f in results.failures]
    assert [planned.cell.model_name for planned, _ in outcome.failed] == ["A"]
    assert results.failures[0].reason == "its process was ended by a signal (SIGKILL)"


DEADLY = """
class Deadly(MarkovChainSequences):
    def raw_files(self, folder):
        return None  # not known: every process loads it before the cell begins

    def load(self, folder=None):
        if os.environ["ENCORE_TEST_PLANNER"] != str(os.getpid()):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().load(folder)
"""


def test_a_worker_that_dies_over_its_data_does_not_run_for_ever(run, monkeypatch):
    chain = "MarkovChainSequences(num_users=20"
    text = BREAKING.replace(chain, f"Deadly({chain.partition('(')[2]}").replace("\nMODELS", f"{DEADLY}\nMODELS")
    assert text.count("Deadly(") == 2
    monkeypatch.setattr(f"{__name__}.BREAKING", text)
    monkeypatch.setenv("ENCORE_TEST_PLANNER", str(os.getpid()))
    outcome, results, _ = run({"A": "work", "B": "work too"}, jobs=2)
    assert not results.cells
    assert ["SIGKILL" in failure.reason for failure in results.failures] == [True, True]
    assert len(outcome.failed) == 2


class Late:
    """A backend that reports a cell's start once more after its outcome, as a watcher of files does that reads late."""

    def run(self, jobs, progress):
        for outcome in ProcessBackend(1).run(jobs):
            yield outcome
            (job,) = jobs
            progress(job.key, {"event": "started", "run": job.run})


class Events(RunListener):
    """The names of what it heard."""

    def __init__(self):
        self.heard = []

    def progress(self, planned, record):
        self.heard.append(record["event"])

    def done(self, planned, outcome):
        self.heard.append("done")


def test_progress_that_is_read_after_a_cell_is_done_reaches_no_listener(run):
    events = Events()
    run({"Good": ""}, listeners=[events], backend=Late())
    assert events.heard[-1] == "done"
    assert events.heard.count("done") == 1


def test_a_full_disk_ends_the_run_and_keeps_what_is_done(run, tmp_path):
    with pytest.raises(StoreUnusable, match="no space left for results"):
        run({"A": "work", "B": "full disk", "C": "work too"})
    results = read_suite(tmp_path / "results", "breaking")
    assert [cell.model for cell in results.cells] == ["A"]
    assert [failure.state for failure in results.failures] == ["MISSING", "MISSING"]


def test_the_record_says_all_that_a_report_needs(run):
    _, results, _ = run({"A": "work"})
    record = results.cells[0].record
    wanted = {"schema", "key", "state", "dataset", "protocol", "model", "seed", "model_fields", "dataset_fields",
              "protocol_fields", "deterministic", "family", "parameters", "fingerprints", "device", "device_name",
              "threads", "engine", "environment", "metrics", "validation", "seconds", "targets_per_second",
              "peak_memory_mb", "epochs", "best_epoch", "stopped", "resumed_from", "caveats", "started", "finished",
              "command", "clock", "unit", "counts", "steps", "audit", "facts", "edition", "licence",
              "citation"}  # fmt: skip
    assert wanted <= set(record)
    assert record["metrics"] == {"MRR@20": MRR(20).measure(results.cells[0].ranks)}
    assert record["counts"]["test_queries"] == results.cells[0].ranks.num_queries
    assert record["facts"]["best"]["MRR@20"] > record["facts"]["chance"]["MRR@20"]
    assert record["deterministic"] is True
    assert record["environment"]["deterministic"] is True


def test_a_metric_that_another_suite_asks_for_is_added(run, tmp_path):
    from evaluation.metrics.accuracy import NDCG
    from evaluation.metrics.sums_file import read_sums
    from harness.cells.add_metrics import add_metrics

    _, results, _ = run({"A": "work"})
    cell, store = results.cells[0], Store.open(tmp_path / "results")
    assert add_metrics(store, cell.key, [NDCG(10)])
    again = store.record(cell.key)
    assert again["metrics"]["NDCG@10"] == pytest.approx(NDCG(10).measure(cell.ranks))
    assert again["metrics"]["MRR@20"] == cell.metrics["MRR@20"]
    assert {"MRR@20", "NDCG@10"} <= set(read_sums(store.folder(cell.key), again["files"]))
    assert not add_metrics(store, cell.key, [NDCG(10)]), "now nothing is missing"
