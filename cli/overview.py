"""Overview: plans and outcomes gathered for a reader: one row a data set, one sentence a missing file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from harness.running.estimates import total
from harness.running.plan import Plan, Planned

ABSENT = ("skipped", "to fetch")


def overview(plans: Iterable[Plan]) -> list[dict[str, Any]]:
    """A row for each suite, data set and protocol: cells by state, and what is to do will cost with one job."""
    rows = []
    for plan in plans:
        groups: dict[tuple[str, str], list[Planned]] = {}
        for planned in plan.cells:
            if planned.state != "left out":
                groups.setdefault((planned.cell.dataset, planned.cell.protocol), []).append(planned)
        rows += [_row(plan.bench.suite.name, *names, cells) for names, cells in groups.items()]
    return rows


def _row(suite: str, dataset: str, protocol: str, cells: Sequence[Planned]) -> dict[str, Any]:
    """One data set of one suite."""
    to_do = [planned for planned in cells if planned.to_do]
    cost = total((planned.estimate for planned in to_do), 1)
    kinds = Counter(planned.estimate.kind for planned in to_do)
    refusals = dict.fromkeys(planned.why for planned in cells if planned.state == "refused")
    return {
        "suite": suite,
        "dataset": dataset,
        "protocol": protocol,
        "cells": len(cells),
        "states": ", ".join(f"{number} {state}" for state, number in Counter(p.state for p in cells).items()),
        "to_do": len(to_do),
        "seconds": cost.seconds if cost.known else None,
        "memory_mb": cost.memory_mb if cost.known else None,
        "disk_mb": cost.disk_mb or None,
        "basis": "; ".join([*(f"{number} {kind}" for kind, number in kinds.most_common()), *refusals]),
    }


def absences(plans: Iterable[Plan]) -> list[str]:
    """One sentence for each data set that is not there, with the number of cells that wait for it."""
    cells = [(planned, planned.why) for plan in plans for planned in plan.cells if planned.state in ABSENT]
    return told_once(cells, lambda planned: "TO FETCH" if planned.state == "to fetch" else "SKIPPED")


def told_once(cells: Iterable[tuple[Planned, str]], word: Any = lambda _: "SKIPPED") -> list[str]:
    """Cells that share a sentence told together: the word, the data sets, how many cells, the sentence."""
    groups: dict[tuple[str, str], list[Planned]] = {}
    for planned, reason in cells:
        groups.setdefault((word(planned), reason), []).append(planned)
    return [
        f"{said} {', '.join(dict.fromkeys(p.cell.dataset for p in members))}, {len(members)} "
        f"cell{'s' * (len(members) > 1)}: {reason}"
        for (said, reason), members in groups.items()
    ]
