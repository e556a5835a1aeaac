"""The form of a suite: of what kinds its parts must be; what is of another kind is told in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.metrics.coverage import WholeTableMetric
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.verdicts.claims import Claim, Published
from harness.spec import Citation, Experiment, Suite
from harness.tuning import Tuning

_PARTS = ("experiments", "seeds", "metrics", "published", "claims", "comparisons", "baselines", "notes")
_NEEDED = ("experiments", "seeds", "metrics")
_STORE = ("all", "cells", "partial", "locks", "prepared", "suites", "tuning", "derived", "data", "mlartifacts",
          "mlflow.db")  # fmt: skip


def fault_of(suite: Suite) -> str:
    """What is wrong with the kinds of a suite's parts, after its file's name and a colon; empty if nothing is."""
    return next(_faults(suite), "")


def _faults(suite: Suite) -> Iterator[str]:
    yield from _names(suite)
    for what in _PARTS:
        held = getattr(suite, what)
        if isinstance(held, str | Mapping) or not isinstance(held, Collection):
            yield f"SUITE's {what} must be a list, got {held!r}"
        if what in _NEEDED and not list(held):
            yield f"SUITE has no {what}; expected at least one"
    for experiment in suite.experiments:
        yield from _of_experiment(experiment)
    yield from _seeds(list(suite.seeds))
    yield from _metrics(list(suite.metrics))
    yield from _words(suite)
    yield from _labels(suite)


def _names(suite: Suite) -> Iterator[str]:
    name = suite.name
    if not isinstance(name, str) or not name.strip() or "/" in name or name.startswith("."):
        yield f"the suite's name {name!r} cannot name a folder; use letters, digits, - and _"
    if name in _STORE:
        yield f"the suite's name {name!r} is taken by the store; choose another"
    if not isinstance(suite.title, str):
        yield f"SUITE's title must be a text, got {suite.title!r}"


def _of_experiment(experiment: Any) -> Iterator[str]:
    if not isinstance(experiment, Experiment):
        yield f"SUITE's experiments must be Experiment(…) from harness.spec, got {experiment!r}"
    for what, verb in (("dataset", "load"), ("protocol", "prepare")):
        value = getattr(experiment, what)
        if isinstance(value, type) or not isinstance(getattr(value, "name", None), str):
            yield f"an experiment's {what} must be a value with a name, got {value!r}"
        if not callable(getattr(value, verb, None)):
            yield f"an experiment's {what} must have {verb}, got {value!r}"
    models = experiment.models
    if not isinstance(models, Mapping) or not models or not all(isinstance(label, str) and label for label in models):
        yield f"the models on {experiment.dataset.name} must be label → recommender, at least one, got {models!r}"
    if not _whole(experiment.max_padded_events, 1):
        yield f"max_padded_events must be a whole number of at least 1, got {experiment.max_padded_events!r}"
    if not isinstance(experiment.tuning, Tuning | None):
        yield f"tuning must be Tuning(…) from harness.tuning, got {experiment.tuning!r}"


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _seeds(seeds: list[Any]) -> Iterator[str]:
    for place, seed in enumerate(seeds):
        if not _whole(seed, 0):
            yield f"SUITE's seeds must be whole numbers of at least 0, got {seed!r}"
        if seed in seeds[:place]:
            yield f"SUITE's seeds name {seed} twice"


def _metrics(metrics: list[Any]) -> Iterator[str]:
    for place, metric in enumerate(metrics):
        kinds = Metric | WholeTableMetric if place else Metric  # the first one stops learners and is tested
        if not isinstance(metric, kinds) or _named(metric.name) != metric:
            first = "" if place else " first"
            yield f"SUITE's metrics must be{first} values of evaluation.metrics such as MRR(20), got {metric!r}"
        if metric in metrics[:place]:
            yield f"SUITE's metrics name {metric.name} twice"


def _named(name: str) -> Any:
    """The metric that a report finds under this name, None if it finds none."""
    try:
        return whole_table_metric_named(name) or metric_named(name)
    except ValueError:
        return None


def _words(suite: Suite) -> Iterator[str]:
    """What a report prints or judges."""
    for what, kinds in (("published", Published), ("claims", Claim), ("notes", str)):
        for value in getattr(suite, what):
            if not isinstance(value, kinds):
                wanted = {"notes": "sentences"}.get(what, "values of evaluation.verdicts.claims")
                yield f"SUITE's {what} must be {wanted}, got {value!r}"
    if not isinstance(suite.paper, Citation | None):
        yield f"SUITE's paper must be Citation(…) from harness.spec, got {suite.paper!r}"


def _labels(suite: Suite) -> Iterator[str]:
    """Baselines and comparisons are of models that the suite runs; a claim may speak of others."""
    known = dict.fromkeys(label for experiment in suite.experiments for label in experiment.models)
    for pair in suite.comparisons:
        if isinstance(pair, str) or len(list(pair)) != 2:
            yield f"SUITE's comparisons must be pairs of labels, got {pair!r}"
    named = [("baselines", label) for label in suite.baselines]
    named += [("comparisons", label) for pair in suite.comparisons for label in pair]
    for what, label in named:
        if label not in known:
            yield f"SUITE's {what} name {label!r}, but its models are {', '.join(known)}"
