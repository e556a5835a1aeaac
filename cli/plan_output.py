"""Output of plans and runs: tables, cost estimates and grouped messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from cli.printing import engine_column, format_size, print_lines, print_records, print_text
from cli.progress_display import duration
from evaluation.results.suite_results import SuiteResults
from harness.cells.keys import engine_of
from harness.running.plan import Plan, PlannedCell
from harness.running.run_all import SuiteOutcome
from harness.running.run_cost import RunCost, run_cost, total_cost

ABSENT = ("skipped", "to fetch")


def plan_rows(plan: Plan) -> list[dict[str, Any]]:
    """One flat record per selected cell of a plan."""
    return [
        {
            "suite": plan.loaded.suite.name,
            **p.cell.labels,
            "label": p.cell.experiment.label,
            "state": p.state,
            "engine": engine_of(p.cell.model, plan.loaded.request.device, plan.loaded.request.engine),
            "why": p.why,
            "seconds": p.estimate.seconds,
            "memory_mb": p.estimate.memory_mb,
            "disk_mb": p.estimate.disk_mb,
            "basis": p.estimate.basis,
            "key": p.key or None,
            "command": p.command,
        }
        for p in plan.cells
        if p.state != "left out"
    ]


def overview_rows(plans: Iterable[Plan]) -> list[dict[str, Any]]:
    """One record per suite, data set and protocol: cells by state, and the estimated cost with one job."""
    rows = []
    for plan in plans:
        groups: dict[tuple[str, str], list[PlannedCell]] = {}
        for planned in plan.cells:
            if planned.state != "left out":
                groups.setdefault((planned.cell.dataset, planned.cell.protocol), []).append(planned)
        rows += [_overview_row(plan.loaded.suite.name, *names, cells) for names, cells in groups.items()]
    return rows


def _overview_row(suite: str, dataset: str, protocol: str, cells: Sequence[PlannedCell]) -> dict[str, Any]:
    """One record of the overview."""
    to_do = [planned for planned in cells if planned.to_do]
    cost = total_cost((planned.estimate for planned in to_do), 1)
    kinds = Counter(planned.estimate.kind for planned in to_do)
    refusals = dict.fromkeys(planned.why for planned in cells if planned.state == "refused")
    return {
        "suite": suite,
        "dataset": dataset,
        "protocol": protocol,
        "label": cells[0].cell.experiment.label,
        "cells": len(cells),
        "states": ", ".join(f"{number} {state}" for state, number in Counter(p.state for p in cells).items()),
        "to_do": len(to_do),
        "seconds": cost.seconds if cost.known else None,
        "memory_mb": cost.memory_mb if cost.known else None,
        "disk_mb": cost.disk_mb or None,
        "basis": "; ".join([*(f"{number} {kind}" for kind, number in kinds.most_common()), *refusals]),
    }


def plan_summary(plan: Plan, jobs: int) -> str:
    """One sentence: the number of cells in each state, and the estimated cost of those to compute."""
    counts = Counter(planned.state for planned in plan.cells)
    states = ", ".join(f"{number} {state}" for state, number in counts.items())
    return f"{states}; {cost_summary(plan.cost(jobs), jobs)}"


def cost_summary(cost: RunCost, jobs: int) -> str:
    """One sentence: the number of cells to compute, their estimated cost, and the cells without an estimate."""
    if not cost.cells:
        return "nothing to compute"
    with_jobs = f"with {jobs} job{'s' * (jobs > 1)}"
    never = f"never run before: {', '.join(cost.unknown)}"
    if not cost.known:
        return f"{cost.cells} to compute, duration unknown ({never})"
    part = "" if cost.known == cost.cells else f" for {cost.known} of them"
    known = (f"about {duration(cost.seconds)}{part} {with_jobs}, start-up, report and MLflow included, "
             f"{format_size(cost.memory_mb)} of memory")  # fmt: skip
    disk = f", {format_size(cost.disk_mb)} of disk" if cost.disk_mb else ""
    rest = f"; unknown for {cost.cells - cost.known} ({never})" if cost.unknown else ""
    return f"{cost.cells} to compute, {known}{disk}{rest}"


def missing_data_messages(plans: Iterable[Plan]) -> list[str]:
    """One message per missing data set, with the number of cells that need it."""
    cells = [(planned, planned.why) for plan in plans for planned in plan.cells if planned.state in ABSENT]
    return grouped_messages(cells)


def grouped_messages(cells: Iterable[tuple[PlannedCell, str]]) -> list[str]:
    """One message per reason: SKIPPED or TO FETCH, the data sets, the number of cells, the reason."""
    groups: dict[tuple[str, str], list[PlannedCell]] = {}
    for planned, reason in cells:
        groups.setdefault(("TO FETCH" if planned.state == "to fetch" else "SKIPPED", reason), []).append(planned)
    return [
        f"{heading} {', '.join(dict.fromkeys(p.cell.dataset for p in members))}, {len(members)} "
        f"cell{'s' * (len(members) > 1)}: {reason}"
        for (heading, reason), members in groups.items()
    ]


def selected_cells(plan: Plan) -> set[tuple[str, str, str]] | None:
    """Data set, protocol and model of the cells that the options select; None where they select all."""
    if len(plan.selected) == len(plan.cells):
        return None
    return {(p.cell.dataset, p.cell.protocol, p.cell.model_name) for p in plan.selected}


def not_computed_message(results: SuiteResults, plan: Plan) -> list[str]:
    """One line on the cells that the options leave out and that have no stored result; none if there are none."""
    left_out = [planned.cell.labels for planned in plan.cells if planned.state == "left out"]
    stored = [{"dataset": c.dataset, "protocol": c.protocol, "model": c.model, "seed": c.seed} for c in results.cells]
    missing = sum(labels not in stored for labels in left_out)
    if not missing:
        return []
    cells = f"{missing} other cell{'s' * (missing > 1)} of the suite {'are' if missing > 1 else 'is'} not computed"
    return [f"{cells}; run {plan.loaded.command()} for {'them' if missing > 1 else 'it'}"]


def print_plan(plan: Plan, jobs: int) -> None:
    """Print a plan as a table, then the missing data sets, then the summary."""
    rows = plan_rows(plan)
    for row in rows:
        row |= _cost_columns(row, row["state"] in ("new", "stale"))
        row["protocol"] = row["label"] or row["protocol"]
        row["why"] = "; ".join(filter(None, ["" if row["state"] in ABSENT else row["why"], row["basis"]]))
    places = {(row["dataset"], row["protocol"]) for row in rows}
    several_protocols = len(places) > len({dataset for dataset, _ in places})
    columns = ["dataset", *["protocol"] * several_protocols, "model", "seed", "state", *engine_column(rows),
               "time", "memory", "disk", "why"]  # fmt: skip
    print_records(plan.loaded.suite.title, rows, columns)
    print_lines(missing_data_messages([plan]))
    print_text(plan_summary(plan, jobs))


def print_overview(plans: Sequence[Plan], jobs: int) -> None:
    """Print the plans of several suites as one table, then the missing data sets, then the total cost."""
    rows = overview_rows(plans)
    for row in rows:
        row["protocol"] = row["label"] or row["protocol"]
        row |= {**_cost_columns(row, bool(row["to_do"])), "to compute": row["to_do"] or ""}
    columns = ["suite", "dataset", "protocol", "cells", "states", "to compute", "time", "memory", "disk", "basis"]
    print_records("All suites", rows, columns)
    print_lines(missing_data_messages(plans))
    estimates = [planned.estimate for plan in plans for planned in plan.to_do]
    if plans:
        print_text(cost_summary(run_cost(estimates, jobs, plans[0].speed_folder), jobs))


def _cost_columns(row: dict[str, Any], to_do: bool) -> dict[str, str]:
    """Time, memory and disk as text; empty for rows with nothing to compute."""
    if not to_do:
        return {"time": "", "memory": "", "disk": ""}
    return {"time": duration(row["seconds"]), "memory": format_size(row["memory_mb"]),
            "disk": format_size(row["disk_mb"])}  # fmt: skip


def print_outcomes(stops: Sequence[SuiteOutcome]) -> None:
    """Print the outcome of each suite, then one message per missing data set."""
    print_records("All suites", [stop.row() for stop in stops],
                  ["suite", "outcome", "cells", "computed", "cached", "skipped", "failed", "why"])  # fmt: skip
    print_lines(grouped_messages(cell for stop in stops if stop.outcome is not None for cell in stop.outcome.skipped))
