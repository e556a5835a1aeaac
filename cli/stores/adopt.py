"""The command adopt."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import warn
from cli.options import Jobs, RequestOptions, SuiteName, with_request_options

Source = Annotated[
    Path, typer.Option("--from", metavar="FOLDER", help="Results folder with the earlier cells; may be --results.")
]
Sample = Annotated[
    int, typer.Option(min=1, metavar="N", help="Cells to recompute per model class, version of its code and machine.")
]


@with_request_options
def adopt(suite: SuiteName, options: RequestOptions, source: Source, sample: Sample = 2, jobs: Jobs = 1) -> None:
    """Keep results that are stale only because code changed, after recomputing a random sample of them.

    If every bit of the sample is the same, the other results enter, marked as adopted. The exit code is 1 otherwise.
    """
    request = options.request(suite)
    from cli.plan_output import cost_summary
    from cli.printing import print_text, terminal
    from cli.progress_display import RunDisplay
    from harness.running.plan import make_plan
    from harness.running.session import run_session
    from harness.running.suite_record import refuse_namesake
    from harness.store import Store
    from harness.stores.adopt import Adoption
    from harness.system.signals import end_on_sigterm

    if not (source / "cells").is_dir():
        raise ValueError(f"{source} is no results folder: expected one with a folder cells (merge a bundle first)")
    end_on_sigterm()
    store, loaded = Store.open(request.results), request.load()
    refuse_namesake(loaded, store)
    adoption = Adoption.of(make_plan(loaded, store), store, Store.view(source), sample)
    if not adoption.missing:
        print_text(_nothing_to_adopt(adoption, source))
        if adoption.strata:  # an interrupted command may have left the suite's record as it was
            _write_record(loaded, store)
        return
    plan = adoption.sample_plan()
    print_text(f"stale only because code changed: {len(adoption.missing)} cells; of the sample, "
               f"{cost_summary(plan.cost(jobs), jobs)}")  # fmt: skip
    run_session(plan, store, [RunDisplay(terminal(), store, len(plan.to_do), loaded.suite.metrics[0].name)], jobs=jobs)
    different = 0
    for match, found in adoption.differences():
        print_text(f"{'different' if found else 'same'}: {match.planned.cell.label}{found and f', {found}'}")
        different += bool(found)
    if different:
        warn(f"nothing is adopted, since recomputed cells differ from those of {source} ({different}): the change of "
             f"code changes results; compute the others anew: {loaded.command()}")  # fmt: skip
        raise typer.Exit(1)
    print_text(f"cells adopted: {adoption.enter()}")
    _write_record(loaded, store)


def _write_record(loaded: Any, store: Any) -> None:
    """Enter what is stored now into the suite's record, and judge its claims."""
    from harness.running.plan import make_plan
    from harness.running.suite_record import SuiteRecord

    record = SuiteRecord(make_plan(loaded, store), store)
    record.start()
    record.end(completed=True)


def _nothing_to_adopt(adoption: Any, source: Path) -> str:
    """Why no cell can be adopted, in one sentence."""
    left = adoption.plan.to_do
    if not left:
        return "nothing to adopt: every cell is stored"
    return (f"nothing to adopt: {source} has none of the {len(left)} missing cells with other code and the same data, "
            f"split, protocol, fields, seed, device and libraries; the first, {left[0].cell.label}, is {left[0].state} "
            f"({left[0].why})")  # fmt: skip
