"""Tidy records of a suite's results: one row per observation, numbers as numbers."""

from __future__ import annotations

from collections.abc import Callable

from evaluation.frames import Record
from reports.report import ReportInputs

ABOUT = {
    "seeds": "the value of each seed: data set, protocol, model, metric, seed",
    "means": "the mean over seeds of each model: 95 % interval, standard deviation over seeds (empty for one seed)",
    "differences": "each declared comparison a − b: the difference and its interval at the level of Holm's procedure, "
                   "p, adjusted p, conclusion",
    "verdicts": "each published number and claim: published, rerun, estimate with its interval, verdict",
}  # fmt: skip
RECORDS: dict[str, Callable[[ReportInputs], list[Record]]] = {
    "seeds": lambda inputs: inputs.index.results.records(),
    "means": lambda inputs: [record for table in inputs.comparisons for record in table.records()],
    "differences": lambda inputs: [record for table in inputs.comparisons for record in table.pair_records()],
    "verdicts": lambda inputs: [record for verdict in inputs.verdicts for record in verdict.records()],
}
