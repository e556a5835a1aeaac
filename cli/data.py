"""The data commands: fetch, verify, describe, audit, import and export data sets."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import RESULTS, AsJson, Data, DataName, FigurePath, SuiteName
from cli.request_options import RequestOptions


def dataset_named(name: str) -> Any:
    """The data set of a name, or the file at a path."""
    from cli.data_actions import dataset_named as found
    from recsys_data.datasets.catalogue import DATASETS

    return found(name, DATASETS)


def fetch(name: DataName, data: Data = None) -> None:
    """Fetch a data set from its official address, checked."""
    from cli.data_actions import fetch

    print(fetch(dataset_named(name), data))


def verify(name: DataName, data: Data = None) -> None:
    """Load a data set and compare its counts with those that are known."""
    from cli.data_actions import verify

    print(verify(dataset_named(name), data))


def describe(name: DataName, data: Data = None, as_json: AsJson = False, figure: FigurePath = None) -> None:
    """Print counts, times, clock and histograms of a data set, and draw them."""
    from cli.printing import print_json, print_records
    from recsys_data.datasets.summary import histogram_text, summarise_dataset
    from reports.figures.dataset import save_figure

    facts = summarise_dataset(loaded := dataset_named(name).load(data))
    if as_json:
        print_json(facts)
    else:
        rows = [{"what": key, "value": value} for key, value in facts.items() if key != "histograms"]
        print_records(facts["name"], rows, ["what", "value"])
        print(histogram_text(facts["histograms"]))
    if figure or not as_json:
        path = save_figure(loaded, figure or RESULTS / "data" / f"{loaded.name}.svg", loaded.name)
        print(path, file=sys.stderr if as_json else sys.stdout)


def audit(suite: SuiteName, data: Data = None, as_json: AsJson = False) -> None:
    """Audit a suite's splits for leaks: duplicates, the future, unseen items, ties, repeats."""
    from cli.data_actions import audited
    from cli.printing import print_records

    rows = [*audited(RequestOptions(data=data).request(suite).load())]
    print_records(suite, rows, ["dataset", "level", "name", "value", "sentence"], as_json)


def import_(file: Annotated[Path, typer.Argument(help="CSV, TSV, .inter, SessionId/ItemId/Time or Parquet.")],
            name: Annotated[str, typer.Option(help="What it is called from now on.")],
            columns: Annotated[str, typer.Option(help="user,item,timestamp,part in the file's order.")] = "",
            clock: Annotated[str, typer.Option(help="What the times mean, where not Unix times.")] = "",
            data: Data = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Read a file of events, check it, keep it in the data folder, and say how a suite names it."""
    from cli.data_actions import import_file
    from cli.printing import print_json
    from recsys_data.datasets.summary import summarise_dataset

    kept = import_file(file, tuple(columns.split(",")) if columns else (), name, clock, data)
    if as_json:
        print_json(summarise_dataset(kept.load(data)))
    else:
        print(f"imported; a suite names it as {kept!r} from recsys_data.files.interaction_file")


def export(name: DataName, kind: Annotated[str, typer.Option("--format")] = "inter",
           out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
           data: Data = None) -> None:  # fmt: skip
    """Write a data set as inter (RecBole), sessions, csv, tsv, parquet, sequences or lst."""
    from cli.data_actions import export_file

    print(export_file(dataset_named(name), kind, out, data))
