"""The gate of a comparison: whether the first file is worse than another, for continuous integration."""

from __future__ import annotations

from typing import Any

from evaluation.printed_numbers import percent
from evaluation.statistics.effects import Conclusion

GATE_MARGIN = 0.02  # relative; a smaller loss passes


def gate_sentences(result: dict[str, Any]) -> tuple[list[str], list[str]]:
    """How the first file of a result of ``compare_files`` fares against each other one: failures, and passes.

    It fails where it is significantly worse and the relative difference is beyond the margin. Where the data decide
    nothing, it passes, and the sentence says so.
    """
    first, margin = result["comparisons"][0]["a"], result["margin"]
    failed, passed = [], []
    for row in (row for row in result["comparisons"] if row["a"] == first):
        change = "" if row["relative"] is None else f", {percent(row['relative'])}"
        where = f"{row['metric'].upper()}: {row['a']} against {row['b']}"
        adjusted = f"adjusted p {row['p_adjusted']:.2g}, margin {margin:.0%}"
        if row["conclusion"] == Conclusion.WORSE.value:
            failed.append(f"FAIL {where}: worse{change} ({adjusted})")
        else:
            passed.append(f"PASS {where}: {row['conclusion']}{change} ({adjusted})")
    return failed, passed
