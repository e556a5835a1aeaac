"""Prepared: a data set under a protocol, loaded, split and audited; kept for the cells that share it, and on disk."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.spec import Experiment, canonical, written_form
from harness.system.sources import closure_of, combined
from recsys_data.datasets.cache import load_cached, raw_files, raw_sums
from recsys_data.interactions import Interactions
from recsys_data.split import Split

KEPT = 2  # splits held in memory at once: cells come ordered by experiment
_SCHEMA = 2


class Refused(ValueError):
    """Data that may not be trained on, in one sentence: an empty part, or a leak that the audit found."""


class CacheBroken(ValueError):
    """What was kept of a data set on disk does not give the split that it gave before."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a record needs of a split and of the data it came from, and the split itself, made when it is asked for.

    data: fingerprint, unit, edition, clock, events, users, items, licence, citation. audit: the findings as plain
    records. fingerprint: the split's. marks: the split's own caveats. sizes: train_events, validation_queries,
    test_queries.
    """

    data: Mapping[str, Any]
    audit: tuple[Mapping[str, Any], ...]
    fingerprint: str
    marks: tuple[str, ...]
    sizes: Mapping[str, int]
    make: Callable[[], Split]

    @cached_property
    def split(self) -> Split:
        """The split. Raises CacheBroken where data kept on disk no longer give the one that was audited."""
        made = self.make()
        if made.fingerprint != self.fingerprint:
            raise CacheBroken("what is kept of the data in the results folder's prepared/ gives another split than "
                              "before: it is damaged; remove that folder and run again")  # fmt: skip
        return made

    @property
    def validates(self) -> bool:
        """Whether there is a validation part."""
        if "validation_queries" not in self.sizes:  # kept by an earlier version
            return len(self.split.validation) > 0
        return self.sizes["validation_queries"] > 0

    @property
    def caveats(self) -> list[str]:
        """The sentences that every result from this split carries."""
        return list(dict.fromkeys([*self.marks, *(f["sentence"] for f in self.audit if f["level"] == "caveat")]))

    @property
    def caveat_marks(self) -> list[str]:
        """What of the caveats belongs to a key: the split's own, and the audit's by name, however it is worded."""
        return list(dict.fromkeys([*self.marks, *(f["name"] for f in self.audit if f["level"] == "caveat")]))

    def record(self) -> dict[str, Any]:
        """All but the split, as JSON."""
        return {"schema": _SCHEMA, "data": dict(self.data), "audit": list(self.audit), "marks": list(self.marks),
                "fingerprint": self.fingerprint, "sizes": dict(self.sizes)}  # fmt: skip


_kept: OrderedDict[str, Prepared] = OrderedDict()


def prepare(experiment: Experiment, folder: Path | None, cache: Path | None = None) -> Prepared:
    """The experiment's data set loaded from ``folder``, split by its protocol and audited; the last KEPT are kept.

    With ``cache``, events, fingerprint and findings are kept there too: the same raw bytes under the same code are not
    read, split and audited again before the split itself is asked for.
    Raises DataMissing where there are no data, ValueError where they are damaged or too weak for the protocol,
    Refused for an empty part or a leak.
    """
    name = canonical([written_form(experiment.dataset), written_form(experiment.protocol), str(folder), str(cache)])
    if name not in _kept:
        _kept[name] = _prepare(experiment, folder) if cache is None else _recalled(experiment, folder, cache)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(name)
    return _kept[name]


def _recalled(experiment: Experiment, folder: Path | None, cache: Path) -> Prepared:
    """What ``cache`` holds of the experiment, or what is now prepared and put there."""
    dataset, protocol = experiment.dataset, experiment.protocol
    files = raw_files(dataset, folder)
    if files is None:  # not there, or not known: only loading can tell
        return _prepare(experiment, folder)
    reading = combined(closure_of(dataset))
    load = functools.partial(load_cached, dataset, folder, cache, reading)
    parts = [written_form(dataset), written_form(protocol), raw_sums(files, cache), reading,
             combined(closure_of(protocol, ["recsys_data.audit.leakage"]))]  # fmt: skip
    path = cache / "splits" / f"{hashlib.sha256(canonical(parts).encode()).hexdigest()[:24]}.json"
    try:
        record = json.loads(path.read_text())
        if record.pop("schema") == _SCHEMA:
            tuples = {"audit": tuple(record.pop("audit")), "marks": tuple(record.pop("marks"))}
            return Prepared(**record, **tuples, make=lambda: protocol.prepare(load()))
    except (OSError, ValueError, KeyError, TypeError):  # not there yet, or damaged: made again
        pass
    prepared = _prepare(experiment, folder, load)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(prepared.record()))
    aside.replace(path)
    return prepared


def _prepare(experiment: Experiment, folder: Path | None, load: Callable[[], Interactions] | None = None) -> Prepared:
    """The experiment's data loaded (by ``load``, if not as usual), split and audited."""
    from recsys_data.audit.leakage import audit

    interactions = experiment.dataset.load(folder) if load is None else load()
    split = experiment.protocol.prepare(interactions)
    label = f"{experiment.dataset.name} under {experiment.protocol.name}"
    if len(split.train) == 0:
        raise Refused(f"{label} leaves no event to train on; loosen the protocol's filters or take more users")
    if len(split.test) == 0:
        raise Refused(f"{label} leaves nothing to test on; loosen the protocol's filters or take more users")
    findings = tuple(
        {"level": f.level, "name": f.name, "value": _plain(f.value), "sentence": f.sentence}
        for f in audit(split, experiment.protocol)
    )
    leaks = [f["sentence"] for f in findings if f["level"] == "fail"]
    if leaks:
        raise Refused(f"{label} does not pass the leakage audit: {'; '.join(leaks)}")
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
        make=lambda: split,
    )


def _plain(value: Any) -> Any:
    """A finding's value as JSON knows it."""
    return value.item() if hasattr(value, "item") else value
