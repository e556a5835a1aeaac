"""The form of a bundle that may be published: no pair of a user and an item can be read from it.

It holds no ranks, no lists and no item counts. Each cell has its sums by user, renumbered in a drawn order and pooled
where a number of queries singles users out. What needs more is kept as results: tables, slices, measures of lists.
The test part decides the order, so that bundles made of it at different times can be merged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluation.comparison.compare import compare_suite, measured_metrics
from evaluation.json_codec import to_json
from evaluation.metrics.sums_file import FILE_NAME, write_shared_sums
from evaluation.metrics.ties import TIES
from evaluation.results.shared_sums import DrawnClusters, drawing, rank_digest
from evaluation.results.suite_results import CURVE, CellResult, SuiteResults
from evaluation.stored_files import checked_bytes
from evaluation.verdicts.across_protocols import AcrossProtocols
from evaluation.verdicts.claims import Claim, Evidence, claim_from_json
from evaluation.verdicts.judge import requests_of
from evaluation.verdicts.stored import StoredClaim
from recsys_data.sealed_json import sha256


class SharedCells:
    """The publishable files of a suite's cells; cells with the same users share the order of the first."""

    def __init__(self, results: SuiteResults) -> None:
        metrics = measured_metrics(results, requests_of(results))
        self._metrics = list(dict.fromkeys(replace(m, ties=t) for m in metrics for t in (m.ties, *TIES)))
        self._drawn: dict[tuple[str, str], DrawnClusters] = {}

    def write(self, cell: CellResult, folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
        """Return the files of a cell by name, and what they change in its record; ``folder``: for temporary files."""
        sums = {metric.name: cell.sums_of(metric) for metric in self._metrics}
        first = next(iter(sums.values()))
        test_set = cell.dataset, sha256(first.clusters.astype("<i8").tobytes() + first.counts.astype("<i8").tobytes())
        if test_set not in self._drawn:
            self._drawn[test_set] = DrawnClusters.of(first.counts, drawing(cell.ranks))
        write_shared_sums(folder, {name: self._drawn[test_set].apply(found) for name, found in sums.items()})
        files = {FILE_NAME: (folder / FILE_NAME).read_bytes()}
        if CURVE in cell.files:
            files[CURVE] = checked_bytes(cell.folder / CURVE, cell.files)
        drawn = self._drawn[test_set]
        withheld = {"ranks": rank_digest(cell.ranks), "numbering": drawn.numbering, "pooled": drawn.pooled,
                    "files": sorted({*cell.files} - {*files})}  # fmt: skip
        vars(cell).pop("ranks", None)  # of a cached property: the ranks of all cells may not fit into memory
        return files, {"files": {name: sha256(data) for name, data in files.items()}, "withheld": withheld}


def with_kept_verdicts(results: SuiteResults) -> list[Mapping[str, Any]]:
    """The records of a suite's claims; those that pair users of two protocols with their verdicts, as results."""
    records: Sequence[Mapping[str, Any]] = results.record.get("claims", ())
    claims = [claim_from_json(record) for record in records]
    if not any(map(_pairs_protocols, claims)):
        return list(records)
    requests = requests_of(results)
    evidence = Evidence.of(results, compare_suite(results, requests), requests)
    return [
        to_json(StoredClaim.of(claim, evidence.judge(claim)).to_json()) if _pairs_protocols(claim) else record
        for claim, record in zip(claims, records, strict=True)
    ]


def _pairs_protocols(claim: Claim) -> bool:
    return isinstance(claim, AcrossProtocols) or any(map(_pairs_protocols, getattr(claim, "parts", ())))
