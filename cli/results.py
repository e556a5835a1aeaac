"""The commands on what is stored: show, report, compare, track, ui."""

from pathlib import Path
from typing import Annotated

import typer

from cli.context import stored_name
from cli.errors import warn
from cli.options import RESULTS, AsJson, Bundle, ReportFolder, Results, SuiteName


def write_report(results: Path, suite: str, folder: Path | None = None) -> list[Path]:
    """Build the report, write its renderings into its folder, print the tables and, last, the paths; return these."""
    from cli.printing import terminal
    from reports.output.terminal import print_report
    from reports.output.write import put
    from reports.report import build

    report = build(results, suite)
    paths, missing = put(report, folder or results / suite)
    print_report(report, terminal())
    for path in paths:
        print(path)
    if missing:
        warn(f"warning: {missing}")
    return paths


def show(suite: SuiteName, results: Results = RESULTS, as_json: AsJson = False) -> None:
    """Show every stored cell of a suite."""
    from cli.printing import print_records
    from cli.rows import engine_column, shown_cells
    from evaluation.results.suite_results import read_suite

    found = read_suite(results, stored_name(suite))
    metrics = [name.lower() for name in found.record["metrics"]]
    rows = shown_cells(found)
    columns = ["dataset", "model", "seed", "state", *metrics, "seconds", "peak_memory_mb", *engine_column(rows), "key",
               "reason"]  # fmt: skip
    print_records(found.record["title"], rows, columns, as_json)


def report(suite: Annotated[str, typer.Argument(metavar="[SUITE]", help="A suite's name, or its file.")] = "",
           results: Results = RESULTS, bundle: Bundle = None, out: ReportFolder = None) -> None:  # fmt: skip
    """Write a suite's report again from what is stored, or from a bundle alone, every statistic made anew."""
    if bundle is None:
        if not suite:
            raise ValueError("name a suite, or a bundle with --from")
        write_report(results, stored_name(suite), out)
        return
    from reports.output.bundle import opened_bundle, same_report

    with opened_bundle(bundle) as (root, name):
        if suite and suite != name:
            raise ValueError(f"{bundle} holds the suite {name!r}, not {suite!r}")
        paths = write_report(root, name, out or bundle.with_suffix(""))
        print(same_report(root, name, paths[0]))


def bundle(suite: SuiteName, results: Results = RESULTS,
           out: Annotated[Path | None, typer.Option("-o", "--out", help="The zip to write; SUITE.zip if not given.")]
           = None) -> None:  # fmt: skip
    """Pack a suite's ranks, cells, audit and report with checksums into one zip; no raw data, no weights."""
    from reports.output.bundle import write_bundle

    name = stored_name(suite)
    path = out or Path(f"{name}.zip")
    packed = write_bundle(results, name, path)
    print(f"{path}: {len(packed)} files of {name}, {path.stat().st_size / 1e6:,.1f} MB")


def compare(ranks: Annotated[list[Path], typer.Argument(metavar="A B [C …]", help="Rank files, or folders of cells.")],
            metric: Annotated[list[str], typer.Option(help="mrr@20, recall@20, ndcg@10, …; several make families.")]
            = ("mrr@20", "recall@20"),
            cluster: Annotated[str, typer.Option(help="The column that says whose a query is.")] = "",
            alternatives: Annotated[bool, typer.Option("--alternatives", help="Add other tests, with warnings.")]
            = False,
            out: Annotated[Path | None, typer.Option(help="Write the answer to a .html, .txt or .json file.")] = None,
            as_json: AsJson = False) -> None:  # fmt: skip
    """Compare anybody's ranks by user: A minus B with interval, p and words."""
    from cli.compare_output import write_answer
    from cli.printing import print_json
    from evaluation.rank_files.compare import compare_files, render_text

    answer = compare_files(ranks, metric, cluster=cluster or None, alternatives=alternatives)
    if out is not None:
        write_answer(answer, out)
    if as_json:
        print_json(answer)
    else:
        print(render_text(answer))


def track(suite: SuiteName, results: Results = RESULTS) -> None:
    """Enter a suite's stored cells into MLflow; those that are there already are left alone."""
    from evaluation.results.suite_results import read_suite
    from harness.store import Store
    from harness.tracking.mlflow_view import Tracker, tracking_uri

    name = stored_name(suite)
    found = read_suite(results, name)
    tracker = Tracker(Store.open(results), name, warn).open()
    entered = tracker.enter([*found.cells, *found.failures])
    tracker.close()
    if tracker.failed:
        raise typer.Exit(2)
    print(f"{entered} cells entered into MLflow at {tracking_uri(results)}; {len(found.cells)} are stored")


def ui(results: Results = RESULTS, port: Annotated[int, typer.Option(help="The port to listen at.")] = 5000) -> None:
    """Open MLflow on the store; stop it with Ctrl-C."""
    import subprocess

    from harness.tracking.mlflow_view import ui_command

    raise typer.Exit(subprocess.call(ui_command(results, port)))
