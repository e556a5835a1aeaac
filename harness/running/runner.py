"""Running a plan: each cell once, in this process or in many; what fails is recorded and the others go on."""

from __future__ import annotations

import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.cells.keys import search_key
from harness.cells.record import failure_record
from harness.running.plan import Plan, Planned
from harness.running.progress import FILE, Watch
from harness.running.worker import Done, Job, work
from harness.store import Store
from harness.suites.request import Order


class WorkerDied(ChildProcessError):
    """A worker process ended without a word."""


class Terminated(SystemExit):
    """The process was asked to end (SIGTERM)."""


@dataclass(frozen=True)
class Listener:
    """Whom a run tells: a cell's progress record, and a cell that is done (with its stored record or failure)."""

    progress: Callable[[Planned, Mapping[str, Any]], None]
    done: Callable[[Planned, Done], None]


@dataclass
class Tally:
    """What became of each cell of a plan, by its number."""

    states: dict[int, Done] = field(default_factory=dict)

    def failed(self) -> list[Done]:
        """The cells that failed."""
        return [done for done in self.states.values() if done.state == "FAILED"]


def run_plan(plan: Plan, store: Store, listener: Listener, *, jobs: int = 1, fresh: bool = False) -> Tally:
    """Compute all that is to do and tell the listener of each cell; ``jobs`` processes at once, 1 being this one.

    A cell that another process is computing is left for later and waited for at the end. Raises StoreUnusable when
    results cannot be written; cells finished before are kept, as they are on KeyboardInterrupt.
    """
    if jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {jobs}")
    tally = Tally()
    by_index = {planned.index: planned for planned in plan.to_do}
    order = plan.bench.order.portable()
    run = uuid.uuid4().hex
    waiting = [Job(_placed(order, n), p.index, p.key, p.parts, run, fresh) for n, p in enumerate(plan.to_do)]
    twins: dict[str, list[int]] = {}  # cells of one key: computed once
    for job in waiting:
        twins.setdefault(job.key, []).append(job.index)
    waiting = _searches_first([job for job in waiting if twins[job.key][0] == job.index])
    lock = threading.Lock()

    own: set[str] = set()  # cells that this run computes, and no other process on the same store

    def tell(key: str, record: Mapping[str, Any]) -> None:
        if record.get("event") == "started":
            (own.add if record.get("run") == run else own.discard)(key)
        if key in own:
            with lock:
                listener.progress(by_index[twins[key][0]], record)

    folders = {job.key: store.partial(job.key) for job in waiting}
    with Watch(folders, tell):
        while waiting:
            busy = []
            for done in _results(waiting, jobs, plan, store):
                if done.state == "BUSY":
                    busy.append(done.index)
                    continue
                with lock:
                    for index in twins[done.key]:
                        tally.states[index] = replace(done, index=index)
                        listener.done(by_index[index], tally.states[index])
            waiting = [replace(job, wait=True) for job in waiting if job.index in busy]
    return tally


def _searches_first(jobs: Sequence[Job]) -> list[Job]:
    """The jobs with the first of each search at the front, so that searches are spread over processes."""
    first: dict[str, int] = {}
    for job in jobs:
        if "tuning" in job.parts:
            first.setdefault(search_key(job.parts), job.index)
    return sorted(jobs, key=lambda job: job.index not in first.values())


def _placed(order: Order, number: int) -> Order:
    """The order on the GPU that its ``number``-th cell shall use, where cells are spread over several."""
    if not order.spread or order.device == "cpu":
        return order
    import torch

    return replace(order, device=f"cuda:{number % torch.cuda.device_count()}")


def _results(waiting: Sequence[Job], jobs: int, plan: Plan, store: Store) -> Iterator[Done]:
    """Each job's outcome as it comes; a job whose process died is recorded as failed."""
    if jobs == 1 or len(waiting) == 1:
        yield from map(work, waiting)
        return
    remaining = {job.index: job for job in waiting}
    while remaining:
        try:
            for done in _pool(list(remaining.values()), jobs):
                del remaining[done.index]
                yield done
        except WorkerDied:  # somebody brought the pool down: each that had begun is tried alone, to find out who
            begun = [job for job in remaining.values() if (store.partial(job.key) / FILE).exists()]
            for job in begun or [*remaining.values()][:jobs]:  # none had: it died over the data of one of the first
                del remaining[job.index]
                yield _alone(job, plan, store)


def _pool(waiting: Sequence[Job], jobs: int) -> Iterator[Done]:
    """The jobs' outcomes from ``jobs`` worker processes. Raises WorkerDied if one ends without a word."""
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    warnings.filterwarnings("ignore", message=".*still being processed by the workers.*")  # said after an interruption
    try:
        with parallel_config(backend="loky", inner_max_num_threads=waiting[0].order.threads):
            processes = max(2, min(jobs, len(waiting)))  # one alone would be this one, which must not die with a cell
            parallel = Parallel(processes, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
            yield from parallel(delayed(work)(job) for job in waiting)
    except TerminatedWorkerError as error:
        raise WorkerDied from error
    except (KeyboardInterrupt, SystemExit):
        get_reusable_executor().shutdown(wait=False, kill_workers=True)
        raise


def _alone(job: Job, plan: Plan, store: Store) -> Done:
    """A job's outcome from a process of its own; where that dies, the failure is recorded here."""
    from joblib.externals.loky import ProcessPoolExecutor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    with ProcessPoolExecutor(max_workers=1) as executor:
        try:
            return executor.submit(work, replace(job, wait=True)).result()  # the dying pool may still hold its lock
        except TerminatedWorkerError as error:
            died = WorkerDied(
                "the cell's process was ended from outside, most likely because memory ran out; use "
                "fewer --jobs or a smaller model"
            )
            failure = failure_record(plan.bench.cells[job.index], job.key, died)
            with store.lock(job.key) as owned:
                if owned:  # else another run has taken the cell up, and will say what became of it
                    store.commit_failure(job.key, failure, f"{error}\n")
            return Done(job.index, job.key, "FAILED", failure["reason"])


def end_on_sigterm() -> None:
    """Make SIGTERM raise, so that locks are freed and MLflow's runs are closed."""
    import signal

    def end(number: int, _: Any) -> None:
        raise Terminated(128 + number)

    signal.signal(signal.SIGTERM, end)
