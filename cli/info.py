"""The commands ``list`` and ``doctor``."""

from typing import Annotated

import typer

from cli.options import RESULTS, AsJson, Data, Results

MODEL_PACKAGES = ("baselines", "recsys_models")


def doctor(results: Results = RESULTS, data: Data = None, as_json: AsJson = False) -> None:
    """Check the installation, device, results folder and data sets."""
    import dataclasses

    from cli.doctor import run_checks
    from cli.printing import print_records
    from recsys_data.datasets.catalogue import DATASETS

    rows = [dataclasses.asdict(check) for check in run_checks(results, data, DATASETS)]
    print_records("Encore doctor", rows, ["level", "name", "found", "advice"], as_json)
    if any(row["level"] == "red" for row in rows):
        raise typer.Exit(1)


def list_(what: Annotated[str, typer.Argument(metavar="[suites|models|datasets]")] = "suites", data: Data = None,
          as_json: AsJson = False) -> None:  # fmt: skip
    """List the suites, models or data sets."""
    from cli import listings
    from cli.printing import print_records

    if what == "suites":
        rows, columns = listings.suite_rows(data), ["name", "title", "cells", "present", "missing"]
    elif what == "models":
        rows, columns = listings.model_rows(MODEL_PACKAGES), ["name", "family", "about"]
    elif what == "datasets":
        from recsys_data.datasets.catalogue import DATASETS

        rows = listings.dataset_rows(DATASETS, data)
        columns = ["name", "title", "present", "events", "users", "items"]
    else:
        raise ValueError(f"cannot list {what!r}: expected suites, models or datasets")
    print_records(what, rows, columns, as_json)
