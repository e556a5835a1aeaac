"""The commands run, plan and verify."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import typer

from cli.errors import warn
from cli.options import (
    ALL,
    AsCommands,
    AsJson,
    BackendName,
    CellMemory,
    CellTimeout,
    DryRun,
    Fresh,
    Group,
    Jobs,
    NoMlflow,
    NoReport,
    NoSharedStore,
    RequestOptions,
    Scheduler,
    SchedulerFile,
    SuiteName,
    SuiteOrAll,
    named_suites,
    with_request_options,
)
from cli.results import write_report
from recsys_data.printable import printable


@with_request_options
def run(suite: SuiteOrAll, options: RequestOptions, jobs: Jobs = 1, dry_run: DryRun = False,
        no_mlflow: NoMlflow = False, no_report: NoReport = False, fresh: Fresh = False,
        cell_timeout: CellTimeout = None, cell_memory: CellMemory = None, backend: BackendName = "processes",
        scheduler: Scheduler = None, scheduler_file: SchedulerFile = None,
        no_shared_store: NoSharedStore = False) -> None:  # fmt: skip
    """Compute the missing cells of a suite, then write its report.

    The exit code is 1 if a cell fails.
    """
    if dry_run:
        _show_plans(suite, options, jobs, fresh)
        return
    by_suite = _options_by_suite(suite, options)
    from cli.plan_output import print_outcomes
    from cli.printing import print_lines
    from harness.backends.choose import chosen_backend
    from harness.running.plan import PlanContext
    from harness.running.run_all import SuiteOutcome, run_all
    from harness.running.session import Limits
    from harness.store import Store
    from harness.system.signals import check_terminated, end_on_sigterm

    limits = Limits.read(cell_timeout, cell_memory)
    end_on_sigterm()
    store, context = Store.open(options.results), PlanContext()

    def run_one(name: str) -> SuiteOutcome:
        check_terminated()
        request = by_suite[name].request(name)
        return run_suite(request, store, context, jobs=jobs, fresh=fresh, mlflow=not no_mlflow, report=not no_report,
                         limits=limits, backend=computing)  # fmt: skip

    with chosen_backend(backend, jobs=jobs, scheduler=scheduler, scheduler_file=scheduler_file,
                        shared=not no_shared_store, device=options.device) as computing:  # fmt: skip
        outcomes = run_all(list(by_suite), run_one, warn) if suite == ALL else [run_one(*by_suite)]
    if suite == ALL:
        print_outcomes(outcomes)
        print_lines(str(path) for outcome in outcomes for path in outcome.reports)
    required = os.environ.get("ENCORE_REQUIRE_DATA") == "1"
    if any(outcome.failed or (required and outcome.skipped) for outcome in outcomes):
        raise typer.Exit(1)


def _options_by_suite(suite: str, options: RequestOptions) -> dict[str, RequestOptions]:
    """The suites to run, each with the options that apply to it."""
    source, options = options.stored_or_given(suite)
    options.prepare_process()
    if suite != ALL:
        return {source: options}
    from harness.running.run_all import sets_by_suite

    names = named_suites(suite)
    chosen = sets_by_suite(names, options.sets, warn)
    return {name: replace(options, sets=list(chosen.get(name, options.sets))) for name in names}


def run_suite(request: Any, store: Any, context: Any, *, jobs: int, fresh: bool, mlflow: bool, report: bool,
              limits: Any, backend: Any) -> Any:  # fmt: skip
    """Plan and run one suite, write its report, print its failures; return its SuiteOutcome."""
    from cli.plan_output import grouped_messages, not_computed_message, plan_summary, selected_cells
    from cli.printing import print_text, terminal
    from cli.progress_display import RunDisplay
    from evaluation.results.suite_results import read_suite
    from harness.running.listener import RunListener
    from harness.running.plan import make_plan
    from harness.running.run_all import SuiteOutcome
    from harness.running.session import run_session
    from harness.system.environment import device_name
    from harness.system.signals import check_terminated

    plan = make_plan(request.load(), store, fresh=fresh, context=context)
    suite = plan.loaded.suite
    print_text(f"{suite.title}, on {device_name(request.device)}: {plan_summary(plan, jobs)}")
    tracking = None
    listeners: list[RunListener] = [RunDisplay(terminal(), store, len(plan.to_do), suite.metrics[0].name)]
    if mlflow:
        from harness.tracking.run_tracking import MlflowListener

        listeners.append(tracking := MlflowListener(plan, store, warn))
    outcome = run_session(plan, store, listeners, fresh=fresh, limits=limits, backend=backend)
    check_terminated()
    track = None if tracking is None else tracking.add_report
    reports = write_report(request.results, suite.name, asked=selected_cells(plan), track=track) if report else []
    for line in [*grouped_messages(outcome.skipped), *not_computed_message(read_suite(store.root, suite.name), plan)]:
        warn(line)
    for planned, reason in outcome.failed:
        failure = printable(f"{planned.cell.label}: {reason}")  # on one line, whatever the label and the error hold
        warn(f"{outcome.states[planned.key]} {failure}\n  traceback: {store.traceback(planned.key)}\n"
             f"  repeat it with: {planned.command}")  # fmt: skip
    return SuiteOutcome(suite.name, outcome=outcome, reports=tuple(reports))


@with_request_options
def plan(suite: SuiteOrAll, options: RequestOptions, jobs: Jobs = 1, fresh: Fresh = False, as_json: AsJson = False,
         commands: AsCommands = False, group: Group = 1) -> None:  # fmt: skip
    """Show the state of each cell and the cost of computing the rest."""
    if as_json and commands:
        raise ValueError("--json and --commands are two forms of output: give one of them")
    if group > 1 and not commands:
        raise ValueError("--group is the number of cells per line of --commands: give --commands, too")
    _show_plans(suite, options, jobs, fresh, as_json=as_json, group=group if commands else 0)


def _show_plans(
    suite: str, options: RequestOptions, jobs: int, fresh: bool, *, as_json: bool = False, group: int = 0
) -> None:
    """Print the plan of a suite, or an overview of the plans of all; nothing is fetched or computed.

    group: cells per command where commands are printed instead; 0 prints tables.
    """
    by_suite = _options_by_suite(suite, options)
    from cli.plan_output import plan_rows, print_overview, print_plan
    from cli.printing import print_json
    from harness.running.plan import PlanContext, make_plan
    from harness.running.run_all import SuiteOutcome, run_all
    from harness.store import Store

    store, context = Store.view(options.results), PlanContext(fetch=False)

    def plan_one(name: str) -> SuiteOutcome:
        loaded = by_suite[name].request(name).load()
        return SuiteOutcome(name, plan=make_plan(loaded, store, fresh=fresh, context=context))

    outcomes = run_all(list(by_suite), plan_one, warn) if suite == ALL else [plan_one(*by_suite)]
    plans = [outcome.plan for outcome in outcomes if outcome.plan is not None]
    if group:
        _print_commands(plans, group, fresh)
    elif as_json:
        print_json([row for plan in plans for row in plan_rows(plan)])
    elif suite == ALL:
        print_overview(plans, jobs)
    else:
        print_plan(plans[0], jobs)
    for conflict in filter(None, (plan.conflict for plan in plans)):
        warn(conflict)
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


def _print_commands(plans: Sequence[Any], group: int, fresh: bool) -> None:
    """Print a line per group of missing cells; warn of those whose data are missing."""
    from cli.plan_output import missing_data_messages
    from harness.running.commands import command_lines

    for line in command_lines(plans, group, fresh=fresh):
        print(line)
    for message in missing_data_messages(plans):
        warn(f"no command for {message}")


@with_request_options
def verify(suite: SuiteName, options: RequestOptions) -> None:
    """Recompute a suite's stored cells and compare them bit for bit.

    Writes a certificate. The exit code is 1 if a bit differs.
    """
    request = options.request(suite)
    from cli.printing import print_text
    from harness.running.verify import certify

    def print_row(row: dict[str, Any]) -> None:
        detail = f"{row['rows']:,} rows" if row["state"] == "same" else row["reason"]
        print_text(f"{row['state']}: {row['dataset']}/{row['model']}/{row['seed']}, {detail}")

    path = certify(request, on_cell=print_row)
    print_text(path)
    if any(row["state"] == "different" for row in json.loads(path.read_text(encoding="utf-8"))["cells"]):
        raise typer.Exit(1)
