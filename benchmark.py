"""The command line: parses, wires the floors, prints; no logic of its own. Heavy imports live inside the commands."""

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

HELP = "Play papers on sequential recommendation again, and say with statistics what reproduced."
PLAIN = {"no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
app = typer.Typer(name="benchmark.py", help=HELP, **PLAIN)
data_app = typer.Typer(help="Fetch, describe, verify, audit, import and export data sets.", **PLAIN)
app.add_typer(data_app, name="data")
MODEL_PACKAGES = ("baselines", "recsys_models")

SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name, or the path of your own suite file.")]
DataName = Annotated[str, typer.Argument(metavar="NAME", help="A data set's name, or the path of a file of events.")]
Results = Annotated[Path, typer.Option("--results", envvar="ENCORE_RESULTS", help="The folder results are kept in.")]
Data = Annotated[Path | None, typer.Option("--data", envvar="ENCORE_DATA", help="The folder data sets are in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
FigurePath = Annotated[Path | None, typer.Option("--figure", help="The figure: .svg (results/data), .png or .pdf.")]
Only = Annotated[str, typer.Option(metavar="GLOB", help="Only these cells: a pattern on dataset/model, or on either.")]
Seeds = Annotated[str, typer.Option(metavar="SEEDS", help="How many (5: 0 to 4) or which (0,3,7; one alone: 7,).")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda[:i]", help="Where models are trained.")]
Jobs = Annotated[int, typer.Option(min=1, help="How many cells are computed at once, each in its own process.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads a cell; part of its key, since it can move bits.")]
Set = Annotated[list[str], typer.Option("--set", metavar="PATH=VALUE", help="Change a model's field: GRU.dim=64.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="A smoke run on N users, stamped as such.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Compute every cell anew.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]
NoMlflow = Annotated[bool, typer.Option("--no-mlflow", help="Do not enter runs into MLflow; track does so later.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Leave the report for later.")]
NONE: list[str] = []
RESULTS = Path("results")


def command(function: Callable[..., Any], home: typer.Typer = app) -> Callable[..., Any]:
    """A command whose expected errors are one sentence on stderr and exit code 2; an interruption is 130."""

    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (ValueError, FileNotFoundError) as error:
            if os.environ.get("ENCORE_TRACE"):
                raise
            warn(f"error: {' '.join(str(error).split())}")
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            warn("interrupted: what is finished is kept; run the same command again to go on")
            raise typer.Exit(130) from error

    return home.command(function.__name__.removeprefix("data_").strip("_"))(guarded)


data_command = functools.partial(command, home=data_app)


def warn(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)


def make_order(suite: str, results: Path, data: Path | None, threads: int = 1, **words: Any) -> Any:
    """The order that the words of a command line mean; threads are set before the heavy libraries load."""
    from harness.determinism import set_environment

    set_environment(threads)
    from harness.order import Order

    return Order.of_words(suite, results, data, threads=threads, **words)


def stored_name(suite: str) -> str:
    """The name that a suite's results are stored under: a user's file is loaded to learn it."""
    if "/" not in suite and not suite.endswith(".py"):
        return suite
    from harness.loading import load_suite

    return load_suite(suite).name


def write_report(results: Path, suite: str) -> None:
    """Build the report, write its renderings, and print the tables and, last, the two paths."""
    from harness.printing import terminal
    from reports.export import write_csv
    from reports.html import render_html
    from reports.pdf import PdfEngineMissing, write_pdf
    from reports.report import build
    from reports.terminal import print_report

    report = build(results, suite)
    folder = results / suite
    folder.mkdir(parents=True, exist_ok=True)
    html, pdf = folder / "report.html", folder / "report.pdf"
    html.write_text(render_html(report), encoding="utf-8")
    write_csv(report, folder / "tables")
    print_report(report, terminal())
    print(html)
    try:
        write_pdf(report, pdf)
        print(pdf)
    except PdfEngineMissing as error:
        warn(f"warning: {error}")


@command
def run(suite: SuiteName, only: Only = "", seeds: Seeds = "", device: Device = "auto", jobs: Jobs = 1,
        threads: Threads = 1, results: Results = RESULTS, data: Data = None, sets: Set = NONE,
        limit_users: Limit = None, dry_run: DryRun = False, no_mlflow: NoMlflow = False, no_report: NoReport = False,
        fresh: Fresh = False) -> None:  # fmt: skip
    """Run what is missing of a suite, then write its report. Exit 0: all good, 1: some cell failed."""
    order = make_order(suite, results, data, threads, only=only, seeds=seeds, device=device, sets=sets,
                       limit_users=limit_users)  # fmt: skip
    from harness.environment import device_name
    from harness.plan import make_plan
    from harness.printing import print_plan, terminal
    from harness.runner import end_on_sigterm
    from harness.session import run_session
    from harness.showing import plan_words
    from harness.store import Store

    end_on_sigterm()
    store = Store.open(results)
    made = make_plan(order.open(), store, fresh=fresh)
    if dry_run:
        print_plan(made, jobs)
        return
    print(f"{made.bench.suite.title}, on {device_name(order.device)}: {plan_words(made, jobs)}", flush=True)
    outcome = run_session(made, store, terminal(), jobs=jobs, fresh=fresh, mlflow=not no_mlflow, warn=warn)
    if not no_report:
        write_report(results, made.bench.suite.name)
    for planned, reason in outcome.skipped:
        warn(f"SKIPPED {planned.cell.label}: {reason}")
    for planned, reason in outcome.failed:
        warn(f"FAILED {planned.cell.label}: {reason}\n  repeat it with: {planned.command}")
    required = os.environ.get("ENCORE_REQUIRE_DATA") == "1"
    if outcome.failed or (required and outcome.skipped):
        raise typer.Exit(1)


@command
def plan(suite: SuiteName, only: Only = "", seeds: Seeds = "", device: Device = "auto", jobs: Jobs = 1,
         threads: Threads = 1, results: Results = RESULTS, data: Data = None, sets: Set = NONE,
         limit_users: Limit = None, fresh: Fresh = False, as_json: AsJson = False) -> None:  # fmt: skip
    """Say of each cell whether it is cached, new or stale, why, and what the rest will cost."""
    order = make_order(suite, results, data, threads, only=only, seeds=seeds, device=device, sets=sets,
                       limit_users=limit_users)  # fmt: skip
    from harness.plan import make_plan
    from harness.printing import print_json, print_plan
    from harness.showing import shown_plan
    from harness.store import Store

    made = make_plan(order.open(), Store.open(results), fresh=fresh)
    if as_json:
        print_json(shown_plan(made))
    else:
        print_plan(made, jobs)


@command
def show(suite: SuiteName, results: Results = RESULTS, as_json: AsJson = False) -> None:
    """Show every stored cell of a suite."""
    from evaluation.results import read_suite
    from harness.printing import print_records
    from harness.showing import shown_cells

    found = read_suite(results, stored_name(suite))
    metrics = [name.lower() for name in found.record["metrics"]]
    columns = ["dataset", "model", "seed", "state", *metrics, "seconds", "peak_memory_mb", "key", "reason"]
    print_records(found.record["title"], shown_cells(found), columns, as_json)


@command
def report(suite: SuiteName, results: Results = RESULTS) -> None:
    """Write a suite's report again from what is stored."""
    write_report(results, stored_name(suite))


@command
def compare(ranks: Annotated[list[Path], typer.Argument(metavar="A B [C …]", help="Rank files, or folders of cells.")],
            metric: Annotated[list[str], typer.Option(help="mrr@20, recall@20, ndcg@10, …; several make families.")]
            = ("mrr@20", "recall@20"),
            cluster: Annotated[str, typer.Option(help="The column that says whose a query is.")] = "",
            alternatives: Annotated[bool, typer.Option("--alternatives", help="Add other tests, with warnings.")]
            = False,
            out: Annotated[Path | None, typer.Option(help="Write the answer to a .html, .txt or .json file.")] = None,
            as_json: AsJson = False) -> None:  # fmt: skip
    """Compare anybody's ranks by user: A minus B with interval, p and words."""
    from evaluation.file_comparison import compare_files, render_text
    from harness.comparison_page import write_answer
    from harness.printing import print_json

    answer = compare_files(ranks, metric, cluster=cluster or None, alternatives=alternatives)
    if out is not None:
        write_answer(answer, out)
    if as_json:
        print_json(answer)
    else:
        print(render_text(answer))


@command
def track(suite: SuiteName, results: Results = RESULTS) -> None:
    """Enter a suite's stored cells into MLflow; those that are there already are left alone."""
    from evaluation.results import read_suite
    from harness.store import Store
    from harness.tracking import Tracker, tracking_uri

    name = stored_name(suite)
    found = read_suite(results, name)
    tracker = Tracker(Store.open(results), name, warn).open()
    entered = tracker.enter([*found.cells, *found.failures])
    tracker.close()
    if tracker.failed:
        raise typer.Exit(2)
    print(f"{entered} cells entered into MLflow at {tracking_uri(results)}; {len(found.cells)} are stored")


@command
def ui(results: Results = RESULTS, port: Annotated[int, typer.Option(help="The port to listen at.")] = 5000) -> None:
    """Open MLflow on the store; stop it with Ctrl-C."""
    import subprocess

    from harness.tracking import ui_command

    raise typer.Exit(subprocess.call(ui_command(results, port)))


@command
def doctor(results: Results = RESULTS, data: Data = None, as_json: AsJson = False) -> None:
    """Say what is installed, which data are present, whether determinism holds, and what to do."""
    import dataclasses

    from harness.doctor import examine
    from harness.printing import print_records
    from recsys_data.editions import DATASETS

    rows = [dataclasses.asdict(check) for check in examine(results, data, DATASETS)]
    print_records("Encore's doctor", rows, ["level", "name", "found", "advice"], as_json)
    if any(row["level"] == "red" for row in rows):
        raise typer.Exit(1)


@command
def list_(what: Annotated[str, typer.Argument(metavar="[suites|models|datasets]")] = "suites", data: Data = None,
          as_json: AsJson = False) -> None:  # fmt: skip
    """List suites, models or data sets."""
    from harness import showing
    from harness.printing import print_records

    if what == "suites":
        print_records(what, showing.listed_suites(), ["name", "title", "cells"], as_json)
    elif what == "models":
        print_records(what, showing.listed_models(MODEL_PACKAGES), ["name", "family", "about"], as_json)
    elif what == "datasets":
        from recsys_data.editions import DATASETS

        columns = ["name", "title", "present", "events", "users", "items"]
        print_records(what, showing.listed_datasets(DATASETS, data), columns, as_json)
    else:
        raise ValueError(f"cannot list {what!r}: expected suites, models or datasets")


def dataset_named(name: str) -> Any:
    """The data set of a name, or the file at a path."""
    from harness.data_desk import dataset_named as found
    from recsys_data.editions import DATASETS

    return found(name, DATASETS)


@data_command
def data_fetch(name: DataName, data: Data = None) -> None:
    """Fetch a data set from its official address, checked."""
    from harness.data_desk import fetch

    print(fetch(dataset_named(name), data))


@data_command
def data_verify(name: DataName, data: Data = None) -> None:
    """Load a data set and compare its counts with those that are known."""
    from harness.data_desk import verify

    print(verify(dataset_named(name), data))


@data_command
def data_describe(name: DataName, data: Data = None, as_json: AsJson = False, figure: FigurePath = None) -> None:
    """Print counts, times, clock and histograms of a data set, and draw them."""
    from harness.printing import print_json, print_records
    from recsys_data.describe import bars, describe
    from recsys_data.describe_figure import save_figure

    facts = describe(loaded := dataset_named(name).load(data))
    if as_json:
        print_json(facts)
    else:
        rows = [{"what": key, "value": value} for key, value in facts.items() if key != "histograms"]
        print_records(facts["name"], rows, ["what", "value"])
        print(bars(facts["histograms"]))
    if figure or not as_json:
        path = save_figure(loaded, figure or RESULTS / "data" / f"{loaded.name}.svg", loaded.name)
        print(path, file=sys.stderr if as_json else sys.stdout)


@data_command
def data_audit(suite: SuiteName, data: Data = None, as_json: AsJson = False) -> None:
    """Audit a suite's splits for leaks: duplicates, the future, unseen items, ties, repeats."""
    from harness.data_desk import audited
    from harness.printing import print_records

    rows = [*audited(make_order(suite, RESULTS, data).open())]
    print_records(suite, rows, ["dataset", "level", "name", "value", "sentence"], as_json)


@data_command
def data_import(file: Annotated[Path, typer.Argument(help="CSV, TSV, .inter, SessionId/ItemId/Time or Parquet.")],
                name: Annotated[str, typer.Option(help="What it is called from now on.")],
                columns: Annotated[str, typer.Option(help="user,item,timestamp in the file's order.")] = "",
                clock: Annotated[str, typer.Option(help="What the times mean, where not Unix times.")] = "",
                data: Data = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Read a file of events, check it, keep it in the data folder, and say how a suite names it."""
    from harness.data_desk import import_file
    from harness.printing import print_json
    from recsys_data.describe import describe

    kept = import_file(file, tuple(columns.split(",")) if columns else (), name, clock, data)
    if as_json:
        print_json(describe(kept.load(data)))
    else:
        print(f"imported; a suite names it as {kept!r} from recsys_data.formats")


@data_command
def data_export(name: DataName, kind: Annotated[str, typer.Option("--format")] = "inter",
                out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
                data: Data = None) -> None:  # fmt: skip
    """Write a data set as inter (RecBole), sessions, csv, tsv, parquet, sequences or lst."""
    from harness.data_desk import export_file

    print(export_file(dataset_named(name), kind, out, data))


if __name__ == "__main__":
    app()
