"""The commands that compute, or say what computing would cost: run, plan and verify."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from cli.errors import warn
from cli.options import (
    ALL,
    NONE,
    RESULTS,
    AsJson,
    Data,
    Device,
    DryRun,
    Fresh,
    Jobs,
    Limit,
    NoMlflow,
    NoReport,
    Only,
    Protocol,
    Results,
    Seeds,
    Set,
    SuiteName,
    SuiteOrAll,
    Threads,
    make_request,
    named_suites,
)
from cli.results import write_report


def run(suite: SuiteOrAll, only: Only = "", protocol: Protocol = "", seeds: Seeds = "", device: Device = "auto",
        jobs: Jobs = 1, threads: Threads = 1, results: Results = RESULTS, data: Data = None, sets: Set = NONE,
        limit_users: Limit = None, dry_run: DryRun = False, no_mlflow: NoMlflow = False, no_report: NoReport = False,
        fresh: Fresh = False) -> None:  # fmt: skip
    """Run what is missing of a suite (or of all), then write its report. Exit 0: all good, 1: some cell failed."""
    if dry_run:
        plan(suite, only, protocol, seeds, device, jobs, threads, results, data, sets, limit_users, fresh)
        return
    order = _orders(suite, results, data, threads, sets, only=only, protocol=protocol, seeds=seeds, device=device,
                    limit_users=limit_users)  # fmt: skip
    from cli.plan_output import print_outcomes
    from cli.printing import print_lines
    from harness.running.plan import PlanContext
    from harness.running.run_all import SuiteOutcome, run_all
    from harness.store import Store
    from harness.system.signals import end_on_sigterm

    end_on_sigterm()
    store, shared = Store.open(results), PlanContext()

    def visit(name: str) -> SuiteOutcome:
        return _visit(order(name), store, shared, jobs=jobs, fresh=fresh, mlflow=not no_mlflow, report=not no_report)

    stops = run_all(named_suites(suite), visit, warn) if suite == ALL else [visit(suite)]
    if suite == ALL:
        print_outcomes(stops)
        print_lines(str(path) for stop in stops for path in stop.reports)
    required = os.environ.get("ENCORE_REQUIRE_DATA") == "1"
    if any(stop.failed or (required and stop.skipped) for stop in stops):
        raise typer.Exit(1)


def _orders(suite: str, results: Path, data: Path | None, threads: int, sets: list[str],
            **words: Any) -> Callable[[str], Any]:  # fmt: skip
    """What makes an order of a suite's name with the words of this command line; of all, each takes what it can."""
    from harness.system.determinism import set_environment

    set_environment(threads)  # before anything heavy is loaded
    chosen: dict[str, tuple[str, ...]] = {}
    if suite == ALL:
        from harness.running.run_all import sets_for

        chosen = sets_for(named_suites(suite), sets, warn)
    return lambda name: make_request(name, results, data, threads, sets=chosen.get(name, sets), **words)


def _visit(order: Any, store: Any, shared: Any, *, jobs: int, fresh: bool, mlflow: bool, report: bool) -> Any:
    """Run one suite and write its report; what came of it."""
    from cli.plan_output import grouped_messages, plan_summary
    from cli.printing import terminal
    from cli.progress_display import RunDisplay
    from harness.running.listener import RunListener
    from harness.running.plan import make_plan
    from harness.running.run_all import SuiteOutcome
    from harness.running.session import run_session
    from harness.system.environment import device_name

    made = make_plan(order.load(), store, fresh=fresh, shared=shared)
    name = made.loaded.suite.name
    print(f"{made.loaded.suite.title}, on {device_name(order.device)}: {plan_summary(made, jobs)}", flush=True)
    listeners: list[RunListener] = [RunDisplay(terminal(), store, len(made.to_do), made.loaded.metrics[0].name)]
    if mlflow:
        from harness.tracking.run_tracking import MlflowListener

        listeners.append(MlflowListener(made, store, warn))
    outcome = run_session(made, store, listeners, jobs=jobs, fresh=fresh)
    reports = write_report(order.results, name) if report else []
    for line in grouped_messages(outcome.skipped):
        warn(line)
    for planned, reason in outcome.failed:
        warn(f"FAILED {planned.cell.label}: {reason}\n  repeat it with: {planned.command}")
    return SuiteOutcome(name, outcome=outcome, reports=tuple(reports))


def plan(suite: SuiteOrAll, only: Only = "", protocol: Protocol = "", seeds: Seeds = "", device: Device = "auto",
         jobs: Jobs = 1, threads: Threads = 1, results: Results = RESULTS, data: Data = None, sets: Set = NONE,
         limit_users: Limit = None, fresh: Fresh = False, as_json: AsJson = False) -> None:  # fmt: skip
    """Say of each cell (or suite) whether it is cached, new or stale, why, and what the rest will cost."""
    order = _orders(suite, results, data, threads, sets, only=only, protocol=protocol, seeds=seeds, device=device,
                    limit_users=limit_users)  # fmt: skip
    from cli.plan_output import plan_rows, print_overview, print_plan
    from cli.printing import print_json
    from harness.running.plan import PlanContext, make_plan
    from harness.running.run_all import SuiteOutcome, run_all
    from harness.store import Store

    store, shared = Store.open(results), PlanContext(fetch=False)

    def visit(name: str) -> SuiteOutcome:
        return SuiteOutcome(name, plan=make_plan(order(name).load(), store, fresh=fresh, shared=shared))

    stops = run_all(named_suites(suite), visit, warn) if suite == ALL else [visit(suite)]
    plans = [stop.plan for stop in stops if stop.plan is not None]
    if as_json:
        print_json([row for made in plans for row in plan_rows(made)])
    elif suite == ALL:
        print_overview(plans, jobs)
    else:
        print_plan(plans[0], jobs)
    if any(stop.failed for stop in stops):
        raise typer.Exit(1)


def verify(suite: SuiteName, only: Only = "", protocol: Protocol = "", seeds: Seeds = "", device: Device = "auto",
           threads: Threads = 1, results: Results = RESULTS, data: Data = None, sets: Set = NONE,
           limit_users: Limit = None) -> None:  # fmt: skip
    """Compute a suite's stored cells again, compare them bit for bit, write a certificate. Exit 1: some bit differs."""
    order = make_request(suite, results, data, threads, only=only, protocol=protocol, seeds=seeds, device=device,
                       sets=sets, limit_users=limit_users)  # fmt: skip
    from harness.running.verify import certify

    def tell(row: dict[str, Any]) -> None:
        after = f"{row['rows']:,} rows" if row["state"] == "same" else row["reason"]
        print(f"{row['state']}: {row['dataset']}/{row['model']}/{row['seed']}, {after}", flush=True)

    path = certify(order, tell=tell)
    print(path)
    if any(row["state"] == "different" for row in json.loads(path.read_text(encoding="utf-8"))["cells"]):
        raise typer.Exit(1)
