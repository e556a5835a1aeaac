"""Fidelity: models of one class that read their paper differently, side by side, with what each change does.

The rule. Two models of a data set and protocol are kin if they are values of one class that differ in a field of
fidelity: one called ``variant``, or one that in one of the two holds "paper", "official" or "corrected". The kin of the
paper's reading, or of the first where none bears that name, is the reference. Every other reading is set against that
kin of the reference reading from which it differs in the fewest other fields, and those fields are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.comparison.group import Group
from evaluation.comparison.pairwise import Comparer
from evaluation.comparison.table import PairRow
from evaluation.metrics.accuracy import Metric
from evaluation.statistics.effects import MARGIN
from evaluation.statistics.significance import FLIPS, RESAMPLES

READINGS = ("paper", "official", "corrected")
_MISSING = "absent"


@dataclass(frozen=True)
class Reading:
    """One model's reading of its paper. against: the kin that it is set against, None for the reference reading.

    fidelity: the fields of fidelity with their values; changed: every other field that differs from ``against``, as
    (field, value there, value here).
    """

    model: str
    kind: str
    fidelity: tuple[tuple[str, str], ...]
    against: str | None = None
    changed: tuple[tuple[str, str, str], ...] = ()


def readings_of(fields: Mapping[str, Mapping[str, Any]]) -> list[list[Reading]]:
    """The kin among models, given by label → recorded fields (with "type"), one list a class, references first."""
    classes: dict[str, dict[str, dict[str, str]]] = {}
    for model, held in fields.items():
        classes.setdefault(str(held.get("type")), {})[model] = _flat(held)
    families = []
    for kind, models in classes.items():
        named = _fields_of_fidelity(models.values())
        told = {model: tuple((name, flat.get(name, _MISSING)) for name in named) for model, flat in models.items()}
        if named and len(set(told.values())) > 1:
            families.append(_family(kind.rsplit(".", 1)[-1], models, told))
    return families


def fidelity_rows(
    group: Group, metric: Metric, readings: Iterable[Reading], *, flips: int = FLIPS, resamples: int = RESAMPLES
) -> tuple[PairRow, ...]:
    """The difference of each reading from the one it is set against; exploratory, so each interval stands alone."""
    pairs = {(r.model, r.against): "fidelity" for r in readings if r.against is not None}
    models = list(dict.fromkeys(model for pair in pairs for model in pair))
    runs = [group.runs(model, metric) for model in models]
    return Comparer(runs, pairs, metric.higher_is_better, MARGIN, flips, resamples).rows()[1]


def _fields_of_fidelity(models: Iterable[Mapping[str, str]]) -> list[str]:
    """The fields that hold more than one value and tell a reading by their name or by one of their values."""
    held: dict[str, set[str]] = {}
    models = list(models)
    for name in dict.fromkeys(name for flat in models for name in flat):
        held[name] = {flat.get(name, _MISSING) for flat in models}
    return [
        name
        for name, values in held.items()
        if len(values) > 1 and (name.rpartition(".")[2] == "variant" or values & set(READINGS))
    ]


def _family(
    kind: str, models: Mapping[str, Mapping[str, str]], told: Mapping[str, tuple[tuple[str, str], ...]]
) -> list[Reading]:
    """The kin of one class: those of the reference reading, then the others."""
    papers = [model for model in models if any(value == "paper" for _, value in told[model])]
    reference = told[papers[0] if papers else next(iter(models))]
    first = [model for model in models if told[model] == reference]
    rows = [Reading(model, kind, told[model]) for model in first]
    for model in models:
        if model not in first:
            changes = {other: _changes(models[other], models[model], dict(reference)) for other in first}
            nearest = min(first, key=lambda other: len(changes[other]))
            rows.append(Reading(model, kind, told[model], nearest, changes[nearest]))
    return rows


def _changes(
    old: Mapping[str, str], new: Mapping[str, str], fidelity: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    """The fields beside those of fidelity that differ."""
    names = [name for name in {**old, **new} if name not in fidelity]
    values = [(name, old.get(name, _MISSING), new.get(name, _MISSING)) for name in names]
    return tuple(change for change in values if change[1] != change[2])


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The fields as text, those of nested values under dotted names; the class itself is no field."""
    flat: dict[str, str] = {}
    for name, value in fields.items():
        if name == "type" and not prefix:
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = str(value).rsplit(".", 1)[-1] if name == "type" else str(value)
    return flat
