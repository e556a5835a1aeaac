"""The Dask backend, with a real scheduler and workers that are killed, join late and share no folder."""

import pickle
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.backends.backend import BackendLost
from harness.backends.choose import chosen_backend
from harness.backends.dask import dask_backend
from harness.backends.packed_cell import ArrivedDamaged, enter_cell, pack_cell
from harness.backends.remote import RemoteJob, compute_remote
from harness.cells.run_cell import CellJob
from harness.running.listener import RunListener
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store
from harness.suites.request import RunRequest
from tests.harness.backends.cluster import ROOT, SUITE, Cluster, kill, ranks, wait_for


@pytest.fixture
def cluster(tmp_path):
    (tmp_path / "cluster").mkdir()
    with Cluster(tmp_path / "cluster") as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a suite and the notes of its cells."""
    path = tmp_path_factory.mktemp("noted")
    (path / "noted.py").write_text(SUITE.format(notes=str(path / "notes"), seeds=3))
    return path


@pytest.fixture(scope="module")
def expected(folder):
    """The ranks of a serial run."""
    run(folder / "noted.py", folder / "serial")
    return ranks(Store(folder / "serial"))


@pytest.fixture
def suite(folder, expected):
    """The suite's file, with no notes."""
    (folder / "notes").unlink(missing_ok=True)
    return folder / "noted.py"


class Heard(RunListener):
    """The keys of finished cells, and the events of their progress."""

    def __init__(self):
        self.finished, self.events = [], []

    def done(self, planned, outcome):
        self.finished.append(planned.key)

    def progress(self, planned, record):
        self.events.append(record["event"])


def run(suite, results, heard=None, **options):
    plan = make_plan(RunRequest(str(suite), results).load(), Store.open(results))
    listeners = [heard] if heard else []
    if not options:
        return run_session(plan, Store(results), listeners)
    defaults = {"jobs": 1, "scheduler": None, "scheduler_file": None, "shared": True, "device": "cpu"}
    with chosen_backend("dask", **defaults | options) as backend:
        return run_session(plan, Store(results), listeners, backend=backend)


def noted(suite):
    """How often a fit started and ended, for each seed, in ascending order: {"start": [1, 1], "end": [1, 1]}."""
    path = suite.with_name("notes")
    lines = Counter(path.read_text().splitlines()) if path.exists() else Counter()
    return {what: sorted(n for line, n in lines.items() if line.startswith(what)) for what in ("start", "end")}


def test_a_killed_worker_costs_a_retry_and_a_late_one_helps(suite, expected, cluster, tmp_path):
    heard = Heard()
    cluster.add_worker()
    victim = cluster.add_worker()
    hold = suite.with_name("hold")  # keeps each worker in its cell, however busy the machine is
    hold.touch()

    def kill_one():
        try:
            wait_for(lambda: len(noted(suite)["start"]) == 2)
            kill(victim)
            cluster.add_worker()
        finally:
            hold.unlink()

    killer = threading.Thread(target=kill_one)
    killer.start()
    outcome = run(suite, tmp_path / "results", heard, scheduler=cluster.address)
    killer.join()
    assert outcome.failed == []
    assert ranks(Store(tmp_path / "results")) == expected
    assert sorted(heard.finished) == sorted(expected)
    assert noted(suite) == {"start": [1, 1, 2], "end": [1, 1, 1]}, "the killed cell starts twice"


def test_workers_without_the_store_send_cells_and_progress(suite, expected, cluster, tmp_path):
    heard = Heard()
    cluster.add_worker()
    cluster.add_worker()
    outcome = run(suite, tmp_path / "results", heard, scheduler_file=cluster.file, shared=False)
    assert outcome.failed == []
    assert ranks(Store(tmp_path / "results")) == expected
    assert Counter(heard.events)["epoch"] == 9, "3 seeds, 3 epochs"
    assert noted(suite) == {"start": [1, 1, 1], "end": [1, 1, 1]}
    assert list(Path(cluster.folder).glob("**/cells/*")) == [], "no worker keeps a copy"


def test_a_lost_scheduler_ends_the_run_and_keeps_what_is_finished(suite, expected, cluster, tmp_path):
    cluster.add_worker()
    results = tmp_path / "results"

    def kill_scheduler():
        wait_for(lambda: ranks(Store(results)))
        kill(cluster.scheduler)

    killer = threading.Thread(target=kill_scheduler)
    killer.start()
    with pytest.raises(
        BackendLost,
        match=r"scheduler tcp://.* was lost; finished cells are stored; .* run .*noted.py .*--backend "
        "dask --scheduler tcp://",
    ):
        run(suite, results, scheduler=cluster.address)
    killer.join()
    kept = ranks(Store(results))
    assert 0 < len(kept) < len(expected)
    cluster.start_scheduler()
    cluster.add_worker()
    heard = Heard()
    assert run(suite, results, heard, scheduler=cluster.address).failed == []
    assert ranks(Store(results)) == expected
    assert len(heard.finished) <= len(expected) - len(kept)


