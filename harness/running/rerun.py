"""Rerun of packed results: each cell that was computed again is compared with the packed one, bit for bit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from evaluation.printed_numbers import join_words
from evaluation.results.suite_results import CellResult, SuiteResults
from harness.running.verify import difference

Labels = tuple[str, str, str, int]


def labels_of(cell: Any) -> Labels:
    """The names of a cell in a suite, whatever code computed it."""
    return cell.dataset, cell.protocol, cell.model, cell.seed


def other_processors(packed: SuiteResults, again: SuiteResults, different: Collection[Labels]) -> str:
    """Name the processors of different cells that were computed on another one; empty where there are none."""
    computed = {labels_of(cell): cell for cell in again.cells}
    pairs = {(_processor(cell), _processor(computed[name])) for cell in packed.cells
             if (name := labels_of(cell)) in different and name in computed}  # fmt: skip
    before, now = ({pair[side] for pair in pairs if pair[0] != pair[1]} for side in (0, 1))
    if not before:
        return ""
    return (f"different cells of the bundle were computed on {join_words(sorted(before))}, now on "
            f"{join_words(sorted(now))}; another kind of processor may round sums of float32 differently, so the "
            "processor alone can be the cause")  # fmt: skip


def _processor(cell: CellResult) -> str:
    return cell.record.get("environment", {}).get("cpu") or "an unknown processor"


def _one_run(cell: CellResult, other: CellResult) -> bool:
    """Whether two cells are one run: no other has ended in the same millisecond and taken the same time."""
    return all(cell.record[name] == other.record[name] for name in ("finished", "seconds"))


def rerun_rows(packed: SuiteResults, again: SuiteResults, chosen: Collection[Labels]) -> list[dict[str, Any]]:
    """A row per chosen cell of the bundle: "same", "different" with the first difference, or "not compared"."""
    computed = {labels_of(cell): cell for cell in again.cells}
    missing = {labels_of(failure): failure for failure in again.failures}
    rows = []
    for cell in packed.cells:
        name = labels_of(cell)
        if name not in chosen:
            continue
        if name in computed and _one_run(cell, computed[name]):
            reason = "the results folder holds the bundle's own run, which was not computed again: take another folder"
            row = {"state": "not compared", "reason": reason, "rows": 0}
        elif name in computed:
            found = difference(cell, computed[name])
            row = {"state": "different" if found else "same", "reason": found, "rows": len(computed[name].ranks)}
        else:
            failure = missing.get(name)
            elsewhere = cell.record.get("elsewhere")
            state = "different" if failure is not None and failure.failed and not elsewhere else "not compared"
            reason = "it is not a cell of the suite's file" if failure is None else f"{failure.state}: {failure.reason}"
            if elsewhere:
                reason = f"computed elsewhere by {elsewhere['by']}: the file of its ranks is not here ({reason})"
            row = {"state": state, "reason": reason, "rows": 0}
        rows.append(dict(zip(("dataset", "protocol", "model", "seed"), name, strict=True)) | row)
    return rows
