"""The process backend: cells in several worker processes; a worker that dies fails its own cell only."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.backends.serial import SerialBackend
from harness.cells.progress import FILE
from harness.cells.record import Failure
from harness.cells.run_cell import CellJob, CellOutcome, run_cell
from harness.store import Store


class WorkerDied(ChildProcessError):
    """A worker process ended without returning an outcome."""


@dataclass(frozen=True)
class ProcessBackend:
    """Computes up to ``processes`` cells at once, each in a worker process; a single job runs in this process."""

    processes: int

    def run(self, jobs: Sequence[CellJob]) -> Iterator[CellOutcome]:
        """Yield one outcome per job; the state is "DIED" for a job whose process died."""
        if len(jobs) == 1:
            yield from SerialBackend().run(jobs)
            return
        remaining = {job.key: job for job in jobs}
        while remaining:
            try:
                for outcome in self._pool(list(remaining.values())):
                    del remaining[outcome.key]
                    yield outcome
            except WorkerDied:  # one job ended the pool: run each that had started alone, to find out which
                started = [job for job in remaining.values() if _has_started(job)]
                for job in started or [*remaining.values()][: self.processes]:  # none: it died while loading data
                    del remaining[job.key]
                    yield _run_alone(job)

    def _pool(self, jobs: Sequence[CellJob]) -> Iterator[CellOutcome]:
        """Yield the outcomes from a pool of workers. Raises WorkerDied if one of them dies."""
        from joblib import Parallel, delayed, parallel_config
        from joblib.externals.loky import get_reusable_executor
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        warnings.filterwarnings("ignore", message=".*still being processed by the workers.*")  # after an interruption
        try:
            with parallel_config(backend="loky", inner_max_num_threads=jobs[0].request.threads):
                processes = max(2, min(self.processes, len(jobs)))  # joblib runs a pool of one in this process
                parallel = Parallel(processes, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
                yield from parallel(delayed(run_cell)(job) for job in jobs)
        except TerminatedWorkerError as error:
            raise WorkerDied from error
        except (KeyboardInterrupt, SystemExit):
            get_reusable_executor().shutdown(wait=False, kill_workers=True)
            raise


def _has_started(job: CellJob) -> bool:
    """Whether a process has begun to compute the cell."""
    return (Store(job.request.results).partial(job.key) / FILE).exists()


def _run_alone(job: CellJob) -> CellOutcome:
    """Run a job in a process of its own."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with ProcessPoolExecutor(max_workers=1) as executor:
        try:
            return executor.submit(run_cell, replace(job, wait=True)).result()  # the dying pool may hold its lock
        except TerminatedWorkerError as error:
            died = WorkerDied("the cell's process was ended from outside, most likely because memory ran out; use "
                              "fewer --jobs or a smaller model")  # fmt: skip
            failure = replace(Failure.of(died), trace=f"{error}\n")
            return CellOutcome(job.index, job.key, "DIED", failure.reason, failure)