def test_a_cell_that_kills_its_workers_fails_and_the_others_go_on(suite, tmp_path):
    deadly = """if NOTES.read_text().split()[1] == str(run.seed):
                worker = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1]
                os.kill(int(worker), 9)
                time.sleep(60)"""
    (tmp_path / "deadly.py").write_text(suite.read_text().replace("time.sleep(1.5)", deadly))
    outcome = run(tmp_path / "deadly.py", tmp_path / "results", jobs=2)
    ((_, reason),) = outcome.failed
    assert "the Dask worker that computed it died 2 times" in reason
    assert noted(suite) == {"start": [1, 1, 2], "end": [1, 1]}
    assert len(ranks(Store(tmp_path / "results"))) == 2


def test_one_search_serves_the_cells_of_machines_that_share_no_folder(suite, tmp_path):
    tuned = suite.read_text().replace('{"Noted": NOTED}', '{"Noted": NOTED}, tuning=Tuning(2, {"Noted": SPACE})')
    tuned = tuned.replace("NOTED = ", 'SPACE = {"dim": Choice(4, 8)}\nNOTED = ').replace("time.sleep(1.5)", "pass")
    path = tmp_path / "tuned.py"
    path.write_text(tuned.replace("\nNOTES", "\nfrom harness.tuning import Choice, Tuning\n\nNOTES"))
    assert run(path, tmp_path / "serial").failed == []
    serially = noted(suite)
    suite.with_name("notes").unlink()
    assert run(path, tmp_path / "results", jobs=2, shared=False).failed == []
    assert ranks(Store(tmp_path / "results")) == ranks(Store(tmp_path / "serial"))
    assert noted(suite) == serially


@pytest.fixture
def planned_job(tiny_suite, tmp_path):
    from harness.cells.run_cell import CellJob

    request = RunRequest(str(tiny_suite), tmp_path / "results").portable()
    planned = make_plan(request.load(), Store.open(request.results)).to_do[0]
    return CellJob(request, planned.index, planned.key, planned.parts)


def test_other_data_on_a_machine_are_refused_before_anything_is_computed(planned_job, tmp_path):
    other = replace(planned_job, key="0" * 24, parts={**planned_job.parts, "split": "f" * 64})
    answer = pickle.loads(compute_remote(pickle.dumps(RemoteJob(other)), tmp_path, lambda *_: None))
    assert answer.outcome.state == "FAILED"
    found = planned_job.parts["split"][:12]
    assert f"the fingerprint {found}…, not the planned ffffffffffff…" in answer.outcome.reason
    assert ranks(Store(planned_job.request.results)) == {}


def test_a_cell_damaged_on_its_way_is_refused(planned_job, tmp_path):
    job = RemoteJob(planned_job, shared=False)
    answer = pickle.loads(compute_remote(pickle.dumps(job), tmp_path / "scratch", lambda *_: None))
    key, target = planned_job.key, Store.open(tmp_path / "target")
    for name, data in answer.cell.items():
        damaged = {**answer.cell, name: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]}
        with pytest.raises(ArrivedDamaged, match=f"cells/{key}"):
            enter_cell(target, key, damaged, fresh=False)
    assert not target.holds(key)
    assert enter_cell(target, key, answer.cell, fresh=False)
    assert pack_cell(target, key) == answer.cell
    assert not enter_cell(target, key, answer.cell, fresh=False), "it is stored by now"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mpi", {}, "--backend mpi is unknown: expected processes or dask"),
        ("processes", {"scheduler": "tcp://localhost:1"}, "need --backend dask"),
        ("processes", {"shared": False}, "need --backend dask"),
        ("dask", {"scheduler": "tcp://localhost:1", "scheduler_file": Path("f")}, "give one of them"),
        ("dask", {"scheduler": "tcp://localhost:1", "jobs": 2}, "start more workers"),
        ("dask", {"scheduler": "nonsense://x"}, "'nonsense://x' is no address of a Dask scheduler: expected tcp://"),
        ("dask", {"scheduler_file": Path("absent.json")}, "absent.json"),
    ],
)
def test_options_that_cannot_be_used_are_refused_in_a_sentence(name, options, message):
    defaults = {"jobs": 1, "scheduler": None, "scheduler_file": None, "shared": True, "device": "cpu"}
    with pytest.raises((ValueError, OSError), match=message), chosen_backend(name, **defaults | options):
        pass


def test_cells_of_a_local_cluster_are_spread_over_all_gpus(tmp_path):
    def pretend(root):  # in a worker: two GPUs, and cells that say where they were placed
        import sys
        import time
        from types import SimpleNamespace

        sys.path.append(root)
        sys.modules["torch"] = SimpleNamespace(cuda=SimpleNamespace(device_count=lambda: 2))
        from harness.backends import remote
        from harness.cells.run_cell import CellOutcome

        def computed(job):
            time.sleep(0.5)
            return CellOutcome(job.index, job.key, "DONE", job.request.device)

        remote._compute = computed

    request = RunRequest("s", tmp_path, device="cuda:0", spread=True)
    jobs = [CellJob(request, number, f"cell{number}", {}) for number in range(4)]
    with dask_backend(jobs=2, gpus=True) as backend:
        backend.client.run(pretend, str(ROOT))
        placed = Counter(outcome.reason for outcome in backend.run(jobs))
    assert placed == {"cuda:0": 2, "cuda:1": 2}
