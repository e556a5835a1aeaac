"""The commands ``list`` and ``doctor``."""

from typing import Annotated

import typer

from cli.options import RESULTS, AsJson, Data, Results

MODEL_PACKAGES = ("baselines.factors", "baselines.neighbours", "baselines.simple", "recsys_models")


def doctor(results: Results = RESULTS, data: Data = None, as_json: AsJson = False) -> None:
    """Check the installation, device, results folder and data sets."""
    import dataclasses

    from cli.data_actions import known_datasets
    from cli.doctor import run_checks
    from cli.printing import print_records

    rows = [dataclasses.asdict(check) for check in run_checks(results, data, known_datasets(data))]
    print_records("Encore doctor", rows, ["level", "name", "found", "advice"], as_json)
    if any(row["level"] == "red" for row in rows):
        raise typer.Exit(1)


def list_(what: Annotated[str, typer.Argument(metavar="[suites|models|datasets|results]")] = "suites",
          results: Results = RESULTS, data: Data = None, as_json: AsJson = False) -> None:  # fmt: skip
    """List the suites, models, data sets or stored results (suites and variants)."""
    from cli import listings
    from cli.printing import print_records

    if what == "suites":
        rows, columns = listings.suite_rows(data), ["name", "title", "cells", "present", "missing"]
    elif what == "models":
        rows, columns = listings.model_rows(MODEL_PACKAGES), ["name", "family", "about"]
    elif what == "datasets":
        from cli.data_actions import known_datasets

        rows = listings.dataset_rows(known_datasets(data), data)
        columns = ["name", "title", "origin", "present", "events", "users", "items"]
    elif what == "results":
        rows, columns = listings.result_rows(results), ["name", "title", "done", "cells", "created"]
    else:
        raise ValueError(f"cannot list {what!r}: expected suites, models, datasets or results")
    print_records(what, rows, columns, as_json)
