"""The commands that say what there is: list and doctor."""

from typing import Annotated

import typer

from cli.options import RESULTS, AsJson, Data, Results

MODEL_PACKAGES = ("baselines", "recsys_models")


def doctor(results: Results = RESULTS, data: Data = None, as_json: AsJson = False) -> None:
    """Say what is installed, which data are present, whether determinism holds, and what to do."""
    import dataclasses

    from cli.doctor import examine
    from cli.printing import print_records
    from recsys_data.datasets.catalogue import DATASETS

    rows = [dataclasses.asdict(check) for check in examine(results, data, DATASETS)]
    print_records("Encore's doctor", rows, ["level", "name", "found", "advice"], as_json)
    if any(row["level"] == "red" for row in rows):
        raise typer.Exit(1)


def list_(what: Annotated[str, typer.Argument(metavar="[suites|models|datasets]")] = "suites", data: Data = None,
          as_json: AsJson = False) -> None:  # fmt: skip
    """List suites, models or data sets."""
    from cli import rows
    from cli.printing import print_records

    if what == "suites":
        rows, columns = rows.listed_suites(data), ["name", "title", "cells", "present", "missing"]
    elif what == "models":
        rows, columns = rows.listed_models(MODEL_PACKAGES), ["name", "family", "about"]
    elif what == "datasets":
        from recsys_data.datasets.catalogue import DATASETS

        rows = rows.listed_datasets(DATASETS, data)
        columns = ["name", "title", "present", "events", "users", "items"]
    else:
        raise ValueError(f"cannot list {what!r}: expected suites, models or datasets")
    print_records(what, rows, columns, as_json)
