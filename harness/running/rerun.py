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


def other_processors(packed: SuiteResults, again: SuiteResults) -> str:
    """A sentence where packed and new cells are of different processors, which may round differently; else empty."""
    before, now = ({cell.record.get("environment", {}).get("cpu") or "an unknown processor" for cell in results.cells}
                   for results in (packed, again))  # fmt: skip
    if not now or now <= before:
        return ""
    return (f"the bundle's cells were computed on {join_words(sorted(before))}, the new ones on "
            f"{join_words(sorted(now))}: the same code may round sums of float32 differently on another kind of "
            "processor, so a difference here does not show that the results depend on anything else")  # fmt: skip


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
