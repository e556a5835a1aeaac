"""The process backend: cells in worker processes, each of which can fail, hang or crash without harm to the others."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue

from harness.backends.backend import Progress, ignored
from harness.backends.placement import placed
from harness.backends.worker import Worker, WorkerLost
from harness.cells.record import Failure
from harness.cells.run_cell import CellJob, CellOutcome
from harness.suites.load import is_built_in, suite_path
from harness.system.signals import check_terminated, waking

# Idle workers of this process, for its later runs: starting one takes seconds.
_idle: list[Worker] = []
_idle_lock = threading.Lock()
if hasattr(os, "register_at_fork"):  # a fork of this process has workers of its own
    os.register_at_fork(after_in_child=_idle.clear)


@dataclass(frozen=True)
class ProcessBackend:
    """Computes up to ``processes`` cells at once, each in a worker process."""

    processes: int

    def run(self, jobs: Sequence[CellJob], progress: Progress = ignored) -> Iterator[CellOutcome]:
        """Yield one outcome per job, in the order in which they finish. On SIGTERM raises Terminated."""
        pool = _Pool(jobs)
        slots = range(min(self.processes, len(jobs)))
        threads = [threading.Thread(target=pool.feed, args=(slot,), daemon=True) for slot in slots]
        try:
            with waking(lambda: pool.found.put(None)):
                for thread in threads:
                    thread.start()
                for _ in jobs:
                    found = pool.found.get()
                    check_terminated()
                    if isinstance(found, BaseException):
                        raise found
                    assert found is not None
                    yield found
        finally:
            pool.end()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()


class _Pool:
    """Jobs that wait, the workers that compute, and what was found so far: outcomes, errors, None for a wake-up."""

    def __init__(self, jobs: Sequence[CellJob]) -> None:
        self.found: SimpleQueue[CellOutcome | BaseException | None] = SimpleQueue()
        self._waiting = deque(jobs)
        self._working: set[Worker] = set()
        self._ended = False
        self._lock = threading.Lock()

    def feed(self, slot: int) -> None:
        """Compute waiting jobs, one at a time, until none is left; a slot has a GPU where there are several."""
        while not self._ended:
            try:
                job = self._waiting.popleft()
            except IndexError:
                return
            try:
                self.found.put(self._compute(placed(job, slot)))
            except BaseException as error:  # raised again where the run waits
                self.found.put(error)
                return

    def _compute(self, job: CellJob) -> CellOutcome:
        """Compute a job; a worker that was lost before it began is replaced once."""
        try:
            return self._compute_once(job)
        except WorkerLost:
            if self._ended:
                raise
        try:
            return self._compute_once(job)
        except WorkerLost as error:
            return CellOutcome.of_failure(job, Failure.of(error))

    def _compute_once(self, job: CellJob) -> CellOutcome:
        worker = take_worker(job)
        with self._lock:
            self._working.add(worker)
            if self._ended:
                worker.end()
        try:
            return worker.compute(job)
        finally:
            with self._lock:
                self._working.discard(worker)
            give_back(worker)

    def end(self) -> None:
        """End the workers that still compute."""
        with self._lock:
            self._ended = True
            for worker in self._working:
                worker.end()


def take_worker(job: CellJob) -> Worker:
    """An idle worker for a job, or a new one.

    A worker that imported a user's suite file computes no cell of another suite. The process that cells of their own
    processes are forked from imports no suite.
    """
    source = job.request.suite
    wanted = (job.request.threads, job.alone, "" if job.alone or is_built_in(suite_path(source)) else source)
    with _idle_lock:
        for worker in list(_idle):
            if (worker.threads, worker.alone, worker.suite) == wanted:
                _idle.remove(worker)
                return worker
            if worker.suite:
                _idle.remove(worker)
                worker.end()
    return Worker(*wanted)


def give_back(worker: Worker) -> None:
    """Keep a worker for a later cell if it may compute one, else end it."""
    if worker.usable:
        with _idle_lock:
            _idle.append(worker)
    else:
        worker.end()


def end_idle_workers(of_suites: bool = False) -> None:
    """End the workers that compute nothing; of_suites: only those that imported a user's suite file."""
    with _idle_lock:
        for worker in [worker for worker in _idle if worker.suite or not of_suites]:
            _idle.remove(worker)
            worker.end()
