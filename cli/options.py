"""Options: what the commands can be told, each once, with its help."""

from pathlib import Path
from typing import Annotated

import typer

SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name, or the path of your own suite file.")]
SuiteOrAll = Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name, the path of your own, or all.")]
DataName = Annotated[str, typer.Argument(metavar="NAME", help="A data set's name, or the path of a file of events.")]
Results = Annotated[Path, typer.Option("--results", envvar="ENCORE_RESULTS", help="The folder results are kept in.")]
Data = Annotated[Path | None, typer.Option("--data", envvar="ENCORE_DATA", help="The folder data sets are in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
FigurePath = Annotated[Path | None, typer.Option("--figure", help="The figure: .svg (results/data), .png or .pdf.")]
Only = Annotated[str, typer.Option(metavar="GLOB", help="Only these cells: a pattern on dataset/model, or on either.")]
Protocol = Annotated[str, typer.Option(metavar="GLOB", help="Only cells under these protocols: a pattern on the name.")]
Seeds = Annotated[str, typer.Option(metavar="SEEDS", help="How many (5: 0 to 4) or which (0,3,7; one alone: 7,).")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda[:i]", help="Where models are trained.")]
Jobs = Annotated[int, typer.Option(min=1, help="How many cells are computed at once, each in its own process.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads a cell; part of its key, since it can move bits.")]
Set = Annotated[
    list[str], typer.Option("--set", metavar="PATH=VALUE", help="Change a field: GRU.dim=64; of all: dim=64.")
]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="A smoke run on N users, marked as such.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Compute every cell anew.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
NoMlflow = Annotated[bool, typer.Option("--no-mlflow", help="Do not enter runs into MLflow; track does so later.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Leave the report for later.")]
Bundle = Annotated[Path | None, typer.Option("--from", metavar="ZIP", help="A bundle instead of the store.")]
ReportFolder = Annotated[Path | None, typer.Option("--out", help="The folder to write the report in.")]

RESULTS = Path("results")


ALL = "all"


def named_suites(suite: str) -> list[str]:
    """The suites that a word means: all of the checkout, or the one."""
    if suite != ALL:
        return [suite]
    from harness.suites.load import suite_names

    return suite_names()


def stored_name(suite: str) -> str:
    """The name that a suite's results are stored under: a user's file is loaded to learn it."""
    if "/" not in suite and not suite.endswith(".py"):
        return suite
    from harness.suites.load import load_suite

    return load_suite(suite).name
