"""The commands bundle and rerun."""

import random
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import warn
from cli.options import RESULTS, Data, Jobs, NoReport, Only, Protocol, Results, Seeds, SuiteName, stored_name

Out = Annotated[Path | None, typer.Option("-o", "--out", help="File to write [default: SUITE.zip].")]
Share = Annotated[
    bool,
    typer.Option("--share", help="The form that may be published: statistics and report, but no pair of a user and an "
                                 "item can be read from it."),
]  # fmt: skip
Anonymous = Annotated[
    bool, typer.Option("--anonymous", help="Without names of users, host and author, for anonymous review.")
]
Packed = Annotated[Path, typer.Option("--from", metavar="ZIP", help="The bundle.")]
Again = Annotated[
    Path | None, typer.Option("--results", help="Folder of the new results [default: the bundle's name and -rerun].")
]

Sample = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Compute only N of the selected cells, drawn at random.")
]
Draw = Annotated[
    int | None, typer.Option(min=0, metavar="SEED", help="Seed of --sample [default: another at each call, printed].")
]


def bundle(suite: SuiteName, results: Results = RESULTS, out: Out = None, share: Share = False,
           anonymous: Anonymous = False) -> None:  # fmt: skip
    """Pack a suite's results, report, tables and source into one ZIP file.

    It has checksums, RO-Crate metadata and a README.txt; it has no data sets, no weights and no absolute paths.
    """
    from cli.printing import print_text
    from evaluation.results.suite_results import read_suite
    from harness.suites.packing import packed_sources, recorded_file
    from reports.bundles.write import Form, write_bundle

    name = stored_name(suite, results)
    path = out or Path(f"{name}.zip")
    file = recorded_file(results, read_suite(results, name).record)
    if file is None:
        warn(f"note: the file of {name} is not at hand, so the bundle has no source and cannot be rerun")
    packed = write_bundle(results, name, path, Form(share, anonymous), sources={} if file is None else
                          packed_sources(file), folders=[] if file is None else [file.parent])  # fmt: skip
    for note in packed.notes:
        warn(f"note: {note}")
    known = share and packed.pooled is not None
    pooled = f"; users pooled, since few share their number of queries: {packed.pooled:,}" if known else ""
    print_text(f"{path}: {len(packed.names)} files of {name}, {path.stat().st_size / 1e6:,.1f} MB{pooled}")


def rerun(packed: Packed, only: Only = (), protocol: Protocol = (), seeds: Seeds = (),  # type: ignore[assignment]
          sample: Sample = None, draw: Draw = None, data: Data = None, results: Again = None, jobs: Jobs = 1,
          no_report: NoReport = False) -> None:  # fmt: skip
    """Compute a bundle's cells again from its packed suite and compare every bit.

    Cells of the suite that have no result in the bundle are left out. Writes a report of the new results. The exit code
    is 1 if a bit differs, a cell fails or none could be compared.
    """
    from cli.printing import print_text
    from evaluation.results.suite_results import read_suite
    from harness.running.rerun import labels_of, other_processors, rerun_rows
    from harness.suites.packing import unpacked_source
    from reports.output.bundle import open_bundle

    if draw is not None and sample is None:
        raise ValueError(f"--draw {draw} is the seed of --sample, which is not given: add --sample N")
    with open_bundle(packed) as (root, name):
        before, folder = read_suite(root, name), results or packed.with_name(f"{packed.stem}-rerun")
        request = _request(before.record, unpacked_source(root, before.record, folder), folder, data,
                           only=only, protocol=protocol, seeds=seeds)  # fmt: skip
        packed_cells = frozenset(map(labels_of, before.cells))
        request = replace(request, overrides=replace(request.overrides, cells=packed_cells))
        if sample is not None:
            request = replace(request, overrides=replace(request.overrides, cells=_drawn(request, sample, draw)))
        chosen = _run(request, name, jobs, report=not no_report)
        again = read_suite(folder, name)
        rows = rerun_rows(before, again, chosen)
    for row in rows:
        detail = f"{row['rows']:,} rows" if row["state"] == "same" else row["reason"]
        print_text(f"{row['state']}: {row['dataset']}/{row['model']}/{row['seed']}, {detail}")
    states = [row["state"] for row in rows]
    print_text(f"{states.count('same')} of {len(rows)} cells of {packed} have the same bits; "
               f"different: {states.count('different')}, not compared: {states.count('not compared')}")  # fmt: skip
    different = {tuple(row[part] for part in ("dataset", "protocol", "model", "seed"))
                 for row in rows if row["state"] == "different"}  # fmt: skip
    if processors := other_processors(before, again, different):
        warn(f"note: {processors}")
    if "different" in states or "same" not in states:
        raise typer.Exit(1)


def _request(record: Any, source: str, results: Path, data: Path | None, **selection: str) -> Any:
    """The request of the run that made a bundle, in another folder; threads are set before libraries load."""
    from cli.options import RequestOptions

    options = record["options"]
    selection["seeds"] = selection["seeds"] or options["seeds"]
    return RequestOptions(**selection, device=options["device"], threads=options["threads"], results=results, data=data,
                          precision=options.get("precision", "float32"), engine=options.get("engine", "torch"),
                          sets=list(options["sets"]), limit_users=options["limit_users"]).request(source)  # fmt: skip


def _drawn(request: Any, sample: int, draw: int | None) -> frozenset[Any]:
    """The labels of so many of the cells that a request selects."""
    from cli.printing import print_text

    cells, seed = sorted(_selected(request.load())), secrets.randbelow(1_000_000) if draw is None else draw
    number = min(sample, len(cells))
    print_text(f"{number} of {len(cells)} cells, drawn with --draw {seed}")
    return frozenset(random.Random(seed).sample(cells, number))


def _selected(loaded: Any) -> set[Any]:
    """The labels of the cells that a loaded suite's options select."""
    chosen = [cell for cell, wanted in zip(loaded.cells, loaded.chosen, strict=True) if wanted]
    return {(cell.dataset, cell.protocol, cell.model_name, cell.seed) for cell in chosen}


def _run(request: Any, name: str, jobs: int, *, report: bool) -> set[Any]:
    """Compute the request's cells; return the labels of those that it selects."""
    from cli.run import run_suite
    from harness.running.plan import PlanContext
    from harness.running.session import Limits
    from harness.store import Store
    from harness.system.signals import end_on_sigterm

    loaded = request.load()
    if loaded.suite.name != name:
        raise ValueError(f"the packed suite is called {loaded.suite.name!r}, its results {name!r}: the file was "
                         "changed after they were computed, so pack it again")  # fmt: skip
    if not any(loaded.chosen):
        raise ValueError(
            "the bundle has no result of a cell that --only, --protocol and --seeds select; give other values"
        )
    end_on_sigterm()
    from harness.backends.processes import ProcessBackend

    run_suite(request, Store.open(request.results), PlanContext(), jobs=jobs, fresh=False, mlflow=False, report=report,
              limits=Limits(), backend=ProcessBackend(jobs))  # fmt: skip
    return _selected(loaded)
