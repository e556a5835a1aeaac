"""The commands that compute, or say what computing would cost: run and plan."""

import os

import typer

from commands.guard import warn
from commands.options import (
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
    Results,
    Seeds,
    Set,
    SuiteName,
    Threads,
)
from commands.results import write_report
from commands.words import make_order


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
