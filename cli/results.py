"""The commands on stored results: show, report, export, compare, track and ui."""

import contextlib
import html
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from cli.errors import warn
from cli.options import (
    RESULTS,
    AsJson,
    Bundle,
    OptionalSuite,
    ReportFolder,
    Results,
    SuiteName,
    comma_separated,
    stored_name,
)

if TYPE_CHECKING:
    from harness.tracking.summaries import TrackedReport
    from reports.report import Report

WRITTEN = (".html", ".txt", ".json")
RankFiles = Annotated[
    list[str],
    typer.Argument(metavar="A B [C …]", help="Rank files or cell folders; NAME=FILE names one, and files of one name "
                                             "are the seeds of one method."),
]  # fmt: skip
Metrics = Annotated[
    list[str],
    typer.Option(metavar="NAME", help="Metrics such as mrr@20 or ndcg@10; several with commas or by repeating the "
                                      "option [default: mrr@20,recall@20]."),
]  # fmt: skip
Deterministic = Annotated[
    list[str],
    typer.Option(metavar="NAME", help="A method whose one file stands for all its seeds; also repeated."),
]
PairSeeds = Annotated[
    bool,
    typer.Option(
        "--pair-seeds", help="The first files of all methods share a seed, and so on: test their differences."
    ),
]
FailIfWorse = Annotated[
    bool, typer.Option("--fail-if-worse", help="Exit with code 1 if A is significantly worse than another file, and by "
                                               "more than --margin.")
]  # fmt: skip
Margin = Annotated[
    float | None, typer.Option(help="Relative difference without relevance [default: 0.05; 0.02 with --fail-if-worse].")
]
TrueItems = Annotated[
    Path | None,
    typer.Option("--qrels", help="The true items (TREC's relevance judgements, or user,item) of TREC runs and other "
                                 "recommendation lists."),
]  # fmt: skip


def write_report(
    results: Path,
    suite: str,
    folder: Path | None = None,
    asked: Collection[tuple[str, str, str]] | None = None,
    track: "Callable[[TrackedReport], None] | None" = None,
) -> list[Path]:
    """Write a suite's report, print its tables and the paths of its files, and return the paths.

    asked: data set, protocol and model of the rows to print; None prints all. The files hold all in any case. track:
    enters the report into MLflow.
    """
    from reports.report import build

    report, folder = build(results, suite), folder or results / suite
    store = Path(os.path.relpath(results.resolve(), folder.resolve())).as_posix()
    paths = _write(report.with_store_at(quote(store)), folder, asked)
    if track is not None:
        _track_report(report, folder, track)
    return paths


def _write(report: "Report", folder: Path, asked: Collection[tuple[str, str, str]] | None = None) -> list[Path]:
    """Write a report, print its tables and the paths of its files, and return the paths."""
    from cli.printing import print_text, terminal
    from evaluation.results.process_pool import shared_memory_problem
    from reports.output.terminal import print_report
    from reports.output.write import write_outputs

    paths, unavailable = write_outputs(report, folder)
    print_report(report, terminal(), asked)
    for path in paths:
        print_text(path)
    for reason in [*unavailable, *filter(None, [shared_memory_problem()])]:
        warn(f"warning: {reason}")
    return paths


def _track_report(report: Any, folder: Path, track: "Callable[[TrackedReport], None]") -> None:
    """Enter a report and its files into MLflow."""
    from harness.tracking.summaries import TrackedReport

    inputs, files = report.inputs, [folder / "report.html", folder / "tables" / "main.tex"]
    record = inputs.index.results.record
    track(TrackedReport(inputs.comparisons, inputs.verdicts, record, [file for file in files if file.exists()]))


