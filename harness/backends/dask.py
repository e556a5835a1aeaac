"""The Dask backend: cells as tasks of a Dask cluster, each in a worker process of the machine that takes it."""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
import re
import shlex
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker

from harness.backends.backend import BackendLost, Progress, ignored
from harness.backends.packed_cell import ArrivedDamaged, enter_cell, enter_search, pack_search
from harness.backends.remote import STARTED, RemoteAnswer, RemoteJob
from harness.backends.worker import ROOT
from harness.cells.keys import search_key
from harness.cells.record import Failure
from harness.cells.run_cell import CellJob, CellOutcome
from harness.store import Store
from harness.system.signals import check_terminated, waking

POLL_SECONDS = 1.0
CONNECT_SECONDS = 10.0
STARTS = 2  # of a cell: a worker that dies costs one retry
SUBMISSIONS = 10  # of a cell, whose workers die before it starts
GPU = {"GPU": 1}


@contextlib.contextmanager
def dask_backend(
    *, scheduler: str | None = None, scheduler_file: Path | None = None, jobs: int = 1, gpus: bool = False,
    shared: bool = True,
) -> Iterator[DaskBackend]:  # fmt: skip
    """A backend on the cluster of a scheduler, or on a local one with a worker for each of ``jobs``.

    gpus: whether each local worker offers a GPU. shared: whether the workers write into the run's results folder.
    Raises BackendLost where the scheduler cannot be reached.
    """
    for logger in ("distributed", "distributed.client"):  # the run itself says what was lost
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    options = ["--jobs", str(jobs)] if scheduler is None else ["--scheduler", scheduler]
    options = options if scheduler_file is None else ["--scheduler-file", str(scheduler_file)]
    options = shlex.join(["--backend", "dask", *options, *["--no-shared-store"] * (not shared)])
    with contextlib.ExitStack() as stack:
        if scheduler is None and scheduler_file is None:
            cluster = stack.enter_context(LocalCluster(
                n_workers=jobs, threads_per_worker=1, dashboard_address=":0", memory_limit=0,
                silence_logs=logging.CRITICAL, resources=GPU if gpus else None,
            ))  # fmt: skip
            scheduler = cluster.scheduler_address
        address = scheduler or _address_in(scheduler_file)
        if not re.fullmatch(r"(tcp|tls|ws|wss)://[^/]+:\d+", address):
            raise ValueError(f"{address!r} is no address of a Dask scheduler: expected tcp://HOST:PORT")
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError) as error:
            raise BackendLost(f"no Dask scheduler can be reached at {address} ({' '.join(str(error).split())}): start "
                              "one with dask scheduler, or give the address that it printed") from error  # fmt: skip
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))  # see _Run
        yield DaskBackend(client, address, shared, options)


def _address_in(path: Path) -> str:
    """The address in a file that dask scheduler --scheduler-file wrote."""
    try:
        address = json.loads(path.read_text(encoding="utf-8"))["address"]
    except (ValueError, KeyError, TypeError):
        address = None
    if not isinstance(address, str):
        raise ValueError(f"{path} holds no address of a scheduler: give the file that dask scheduler --scheduler-file "
                         "wrote")  # fmt: skip
    return address


class DaskBackend:
    """Computes cells on the workers of a Dask cluster, the longest first; workers may join and leave."""

    def __init__(self, client: Client, address: str, shared: bool, options: str) -> None:
        self.client, self.address, self.shared, self.options = client, address, shared, options

    def run(self, jobs: Sequence[CellJob], progress: Progress = ignored) -> Iterator[CellOutcome]:
        """Yield one outcome per job, in the order in which they finish. On SIGTERM raises Terminated."""
        run = _Run(self, progress)
        try:
            with waking(lambda: run.found.put(None)):
                yield from run.outcomes(jobs)
        finally:
            run.end()


