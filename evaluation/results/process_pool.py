"""Process pool: independent jobs run in this process and in loky workers, so that a report uses every core."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self

MAX_PROCESSES = 8  # more of them wait for memory
_POLL_SECONDS = 1.0
_SEMAPHORES = 64  # more than the workers need

Waiting = deque[tuple[int, bytes]]  # numbered jobs, pickled


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def shared_memory_problem() -> str:
    """Why this system lets no worker start, as a sentence; "" if it does: they share semaphores."""
    try:
        context = multiprocessing.get_context("fork")  # its semaphores have no name that could be left behind
        _ = [context.Lock() for _ in range(_SEMAPHORES)]
    except (OSError, ImportError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return (f"shared memory (/dev/shm) cannot be used ({why}), so one process makes the report; make it writable, "
                "with at least 1 MB")  # fmt: skip
    return ""


class ProcessPool:
    """Up to ``processes`` processes, this one included; one per core by default.

    Workers are fresh interpreters with the environment of this process (so that BLAS sums in the same order and all
    compute the same bits); they import neither torch nor ``__main__``. They start with the first jobs and end with the
    block, or with this process if it is killed.
    """

    def __init__(self, processes: int | None = None) -> None:
        if processes is not None and processes < 1:
            raise ValueError(f"processes must be at least 1, got {processes}")
        self.processes = min(cores(), MAX_PROCESSES) if processes is None else processes
        if shared_memory_problem():
            self.processes = 1
        self.num_workers = 0
        self._executor: Any = None
        self._starting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_workers()

    def run(self, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        """Return the result of each job, in order; None for a job that raises an error.

        Jobs and results are pickled: each job works on its own copy of its arguments, and what it reads is freed when
        it ends. If a worker dies, this process runs the jobs that are left.
        """
        waiting = deque(enumerate(pickle.dumps(job) for job in jobs))
        results: list[Any] = [None] * len(waiting)
        others = min(self.processes, len(waiting)) - 1
        feeders = [threading.Thread(target=self._feed, args=(others, waiting, results)) for _ in range(others)]
        for feeder in feeders:
            feeder.start()
        _run_here(waiting, results)
        for feeder in feeders:
            feeder.join()
        _run_here(waiting, results)  # the jobs of a worker that died
        return results

    def _feed(self, others: int, waiting: Waiting, results: list[Any]) -> None:
        """Submit waiting jobs from the front, one at a time, until none is left or one fails to return."""
        try:
            executor = self._workers(others)
        except (OSError, NotImplementedError):  # no more processes, or no semaphores on this system
            return
        while waiting:
            try:
                number, job = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            try:
                results[number] = executor.submit(_run_pickled, job).result()
            except Exception:  # the worker died, the block ended, or the result cannot be pickled
                waiting.append((number, job))
                self.num_workers = 0  # the next run starts other workers
                return

    def _workers(self, number: int) -> Any:
        """Return an executor of at least ``number`` workers; start it in place of a smaller or a broken one."""
        from joblib.externals.loky import ProcessPoolExecutor  # here, since it takes a fifth of a second to load

        with self._starting:
            if self.num_workers < number:
                self._end_workers()
                environment = {"PYTHONSAFEPATH": "1"}  # no file of the current folder shadows a library
                self._executor = ProcessPoolExecutor(
                    number, initializer=_prepare_worker, initargs=(os.getpid(),), env=environment
                )
                self.num_workers = number
            return self._executor

    def _end_workers(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(kill_workers=True)
        self.num_workers, self._executor = 0, None


def _run_here(waiting: Waiting, results: list[Any]) -> None:
    """Run waiting jobs in this process, from the back, until none is left."""
    while waiting:
        try:
            number, job = waiting.pop()
        except IndexError:
            return
        results[number] = _run_pickled(job)


def _run_pickled(job: bytes) -> Any:
    """Return the result of a pickled job; None if it raises an error."""
    try:
        return pickle.loads(job)()
    except Exception:  # raised again where the result is used
        return None


def _prepare_worker(parent: int) -> None:
    """Send what a worker prints to standard error, and end the worker when process ``parent`` has ended."""
    os.dup2(2, 1)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
