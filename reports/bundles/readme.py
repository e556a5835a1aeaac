"""README.txt of a bundle: what is in it, what is not, and the commands that read and rerun it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

FILE_NAME = "README.txt"
_FILES = """suites/NAME/suite.json        the suite's record: published values, claims and cells
cells/KEY/cell.json           a cell: model, data set, protocol, seed, versions, caveats
cells/KEY/sums.parquet        each metric summed by user, the input of the tests
{own}tuning/KEY/                   searches of hyper-parameters, with all trials
{report}
NAME/tables/                  every table of the report, with unrounded numbers
source/                       the suite's file and the modules beside it that it imports
ro-crate-metadata.json        the same list for archives (RO-Crate 1.1)
bundle.json                   the SHA-256 of every file"""
_FULL = """cells/KEY/ranks.parquet       the rank of every test target
cells/KEY/items.parquet       how often each item occurs in training
"""
_SHARED = """suites/NAME/kept.json         results that need what is withheld
"""
_FULL_REPORT = "NAME/report.html, report.pdf  the report"
_SHARED_REPORT = "NAME/report.html              the report; the command below writes it as PDF, too"
WITHHELD = (
    "This form may be published: no pair of a user and an item can be read from it. Users have new numbers in a drawn "
    "order, and those whose number of test queries fewer than ten share are pooled{pooled}. Ranks, "
    "lists and item counts are withheld."
)
REDONE = (
    "From the sums, the means, standard errors, tests and intervals of every comparison can be computed again; pooled "
    "users and the drawn order change intervals and p slightly. The tables are kept as the full bundle has them."
)
NOT_REDONE = (
    "Kept as results, not to be computed again from this bundle: slices, cut-offs, measures of lists and coverage, the "
    "figure of the split, and claims across protocols. Nor can another metric be measured, ranks be compared with "
    "other files, or sums be checked against ranks. A rerun with the data gives all of it."
)


def readme(
    record: Mapping[str, Any], *, shared: bool, anonymous: bool, pooled: int | None, notes: Sequence[str]
) -> str:
    """The text of README.txt for a suite's record."""
    name, title = record["name"], record["title"]
    files = _FILES.format(own=_SHARED if shared else _FULL, report=_SHARED_REPORT if shared else _FULL_REPORT)
    paragraphs = [f"Results of {title}", "This file was packed by Encore, a benchmark harness for sequential "
                  "recommendation. It has no data sets and no model weights."]  # fmt: skip
    number = "" if pooled is None else f" ({pooled:,} users here)"
    paragraphs += [WITHHELD.format(pooled=number), REDONE, NOT_REDONE] if shared else []
    paragraphs += ["Names of users, host and author of the machine were removed."] if anonymous else []
    paragraphs += [f"Note: {note}" for note in notes]
    blocks = [*(textwrap.fill(paragraph, 96) for paragraph in paragraphs), f"Files (NAME: {name})\n\n{files}"]
    blocks += [
        "Check all checksums and write the report again (no data and no torch needed)\n\n"
        f"    python benchmark.py report --from {name}.zip",
        "Compute the cells again where the data are at hand, and compare every bit\n\n"
        f"    python benchmark.py rerun --from {name}.zip",
    ]
    return "\n\n".join(blocks) + "\n"
