"""The commands ``data fetch``, ``verify``, ``describe``, ``audit``, ``remove`` and ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import RESULTS, AsJson, Data, DataName, FigurePath, RequestOptions

Croissant = Annotated[
    bool, typer.Option("--croissant", help="Print the data set's Croissant metadata, for catalogues of data.")
]


def fetch(name: DataName, data: Data = None) -> None:
    """Download a data set from its official source and verify it.

    A link in the data folder is read, never overwritten.
    """
    from cli.data_actions import fetch_dataset, find_dataset, known_datasets
    from cli.printing import print_text

    print_text(fetch_dataset(find_dataset(name, known_datasets(data)), data))


def verify(name: DataName, data: Data = None) -> None:
    """Load a data set and compare its counts with the expected ones."""
    from cli.data_actions import find_dataset, known_datasets, verify_dataset
    from cli.printing import print_text

    print_text(verify_dataset(find_dataset(name, known_datasets(data)), data))


def describe(name: DataName, data: Data = None, as_json: AsJson = False, figure: FigurePath = None,
             croissant: Croissant = False) -> None:  # fmt: skip
    """Show counts, time range, clock and histograms of a data set.

    Also draws them as a figure.
    """
    from cli.data_actions import find_dataset, known_datasets
    from cli.printing import print_json, print_records, print_text
    from recsys_data.catalogue.croissant import croissant_metadata
    from recsys_data.catalogue.summary import histogram_text, summarise_dataset
    from reports.figures.dataset import save_figure

    if croissant:
        if as_json or figure is not None:
            raise ValueError("--croissant prints JSON of its own: leave out --json and --figure")
        print_json(croissant_metadata(find_dataset(name, known_datasets(data)), data))
        return
    facts = summarise_dataset(loaded := find_dataset(name, known_datasets(data)).load(data))
    if as_json:
        print_json(facts)
    else:
        rows = [{"property": key, "value": value} for key, value in facts.items() if key != "histograms"]
        print_records(facts["name"], rows, ["property", "value"])
        print(histogram_text(facts["histograms"]))
    if figure or not as_json:
        path = save_figure(loaded, figure or RESULTS / "data" / f"{loaded.name}.svg", loaded.name)
        print_text(path, to_stderr=as_json)


def audit(suite: Annotated[str, typer.Argument(metavar="SUITE|NAME", help="A suite, or a data set by name.")],
          data: Data = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Check a suite's splits for leakage and other flaws.

    Reports duplicates, temporal leakage, unseen items, ties and repeats. A data set is split by LeaveLastOut.
    """
    from cli.data_actions import audit_rows, audit_splits, known_datasets
    from cli.printing import print_records
    from recsys_data.protocols.per_user import LeaveLastOut

    if (found := known_datasets(data).get(suite)) is not None:
        rows = list(audit_splits([(found, LeaveLastOut())], data))
    else:
        rows = list(audit_rows(RequestOptions(data=data).request(suite).load()))
    print_records(suite, rows, ["dataset", "protocol", "level", "name", "value", "sentence"], as_json)


def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="The name of an imported data set.")],
           data: Data = None) -> None:  # fmt: skip
    """Remove an imported data set from the data folder."""
    from cli.data_actions import remove_dataset
    from cli.printing import print_text

    print_text(remove_dataset(name, data))


def export(name: DataName,
           kind: Annotated[str, typer.Option("--format", help="inter (RecBole), sessions, csv, tsv, parquet, sequences "
                                             "or lst; of a split: csv, session, recbole or lists.")] = "",
           split: Annotated[bool, typer.Option("--split", help="Write a split: training, validation and test part, "
                                               "queries, checksums and a README.")] = False,
           protocol: Annotated[str, typer.Option(help="The protocol of a split as suites write it: LeaveLastOut, "
                                                 "'AsPublished(validation=0)' ….")] = "",
           out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write [default: NAME with the "
                                                    "format's extension]; folder of a split.")] = None,
           data: Data = None) -> None:  # fmt: skip
    """Write a data set, or its split, in another file format.

    A split is for programs other than Encore: they train on it, and write ranks that a suite then judges.
    """
    from cli.data_actions import export_file, export_split, find_dataset, known_datasets
    from cli.printing import print_text

    dataset = find_dataset(name, known_datasets(data))
    if split or protocol:
        print_text(export_split(dataset, protocol, kind or "csv", out, data, asked=split))
    else:
        print_text(export_file(dataset, kind or "inter", out, data))
