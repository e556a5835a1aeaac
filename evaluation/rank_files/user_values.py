"""Files with a metric's value for each user: ``user,metric,value`` rows, or a column per metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.rank_files.tables import FileTable, InvalidRankFile


@dataclass(frozen=True, eq=False)
class UserValues:
    """The values of one file.

    values: metric → user → value; lines: metric → user → the line number of the value; notes: how it was read.
    """

    name: str
    cluster_name: str
    values: Mapping[str, Mapping[str, float]]
    lines: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = ()


def holds_user_values(table: FileTable) -> bool:
    """Whether a table has values of metrics by user and no ranks."""
    columns = table.columns
    if table.is_trec or "rank" in columns or "greater" in columns or "cluster" in columns:
        return False
    return {"metric", "value"} <= set(columns) or any(known_metric(column) is not None for column in columns)


def known_metric(name: str) -> Metric | None:
    """Return the metric of this name, or None."""
    try:
        return metric_named(name)
    except ValueError:
        return None


def metric_title(name: str) -> str:
    """Return the displayed name of a known metric, or the name itself."""
    found = known_metric(name)
    return name.strip().lower() if found is None else found.name


def read_user_values(tables: Sequence[FileTable], name: str, cluster: str | None) -> UserValues:
    """Read the tables of one file or folder. Raises InvalidRankFile."""
    values: dict[str, dict[str, float]] = {}
    lines: dict[str, dict[str, int]] = {}
    notes = []
    for table in tables:
        owners, rows = table.keys(table.owner(cluster)).tolist(), table.lines.tolist()
        if {"metric", "value"} <= set(table.columns):
            parts = [("value", table.keys("metric").tolist(), table.numbers("value"))]
        else:
            found = [column for column in table.columns if known_metric(column) is not None]
            parts = [(column, [column] * len(owners), table.numbers(column)) for column in found]
            left = [c for c in table.columns if c not in found and c != table.owner(cluster)]
            if left:
                notes.append(f"{table.name}: columns that are no metric are not read: {', '.join(left)}.")
        for column, metrics, numbers in parts:
            _check(table, column, metrics, numbers)
            for owner, metric, number, line in zip(owners, metrics, numbers.tolist(), rows, strict=True):
                title = metric_title(metric)
                if owner in values.setdefault(title, {}):
                    raise InvalidRankFile(
                        f"{table.name}, line {line}: {table.owner(cluster)} {owner} has a second value of {metric}, "
                        f"the first is in line {lines[title][owner]}; expected one value per user, the mean of its "
                        "queries"
                    )
                values[title][owner] = number
                lines.setdefault(title, {})[owner] = line
    return UserValues(name, tables[0].owner(cluster), values, lines, tuple(notes))


def _check(table: FileTable, column: str, metrics: Sequence[str], numbers: np.ndarray) -> None:
    """Refuse values that are no numbers, or outside the bounds of a known metric."""
    table.refuse(column, table.texts, ~np.isfinite(numbers), "must be a number")
    known = {metric: known_metric(metric) for metric in set(metrics)}
    uppers = {metric: np.inf if found is None else found.upper_bound for metric, found in known.items()}
    lowers = {metric: -np.inf if found is None else 0.0 for metric, found in known.items()}
    low, high = (np.array([bounds[metric] for metric in metrics]) for bounds in (lowers, uppers))
    outside = (numbers < low) | (numbers > high)
    advice = "; give shares of 1, not per cent" if (numbers > high).any() else ""
    table.refuse(column, table.texts, outside, "is outside the bounds of its metric", advice=advice)


def common_users(files: Sequence[UserValues], metric: str) -> list[str]:
    """Return the users of a metric, sorted; refuse files with different ones."""
    first = files[0]
    for other in files[1:]:
        for file, partner in ((other, first), (first, other)):
            missing = [user for user in file.values[metric] if user not in partner.values[metric]]
            if missing:
                line = file.lines[metric][missing[0]]
                raise InvalidRankFile(
                    f"{first.name} and {other.name} differ first at line {line} of {file.name}: {file.cluster_name} "
                    f"{missing[0]} has no {metric} in {partner.name}; a comparison needs the same test set"
                )
    return sorted(first.values[metric])


def common_metrics(files: Sequence[UserValues], wanted: Sequence[str]) -> list[str]:
    """Return the metrics to compare: the wanted ones, by default all that every file has."""
    shared = [metric for metric in files[0].values if all(metric in file.values for file in files)]
    for name in wanted:
        if metric_title(name) not in shared:
            lacking = next(file for file in files if metric_title(name) not in file.values)
            raise InvalidRankFile(f"{lacking.name} has no values of {name}: it has {', '.join(lacking.values)}")
    if not shared:
        raise InvalidRankFile(
            f"{files[0].name} has values of {', '.join(files[0].values)}, {files[1].name} of "
            f"{', '.join(files[1].values)}: no metric is in both"
        )
    return list(dict.fromkeys(metric_title(name) for name in wanted)) or shared