def show(suite: SuiteName, results: Results = RESULTS, as_json: AsJson = False) -> None:
    """Show every cell of a suite's stored results."""
    from cli.listings import cell_rows
    from cli.printing import engine_column, print_records
    from evaluation.results.suite_results import read_suite

    found = read_suite(results, stored_name(suite, results))
    metrics = [name.lower() for name in found.record["metrics"]]
    rows = cell_rows(found)
    several = len({(row["dataset"], row["protocol"]) for row in rows}) > len({row["dataset"] for row in rows})
    if not as_json:
        labels = {(e["dataset"], e["protocol"]): e["label"] for e in found.record.get("labels", ())}
        for row in rows:
            row["protocol"] = labels.get((row["dataset"], row["protocol"]), row["protocol"])
    columns = ["dataset", *["protocol"] * several, "model", "seed", "state", *metrics, "seconds", "peak_memory_mb",
               *engine_column(rows), "key", "reason"]  # fmt: skip
    print_records(found.record["title"], rows, columns, as_json)


def report(
    suite: OptionalSuite = "", results: Results = RESULTS, bundle: Bundle = None, out: ReportFolder = None
) -> None:
    """Write a suite's report from stored results or from a bundle.

    All statistics are recomputed; those of a bundle made for sharing are compared with its sums by user.
    """
    if bundle is None:
        write_report(results, _required(suite, results), out)
        return
    from cli.printing import print_text
    from reports.bundles.recompute import recomputed_text
    from reports.output.bundle import compare_report
    from reports.output.html import render_html
    from reports.report import build

    with _bundled(bundle, suite) as (root, name):
        made = build(root, name)
        _write(made.with_store_at(""), out or bundle.with_suffix(""))  # the folder of its cells is gone afterwards
        print_text(compare_report(root, name, render_html(made)))
        if again := recomputed_text(root, name):
            print_text(again)


def _required(suite: str, results: Path) -> str:
    """The stored name of a suite that must be given, since there is no bundle."""
    if not suite:
        raise ValueError("SUITE is missing: give the name of a suite, or a bundle with --from")
    return stored_name(suite, results)


@contextlib.contextmanager
def _bundled(bundle: Path, suite: str) -> Iterator[tuple[Path, str]]:
    """The results folder and the suite of a bundle. Raises ValueError if it is not the suite that was asked for."""
    from reports.output.bundle import open_bundle

    with open_bundle(bundle) as (root, name):
        if suite and suite != name:
            raise ValueError(f"{bundle} holds the suite {name!r}, not {suite!r}")
        yield root, name


def export(
    suite: OptionalSuite = "", results: Results = RESULTS, bundle: Bundle = None,
    format: Annotated[str, typer.Option("--format", metavar="latex|markdown|csv|json", help="Format of the text.")]
    = "latex",
    table: Annotated[str, typer.Option("--table", metavar="main|verdicts|all|NAME", help="Table: models × (data sets × "
                                       "metrics), the verdicts, all, or one by its name in the tables folder.")]
    = "main",
    uncertainty: Annotated[str, typer.Option("--uncertainty", metavar="sd|interval|none",
                                             help="Beside each mean of the main table.")] = "sd",
    out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write, or folder for all tables as CSV "
                                             "[default: print].")] = None,
) -> None:  # fmt: skip
    """Export a suite's tables for papers and tools.

    LaTeX of the main table needs the package booktabs; of the report's tables also amssymb, array, graphicx and,
    where they are longer than a page, longtable and lscape.
    """
    from cli.printing import print_text
    from reports.report import build
    from reports.tables.export import check_request, export_text, write_tables

    check_request(format, uncertainty)
    with contextlib.ExitStack() as stack:
        if bundle is None:
            root, name = results, _required(suite, results)
        else:
            root, name = stack.enter_context(_bundled(bundle, suite))
        made = build(root, name)
        if (format, table) == ("csv", "all") and out is not None:
            write_tables(made, out)
            print_text(out)
            return
        text = export_text(made, format, table, uncertainty)
    if out is None:
        print(text, end="")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print_text(out)


