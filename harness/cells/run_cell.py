"""Run one cell: from a job to a stored result or failure, in this process or in a worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.cells.execute import compute
from harness.cells.keys import cell_parts, differences, key_of
from harness.cells.progress import progress_writer
from harness.cells.record import Failure, cell_record, now, store_failure, write_cell
from harness.cells.search import SearchBusy, tuned_cell
from harness.store import Store, unusable
from harness.suites.request import LoadedSuite, RunRequest
from harness.system.blame import causes
from harness.system.determinism import prepare_determinism
from harness.system.energy import EnergyMeter
from harness.system.environment import environment_record


class PlanChanged(ValueError):
    """Code or data changed after the plan was made, so the job would compute something else."""


@dataclass(frozen=True)
class CellJob:
    """A cell to compute, small enough to send to a worker: the request, the cell's index in the suite, its key.

    parts: the parts of the key. run: the id of the run that asks. fresh: compute a stored cell anew. wait: wait for
    another process that computes the cell.
    """

    request: RunRequest
    index: int
    key: str
    parts: Mapping[str, Any]
    run: str = ""
    fresh: bool = False
    wait: bool = False


@dataclass(frozen=True)
class CellOutcome:
    """The outcome of a job.

    state: "DONE", "FAILED", "BUSY" (another process owns the cell or its search), "FOUND" (another process finished
    it), "DIED" (the worker process ended). failure: of "DIED", since a dead process could not store it.
    """

    index: int
    key: str
    state: str
    reason: str = ""
    failure: Failure | None = None

    @property
    def failed(self) -> bool:
        """Whether the cell has no result."""
        return self.state in ("FAILED", "DIED")


def run_cell(job: CellJob) -> CellOutcome:
    """Compute the job's cell and store it, or store why it failed.

    Raises StoreUnusable, and PlanChanged where the suite has lost the cell; any other error is stored as a failure.
    """
    request = job.request
    switches = prepare_determinism(request.threads, request.device)
    store = Store.open(request.results)
    with store.lock(job.key, wait=job.wait) as owned:
        if not owned:
            return CellOutcome(job.index, job.key, "BUSY")
        if not job.fresh and store.record(job.key) is not None:
            return CellOutcome(job.index, job.key, "FOUND")
        loaded = request.load()
        if job.index >= len(loaded.cells):
            raise PlanChanged(f"{request.suite} changed while this run was under way: it has fewer cells; run again")
        try:
            _compute_and_store(loaded, job, store, switches)
        except SearchBusy:
            return CellOutcome(job.index, job.key, "BUSY")
        except Exception as error:
            for cause in causes(error):
                blocked = unusable(cause, store.root) if isinstance(cause, OSError) and _is_ours(cause, store) else None
                if blocked is not None:
                    raise blocked from error
            cell = loaded.cells[job.index]
            failure = Failure.of(error, type(cell.model))
            store_failure(store, cell, job.key, failure)
            return CellOutcome(job.index, job.key, "FAILED", failure.reason)
    return CellOutcome(job.index, job.key, "DONE")


def _compute_and_store(loaded: LoadedSuite, job: CellJob, store: Store, switches: dict[str, Any]) -> None:
    """Search the fields of a tuned model; fit and rank; store the cell and remove its checkpoint."""
    cell = loaded.cells[job.index]
    prepared = loaded.prepare(cell)
    parts = cell_parts(loaded, job.index, prepared)
    if key_of(parts) != job.key:
        changes = "; ".join(differences(job.parts, parts))
        raise PlanChanged(f"changed while this run was under way: {changes}; run again")
    if job.fresh:
        store.discard_partial(job.key)
    started = now()
    partial = store.partial(job.key)
    log = progress_writer(partial)
    log({"event": "started", "time": started, "run": job.run})
    tuned = {}
    if cell.space:
        cell, chosen = tuned_cell(loaded, cell, prepared, parts, store, run=job.run, fresh=job.fresh, wait=job.wait,
                                   log=log)  # fmt: skip
        tuned = {"tuning": chosen}
    device = loaded.request.device
    with EnergyMeter(device) as meter:
        computed = compute(cell, prepared, metrics=loaded.metrics, device=device, checkpoint=partial, log=log)
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
    json.dumps(record, allow_nan=False)  # a value that JSON cannot hold must not reach the store
    store.commit(job.key, lambda folder: write_cell(folder, record, computed, loaded.metrics))
    store.discard_partial(job.key)


def _is_ours(error: OSError, store: Store) -> bool:
    """Whether an error concerns the store: its path lies there, or it has none (a write to an open file)."""
    return error.filename is None or str(error.filename).startswith(str(store.root))
