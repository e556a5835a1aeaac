"""Prepared: a data set loaded, split by a protocol and audited; cells share it through caches in memory and on disk."""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.spec import Experiment, canonical, written_form
from harness.system.sources import closure_hashes, combined_hash
from recsys_data.atomic_write import write_bytes_atomically
from recsys_data.audit.finding import CARRIED, FAIL
from recsys_data.datasets.cache import load_cached, raw_files, raw_sums
from recsys_data.interactions import Interactions
from recsys_data.sealed_json import read_sealed, sealed_text
from recsys_data.split import Split

CACHED_SPLITS = 2  # in memory at once: cells are ordered by experiment
_SCHEMA = 3


class DataRefused(ValueError):
    """Data that must not be trained on: a part is empty, or the audit found a leak."""


class CacheDamaged(ValueError):
    """The data cached on disk give another split than before."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A split, built on first use, and what records need of it and of its data.

    data: fingerprint, unit, edition, clock, events, users, items, licence, citation. audit: the findings as JSON data.
    fingerprint: the split's. marks: the split's own caveats. sizes: train_events, validation_queries, test_queries.
    """

    data: Mapping[str, Any]
    audit: tuple[Mapping[str, Any], ...]
    fingerprint: str
    marks: tuple[str, ...]
    sizes: Mapping[str, int]
    build_split: Callable[[], Split]

    @cached_property
    def split(self) -> Split:
        """The split, read-only. Raises CacheDamaged where the data cached on disk give another one than was audited."""
        built = self.build_split()
        if built.fingerprint != self.fingerprint:
            raise CacheDamaged("the data cached in the results folder's prepared/ give another split than before: "
                               "they are damaged; remove that folder and run again")  # fmt: skip
        return built.freeze()

    @property
    def has_validation(self) -> bool:
        """Whether the split has a validation part."""
        return self.sizes["validation_queries"] > 0

    @property
    def caveats(self) -> list[str]:
        """The caveats of every result on this split, as sentences."""
        return list(dict.fromkeys([*self.marks, *(f["sentence"] for f in self.audit if f["level"] in CARRIED)]))

    @property
    def caveat_marks(self) -> list[str]:
        """The caveats that belong to a key: the split's own, and the names of the audit's, whatever their wording."""
        return list(dict.fromkeys([*self.marks, *(f["name"] for f in self.audit if f["level"] in CARRIED)]))

    def record(self) -> dict[str, Any]:
        """Everything but the split, as JSON data."""
        return {"schema": _SCHEMA, "data": dict(self.data), "audit": list(self.audit), "marks": list(self.marks),
                "fingerprint": self.fingerprint, "sizes": dict(self.sizes)}  # fmt: skip


# The process owns this cache: a worker computes many cells, and gets each as a value of its own.
_prepared: OrderedDict[str, Prepared] = OrderedDict()


def prepare(experiment: Experiment, folder: Path | None, cache: Path | None = None) -> Prepared:
    """Load the experiment's data set from ``folder``, split and audit it; the last CACHED_SPLITS stay in memory.

    cache: a folder for events, fingerprints and findings; the same raw bytes under the same code are then not read and
    audited again, and split again only where the split itself is used.
    Raises DataMissing where the data are missing, ValueError where they are damaged or lack what the protocol needs,
    DataRefused for an empty part or a leak.
    """
    name = canonical([written_form(experiment.dataset), written_form(experiment.protocol), str(folder), str(cache)])
    if name not in _prepared:
        _prepared[name] = _prepare(experiment, folder) if cache is None else _cached(experiment, folder, cache)
        while len(_prepared) > CACHED_SPLITS:
            _prepared.popitem(last=False)
    _prepared.move_to_end(name)
    return _prepared[name]


def prepared_before(experiment: Experiment, folder: Path | None, cache: Path) -> Prepared | None:
    """The prepared experiment as ``cache`` describes it; None where its data are missing or were not prepared there."""
    reading = _reading(experiment)
    path = _description(experiment, folder, cache, reading)
    return None if path is None else _described(experiment, folder, cache, path, reading)


