"""Remote: one job on a machine of a cluster, in a worker process of that machine; its store may be another one."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.backends.backend import Progress
from harness.backends.packed_cell import PackedFiles, enter_search, pack_cell, pack_search
from harness.backends.placement import placed
from harness.backends.processes import give_back, take_worker
from harness.backends.worker import WorkerLost
from harness.cells.keys import search_key
from harness.cells.progress import ProgressWatcher
from harness.cells.record import Failure
from harness.cells.run_cell import CellJob, CellOutcome, PlanChanged
from harness.store import Store

STARTED = {"event": "a worker starts"}

# The slots of this process that compute: a process of the cluster may compute several cells at once.
_slots: set[int] = set()
_slots_lock = threading.Lock()


@dataclass(frozen=True)
class RemoteJob:
    """A job on its way to a machine.

    shared: whether the machine writes into the results folder of the run. search: the files of a search, for a machine
    that does not see that folder.
    """

    job: CellJob
    shared: bool = True
    search: PackedFiles = field(default_factory=dict)


@dataclass(frozen=True)
class RemoteAnswer:
    """The outcome of a job, or the error that ends the run; without a shared store the files of cell and search."""

    outcome: CellOutcome | Exception
    cell: PackedFiles = field(default_factory=dict)
    search: PackedFiles = field(default_factory=dict)


def compute_remote(sent: bytes, scratch: Path, progress: Progress, place: int = 0) -> bytes:
    """Compute a pickled RemoteJob; return its RemoteAnswer, pickled.

    scratch: a folder for a store of this machine, used where none is shared; progress hears then of the cell's records.
    place: the number of this process among those of the machine that see the same GPUs.
    """
    asked: RemoteJob = pickle.loads(sent)
    progress(asked.job.key, STARTED)
    job = _with_data_of_this_machine(asked.job)
    try:
        with _slot() as slot:
            job = placed(job, place + slot)
            answer = RemoteAnswer(_compute(job)) if asked.shared else _compute_apart(asked, job, scratch, progress)
    except PlanChanged as error:  # data or code of this machine differ: the others may still compute
        answer = RemoteAnswer(CellOutcome.of_failure(job, Failure.of(error)))
    except Exception as error:
        answer = RemoteAnswer(error)
    return pickle.dumps(answer)


def _with_data_of_this_machine(job: CellJob) -> CellJob:
    """The job with this machine's ENCORE_DATA, else with the run's folder if it exists here, else downloads."""
    own, folder = os.environ.get("ENCORE_DATA"), job.request.data
    if own:
        folder = Path(own).absolute()
    elif folder is not None and not folder.is_dir():
        folder = None
    return replace(job, request=replace(job.request, data=folder))


@contextlib.contextmanager
def _slot() -> Iterator[int]:
    """A free slot of this process."""
    with _slots_lock:
        slot = next(number for number in itertools.count() if number not in _slots)
        _slots.add(slot)
    try:
        yield slot
    finally:
        with _slots_lock:
            _slots.discard(slot)


def _compute(job: CellJob) -> CellOutcome:
    """Compute a job; a process that was lost before it began is replaced once."""
    try:
        return _compute_once(job)
    except WorkerLost:
        pass
    try:
        return _compute_once(job)
    except WorkerLost as error:
        return CellOutcome.of_failure(job, Failure.of(error))


def _compute_once(job: CellJob) -> CellOutcome:
    worker = take_worker(job)
    try:
        return worker.compute(job)
    finally:
        give_back(worker)


def _compute_apart(asked: RemoteJob, job: CellJob, scratch: Path, progress: Progress) -> RemoteAnswer:
    """Compute a job in a store of this machine; pack what it made, and keep only the prepared data."""
    store = Store.open(scratch / "encore")
    search = search_key(job.parts) if "tuning" in job.parts else ""
    if search:
        enter_search(store, search, asked.search, fresh=job.fresh)
    with ProgressWatcher({job.key: store.partial(job.key)}, progress):
        outcome = _compute(replace(job, wait=True, request=replace(job.request, results=store.root)))
    try:
        return RemoteAnswer(
            outcome if outcome.failure or not outcome.failed else replace(outcome, failure=_failure(store, outcome)),
            {} if outcome.failed else pack_cell(store, job.key),
            pack_search(store, search) if search else {},
        )
    finally:
        shutil.rmtree(store.folder(job.key), ignore_errors=True)
        store.discard_partial(job.key)


def _failure(store: Store, outcome: CellOutcome) -> Failure:
    """The failure that a job stored on this machine."""
    stored = store.failure(outcome.key) or {}
    trace = store.traceback(outcome.key).read_text(errors="replace")
    return Failure(outcome.reason, stored.get("exception", ""), trace, outcome.state, stored.get("seconds"))
