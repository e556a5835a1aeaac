"""Run one cell: from a job to a stored result or failure, in a worker's process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from evaluation.results.suite_results import FAILED_STATES
from harness.cells.execute import compute
from harness.cells.keys import cell_parts, differences, is_read, key_of
from harness.cells.progress import progress_writer
from harness.cells.read_cell import read_and_store
from harness.cells.record import Failure, cell_record, now, store_failure, write_cell
from harness.cells.search import SearchBusy, tuned_cell
from harness.preparation import Prepared
from harness.spec import Cell
from harness.store import Store, unusable
from harness.suites.request import LoadedSuite, RunRequest
from harness.system.blame import causes
from harness.system.determinism import prepare_determinism
from harness.system.energy import EnergyMeter
from harness.system.environment import environment_record
from harness.system.process_state import ProcessState

Compute = Callable[[LoadedSuite, "CellJob", Store], list[str]]  # it computes and stores; the state it left changed


class PlanChanged(ValueError):
    """Code or data changed after the plan was made, so the job would compute something else."""


@dataclass(frozen=True)
class CellJob:
    """A cell to compute, small enough to send to a worker: the request, the cell's index in the suite, its key.

    parts: the parts of the key. run: the id of the run that asks. fresh: compute a stored cell anew. wait: wait for
    another process that computes the cell. alone: in a process of its own. timeout: seconds from the start of the
    cell, None for no limit. memory: bytes of resident memory, None for no limit. estimate: seconds, None if unknown.
    """

    request: RunRequest
    index: int
    key: str
    parts: Mapping[str, Any]
    run: str = ""
    fresh: bool = False
    wait: bool = False
    alone: bool = False
    timeout: float | None = None
    memory: int | None = None
    estimate: float | None = None


@dataclass(frozen=True)
class CellOutcome:
    """The outcome of a job.

    state: "DONE", one of FAILED_STATES, "BUSY" (another process owns the cell or its search), "FOUND" (another process
    finished it). failure: one that the job could not store itself, such as that of a process that ended. changed: the
    global state that the cell left changed; its process must not compute another cell.
    """

    index: int
    key: str
    state: str
    reason: str = ""
    failure: Failure | None = None
    changed: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the cell has no result."""
        return self.state in FAILED_STATES

    @classmethod
    def of_failure(cls, job: CellJob, failure: Failure) -> CellOutcome:
        """The outcome of a job with a failure that is not stored yet."""
        return cls(job.index, job.key, failure.state, failure.reason, failure)


def run_cell(
    job: CellJob, state: ProcessState | None = None, on_start: Callable[[], None] = lambda: None
) -> CellOutcome:
    """Compute the job's cell and store it, or store why it failed.

    state: of this process, for all its cells. on_start: called when this process owns the cell and
    begins to load it. Raises StoreUnusable, and PlanChanged where the suite has lost the cell; any other error, an exit
    included, is a failure of the cell.
    """
    request = job.request
    if is_read(job.parts):  # no model runs here, so the process needs neither torch nor a check of its state
        return _run_locked(job, on_start, _read)
    switches = prepare_determinism(request.threads, request.device, request.precision)
    state = state or ProcessState()
    state.begin()
    outcome = _run_locked(job, on_start, partial(_compute_and_store, state=state, switches=switches))
    return outcome if outcome.state in ("DONE", "FOUND") else replace(outcome, changed=tuple(state.changes()))


def _run_locked(job: CellJob, on_start: Callable[[], None], compute: Compute) -> CellOutcome:
    """Lock the cell, unless another process owns or has finished it, and compute it or store why it failed."""
    store = Store(job.request.results.absolute())
    store = store if store.exists() else Store.open(store.root)  # the run has opened it
    with store.lock(job.key, wait=job.wait) as owned:
        if not owned:
            return CellOutcome(job.index, job.key, "BUSY")
        if not job.fresh and store.record(job.key) is not None:
            return CellOutcome(job.index, job.key, "FOUND")
        on_start()
        return _run_owned(job, store, compute)


