"""Validation of published numbers and claims: the models, data sets, protocols and metrics that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evaluation.metrics.accuracy import METRICS, metric_named
from evaluation.rank_files.ranked import Ranked
from evaluation.verdicts.claims import Claim, Published, Rerun, is_built_in
from harness.spec import Suite
from recsys_data.checks import did_you_mean


def statement_errors(suite: Suite) -> Iterator[str]:
    """Errors of what the suite, as its file reads, publishes and claims; each must be about rows that it runs."""
    rows: dict[tuple[str, str], dict[str, None]] = {}
    for experiment in suite.experiments:
        rows.setdefault((experiment.dataset.name, experiment.protocol.name), {}).update(
            dict.fromkeys(experiment.models)
        )
    metrics = [metric.name for metric in suite.metrics]
    for value in suite.published:
        where = f"SUITE's published value {value.value:g} ({value.place})"
        yield from _row_errors(where, value.dataset, value.protocol, (value.model,), rows)
        yield from _metric_errors(where, value.metric, metrics)
        if mistake := value.mistake():
            yield f"SUITE's {mistake}"
        if value.rerun is Rerun.SAME and not all(isinstance(row, Ranked) for row in _models(suite, value)):
            yield (f"{where} is said to be rerun with the same code, but {value.model!r} is Encore's own model; give "
                   "the ranks of that code as Ranked(…), or leave rerun out")  # fmt: skip
    for claim in _parts(suite.claims):
        where = f"SUITE's claim {claim.text!r}"
        protocol = getattr(claim, "protocol", "")
        yield from _row_errors(where, getattr(claim, "dataset", ""), protocol, tuple(claim.models), rows)
        yield from _metric_errors(where, getattr(claim, "metric", None), metrics, is_built_in(claim))
        if mistake := claim.mistake():
            yield f"{where}: {mistake}"


def _models(suite: Suite, value: Published) -> list[Any]:
    """The models that a published value is compared with."""
    return [
        experiment.models[value.model]
        for experiment in suite.experiments
        if value.model in experiment.models
        and value.dataset == experiment.dataset.name
        and value.protocol in ("", experiment.protocol.name)
    ]


def _parts(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Yield the claims, with the parts of compound claims in place of these."""
    for claim in claims:
        parts = getattr(claim, "parts", ())
        yield from _parts(parts) if parts else (claim,)


def _row_errors(
    where: str, dataset: str, protocol: str, models: tuple[str, ...], rows: Mapping[tuple[str, str], Iterable[str]]
) -> Iterator[str]:
    """Errors of the names of rows; the data set, the protocol and the models must be in one experiment.

    rows: the models by data set and protocol.
    """
    fitting = [pair for pair in rows if dataset in ("", pair[0]) and protocol in ("", pair[1])]
    if any(set(models) <= set(rows[pair]) for pair in fitting):
        return
    for what, name, place in (("data set", dataset, 0), ("protocol", protocol, 1)):
        known = dict.fromkeys(pair[place] for pair in rows)
        if name and name not in known:
            yield _unknown(where, what, name, known)
    for model in models:
        known = dict.fromkeys(label for labels in rows.values() for label in labels)
        if model not in known:
            yield _unknown(where, "model", model, known)
    place = " under ".join(name for name in (dataset, protocol) if name)
    if not fitting:
        found = dict.fromkeys(pair[1] for pair in rows if pair[0] == dataset)
        yield _unknown(where, f"protocol on {dataset}", protocol, found)
    for model in models:
        if model not in (known := dict.fromkeys(label for pair in fitting for label in rows[pair])):
            yield _unknown(where, f"model on {place}", model, known)
    yield f"{where} compares {' and '.join(models)} on {place}, but no experiment has all of them"


def _metric_errors(where: str, metric: Any, listed: list[str], built_in: bool = True) -> Iterator[str]:
    """Errors of a metric's name: ranks must give it; a kind of claim from the suite's file may name any listed one."""
    if metric is None or (metric in listed and not built_in):
        return
    try:
        metric_named(str(metric))
    except ValueError as error:
        kinds = [kind(None if kind.cut_off == "none" else 20).name for kind in METRICS.values()]
        sentence = f"{where} names the metric {metric!r}, which cannot be judged: {error}"
        yield "; ".join(filter(None, [sentence, did_you_mean(str(metric), [*kinds, *listed])]))


def _unknown(where: str, what: str, name: str, known: Iterable[str]) -> str:
    """Say that a name is unknown, with the nearest one."""
    known = list(known)
    hint = did_you_mean(str(name), known)
    has = f"{hint} It has" if hint else "it has"
    return f"{where} names the {what} {name!r}, which the suite does not run: {has} {', '.join(known)}"
