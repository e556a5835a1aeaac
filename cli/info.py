"""The commands ``list`` and ``doctor``."""

from typing import Annotated

import typer

from cli.options import RESULTS, AsJson, Data, Results
from recsys_data.checks import did_you_mean

VERSION = "0.9"  # also in CITATION.cff
_WHAT = "suites|models|metrics|protocols|losses|claims|datasets|results"


def complete_what(incomplete: str) -> list[str]:
    """The words that list takes, for a shell's completion."""
    return [word for word in _WHAT.split("|") if word.startswith(incomplete)]


What = Annotated[str, typer.Argument(metavar=f"[{_WHAT}]", help="What to list.", autocompletion=complete_what)]
OneName = Annotated[str, typer.Argument(metavar="[NAME]", help="Show one of them in full: fields, defaults, meaning.")]


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


def version(wanted: bool) -> None:
    """Print Encore's version with its commit, and that of Python, if ``wanted``, and exit."""
    if not wanted:
        return
    import platform

    from harness.system.environment import git_state

    commit, dirty = git_state()
    changed = " with uncommitted changes" if dirty else ""
    print(f"Encore {VERSION}" + (f", commit {commit[:10]}{changed}" if commit else "") +
          f", Python {platform.python_version()}")  # fmt: skip
    raise typer.Exit


def list_(what: What = "suites", name: OneName = "", results: Results = RESULTS, data: Data = None,
          as_json: AsJson = False) -> None:  # fmt: skip
    """List what there is: suites, stored results, data sets, and all that a suite can name.

    With a name, such as list models GRU: its fields, their defaults and what they mean.
    """
    from cli import listings
    from cli.lists.kinds import CLASSES, MODEL_PACKAGES, class_details, class_rows, closest
    from cli.printing import print_json, print_records, print_text

    if what in CLASSES and name:
        details = class_details(what, name)
        if as_json:
            print_json(details)
            return
        print_text(f"{details['import']}\n\n{details['about']}\n")
        print_records(f"{details['name']}: fields", details["fields"], ["field", "type", "default", "meaning"])
        return
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
    elif what in CLASSES:
        rows, columns = class_rows(what), ["name", *["form"] * (what == "metrics"), "about"]
    else:
        known = _WHAT.split("|")
        hint = did_you_mean(what, known, f"expected {', '.join(known[:-1])} or {known[-1]}")
        raise ValueError(f"cannot list {what!r}: {hint}")
    if name:
        row = next(row for row in rows if row["name"] == closest(what, name, (row["name"] for row in rows)))
        rows = [row] if as_json else [{"property": key.replace("_", " "), "value": row[key]} for key in row]
        columns = ["property", "value"]
    print_records(what, rows, columns, as_json)
