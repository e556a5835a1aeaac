"""Summaries in MLflow: the parent runs with what their seeds have in common, and the suite's run with its report."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evaluation.comparison.table import ComparisonTable
from evaluation.verdicts.verdict import Verdict
from harness.tracking.fields import metric_key
from harness.tracking.mlflow_client import SuiteExperiment, import_mlflow

_AVERAGED = ("test/", "best_validation/", "seconds/", "peak_memory_mb")
_OF_A_MODEL = ("model.", "data.", "protocol.", "tuning.", "threads", "engine", "parameters")  # equal for all seeds
_MAX_PARAMS = 100  # per request


def summarise_seeds(experiment: SuiteExperiment, parent: str, seeds: Sequence[Any]) -> None:
    """Enter into a parent run what its finished seeds give: means, standard deviations, parameters, data and end."""
    client, run = experiment.client, experiment.client.get_run(parent)
    log_changed(client, run, mean_metrics([seed.data.metrics for seed in seeds]))
    params = [name for name in seeds[0].data.params if name.startswith(_OF_A_MODEL) and name not in run.data.params]
    entities = import_mlflow().entities
    common = [entities.Param(name, seeds[0].data.params[name]) for name in params
              if len({seed.data.params.get(name) for seed in seeds}) == 1]  # fmt: skip
    for start in range(0, len(common), _MAX_PARAMS):
        client.log_batch(parent, params=common[start : start + _MAX_PARAMS])
    if not run.inputs.dataset_inputs:
        data = [entities.DatasetInput(each.dataset) for each in seeds[0].inputs.dataset_inputs]
        client.log_inputs(parent, datasets=data)
    end = max(seed.info.end_time or 0 for seed in seeds)
    if run.info.status != "RUNNING" and end > run.info.start_time and end != run.info.end_time:
        client.set_terminated(parent, status=run.info.status, end_time=end)


def mean_metrics(seeds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of every metric over seeds and, for the test part, its standard deviation where there are two."""
    found = {}
    for name in dict.fromkeys(name for seed in seeds for name in seed if name.startswith(_AVERAGED)):
        values = [seed[name] for seed in seeds if name in seed]
        found[name] = statistics.fmean(values)
        if name.startswith("test/") and len(values) > 1:
            found[f"{name}_sd"] = statistics.stdev(values)
    return found


@dataclass(frozen=True)
class TrackedReport:
    """The parts of a suite's report that MLflow gets: its comparisons, verdicts and files, and the suite's record."""

    tables: Sequence[ComparisonTable]
    verdicts: Sequence[Verdict]
    record: Mapping[str, Any]
    files: Sequence[Path]


def enter_report(experiment: SuiteExperiment, report: TrackedReport) -> None:
    """Enter the intervals into the parent runs, and verdicts and files of the report into the suite's run."""
    client = experiment.client
    intervals: dict[tuple[str, str, str], dict[str, float]] = {}
    for table in report.tables:
        for row in table.models:
            ends = zip(("low", "high"), row.interval or (), strict=False)
            of_model = intervals.setdefault((table.dataset, table.protocol, row.model), {})
            of_model |= {f"test/{metric_key(table.metric)}_{end}": value for end, value in ends}
    for place, values in intervals.items():
        if place in experiment.parents:
            run = client.get_run(experiment.usable(experiment.parents[place].info.run_id))
            log_changed(client, run, values)
    run = experiment.suite_run()
    counts = Counter(verdict.outcome_text for verdict in report.verdicts)
    gone = (name for name in run.data.metrics if name.startswith("verdicts/"))  # none of this outcome any more
    now = {f"verdicts/{text.lower().replace(' ', '_')}": float(number) for text, number in counts.items()}
    log_changed(client, run, dict.fromkeys(gone, 0.0) | now)
    for name in ("title", "created", "command"):
        client.set_tag(run.info.run_id, name, str(report.record.get(name) or ""))
    for file in report.files:
        client.log_artifact(run.info.run_id, str(file))
    client.set_terminated(run.info.run_id, status="FINISHED")


def log_changed(client: Any, run: Any, values: Mapping[str, float]) -> None:
    """Log the metrics that a run does not have with these values; the latest entry counts."""
    now, metric = int(datetime.now(UTC).timestamp() * 1000), import_mlflow().entities.Metric
    changed = [metric(name, value, now, 0) for name, value in values.items() if run.data.metrics.get(name) != value]
    if changed:
        client.log_batch(run.info.run_id, metrics=changed)