class _Run:
    """Jobs that the cluster computes.

    Dask would try a task of a lost worker again by itself, also one that waited there. Here each loss comes back at
    once, and a job that had started there costs one of its STARTS.
    """

    def __init__(self, backend: DaskBackend, progress: Progress) -> None:
        self.client, self.address, self.shared = backend.client, backend.address, backend.shared
        self.options, self.progress = backend.options, progress
        self.found: SimpleQueue[Future | None] = SimpleQueue()
        self.topic = f"encore-{uuid.uuid4().hex}"
        self.task = _task(str(ROOT), self.topic)
        self.jobs: dict[str, CellJob] = {}  # by the key of the task that computes it
        self.futures: dict[str, Future] = {}
        self.starts: dict[str, int] = {}  # by the cell's key
        self.submissions: dict[str, int] = {}
        self.searching: dict[str, list[CellJob]] = {}  # jobs that wait for a search, which an earlier job runs

    def outcomes(self, jobs: Sequence[CellJob]) -> Iterator[CellOutcome]:
        """Submit the jobs and yield their outcomes."""
        self._check()
        self.client.subscribe_topic(self.topic, self._hear)
        for job in sorted(jobs, key=_priority, reverse=True):
            search = self._search(job)
            if search in self.searching:
                self.searching[search].append(job)
                continue
            if search:
                self.searching[search] = []
            self._submit(job)
        by_cell, left = {job.key: job for job in jobs}, len(jobs)
        while left:
            try:
                future = self.found.get(timeout=POLL_SECONDS)
            except Empty:
                future = None
            check_terminated()
            self._check()
            if future is not None and (outcome := self._outcome(future)) is not None:
                left -= 1
                for job in self.searching.pop(self._search(by_cell[outcome.key]), ()):
                    self._submit(job)
                yield outcome

    def _search(self, job: CellJob) -> str:
        """The key of a search that other jobs wait for: machines that share no folder share no lock."""
        return "" if self.shared or "tuning" not in job.parts else search_key(job.parts)

    def _submit(self, job: CellJob) -> None:
        """Hand a job to the scheduler."""
        number = self.submissions[job.key] = self.submissions.get(job.key, 0) + 1
        search = self._search(job)
        packed = pack_search(Store(job.request.results), search) if search else {}
        name = f"encore-cell-{job.key}-{number}-{self.topic[-8:]}"
        future = self.client.submit(
            self.task, pickle.dumps(RemoteJob(job, self.shared, packed)), key=name,
            pure=False, priority=_priority(job),
            resources=GPU if job.request.device.startswith("cuda") else None,
        )  # fmt: skip
        self.jobs[name], self.futures[name] = job, future
        future.add_done_callback(self.found.put)

    def _hear(self, event: tuple[float, Any]) -> None:
        """Hear of a cell: that a worker starts on it, or a record of its progress."""
        key, record = event[1]
        if record == STARTED:
            self.starts[key] = self.starts.get(key, 0) + 1
        else:
            self.progress(key, record)

    def _outcome(self, future: Future) -> CellOutcome | None:
        """The outcome of a task that ended; None where its job is submitted again."""
        job = self.jobs.pop(future.key)
        try:
            answer: RemoteAnswer = pickle.loads(future.result())
        except KilledWorker as error:
            return self._lost(job, error)
        except ModuleNotFoundError as error:
            raise BackendLost(f"a Dask worker has no {error.name}: start workers with this environment and, where the "
                              "checkout lies elsewhere, PYTHONPATH set to it", self.options) from error  # fmt: skip
        except (CancelledError, OSError) as error:
            raise self._gone() from error
        except Exception as error:  # of the task itself, such as one that cannot be sent
            return CellOutcome.of_failure(job, Failure.of(error))
        finally:
            self.futures.pop(future.key).release()
        if isinstance(answer.outcome, Exception):
            raise answer.outcome
        return self._entered(job, answer)

    def _lost(self, job: CellJob, error: KilledWorker) -> CellOutcome | None:
        """Submit the job of a lost worker again, or give it up."""
        if self.starts.get(job.key, 0) < STARTS and self.submissions[job.key] < SUBMISSIONS:
            self._submit(job)
            return None
        reason = (f"the Dask worker that computed it died {self.starts.get(job.key, 0)} times, the last one at "
                  f"{error.last_worker.address}: look at its log; often it had too little memory")  # fmt: skip
        return CellOutcome.of_failure(job, Failure(reason, type(error).__name__, reason))

    def _entered(self, job: CellJob, answer: RemoteAnswer) -> CellOutcome:
        """Enter what a worker sent into the store."""
        outcome, store = answer.outcome, Store(job.request.results)
        assert isinstance(outcome, CellOutcome)
        try:
            if search := self._search(job):
                enter_search(store, search, answer.search, fresh=job.fresh)
            if answer.cell and not enter_cell(store, job.key, answer.cell, fresh=job.fresh):
                outcome = CellOutcome(job.index, job.key, "FOUND")
        except ArrivedDamaged as error:
            outcome = CellOutcome.of_failure(job, Failure.of(error))
        return outcome

    def _check(self) -> None:
        """Raise BackendLost where the scheduler cannot be reached any more."""
        if self.client.status != "running":
            raise self._gone()

    def _gone(self) -> BackendLost:
        return BackendLost(
            f"the connection to the Dask scheduler {self.address} was lost; finished cells are stored", self.options
        )

    def end(self) -> None:
        """Cancel the tasks that wait."""
        if self.client.status == "running":
            self.client.unsubscribe_topic(self.topic)
            self.client.cancel(list(self.futures.values()))


def _priority(job: CellJob) -> float:
    """The longest first, and before them those of unknown length."""
    return 1e9 if job.estimate is None else job.estimate


def _task(root: str, topic: str) -> Callable[[bytes], bytes]:
    """The task of a job. Dask sends it by value, so that a worker needs the checkout but no path to it."""

    def compute(sent: bytes) -> bytes:
        import sys
        from pathlib import Path

        from distributed import get_worker

        if root not in sys.path:
            sys.path.append(root)
        from harness.backends.remote import compute_remote

        worker = get_worker()
        place = worker.name if isinstance(worker.name, int) else 0  # a local cluster numbers its workers
        return compute_remote(
            sent, Path(worker.local_directory), lambda *event: worker.log_event(topic, list(event)), place
        )

    return compute