def _run_owned(job: CellJob, store: Store, compute: Compute) -> CellOutcome:
    """Load, compute and store a cell whose lock is held, or store why it failed."""
    request = job.request
    try:
        loaded = request.load()
    except BaseException as error:
        return CellOutcome.of_failure(job, Failure.of(error))
    if job.index >= len(loaded.cells):
        raise PlanChanged(f"{request.suite} changed while this run was under way: it has fewer cells; run again")
    try:
        changed = compute(loaded, job, store)
    except SearchBusy:
        return CellOutcome(job.index, job.key, "BUSY")
    except BaseException as error:  # SystemExit, too: a model that exits fails its own cell
        for cause in causes(error):
            blocked = unusable(cause, store.root) if isinstance(cause, OSError) and _is_ours(cause, store) else None
            if blocked is not None:
                raise blocked from error
        cell = loaded.cells[job.index]
        failure = Failure.of(error, type(cell.model))
        store_failure(store, cell, job.key, failure)
        return CellOutcome(job.index, job.key, failure.state, failure.reason)
    return CellOutcome(job.index, job.key, "DONE", changed=tuple(changed))


def _compute_and_store(
    loaded: LoadedSuite, job: CellJob, store: Store, *, state: ProcessState, switches: dict[str, Any]
) -> list[str]:
    """Search the fields of a tuned model; fit and rank; store the cell and remove its checkpoint.

    Return the global state that this left changed.
    """
    cell, prepared, parts = _as_planned(loaded, job)
    if job.fresh:
        store.discard_partial(job.key)
    started = now()
    folder = store.partial(job.key)
    log = progress_writer(folder)
    log({"event": "started", "time": started, "run": job.run})
    state.extend()
    tuned = {}
    if cell.space:
        cell, chosen = tuned_cell(loaded, cell, prepared, parts, store, run=job.run, fresh=job.fresh, wait=job.wait,
                                   log=log)  # fmt: skip
        tuned = {"tuning": chosen}
    device = loaded.request.device
    with EnergyMeter(device) as meter:
        computed = compute(cell, prepared, metrics=loaded.metrics, device=device, checkpoint=folder, log=log,
                           precision=loaded.request.precision, engine=loaded.request.engine)  # fmt: skip
    record = cell_record(
        loaded,
        cell,
        prepared,
        computed,
        key=job.key,
        parts=parts,
        environment=environment_record(switches),
        started=started,
    )
    record |= {"energy": meter.record, **tuned}
    changed = state.changes()
    record["caveats"] += [changed_message(changed)] if changed else []
    json.dumps(record, allow_nan=False)  # a value that JSON cannot hold must not reach the store
    store.commit(job.key, lambda folder: write_cell(folder, record, computed, loaded.metrics))
    store.discard_partial(job.key)
    return changed


def _read(loaded: LoadedSuite, job: CellJob, store: Store) -> list[str]:
    """Read and store a cell that other code computed; it changes no global state."""
    cell, prepared, parts = _as_planned(loaded, job)
    read_and_store(loaded, cell, prepared, parts, job.key, store)
    return []


def _as_planned(loaded: LoadedSuite, job: CellJob) -> tuple[Cell, Prepared, dict[str, Any]]:
    """The job's cell, its data and the parts of its key. Raises PlanChanged where they are not those of the plan."""
    cell = loaded.cells[job.index]
    prepared = loaded.prepare(cell)
    parts = cell_parts(loaded, job.index, prepared)
    if key_of(parts) != job.key:
        raise PlanChanged(_what_changed(job.parts, parts))
    return cell, prepared, parts


def _what_changed(planned: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Why a job is not what was planned, in one sentence; data that another machine holds may be other data."""
    for name in ("data", "split"):
        if planned[name] != found[name]:
            return (f"the {name} where the cell is computed has the fingerprint {found[name][:12]}…, not the planned "
                    f"{planned[name][:12]}…: it changed while this run was under way, or the machine has other data; "
                    "use the same files everywhere and run again")  # fmt: skip
    return f"changed while this run was under way: {'; '.join(differences(planned, found))}; run again"


def changed_message(changed: list[str] | tuple[str, ...]) -> str:
    """The caveat of a cell that left global state changed."""
    shown = "; ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
    return f"CHANGED GLOBAL STATE: the model left {shown} changed; no later cell ran in its process"


def _is_ours(error: OSError, store: Store) -> bool:
    """Whether an error concerns the store: its path lies there, or it has none (a write to an open file)."""
    return error.filename is None or str(error.filename).startswith(str(store.root))
