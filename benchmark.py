"""The command line: parses, wires the floors, prints; no logic of its own. Heavy imports live inside the commands."""

import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="benchmark.py",
    help="Play papers on sequential recommendation again, and say with statistics what reproduced.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
MODEL_PACKAGES = ("baselines", "recsys_models")

SuiteName = Annotated[str, typer.Argument(metavar="SUITE", help="A suite's name, or the path of your own suite file.")]
Results = Annotated[Path, typer.Option("--results", envvar="ENCORE_RESULTS", help="The folder results are kept in.")]
Data = Annotated[Path | None, typer.Option("--data", envvar="ENCORE_DATA", help="The folder data sets are in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Only = Annotated[str, typer.Option(metavar="GLOB", help="Only these cells: a pattern on dataset/model, or on either.")]
Seeds = Annotated[str, typer.Option(metavar="SEEDS", help="How many (5: 0 to 4) or which (0,3,7; one alone: 7,).")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda[:i]", help="Where models are trained.")]
Jobs = Annotated[int, typer.Option(min=1, help="How many cells are computed at once, each in its own process.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads a cell; part of its key, since it can move bits.")]
Set = Annotated[list[str], typer.Option("--set", metavar="PATH=VALUE", help="Change a model's field: GRU.dim=64.")]
Limit = Annotated[int | None, typer.Option(min=1, metavar="N", help="A smoke run on N users, stamped as such.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Compute every cell anew.")]
NONE: list[str] = []


def command(function: Callable[..., Any]) -> Callable[..., Any]:
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

    return app.command(function.__name__.strip("_"))(guarded)


def warn(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)


def make_order(suite: str, results: Path, data: Path | None, only: str = "", seeds: str = "", device: str = "cpu",
               threads: int = 1, sets: list[str] = NONE, limit_users: int | None = None) -> Any:  # fmt: skip
    """The order that the words of a command line mean."""
    from harness.determinism import resolve_device, set_environment

    set_environment(threads)
    resolved = resolve_device(device)
    from harness.order import Order
    from harness.overrides import Overrides, parse_seeds

    words: list[str] = []
    if str(results) != os.environ.get("ENCORE_RESULTS", "results"):
        words += ["--results", str(results)]
    if data is not None and str(data) != os.environ.get("ENCORE_DATA", ""):
        words += ["--data", str(data)]
    words += [] if device == "auto" else ["--device", device]
    words += [] if threads == 1 else ["--threads", str(threads)]
    overrides = Overrides(tuple(sets), only, parse_seeds(seeds) if seeds else None, limit_users)
    return Order(suite, results, data, overrides, resolved, ":" not in device, threads, tuple(words))


def stored_name(suite: str) -> str:
    """The name that a suite's results are stored under: a user's file is loaded to learn it."""
    if "/" not in suite and not suite.endswith(".py"):
        return suite
    from harness.loading import load_suite

    return load_suite(suite).name


def console() -> Any:
    """The terminal; wide enough for tables where there is none."""
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=140)


def print_json(value: Any) -> None:
    """Print strict JSON."""
    from harness.record import plain

    print(json.dumps(plain(value), indent=1, allow_nan=False))


def print_rows(title: str, rows: list[dict[str, Any]], columns: list[str]) -> None:
    """Print records as a table."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        cells = [row.get(name) for name in columns]
        table.add_row(*(escape(f"{c:.4f}" if isinstance(c, float) else "–" if c is None else str(c)) for c in cells))
    console().print(table)


def write_report(results: Path, suite: str, *, show: bool = True) -> None:
    """Build the report, write its renderings, and print the tables and, last, the two paths."""
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
    if show:
        print_report(report, console())
    try:
        write_pdf(report, pdf)
    except PdfEngineMissing as error:
        warn(f"warning: {error}")
        pdf = None
    print(html)
    if pdf is not None:
        print(pdf)


@command
def run(suite: SuiteName, only: Only = "", seeds: Seeds = "", device: Device = "auto", jobs: Jobs = 1,
        threads: Threads = 1, results: Results = Path("results"), data: Data = None, sets: Set = NONE,
        limit_users: Limit = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
        no_mlflow: Annotated[bool, typer.Option("--no-mlflow", help="Do not enter runs into MLflow.")] = False,
        fresh: Fresh = False) -> None:  # fmt: skip
    """Run what is missing of a suite, then write its report. Exit 0: all good, 1: some cell failed."""
    order = make_order(suite, results, data, only, seeds, device, threads, sets, limit_users)
    from harness.plan import make_plan
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
    print(f"{made.bench.suite.title}: {plan_words(made, jobs)}", flush=True)
    outcome = run_session(made, store, console(), jobs=jobs, fresh=fresh, mlflow=not no_mlflow, warn=warn)
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
         threads: Threads = 1, results: Results = Path("results"), data: Data = None, sets: Set = NONE,
         limit_users: Limit = None, fresh: Fresh = False, as_json: AsJson = False) -> None:  # fmt: skip
    """Say of each cell whether it is cached, new or stale, why, and what the rest will cost."""
    order = make_order(suite, results, data, only, seeds, device, threads, sets, limit_users)
    from harness.plan import make_plan
    from harness.showing import shown_plan
    from harness.store import Store

    made = make_plan(order.open(), Store.open(results), fresh=fresh)
    if as_json:
        print_json(shown_plan(made))
    else:
        print_plan(made, jobs)


def print_plan(made: Any, jobs: int) -> None:
    """Print a plan as a table with its sum below."""
    from harness.announcer import duration
    from harness.showing import plan_words, shown_plan

    rows = shown_plan(made)
    for row in rows:
        to_do = row["state"] in ("new", "stale")
        row["time"] = duration(row["seconds"]) if to_do else ""
        row["memory"] = ("–" if row["memory_mb"] is None else f"{row['memory_mb']:,.0f} MB") if to_do else ""
    print_rows(made.bench.suite.title, rows, ["dataset", "model", "seed", "state", "time", "memory", "why"])
    print(plan_words(made, jobs))


@command
def show(suite: SuiteName, results: Results = Path("results"), as_json: AsJson = False) -> None:
    """Show every stored cell of a suite."""
    from evaluation.results import read_suite
    from harness.showing import shown_cells

    found = read_suite(results, stored_name(suite))
    rows = shown_cells(found)
    if as_json:
        print_json(rows)
        return
    metrics = [name.lower() for name in found.record["metrics"]]
    rows = [row | {"key": (row["key"] or "")[:12]} for row in rows]
    columns = ["dataset", "model", "seed", "state", *metrics, "seconds", "peak_memory_mb", "key", "reason"]
    print_rows(found.record["title"], rows, columns)


@command
def report(suite: SuiteName, results: Results = Path("results")) -> None:
    """Write a suite's report again from what is stored."""
    write_report(results, stored_name(suite))


@command
def track(suite: SuiteName, results: Results = Path("results")) -> None:
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
def ui(results: Results = Path("results"),
       port: Annotated[int, typer.Option(help="The port to listen at.")] = 5000) -> None:  # fmt: skip
    """Open MLflow on the store; stop it with Ctrl-C."""
    import subprocess

    from harness.tracking import ui_command

    raise typer.Exit(subprocess.call(ui_command(results, port)))


@command
def doctor(results: Results = Path("results"), data: Data = None, as_json: AsJson = False) -> None:
    """Say what is installed, which data are present, whether determinism holds, and what to do."""
    import dataclasses

    from harness.doctor import examine
    from recsys_data.editions import DATASETS

    rows = [dataclasses.asdict(check) for check in examine(results, data, DATASETS)]
    if as_json:
        print_json(rows)
    else:
        print_rows("Encore's doctor", rows, ["level", "name", "found", "advice"])
    if any(row["level"] == "red" for row in rows):
        raise typer.Exit(1)


@command
def list_(what: Annotated[str, typer.Argument(metavar="[suites|models|datasets]")] = "suites",
          data: Data = None, as_json: AsJson = False) -> None:  # fmt: skip
    """List suites, models or data sets."""
    from harness import showing

    if what == "suites":
        rows, columns = showing.listed_suites(), ["name", "title", "cells"]
    elif what == "models":
        rows, columns = showing.listed_models(MODEL_PACKAGES), ["name", "family", "about"]
    elif what == "datasets":
        from recsys_data.editions import DATASETS

        rows = showing.listed_datasets(DATASETS, data)
        columns = ["name", "title", "present", "events", "users", "items"]
    else:
        raise ValueError(f"cannot list {what!r}: expected suites, models or datasets")
    if as_json:
        print_json(rows)
    else:
        print_rows(what, rows, columns)


if __name__ == "__main__":
    app()
