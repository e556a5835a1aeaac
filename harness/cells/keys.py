"""A cell's key: the hash of everything that determines its bits; its stored parts name what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evaluation.rank_files.ranked import Ranked
from harness.cells.execute import lists_needed
from harness.preparation import Prepared
from harness.spec import Cell, canonical, written_form
from harness.suites.request import LoadedSuite
from harness.system.determinism import device_kind
from harness.system.environment import key_versions
from harness.tuning import sampler_version
from training.precision import FLOAT32
from training.run import TORCH

READ = "ranks"  # the part of a key with the SHA-256 of a file of ranks


def cell_parts(loaded: LoadedSuite, index: int, prepared: Prepared | None) -> dict[str, Any]:
    """The parts of the key of one cell of a loaded suite."""
    cell = loaded.cells[index]
    if isinstance(cell.model, Ranked):
        return _parts_of_read(cell, prepared, loaded, loaded.sources[index])
    return key_parts(
        cell,
        prepared,
        sources=loaded.sources[index],
        metrics=loaded.metrics,
        device=loaded.request.device,
        threads=loaded.request.threads,
        precision=loaded.request.precision,
        engine=loaded.request.engine,
        form=loaded.written_form,
    )


@dataclass
class CellKeys:
    """The parts and keys of a suite's cells; what the seeds of one model share is made once for cells in order."""

    loaded: LoadedSuite
    _shared: dict[tuple[int, str, str], tuple[dict[str, Any], str, str]] = field(default_factory=dict)

    def of(self, index: int, prepared: Prepared | None) -> tuple[dict[str, Any], str]:
        """The parts of one cell, as ``cell_parts`` gives them, and its key."""
        cell = self.loaded.cells[index]
        if isinstance(cell.model, Ranked):  # each seed has a file of its own
            parts = cell_parts(self.loaded, index, prepared)
            return parts, key_of(parts)
        name = id(cell.experiment), cell.model_name, "" if prepared is None else prepared.fingerprint
        if name not in self._shared:
            parts = cell_parts(self.loaded, index, prepared)
            self._shared = {name: (parts, *_text_around(parts, "seed"))}
        parts, before, after = self._shared[name]
        return {**parts, "seed": cell.seed}, _hash(f"{before}{canonical(cell.seed)}{after}")


def is_read(parts: Mapping[str, Any]) -> bool:
    """Whether these are the parts of a cell whose ranks are read from a file of other code."""
    return READ in parts


def _parts_of_read(
    cell: Cell, prepared: Prepared | None, loaded: LoadedSuite, sources: Mapping[str, str]
) -> dict[str, Any]:
    """The parts of the key of a cell that other code computed: the file's SHA-256 in place of a model and a machine.

    The deepest cut-off is one of them, since lists of k items are refused for metrics beyond k.
    """
    model: Ranked = cell.model
    try:
        sums: Mapping[str, str | None] = model.sums(cell.seed, loaded.folder)
    except (OSError, ValueError):  # the run of the cell reports it
        sums = {}
    depths = [getattr(metric, "k", None) for metric in loaded.metrics]
    return _data_parts(cell, prepared) | {
        "model fields": {n: v for n, v in written_form(model).items() if n not in ("path", "qrels")},
        "seed": cell.seed,
        READ: None,
        **sums,
        "deepest metric": None if None in depths else max(depths),
        "code": dict(sources),
    }


def _data_parts(cell: Cell, prepared: Prepared | None, form: Callable[[Any], Any] = written_form) -> dict[str, Any]:
    """The parts that say which data are split how."""
    return {
        "data": None if prepared is None else prepared.data["fingerprint"],
        "split": None if prepared is None else prepared.fingerprint,
        "caveats": [] if prepared is None else prepared.caveat_marks,
        "dataset": form(cell.experiment.dataset) if prepared is None else None,
        "protocol": form(cell.experiment.protocol),
    }


