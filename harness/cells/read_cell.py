"""Read one cell that other code computed: its ranks from a file, joined on the split, and its record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evaluation.json_codec import to_json
from evaluation.rank_files.depth import check_depth
from evaluation.rank_files.ranked import Ranked
from evaluation.rank_files.split_rows import SplitRanks
from evaluation.rank_files.tables import InvalidRankFile
from evaluation.results.suite_results import ELSEWHERE
from harness.cells.execute import ComputedCell
from harness.cells.keys import READ
from harness.cells.record import cell_record, now, write_cell
from harness.preparation import Prepared
from harness.spec import Cell
from harness.store import Store
from harness.suites.request import LoadedSuite
from harness.system.environment import environment_record

DEVICE = "computed elsewhere"


def read_ranks(loaded: LoadedSuite, cell: Cell, prepared: Prepared) -> SplitRanks:
    """The ranks of a cell that other code computed. Raises InvalidRankFile.

    A metric beyond the length of its lists, or of lists that ranks do not hold, is refused.
    """
    model: Ranked = cell.model
    where = f"the test part of {cell.dataset}, {cell.protocol}"
    try:
        found = model.read(cell.seed, loaded.folder, prepared.split, where)
    except FileNotFoundError as error:
        raise InvalidRankFile(str(error)) from None  # a user's file is missing: no line of code is to blame
    for metric in loaded.metrics:
        if getattr(metric, "needs_lists", False):
            raise ValueError(f"{metric.name} needs each query's list of recommended items, and {cell.model_name} has "
                             "the ranks of its true items only; leave the metric out of this suite")  # fmt: skip
        check_depth(model.path, found.depth, metric)
    return found


def read_and_store(loaded: LoadedSuite, cell: Cell, prepared: Prepared, parts: Mapping[str, Any], key: str,
                   store: Store) -> None:  # fmt: skip
    """Read a cell that other code computed, and store it like any other; costs are unknown, so none is recorded."""
    started = now()
    found, model = read_ranks(loaded, cell, prepared), cell.model
    computed = ComputedCell(model=model, ranks=found.ranks, validation=None, seconds={}, peak_memory_mb=0.0,
                            peak_gpu_memory_mb=None)  # fmt: skip
    record = cell_record(loaded, cell, prepared, computed, key=key, parts=parts, environment=environment_record({}),
                         started=started)  # fmt: skip
    record["caveats"] += [f"{ELSEWHERE}{model.by}", *found.caveats]
    record |= to_json({
        "elsewhere": {"by": model.by, "file": model.file(cell.seed, loaded.folder).name, "sha256": parts[READ],
                      "depth": found.depth, "notes": list(found.notes)},
        "device": DEVICE, "device_name": f"{DEVICE}: {model.by}", "threads": None, "peak_memory_mb": None,
    })  # fmt: skip
    json.dumps(record, allow_nan=False)
    store.commit(key, lambda folder: write_cell(folder, record, computed, loaded.metrics))
