"""Evidence of round numbers, so that every field and sentence of a verdict can be written down by hand."""

import math
from types import SimpleNamespace

from evaluation.comparison.request import ComparisonRequest
from evaluation.comparison.table import ComparisonTable, Decision, ModelRow, PairRow
from evaluation.statistics.effects import Conclusion, Shares
from evaluation.verdicts.claims import Evidence

SMOKE = "SMOKE RUN: 9 users"


def row(model, mean, *, sd=None, seeds=1, deterministic=True, error=0.0, caveats=()):
    values = dict.fromkeys(range(seeds), mean)
    flags = (False, False, False, False)
    return ModelRow(model, mean, error, (mean, mean), mean, values, sd, deterministic, *flags, caveats=caveats)


def pair(difference=0.02, interval=(0.01, 0.03), p=0.012, *, of_methods=True, relative=1.0, relative_error=None):
    """A against B, the only test of a suite, so that Holm leaves its p."""
    decision = Decision(of_methods, 0.0, math.inf, p, p, interval, interval, Conclusion.INCONCLUSIVE)
    nothing = (math.nan, math.nan)
    return PairRow(
        "A", "B", "", difference, 0.0, nothing, nothing, math.nan, math.nan, math.nan, relative, relative_error,
        nothing, math.nan, Shares(0.0, 0.0, 0.0), 0.0, 0.0, None, None, None, decision, "",
    )  # fmt: skip


def table(rows, pairs=(), *, metric="MRR@20", higher_is_better=True, protocol="P"):
    return ComparisonTable(
        "D", protocol, metric, higher_is_better, 80, 800, "user", tuple(rows), tuple(pairs), (), None, "", 0.05, 9, 9
    )


def cell(model, caveats=(), protocol="P", **record):
    return SimpleNamespace(dataset="D", protocol=protocol, model=model, caveats=list(caveats), record=record)


def failure(model, reason="the loss was NaN", protocol="P"):
    return SimpleNamespace(dataset="D", protocol=protocol, model=model, state="FAILED", reason=reason)


def evidence(tables=(), *, cells=(), failures=(), caveats=(), paper=None, requests=(), protocols=("P",)):
    record = {"caveats": list(caveats), "paper": paper, "cells": [{"dataset": "D", "protocol": p} for p in protocols]}
    results = SimpleNamespace(record=record, cells=list(cells), failures=list(failures))
    asked = requests or (ComparisonRequest("D", "MRR@20", ("A", "B")),)
    return Evidence.of(results, tables, asked)


def of_two(a, b, tests=None, **more):
    """Evidence of one table of A and B."""
    return evidence([table([a, b], [tests or pair()])], **more)


def only(found):
    """The verdict of a claim that is judged under one protocol."""
    (verdict,) = found
    return verdict
