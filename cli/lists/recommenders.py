"""The recommender classes of packages, found by their shape."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterable


def recommenders(packages: Iterable[str]) -> Iterable[type]:
    """The recommender classes that the packages' own modules define; networks, engines and kernels stay unloaded."""
    for package in packages:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            if module.ispkg or module.name.endswith("kernels"):
                continue
            for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if kind.__module__ == module.name and is_recommender(kind):
                    yield kind


def is_recommender(kind: type) -> bool:
    """Whether a class is a public, concrete dataclass with ``fit``, ``score`` and ``family``."""
    if not dataclasses.is_dataclass(kind) or kind.__name__.startswith("_"):
        return False
    if any(getattr(getattr(kind, name), "__isabstractmethod__", False) for name in dir(kind)):
        return False
    return all(callable(getattr(kind, verb, None)) for verb in ("fit", "score")) and hasattr(kind, "family")
