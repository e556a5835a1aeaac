"""Contents of a user's file that can be checked: models, data sets and a suite."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from harness.spec import Experiment, Suite
from harness.suites.load import SuiteNotLoadable, load_file, load_suite
from harness.suites.overrides import set_field
from harness.system.blame import is_encore_class


@dataclass(frozen=True)
class FileContents:
    """The models and data sets of a file by name, and its suite where it defines one."""

    models: Mapping[str, Any]
    datasets: Mapping[str, Any]
    suite: Suite | None


def read_contents(source: str, sets: Sequence[str] = ()) -> FileContents:
    """Load a file and make a value of each class in it that has the methods of a model or of a data set.

    A suite is validated, and its models of classes other than Encore's are taken as it sets them. sets: changes of
    fields, such as "dim=64". Raises ValueError for a file with nothing to check, or a class that needs arguments.
    """
    module = load_file(source)
    suite = load_suite(source) if hasattr(module, "SUITE") else None
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__]
    models = {kind.__name__: kind for kind in kinds if _has(kind, "fit", "score")}
    datasets = {kind.__name__: kind for kind in kinds if _has(kind, "load")}
    if suite is not None:
        return FileContents(_changed(_own_models(suite), sets), _own_datasets(suite), suite)
    if not models and not datasets:
        raise ValueError(
            f"{source} has nothing to check: expected a class with fit and score (a model), a class with load (a data "
            f"set), or SUITE{_near_miss(module)}"
        )
    made = {name: _made(kind, source) for name, kind in models.items()}
    return FileContents(_changed(made, sets), {name: _made(kind, source) for name, kind in datasets.items()}, None)


def _has(kind: type, *verbs: str) -> bool:
    """Whether a public, concrete class has these methods."""
    if kind.__name__.startswith("_") or inspect.isabstract(kind):
        return False
    return all(callable(getattr(kind, verb, None)) for verb in verbs)


def _near_miss(module: ModuleType) -> str:
    """The end of a message: a class that has one of a model's two methods."""
    for name, kind in inspect.getmembers(module, inspect.isclass):
        missing = [verb for verb in ("fit", "score") if not callable(getattr(kind, verb, None))]
        if kind.__module__ == module.__name__ and len(missing) == 1:
            return f"; the class {name} has no method {missing[0]}"
    return ""


def _made(kind: type, source: str) -> Any:
    """A value of a class without arguments."""
    try:
        return kind()
    except (Exception, SystemExit) as error:
        raise SuiteNotLoadable(
            f"{source}: {kind.__name__}() raised {type(error).__name__}: {error}; give every field a default that works"
        ) from error


def _changed(models: Mapping[str, Any], sets: Sequence[str]) -> dict[str, Any]:
    """The models with their fields changed."""
    experiments = [Experiment(None, None, models)]
    for text in sets:
        experiments = set_field(experiments, text)
    return dict(experiments[0].models)


def _own_models(suite: Suite) -> dict[str, Any]:
    """The models of a suite whose classes are not Encore's, each label once."""
    models = {label: model for e in suite.experiments for label, model in e.models.items()}
    return {label: model for label, model in models.items() if not is_encore_class(type(model))}


def _own_datasets(suite: Suite) -> dict[str, Any]:
    """The data sets of a suite whose classes are not Encore's."""
    datasets = {e.dataset.name: e.dataset for e in suite.experiments}
    return {name: dataset for name, dataset in datasets.items() if not is_encore_class(type(dataset))}
