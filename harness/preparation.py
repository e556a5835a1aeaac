"""Prepared: a data set under a protocol, loaded, split and audited; kept for the cells that share it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.spec import Experiment, canonical, describe
from recsys_data.split import Split

KEPT = 2  # splits held in memory at once: cells come ordered by experiment


class Refused(ValueError):
    """Data that may not be trained on, in one sentence: an empty part, or a leak that the audit found."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A split with what its record needs of the data it came from, and the audit's findings as plain records."""

    split: Split
    data: Mapping[str, Any]  # fingerprint, unit, edition, clock, events, users, items, licence, citation
    audit: tuple[Mapping[str, Any], ...]

    @property
    def stamps(self) -> list[str]:
        """The sentences that every result from this split carries."""
        found = [*self.split.facts.get("stamps", ()), *self.split.stamps]
        return list(dict.fromkeys([*found, *(f["sentence"] for f in self.audit if f["level"] == "stamp")]))

    @property
    def stamp_marks(self) -> list[str]:
        """What of the stamps belongs to a key: the split's own, and the audit's by name, however it is worded."""
        own = [*self.split.facts.get("stamps", ()), *self.split.stamps]
        return list(dict.fromkeys([*own, *(f["name"] for f in self.audit if f["level"] == "stamp")]))


_kept: OrderedDict[str, Prepared] = OrderedDict()


def prepare(experiment: Experiment, folder: Path | None) -> Prepared:
    """The experiment's data set loaded from ``folder``, split by its protocol and audited; the last KEPT are kept.

    Raises recsys_data.download.DataMissing where there are no data, ValueError where they are damaged or too weak for
    the protocol, Refused for an empty part or a leak.
    """
    name = canonical([describe(experiment.dataset), describe(experiment.protocol), str(folder)])
    if name not in _kept:
        _kept[name] = _prepare(experiment, folder)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(name)
    return _kept[name]


def _prepare(experiment: Experiment, folder: Path | None) -> Prepared:
    from recsys_data.leakage import audit

    interactions = experiment.dataset.load(folder)
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
    return Prepared(split=split, data=data, audit=findings)


def _plain(value: Any) -> Any:
    """A finding's value as JSON knows it."""
    return value.item() if hasattr(value, "item") else value
