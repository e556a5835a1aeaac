"""The commands on stored results: show, report, bundle, track and ui."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import warn
from cli.options import RESULTS, AsJson, Bundle, OptionalSuite, ReportFolder, Results, SuiteName, stored_name


def write_report(
    results: Path, suite: str, folder: Path | None = None, asked: Collection[tuple[str, str, str]] | None = None
) -> list[Path]:
    """Write a suite's report, print its tables and the paths of its files, and return the paths.

    asked: data set, protocol and model of the rows to print; None prints all. The files hold all in any case.
    """
    from cli.printing import terminal
    from reports.output.terminal import print_report
    from reports.output.write import write_outputs
    from reports.report import build

    report = build(results, suite)
    paths, unavailable = write_outputs(report, folder or results / suite)
    print_report(report, terminal(), asked)
    for path in paths:
        print(path)
    for reason in unavailable:
        warn(f"warning: {reason}")
    return paths


def show(suite: SuiteName, results: Results = RESULTS, as_json: AsJson = False) -> None:
    """Show every cell of a suite's stored results."""
    from cli.listings import cell_rows
    from cli.printing import engine_column, print_records
    from evaluation.results.suite_results import read_suite

    found = read_suite(results, stored_name(suite))
    metrics = [name.lower() for name in found.record["metrics"]]
    rows = cell_rows(found)
    columns = ["dataset", "model", "seed", "state", *metrics, "seconds", "peak_memory_mb", *engine_column(rows), "key",
               "reason"]  # fmt: skip
    print_records(found.record["title"], rows, columns, as_json)


def report(
    suite: OptionalSuite = "", results: Results = RESULTS, bundle: Bundle = None, out: ReportFolder = None
) -> None:
    """Write a suite's report from stored results or from a bundle.

    All statistics are recomputed.
    """
    if bundle is None:
        if not suite:
            raise ValueError("SUITE is missing: give the name of a suite, or a bundle with --from")
        write_report(results, stored_name(suite), out)
        return
    from reports.output.bundle import compare_report, open_bundle

    with open_bundle(bundle) as (root, name):
        if suite and suite != name:
            raise ValueError(f"{bundle} holds the suite {name!r}, not {suite!r}")
        paths = write_report(root, name, out or bundle.with_suffix(""))
        print(compare_report(root, name, paths[0]))


def bundle(suite: SuiteName, results: Results = RESULTS,
           out: Annotated[Path | None, typer.Option("-o", "--out", help="File to write [default: SUITE.zip].")]
           = None) -> None:  # fmt: skip
    """Pack a suite's results and report into one ZIP file.

    The file holds ranks, cells, audit, report and checksums; it holds no data sets and no model weights.
    """
    from reports.output.bundle import write_bundle

    name = stored_name(suite)
    path = out or Path(f"{name}.zip")
    packed = write_bundle(results, name, path)
    print(f"{path}: {len(packed)} files of {name}, {path.stat().st_size / 1e6:,.1f} MB")


def track(suite: SuiteName, results: Results = RESULTS) -> None:
    """Enter a suite's stored cells into MLflow.

    Cells that MLflow already has are left unchanged.
    """
    from evaluation.results.suite_results import read_suite
    from harness.store import Store
    from harness.tracking.mlflow_client import tracking_uri
    from harness.tracking.mlflow_view import Tracker

    name = stored_name(suite)
    found = read_suite(results, name)
    tracker = Tracker(Store.open(results), name, warn).open()
    entered = tracker.enter([*found.cells, *found.failures])
    tracker.close()
    if tracker.failed:
        raise typer.Exit(2)
    print(f"{entered} cells entered into MLflow at {tracking_uri(results)}; {len(found.cells)} cells are stored")


def ui(results: Results = RESULTS, port: Annotated[int, typer.Option(help="Port of the web server.")] = 5000) -> None:
    """Start MLflow's web server on the stored results.

    Stop it with Ctrl-C.
    """
    import subprocess

    from harness.tracking.mlflow_client import ui_command

    raise typer.Exit(subprocess.call(ui_command(results, port)))
