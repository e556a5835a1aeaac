"""One planned cell to one stored result or failure; the same function in the parent and in every worker process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.cells.execute import compute
from harness.cells.keys import differences, key_of
from harness.cells.record import cell_record, failure_record, now, sentence, trace_text, write_cell
from harness.cells.search import SearchBusy, chosen_cell
from harness.running.plan import cell_parts
from harness.running.progress import writer
from harness.store import Store, unusable
from harness.suites.request import Bench, Order
from harness.system.determinism import prepare_determinism
from harness.system.energy import EnergyMeter
from harness.system.environment import capture


class Overtaken(ValueError):
    """A worker would compute something else than what was planned, since code or data changed meanwhile."""


@dataclass(frozen=True)
class Job:
    """A cell to compute, small enough to travel: the order, the cell's number in it, its key, its device."""

    order: Order
    index: int
    key: str
    parts: Mapping[str, Any]
    run: str = ""  # which run of the program asks, so that it knows its own cells' progress
    fresh: bool = False
    wait: bool = False


@dataclass(frozen=True)
class Done:
    """What became of a job: "DONE", "FAILED", "BUSY" (another process owns the cell or its search), "FOUND".

    FOUND: another process finished it.
    """

    index: int
    key: str
    state: str
    reason: str = ""


def work(job: Job) -> Done:
    """Compute the job's cell and store it, or store why it failed.

    Only StoreUnusable and interruptions leave this function: any other error is the cell's own.
    """
    order = job.order
    switches = prepare_determinism(order.threads, order.device)
    store = Store.open(order.results)
    with store.lock(job.key, wait=job.wait) as owned:
        if not owned:
            return Done(job.index, job.key, "BUSY")
        if not job.fresh and store.record(job.key) is not None:
            return Done(job.index, job.key, "FOUND")
        bench = order.open()
        if job.index >= len(bench.cells):
            raise Overtaken(f"{order.suite} has lost cells since this run began: it was changed; run again")
        try:
            _compute_and_store(bench, job, store, switches)
        except SearchBusy:
            return Done(job.index, job.key, "BUSY")
        except Exception as error:
            for cause in _causes(error):
                blocked = unusable(cause, store.root) if isinstance(cause, OSError) and _is_ours(cause, store) else None
                if blocked is not None:
                    raise blocked from error
            failure = failure_record(bench.cells[job.index], job.key, error)
            store.commit_failure(job.key, failure, trace_text(error))
            return Done(job.index, job.key, "FAILED", sentence(error))
    return Done(job.index, job.key, "DONE")


def _compute_and_store(bench: Bench, job: Job, store: Store, switches: dict[str, Any]) -> None:
    """Choose a tuned model's fields; fit, rank, write the cell aside, put it in place, drop the checkpoint."""
    cell = bench.cells[job.index]
    prepared = bench.prepare(cell)
    parts = cell_parts(bench, job.index, prepared)
    if key_of(parts) != job.key:
        changes = "; ".join(differences(job.parts, parts))
        raise Overtaken(f"changed while this run was under way: {changes}; run again")
    if job.fresh:
        store.discard_partial(job.key)
    started = now()
    partial = store.partial(job.key)
    log = writer(partial)
    log({"event": "started", "time": started, "run": job.run})
    tuned = {}
    if cell.space:
        cell, chosen = chosen_cell(bench, cell, prepared, parts, store, run=job.run, fresh=job.fresh, wait=job.wait,
                                   log=log)  # fmt: skip
        tuned = {"tuning": chosen}
    device = bench.order.device
    with EnergyMeter(device) as meter:
        computed = compute(cell, prepared, metrics=bench.metrics, device=device, checkpoint=partial, log=log)
    record = cell_record(
        bench, cell, prepared, computed, key=job.key, parts=parts, environment=capture(switches), started=started
    )
    record |= {"energy": meter.record, **tuned}
    json.dumps(record, allow_nan=False)  # a value that JSON cannot hold must not reach the store
    store.commit(job.key, lambda folder: write_cell(folder, record, computed, bench.metrics))
    store.discard_partial(job.key)


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it came from."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in found:
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _is_ours(error: OSError, store: Store) -> bool:
    """Whether an error concerns the store: its path lies there, or it has none (a write to an open file)."""
    return error.filename is None or str(error.filename).startswith(str(store.root))
