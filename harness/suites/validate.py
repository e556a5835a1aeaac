"""Validation of a suite's parts: their types, names, seeds and labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.coverage import WholeTableMetric
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.verdicts.claims import Claim, Published
from harness.spec import Citation, Experiment, Suite
from harness.suites.statements import statement_errors
from harness.tuning import Tuning

_COLLECTIONS = ("experiments", "seeds", "metrics", "published", "claims", "comparisons", "baselines", "notes")
_REQUIRED = ("experiments", "seeds", "metrics")
_STORE_NAMES = ("all", "cells", "partial", "locks", "prepared", "suites", "tuning", "derived", "data", "mlartifacts",
                "mlflow.db")  # fmt: skip


def suite_error(suite: Suite) -> str:
    """Validate a suite; return its first error as a sentence, or "" if there is none."""
    return next(_errors(suite), "")


def _errors(suite: Suite) -> Iterator[str]:
    yield from _name_errors(suite)
    for what in _COLLECTIONS:
        values = getattr(suite, what)
        if isinstance(values, str | Mapping) or not isinstance(values, Collection):
            yield f"SUITE's {what} must be a list, got {values!r}"
        if what in _REQUIRED and not list(values):
            yield f"SUITE has no {what}; expected at least one"
    for experiment in suite.experiments:
        yield from _experiment_errors(experiment)
    yield from _seed_errors(list(suite.seeds))
    yield from _metric_errors(list(suite.metrics))
    yield from _text_errors(suite)
    yield from _label_errors(suite)
    yield from _short_name_errors(suite.experiments)
    yield from statement_errors(suite)


def _name_errors(suite: Suite) -> Iterator[str]:
    name = suite.name
    if not isinstance(name, str) or not name.strip() or "/" in name or name.startswith(".") or not name.isprintable():
        yield f"SUITE's name {name!r} is not a valid folder name; use letters, digits, - and _"
    elif "@" in name:
        yield f"SUITE's name {name!r} has an @, which marks the variants of a suite; use letters, digits, - and _"
    if name in _STORE_NAMES:
        yield f"SUITE's name {name!r} is reserved for the store; choose another"
    if not isinstance(suite.title, str):
        yield f"SUITE's title must be a string, got {suite.title!r}"


def _experiment_errors(experiment: Any) -> Iterator[str]:
    if not isinstance(experiment, Experiment):
        yield f"SUITE's experiments must be Experiment(…) from harness.spec, got {experiment!r}"
    for what, verb in (("dataset", "load"), ("protocol", "prepare")):
        value = getattr(experiment, what)
        if isinstance(value, type) or not isinstance(getattr(value, "name", None), str):
            yield f"an experiment's {what} must be a value with a name, got {value!r}"
        if not callable(getattr(value, verb, None)):
            yield f"an experiment's {what} must have a method {verb}, got {value!r}"
    models = experiment.models
    if not isinstance(models, Mapping) or not models or not all(isinstance(label, str) and label for label in models):
        yield f"the models on {experiment.dataset.name} must map labels to recommenders, at least one, got {models!r}"
    if not _is_integer(experiment.max_padded_events, 1):
        yield f"max_padded_events must be a whole number of at least 1, got {experiment.max_padded_events!r}"
    try:
        experiment.timeout_seconds  # noqa: B018  # it is read for its error
    except ValueError as error:
        yield f"an experiment on {experiment.dataset.name}: {error}"
    label = experiment.label
    if not isinstance(label, str) or label != label.strip() or not label.isprintable():
        yield f"an experiment's label must be a short name on one line, got {label!r}"
    if not isinstance(experiment.tuning, Tuning | None):
        yield f"tuning must be Tuning(…) from harness.tuning, got {experiment.tuning!r}"


def _is_integer(value: Any, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


def _seed_errors(seeds: list[Any]) -> Iterator[str]:
    for place, seed in enumerate(seeds):
        if not _is_integer(seed, 0):
            yield f"SUITE's seeds must be whole numbers of at least 0, got {seed!r}"
        if seed in seeds[:place]:
            yield f"SUITE's seeds list {seed} twice"


def _metric_errors(metrics: list[Any]) -> Iterator[str]:
    for place, metric in enumerate(metrics):
        allowed = Metric | WholeTableMetric if place else Metric  # the first is used for early stopping and tests
        if not isinstance(metric, allowed) or _named(metric.name) != metric:
            which = "metrics" if place else "first metric"
            yield f"SUITE's {which} must be from evaluation.metrics, such as MRR(20), got {metric!r}"
        if metric in metrics[:place]:
            yield f"SUITE's metrics list {metric.name} twice"


def _named(name: str) -> Any:
    """The metric with this name, or None."""
    try:
        return whole_table_metric_named(name) or metric_named(name)
    except ValueError:
        return None


def _text_errors(suite: Suite) -> Iterator[str]:
    for what, kinds in (("published", Published), ("claims", Claim), ("notes", str)):
        for value in getattr(suite, what):
            if not isinstance(value, kinds):
                expected = {"notes": "strings"}.get(what, "values from evaluation.verdicts.claims")
                yield f"SUITE's {what} must be {expected}, got {value!r}"
    if not isinstance(suite.paper, Citation | None):
        yield f"SUITE's paper must be Citation(…) from harness.spec, got {suite.paper!r}"


def _label_errors(suite: Suite) -> Iterator[str]:
    """Errors of baselines and comparisons: each label must be a model of the suite."""
    known = dict.fromkeys(label for experiment in suite.experiments for label in experiment.models)
    for pair in suite.comparisons:
        if isinstance(pair, str) or len(list(pair)) != 2:
            yield f"SUITE's comparisons must be pairs of model labels, got {pair!r}"
    named = [("baselines", label) for label in suite.baselines]
    named += [("comparisons", label) for pair in suite.comparisons for label in pair]
    for what, label in named:
        if label not in known:
            yield f"SUITE's {what} name {label!r}, but its models are {', '.join(known)}"


def _short_name_errors(experiments: Collection[Experiment]) -> Iterator[str]:
    """Errors of labels of experiments: on one data set, a label must name one protocol, and a protocol have one."""
    labels: dict[tuple[str, str], str] = {}
    owners: dict[tuple[str, str], str] = {}
    for experiment in experiments:
        dataset, protocol, label = experiment.dataset.name, experiment.protocol.name, experiment.label
        if label != labels.setdefault((dataset, protocol), label):
            both = f"{labels[dataset, protocol]!r} and {label!r}"
            yield f"two experiments on {dataset} under {protocol!r} have the labels {both}; give them one"
        for name in {label, protocol} - {""}:
            if protocol != (other := owners.setdefault((dataset, name.lower()), protocol)):
                yield f"{name!r} names two protocols on {dataset}: {other!r} and {protocol!r}; choose another label"
