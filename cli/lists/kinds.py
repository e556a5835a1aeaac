"""The classes that a suite can name, by name: models, metrics, protocols, losses and kinds of claims."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from cli.lists.fields import field_rows
from cli.lists.recommenders import recommenders
from recsys_data.checks import did_you_mean

MODEL_PACKAGES = ("baselines.factors", "baselines.neighbours", "baselines.simple", "recsys_models")
LOSS_MODULES = ("loss", "augmented", "diversity", "margin", "sampled", "softmax")  # those that import no torch
CLASSES = ("models", "metrics", "protocols", "losses", "claims")


def classes(what: str) -> dict[str, type]:
    """The classes of one of CLASSES by the name under which a suite uses them, sorted."""
    found = {
        "models": lambda: [*recommenders(MODEL_PACKAGES), _next_item_model()],
        "metrics": _metrics,
        "protocols": lambda: _in_package("recsys_data.protocols", "prepare"),
        "losses": _losses,
        "claims": _claims,
    }[what]()
    return {kind.__name__: kind for kind in sorted(found, key=lambda kind: kind.__name__)}


def class_rows(what: str) -> list[dict[str, Any]]:
    """One record per class: name, module, first sentence of its docstring, and what else a table of its kind shows."""
    return [
        {"name": name, "about": _first_line(kind), "import": f"from {kind.__module__} import {name}"}
        | ({"form": _metric_form(kind)} if what == "metrics" else {})
        for name, kind in classes(what).items()
    ]


def class_details(what: str, name: str) -> dict[str, Any]:
    """One class: its docstring, how to import it, and its fields with types, defaults and meanings.

    Raises ValueError with the closest name for an unknown one.
    """
    known = classes(what)
    kind = known[closest(what, name, known)]
    return {
        "name": kind.__name__, "import": f"from {kind.__module__} import {kind.__name__}",
        "about": inspect.getdoc(kind) or "", "fields": field_rows(kind),
    }  # fmt: skip


def closest(what: str, name: str, known: Iterable[str]) -> str:
    """The known name that equals ``name`` in any case. Raises ValueError with the closest one."""
    by_lower = {each.lower(): each for each in known}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    hint = did_you_mean(name, by_lower.values(), f"known are {', '.join(by_lower.values())}")
    raise ValueError(f"list {what}: there is no {name!r}; {hint}")


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").split("\n")[0]


def _defined(module: ModuleType) -> Iterator[type]:
    """The public, concrete classes that a module defines."""
    for name, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ == module.__name__ and not name.startswith("_") and not inspect.isabstract(kind):
            yield kind


def _in_package(package: str, verb: str) -> list[type]:
    """The classes of a package's modules that have a method, protocols of typing apart."""
    names = [module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")]
    kinds = [kind for name in names for kind in _defined(importlib.import_module(name))]
    return [kind for kind in kinds if callable(getattr(kind, verb, None)) and not getattr(kind, "_is_protocol", False)]


def _losses() -> list[type]:
    modules = [importlib.import_module(f"training.losses.{name}") for name in LOSS_MODULES]
    base = modules[0].Loss
    found = [kind for module in modules for kind in _defined(module) if issubclass(kind, base)]
    return [kind for kind in found if not kind.__subclasses__()]  # bases apart


def _next_item_model() -> type:
    """The class whose fields and methods the neural models share, for models of a user's own."""
    return importlib.import_module("recsys_models.next_item").NextItemModel


def _metrics() -> list[type]:
    from evaluation.metrics.accuracy import METRICS
    from evaluation.metrics.lists import COVERAGE_METRICS, LIST_METRICS

    return [*METRICS.values(), *COVERAGE_METRICS, *LIST_METRICS]  # type: ignore[list-item]


def _metric_form(kind: Any) -> str:
    """How a suite writes the metric."""
    return f"{kind.__name__}()" if getattr(kind, "cut_off", "") == "none" else f"{kind.__name__}(20)"


def _claims() -> list[type]:
    from evaluation.verdicts.claims import KINDS
    from evaluation.verdicts.published import Published

    return [*KINDS.values(), Published]
