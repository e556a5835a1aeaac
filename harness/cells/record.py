"""Records of cells: cell.json of a finished one, failure.json of a failed one."""

from __future__ import annotations

import datetime
import json
import statistics
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.json_codec import to_json
from evaluation.results.suite_results import CURVE
from evaluation.stored_files import SCHEMAS
from harness.cells.execute import ComputedCell
from harness.preparation import Prepared
from harness.spec import Cell, written_form
from harness.store import Store, write_record
from harness.suites.request import LoadedSuite
from harness.system.blame import blamed_line
from harness.system.environment import device_name
from harness.system.sources import combined_hash
from recsys_data.sealed_json import sha256

MAX_MESSAGE = 2000  # characters of an exception's text in a reason; the traceback has all of it


def now() -> str:
    """The time in UTC, ISO 8601 to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cell_record(
    loaded: LoadedSuite,
    cell: Cell,
    prepared: Prepared,
    computed: ComputedCell,
    *,
    key: str,
    parts: Mapping[str, Any],
    environment: Mapping[str, Any],
    started: str,
) -> dict[str, Any]:
    """The record of a finished cell, as JSON data; its ranks and curve are files of their own."""
    model, split, request = computed.model, prepared.split, loaded.request
    curve = curve_of(model)
    metrics = {metric.name: float(metric.measure(computed.ranks)) for metric in loaded.metrics}
    primary = loaded.metrics[0].name
    record = {
        "schema": SCHEMAS["cell.json"],
        "key": key,
        "state": "DONE",
        **cell.labels,
        "model_fields": written_form(cell.model),
        "dataset_fields": written_form(cell.experiment.dataset),
        "protocol_fields": written_form(cell.experiment.protocol),
        "deterministic": bool(cell.model.deterministic),
        "family": cell.model.family,
        "parameters": _parameters(model),
        "fingerprints": {
            "data": prepared.data["fingerprint"],
            "split": split.fingerprint,
            "source": combined_hash(parts["code"]),
        },
        "key_parts": dict(parts),
        "device": request.device,
        "device_name": device_name(request.device),
        "threads": request.threads,
        "engine": getattr(model, "engine_", parts.get("engine")),
        "environment": dict(environment),
        "metrics": metrics,
        "validation": {} if computed.validation is None else {primary: float(computed.validation)},
        "seconds": {name: round(value, 4) for name, value in computed.seconds.items()},
        "targets_per_second": _throughput(curve),
        "peak_memory_mb": round(computed.peak_memory_mb, 1),
        "peak_gpu_memory_mb": computed.peak_gpu_memory_mb,
        "epochs": getattr(model, "epochs_", None),
        "best_epoch": getattr(model, "best_epoch_", None),
        "stopped": getattr(model, "stopped_", None),
        "resumed_from": getattr(model, "resumed_from_", None),
        "caveats": [*prepared.caveats, *_training_caveats(model)],
        "started": started,
        "finished": now(),
        "command": loaded.command(cell),
        "clock": prepared.data["clock"],
        "unit": prepared.data["unit"],
        "counts": {
            "train_events": len(split.train),
            "validation_queries": len(split.validation),
            "test_queries": len(split.test),
            "test_clusters": computed.ranks.num_clusters,
            "items": split.train.num_items,
            "users": split.train.num_users,
        },
        "steps": list(split.steps),
        "audit": list(prepared.audit),
        "facts": dict(split.facts),
        "edition": prepared.data["edition"],
        "licence": prepared.data["licence"],
        "citation": prepared.data["citation"],
    }
    return to_json(record)


def write_cell(folder: Path, record: Mapping[str, Any], computed: ComputedCell, metrics: Sequence[Any]) -> None:
    """Write a finished cell's files into ``folder``: ranks, the metrics' sums per user, curve, record."""
    from evaluation.metrics.sums_file import write_sums

    ranks = folder / "ranks.parquet"
    replace(computed.ranks, meta={**(computed.ranks.meta or {}), "key": record["key"]}).write(ranks)
    write_sums(folder, computed.ranks, metrics, sha256(ranks.read_bytes()))
    curve = curve_of(computed.model)
    if curve:
        (folder / CURVE).write_text("".join(json.dumps(to_json(line)) + "\n" for line in curve))
    write_record(folder / "cell.json", record)


@dataclass(frozen=True)
class Failure:
    """Why a cell failed: the reason in one sentence, the exception's name, the traceback.

    state: "FAILED", or the limit that ended the cell: "TIMEOUT" or "OUT OF MEMORY". seconds: how long it ran.
    """

    reason: str
    exception: str
    trace: str
    state: str = "FAILED"
    seconds: float | None = None

    @classmethod
    def of(cls, error: BaseException, suspect: type | None = None) -> Failure:
        """The failure for an exception, with the line of code to look at; suspect: the class of the cell's model."""
        trace = "".join(traceback.format_exception(error))
        line = blamed_line(error, suspect)
        reason = f"{error_message(error)} (in {line})" if line else error_message(error)
        return cls(reason, type(error).__name__, trace)


def store_failure(store: Store, cell: Cell, key: str, failure: Failure) -> None:
    """Store why a cell failed; call it only while owning the cell's lock."""
    record = {
        "schema": SCHEMAS["failure.json"],
        "key": key,
        **cell.labels,
        "state": failure.state,
        "reason": failure.reason,
        "exception": failure.exception,
        "seconds": failure.seconds,
        "finished": now(),
    }
    store.commit_failure(key, record, failure.trace)


def error_message(error: BaseException) -> str:
    """An error in one sentence: its message if it was written for a reader, else preceded by the exception's name."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "memory ran out; use a smaller batch_size or dim, fewer --jobs, or a larger machine"
    try:
        text = " ".join(str(error).split()).encode(errors="backslashreplace").decode()
    except BaseException as fault:  # of an exception's own __str__
        return f"{type(error).__name__}, whose text cannot be made: it raises {type(fault).__name__}"
    if len(text) > MAX_MESSAGE:
        text = f"{text[:MAX_MESSAGE]}… ({len(text):,} characters)"
    if isinstance(error, ValueError | FileNotFoundError | ChildProcessError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def curve_of(model: Any) -> list[dict[str, Any]]:
    """The fit's records, one per epoch; empty for models without epochs."""
    return list(getattr(model, "curve_", None) or [])


def _parameters(model: Any) -> int | None:
    """The number of learned parameters; None where the model does not report it."""
    found = getattr(model, "parameters_", None)
    return int(found) if found is not None else None


def _throughput(curve: Sequence[Mapping[str, Any]]) -> float | None:
    """The median over epochs of targets per second; None for models without epochs."""
    rates = [line["targets_per_second"] for line in curve if line.get("targets_per_second")]
    return statistics.median(rates) if rates else None


def _training_caveats(model: Any) -> list[str]:
    """The caveats of a fit that a limit stopped before it converged, and of one that depends on wall time."""
    stopped, caveats = getattr(model, "stopped_", None), []
    if stopped == "epoch limit":
        caveats = [f"NOT CONVERGED: stopped by its limit of {model.epochs_} epochs (best epoch {model.best_epoch_})"]
    elif stopped in ("iteration limit", "time limit"):
        caveats = [f"NOT CONVERGED: stopped by its {stopped} in epoch {model.epochs_} (best epoch {model.best_epoch_})"]
    if not getattr(model, "repeatable_", True):
        caveats.append("NOT REPEATABLE: seconds decided when it was evaluated or stopped, so another run may differ")
    return caveats
