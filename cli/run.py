"""The commands that compute, or say what computing would cost: run, plan and verify."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from cli.context import ALL, make_order, named_suites
from cli.errors import warn
from cli.options import (
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
    from cli.printing import print_lines, print_tour
    from harness.running.plan import Round
    from harness.running.run_all import Stop, tour
    from harness.running.runner import end_on_sigterm
    from harness.store import Store

    end_on_sigterm()
    store, shared = Store.open(results), Round()

    def visit(name: str) -> Stop:
        return _visit(order(name), store, shared, jobs=jobs, fresh=fresh, mlflow=not no_mlflow, report=not no_report)

    stops = tour(named_suites(suite), visit, warn) if suite == ALL else [visit(suite)]
    if suite == ALL:
        print_tour(stops)
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
    return lambda name: make_order(name, results, data, threads, sets=chosen.get(name, sets), **words)


def _visit(order: Any, store: Any, shared: Any, *, jobs: int, fresh: bool, mlflow: bool, report: bool) -> Any:
    """Run one suite and write its report; what came of it."""
    from cli.overview import told_once
    from cli.printing import terminal
    from cli.rows import plan_words
    from harness.running.plan import make_plan
    from harness.running.run_all import Stop
    from harness.running.session import run_session
    from harness.system.environment import device_name

    made = make_plan(order.open(), store, fresh=fresh, shared=shared)
    name = made.bench.suite.name
    print(f"{made.bench.suite.title}, on {device_name(order.device)}: {plan_words(made, jobs)}", flush=True)
    outcome = run_session(made, store, terminal(), jobs=jobs, fresh=fresh, mlflow=mlflow, warn=warn)
    reports = write_report(order.results, name) if report else []
    for line in told_once(outcome.skipped):
        warn(line)
    for planned, reason in outcome.failed:
        warn(f"FAILED {planned.cell.label}: {reason}\n  repeat it with: {planned.command}")
    return Stop(name, outcome=outcome, reports=tuple(reports))


def plan(suite: SuiteOrAll, only: Only = "", protocol: Protocol = "", seeds: Seeds = "", device: Device = "auto",
         jobs: Jobs = 1, threads: Threads = 1, results: Results = RESULTS, data: Data = None, sets: Set = NONE,
         limit_users: Limit = None, fresh: Fresh = False, as_json: AsJson = False) -> None:  # fmt: skip
    """Say of each cell (or suite) whether it is cached, new or stale, why, and what the rest will cost."""
    order = _orders(suite, results, data, threads, sets, only=only, protocol=protocol, seeds=seeds, device=device,
                    limit_users=limit_users)  # fmt: skip
    from cli.printing import print_json, print_overview, print_plan
    from cli.rows import shown_plan
    from harness.running.plan import Round, make_plan
    from harness.running.run_all import Stop, tour
    from harness.store import Store

    store, shared = Store.open(results), Round(fetch=False)

    def visit(name: str) -> Stop:
        return Stop(name, plan=make_plan(order(name).open(), store, fresh=fresh, shared=shared))

    stops = tour(named_suites(suite), visit, warn) if suite == ALL else [visit(suite)]
    plans = [stop.plan for stop in stops if stop.plan is not None]
    if as_json:
        print_json([row for made in plans for row in shown_plan(made)])
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
    order = make_order(suite, results, data, threads, only=only, protocol=protocol, seeds=seeds, device=device,
                       sets=sets, limit_users=limit_users)  # fmt: skip
    from harness.running.verify import certify

    def tell(row: dict[str, Any]) -> None:
        after = f"{row['rows']:,} rows" if row["state"] == "same" else row["reason"]
        print(f"{row['state']}: {row['dataset']}/{row['model']}/{row['seed']}, {after}", flush=True)

    path = certify(order, tell=tell)
    print(path)
    if any(row["state"] == "different" for row in json.loads(path.read_text(encoding="utf-8"))["cells"]):
        raise typer.Exit(1)
