"""Variants of a model: models of one class that implement their paper differently, and the effect of each change.

The rule. Two models of a data set and protocol are variants if they are values of one class that differ in a variant
field: one called ``variant``, or one that in one of the two holds "paper", "official" or "corrected". The variant of
the paper, or the first where none is called so, is the reference. Every other variant is compared with the model of
the reference that differs from it in the fewest other fields, and these fields are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.comparison.group import ComparisonGroup
from evaluation.comparison.pairwise import compare_models
from evaluation.comparison.table import PairRow
from evaluation.metrics.accuracy import Metric
from evaluation.statistics.significance import FLIPS, RESAMPLES

VARIANTS = ("paper", "official", "corrected")
_MISSING = "absent"


@dataclass(frozen=True)
class Variant:
    """One model as a variant of its class. against: the model it is compared with, None for the reference.

    settings: the variant fields with their values; changed: every other field that differs from ``against``, as (field,
    value there, value here).
    """

    model: str
    kind: str
    settings: tuple[tuple[str, str], ...]
    against: str | None = None
    changed: tuple[tuple[str, str, str], ...] = ()


def find_variants(fields: Mapping[str, Mapping[str, Any]]) -> list[list[Variant]]:
    """Find the variants among models: label → recorded fields (with "type"). One list per class, references first."""
    classes: dict[str, dict[str, dict[str, str]]] = {}
    for model, recorded in fields.items():
        classes.setdefault(str(recorded.get("type")), {})[model] = _flat(recorded)
    families = []
    for kind, models in classes.items():
        names = _variant_fields(models.values())
        settings = {model: tuple((name, flat.get(name, _MISSING)) for name in names) for model, flat in models.items()}
        if names and len(set(settings.values())) > 1:
            families.append(_family(kind.rsplit(".", 1)[-1], models, settings))
    return families


def compare_variants(
    group: ComparisonGroup,
    metric: Metric,
    variants: Iterable[Variant],
    *,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
) -> tuple[PairRow, ...]:
    """Return the difference of each variant from its reference; exploratory, so no interval is adjusted."""
    pairs = {(v.model, v.against): "variant" for v in variants if v.against is not None}
    models = list(dict.fromkeys(model for pair in pairs for model in pair))
    runs = [group.runs(model, metric) for model in models]
    higher = metric.higher_is_better
    return compare_models(runs, pairs, higher_is_better=higher, flips=flips, resamples=resamples).pairs


def _variant_fields(models: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the fields with several values that mark a variant by their name or by one of their values."""
    models = list(models)
    found = {}
    for name in dict.fromkeys(name for flat in models for name in flat):
        found[name] = {flat.get(name, _MISSING) for flat in models}
    return [
        name
        for name, values in found.items()
        if len(values) > 1 and (name.rpartition(".")[2] == "variant" or values & set(VARIANTS))
    ]


def _family(
    kind: str, models: Mapping[str, Mapping[str, str]], settings: Mapping[str, tuple[tuple[str, str], ...]]
) -> list[Variant]:
    """Return the variants of one class: those of the reference, then the others."""
    papers = [model for model in models if any(value == "paper" for _, value in settings[model])]
    reference = settings[papers[0] if papers else next(iter(models))]
    first = [model for model in models if settings[model] == reference]
    rows = [Variant(model, kind, settings[model]) for model in first]
    for model in models:
        if model not in first:
            changes = {other: _changes(models[other], models[model], dict(reference)) for other in first}
            nearest = min(first, key=lambda other: len(changes[other]))
            rows.append(Variant(model, kind, settings[model], nearest, changes[nearest]))
    return rows


def _changes(
    old: Mapping[str, str], new: Mapping[str, str], variant_fields: Mapping[str, str]
) -> tuple[tuple[str, str, str], ...]:
    """Return the fields that differ, without the variant fields."""
    names = [name for name in {**old, **new} if name not in variant_fields]
    values = [(name, old.get(name, _MISSING), new.get(name, _MISSING)) for name in names]
    return tuple(change for change in values if change[1] != change[2])


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return the fields as text, those of nested values under dotted names, without the class itself."""
    flat: dict[str, str] = {}
    for name, value in fields.items():
        if name == "type" and not prefix:
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = str(value).rsplit(".", 1)[-1] if name == "type" else str(value)
    return flat