def compare(ranks: RankFiles,
            metric: Metrics = (),  # type: ignore[assignment]
            cluster: Annotated[str, typer.Option(help="Column of users or sessions, the units of resampling.")] = "",
            qrels: TrueItems = None,
            deterministic: Deterministic = (),  # type: ignore[assignment]
            pair_seeds: PairSeeds = False,
            alternatives: Annotated[bool, typer.Option("--alternatives", help="Add other tests, with caveats.")]
            = False,
            out: Annotated[Path | None, typer.Option(help="File to write: .html, .txt or .json.")] = None,
            fail_if_worse: FailIfWorse = False, margin: Margin = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Compare two or more rank files of any origin.

    A file has one row per query and true item with its rank, or the value of a metric for each user. Prints the
    differences A minus B with confidence intervals and p-values, over users, or over users × seeds where methods have
    several files.
    """
    from cli.printing import print_json
    from evaluation.rank_files.comparison.compare import compare_files
    from evaluation.rank_files.comparison.gate import GATE_MARGIN, gate_sentences
    from evaluation.rank_files.comparison.text import render_text
    from evaluation.statistics.effects import MARGIN
    from recsys_data.printable import printable_lines

    if out is not None and out.suffix not in WRITTEN:
        raise ValueError(f"--out {out} must end in .html, .txt or .json")
    if margin is not None and not 0 <= margin < 1:
        raise ValueError(f"--margin {margin:g} must be a share of at least 0 and below 1, such as 0.02 for 2 %")
    answer = compare_files(
        ranks, comma_separated(metric), cluster=cluster or None, qrels=qrels, alternatives=alternatives,
        deterministic=deterministic, pair_seeds=pair_seeds,
        margin=(GATE_MARGIN if fail_if_worse else MARGIN) if margin is None else margin,
    )  # fmt: skip
    text = printable_lines(render_text(answer))
    if out is not None:
        _write_comparison(answer, text, out)
    if as_json:
        print_json(answer)
    else:
        print(text)
    if fail_if_worse:
        failed, passed = gate_sentences(answer)
        for line in (*failed, *passed):
            warn(line)
        if failed:
            raise typer.Exit(1)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Comparison of ranks</title><meta name="color-scheme" content="light dark">
<h1>Comparison of ranks</h1>
<pre>{text}</pre>
<details><summary>All numbers</summary><pre>{numbers}</pre></details>
</html>
"""


def _write_comparison(comparison: Mapping[str, Any], text: str, path: Path) -> None:
    """Write a comparison in the format of the file's extension: .json, .txt or .html."""
    numbers = json.dumps(comparison, indent=1, allow_nan=False)
    pages = {
        ".json": numbers,
        ".txt": text,
        ".html": _PAGE.format(text=html.escape(text), numbers=html.escape(numbers)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(pages[path.suffix], encoding="utf-8")


def track(suite: SuiteName, results: Results = RESULTS) -> None:
    """Enter a suite's stored cells and its report into MLflow.

    Cells that MLflow already has are left unchanged.
    """
    from cli.printing import print_text
    from evaluation.results.suite_results import read_suite
    from harness.store import Store
    from harness.tracking.database import tracking_uri
    from harness.tracking.mlflow_view import Tracker
    from reports.report import build

    name = stored_name(suite, results)
    found = read_suite(results, name)
    tracker = Tracker(Store.open(results), name, warn).open()
    entered = tracker.enter([*found.cells, *found.failures])
    tracker.close()
    if not tracker.failed:
        _track_report(build(results, name), results / name, tracker.add_report)
    if tracker.failed:
        raise typer.Exit(2)
    print_text(f"{entered} cells entered into MLflow at {tracking_uri(results)}; {len(found.cells)} cells are stored")
    left = tracker.running_elsewhere & {cell.key for cell in found.cells}
    if left:
        warn(f"{len(left)} of them are left to other processes, which have their runs open; if these ended on another "
             f"machine, delete their runs in MLflow and repeat the command: {', '.join(sorted(left))}")  # fmt: skip


def ui(results: Results = RESULTS, port: Annotated[int, typer.Option(help="Port of the web server.")] = 5000) -> None:
    """Start MLflow's web server on the stored results.

    Prints each suite's address, with its primary metric as a column. Stop it with Ctrl-C.
    """
    from cli.printing import print_lines
    from harness.tracking.mlflow_client import ui_command, views
    from harness.tracking.web_server import serve

    command = ui_command(results, port, warn)
    print_lines(views(results, port))
    raise typer.Exit(serve(command))