def _cached(experiment: Experiment, folder: Path | None, cache: Path) -> Prepared:
    """Read the prepared experiment from ``cache``, or prepare it and write it there."""
    reading = _reading(experiment)
    path = _description(experiment, folder, cache, reading)
    if path is None:
        return _prepare(experiment, folder)
    found = _described(experiment, folder, cache, path, reading)
    if found is not None:
        return found
    prepared = _prepare(experiment, folder, _loader(experiment, folder, cache, reading))
    write_bytes_atomically(path, sealed_text(prepared.record(), path.name, allow_nan=True).encode())
    return prepared


def _reading(experiment: Experiment) -> str:
    """The hash of the code that reads the experiment's data set."""
    return combined_hash(closure_hashes(experiment.dataset))


def _loader(experiment: Experiment, folder: Path | None, cache: Path, reading: str) -> Callable[[], Interactions]:
    """A function that loads the experiment's data set through the cache."""
    return functools.partial(load_cached, experiment.dataset, folder, cache, reading)


def _description(experiment: Experiment, folder: Path | None, cache: Path, reading: str) -> Path | None:
    """The file in ``cache`` for these raw bytes under this code; None where raw files are missing or unknown."""
    dataset, protocol = experiment.dataset, experiment.protocol
    files = raw_files(dataset, folder)
    if files is None:
        return None
    splitting = combined_hash(closure_hashes(protocol, ["recsys_data.audit.leakage"]))
    parts = [written_form(dataset), written_form(protocol), raw_sums(files, cache), reading, splitting]
    return cache / "splits" / f"{hashlib.sha256(canonical(parts).encode()).hexdigest()[:24]}.json"


def _described(experiment: Experiment, folder: Path | None, cache: Path, path: Path, reading: str) -> Prepared | None:
    """The prepared experiment from its description; None where that is missing or damaged."""
    load, protocol = _loader(experiment, folder, cache, reading), experiment.protocol
    try:
        record = read_sealed(path.read_bytes(), path.name)
        if record.pop("schema") != _SCHEMA:
            return None
        tuples = {"audit": tuple(record.pop("audit")), "marks": tuple(record.pop("marks"))}
        return Prepared(**record, **tuples, build_split=lambda: protocol.prepare(load()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _prepare(experiment: Experiment, folder: Path | None, load: Callable[[], Interactions] | None = None) -> Prepared:
    """Load the experiment's data (by ``load``, where given), split and audit them."""
    from recsys_data.audit.leakage import audit

    interactions = experiment.dataset.load(folder) if load is None else load()
    split = experiment.protocol.prepare(interactions)
    label = f"{experiment.dataset.name} under {experiment.protocol.name}"
    if len(split.train) == 0:
        raise DataRefused(f"{label} leaves no event to train on; loosen the protocol's filters or take more users")
    if len(split.test) == 0:
        raise DataRefused(f"{label} leaves nothing to test on; loosen the protocol's filters or take more users")
    findings = tuple(
        {"level": f.level, "name": f.name, "value": _plain(f.value), "sentence": f.sentence}
        for f in audit(split, experiment.protocol)
    )
    leaks = [f["sentence"] for f in findings if f["level"] == FAIL]
    if leaks:
        raise DataRefused(f"{label} does not pass the leakage audit: {'; '.join(leaks)}")
    data = {
        "fingerprint": interactions.fingerprint,
        "unit": interactions.unit,
        "edition": interactions.edition,
        "clock": interactions.clock.value,
        "events": len(interactions),
        "users": interactions.num_users,
        "items": interactions.num_items,
        "licence": getattr(experiment.dataset, "licence", ""),
        "citation": getattr(experiment.dataset, "citation", ""),
    }
    return Prepared(
        data=data,
        audit=findings,
        fingerprint=split.fingerprint,
        marks=(*split.facts.get("caveats", ()), *split.caveats),
        sizes={
            "train_events": len(split.train),
            "validation_queries": len(split.validation),
            "test_queries": len(split.test),
        },
        build_split=lambda: split,
    )


def _plain(value: Any) -> Any:
    """A finding's value as JSON knows it."""
    return value.item() if hasattr(value, "item") else value
