"""Estimates from the shipped timings against what the published networks took, by data set and model.

    python -m speed.published_estimates [published/bundles]

Reads the records of the bundles and trains nothing. The epochs of each fit are given, so that only the cost of a step
is judged. The cells were computed on several machines, some beside other programs, whose speeds differ by half.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.running.estimates import reference_seconds

ROOT = Path(__file__).resolve().parent.parent


def records(bundle: Path) -> Iterator[dict[str, Any]]:
    """The records of the networks in a bundle."""
    with zipfile.ZipFile(bundle) as archive:
        for name in archive.namelist():
            if name.endswith("/cell.json"):
                record = json.loads(archive.read(name))
                if record.get("epochs") and record["model_fields"].get("batch_size"):
                    yield record


def ratio(record: dict[str, Any]) -> float | None:
    """The estimated seconds of a cell by its actual ones; None for a type without timings."""
    counts = {"validation_queries": 0} | record["counts"]
    prepared = SimpleNamespace(sizes=counts, data={"items": counts["items"], "unit": record["unit"]})
    estimate = reference_seconds(record["model_fields"], prepared, record["epochs"])
    return None if estimate is None else estimate / (record["seconds"]["fit"] + record["seconds"]["score"])


def main() -> None:
    """Print a row per bundle, data set and model, and how far the estimates are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundles", nargs="?", type=Path, default=ROOT / "published" / "bundles")
    print("| suite | data set | model | cells | estimate ÷ actual |\n|---|---|---|--:|--:|")
    medians = []
    for bundle in sorted(parser.parse_args().bundles.glob("*.zip")):
        found: dict[tuple[str, str], list[float]] = {}
        for record in records(bundle):
            if (each := ratio(record)) is not None:
                found.setdefault((record["dataset"], record["model"]), []).append(each)
        for (dataset, model), ratios in sorted(found.items()):
            medians.append(statistics.median(ratios))
            print(f"| {bundle.stem} | {dataset} | {model} | {len(ratios)} | {medians[-1]:.2f} |")
    off = math.exp(statistics.median(abs(math.log(each)) for each in medians))
    print(f"\n{len(medians)} rows: {min(medians):.2f} to {max(medians):.2f}; half are within a factor of {off:.2f}")


if __name__ == "__main__":
    main()