def key_parts(
    cell: Cell,
    prepared: Prepared | None,
    *,
    sources: Mapping[str, str],
    metrics: Sequence[Any],
    device: str,
    threads: int,
    precision: str = FLOAT32,
    engine: str = TORCH,
    form: Callable[[Any], Any] = written_form,
) -> dict[str, Any]:
    """The parts of a cell's key; the names of suite, data set and model and the claims are not among them.

    sources: the hashes of the code that computes the cell. metrics: the first stops a learner; the largest list that
    one needs is stored. prepared: None where the data could not be prepared; such a key is used to store the failure.
    """
    model = cell.model
    parts = _data_parts(cell, prepared, form) | {
        "model fields": form(model),
        "seed": cell.seed,
        "validation metric": metrics[0].name,
        "max padded events": cell.experiment.max_padded_events,
        "device": device_kind(device),
        "threads": threads,
        "engine": engine_of(model, device, engine),
        "code": dict(sources),
        "library version": key_versions(),
    }
    length = lists_needed(metrics)
    parts |= {"list length": length} if length else {}
    parts |= {} if precision == FLOAT32 else {"precision": precision}
    return parts | {"tuning": _tuning(cell)} if cell.space else parts


def _tuning(cell: Cell) -> dict[str, Any]:
    """The parts of a tuned model's search that are not parts of its cells."""
    tuning = cell.experiment.tuning
    return {"trials": tuning.trials, "space": written_form(cell.space), "sampler": tuning.sampler,
            "search seed": tuning.seed, "sampler version": sampler_version(tuning.sampler)}  # fmt: skip


def search_key(parts: Mapping[str, Any]) -> str:
    """The key of a tuned cell's search: the cell's key without the seed and the length of the lists.

    A trial is ranked on the validation part by the primary metric alone, so neither of them changes it.
    """
    return key_of({name: value for name, value in parts.items() if name not in ("seed", "list length")})


def engine_of(model: Any, device: str, chosen: str = TORCH) -> str | None:
    """The engine of a model on a device: ``resolved_engine(device)``, else ``engine``, else None.

    chosen: the engine asked for; a model without another one keeps its own.
    """
    resolve = getattr(model, "resolved_engine", None)
    if getattr(model, "has_compiled_loop", False):
        return str(resolve(device, chosen))
    return str(resolve(device)) if callable(resolve) else getattr(model, "engine", None)


def key_of(parts: Mapping[str, Any]) -> str:
    """The key: 24 hex digits of SHA-256 over the parts."""
    return _hash(canonical(parts))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _text_around(parts: Mapping[str, Any], name: str) -> tuple[str, str]:
    """The canonical text of the parts before and after the value of one of them, which is neither first nor last."""
    before = canonical({n: value for n, value in parts.items() if n < name})
    after = canonical({n: value for n, value in parts.items() if n > name})
    return f"{before[:-1]},{canonical(name)}:", f",{after[1:]}"


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The parts in which two keys differ, in words: "model fields: dim 32 → 64", "code: training/loop.py"."""
    return [
        f"{name}: {detail}" if (detail := _detail(name, old.get(name), new.get(name))) else name
        for name in {**new, **old}
        if old.get(name) != new.get(name)
    ]


def _detail(name: str, old: Any, new: Any) -> str:
    """The change inside one part, shortened."""
    if name in ("data", "split", "dataset", "caveats"):
        return ""
    if name == "code" and isinstance(old, Mapping):
        changed = [path for path in {**old, **new} if old.get(path) != new.get(path)]
        return ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return ", ".join(_changes(old, new))
    return f"{_short(old)} → {_short(new)}"


def _changes(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Each field that differs, with both values; nested values by dotted path."""
    found = []
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += _changes(before, after, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name} {_short(before)} → {_short(after)}")
    return found


def _short(value: Any) -> str:
    """A value in at most 40 characters."""
    text = value if isinstance(value, str) else canonical(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
