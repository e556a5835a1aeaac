"""Reference timings: what models and runs cost here, shipped so that a first run elsewhere can be estimated.

    OMP_NUM_THREADS=1 python -m speed.reference_timings [--users 200] [--results DIR] [--only-sessions]

Compiles all kernels anew, runs the zoo on that many users of MovieLens 100K into an empty folder (or into DIR, where
cells may be stored already), and measures the start of workers, the split, the report and MLflow. Then fits the
networks that read whole sessions for one epoch of YooChoose 1/64, since their cost is that of the history's length.
Writes harness/running/reference_timings.json, which has every constant of an estimate; --only-sessions leaves all else
in it as it is, and scales to the speed of its machine. The machine should do nothing else.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.backends.processes import ProcessBackend, end_idle_workers
from harness.cells.run_cell import CellJob
from harness.running.estimates import REFERENCE
from harness.running.plan import make_plan
from harness.store import Store
from harness.suites.request import RunRequest
from harness.system.probe import measure_speed
from speed.backends import SUITE
from speed.timing import machine, require_one_thread

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("dataset", "model", "model_fields", "device", "unit", "seconds", "epochs", "peak_memory_mb")
SESSIONS = ("STAMP", "STMP", "STMO (reconstruction)", "NARM", "GRU4Rec")  # rows of suite stamp, a type each
COUNTS = ("train_events", "test_queries", "items")
EMPTY_CELLS = 10  # of which the first starts a worker


def shipped(record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a cell's record that an estimate needs."""
    counts = {name: record["counts"][name] for name in COUNTS}
    return {name: record[name] for name in KEPT} | {"counts": counts, "key_parts": {}}


def benchmark(*words: str) -> float:
    """The wall seconds of one command."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "benchmark.py", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def kernel_seconds(cache: str) -> dict[str, float]:
    """The seconds in which the kernels of each file are compiled that numba's folder ``cache`` does not have."""
    run = [sys.executable, "-m", "speed.kernel_compiling"]
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    done = subprocess.run(run, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def worker_seconds(alone: bool) -> tuple[float, float]:
    """The seconds in which a worker starts, and those of a further cell that computes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "empty.py"
        suite.write_text(SUITE % EMPTY_CELLS)
        request = RunRequest(str(suite), Path(folder) / "results").portable()
        planned = make_plan(request.load(), Store.open(request.results)).to_do
        jobs = [CellJob(replace(request), cell.index, cell.key, cell.parts, alone=alone) for cell in planned]
        seconds = []
        for job in jobs:
            started = time.perf_counter()
            (outcome,) = ProcessBackend(1).run([job])
            seconds.append(time.perf_counter() - started)
            if outcome.state != "DONE":
                raise SystemExit(f"an empty cell ended as {outcome.state}: {outcome.reason}")
        end_idle_workers()
    further = statistics.median(seconds[1:])
    return seconds[0] - further, further


def split_seconds(request: RunRequest) -> float:
    """The seconds per event in which a worker reads prepared data and splits them."""
    loaded = request.load()
    cell = loaded.cells[0]
    loaded.prepare(cell)  # as the plan does
    prepared = loaded.prepared_before(cell)
    assert prepared is not None
    started = time.perf_counter()
    _ = prepared.split
    return (time.perf_counter() - started) / prepared.data["events"]


def line(costs: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """The seconds of nothing and of one cell, from two measurements: numbers of cells, and seconds."""
    (few, first), (many, second) = costs
    each = max(0.0, (second - first) / (many - few))
    return max(0.0, first - few * each), each


def results_seconds(command: str, suite: str, folders: Mapping[int, str]) -> tuple[float, float]:
    """The seconds of a command that reads results: for nothing, and for each cell; folders by their number of cells."""
    return line([(cells, benchmark(command, suite, "--results", folder)) for cells, folder in folders.items()])


def session_records() -> list[dict[str, Any]]:
    """Records of one epoch on YooChoose 1/64."""
    with tempfile.TemporaryDirectory() as results:
        only = [word for label in SESSIONS for word in ("--only", f"yoochoose-1-64/{label}")]
        benchmark("run", "stamp", *only, "--seeds", "0,", "--set", "epochs=1", "--results", results, "--no-mlflow",
                  "--no-report")  # fmt: skip
        stored = Store(Path(results)).records()
    if len(stored) != len(SESSIONS):
        raise SystemExit(f"{len(stored)} of {len(SESSIONS)} rows have a result; expected all: {', '.join(SESSIONS)}")
    return [shipped(record) for record in stored]


def write(head: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> None:
    """Write the file, a line for each record."""
    rows = sorted(records, key=lambda record: (record["unit"], record["model"]))
    lines = ",\n".join(map(json.dumps, rows))
    REFERENCE.write_text(f'{json.dumps(head, indent=1)[:-2]},\n "records": [\n{lines}\n]}}\n')


def renew_sessions() -> None:
    """Measure the part on sessions again and leave the rest of the file as it is."""
    kept = json.loads(REFERENCE.read_text())
    records = [record for record in kept.pop("records") if record["unit"] != "session"]
    before = [measure_speed.__wrapped__() for _ in range(5)]
    measured = session_records()
    speed = statistics.median(before + [measure_speed.__wrapped__() for _ in range(5)])
    for record in measured:
        record["seconds"] = rounded({name: speed / kept["speed"] * s for name, s in record["seconds"].items()})
    write(kept, records + measured)


def main() -> None:
    """Measure all or the part on sessions."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--results")
    parser.add_argument("--only-sessions", action="store_true")
    given = parser.parse_args()
    require_one_thread()
    if given.only_sessions:
        renew_sessions()
    else:
        renew(given.users, given.results)


def renew(users: int, given_results: str | None) -> None:
    """Measure, probe the machine before and after it, and write the file."""
    probe, began = measure_speed.__wrapped__, time.perf_counter()
    folders = [tempfile.TemporaryDirectory() for _ in range(3)]
    with folders[0] as empty, folders[1] as small, folders[2] as kernel_cache:
        results, speeds = given_results or empty, [probe() for _ in range(5)]
        os.environ["NUMBA_CACHE_DIR"] = kernel_cache  # so that no fit of the zoo compiles
        kernels = kernel_seconds(kernel_cache)
        limit = ["--limit-users", str(users)]
        name = f"zoo@limit-users={users}"
        benchmark("run", "zoo", *limit, "--results", results, "--no-mlflow", "--no-report")
        benchmark("run", "zoo", *limit, "--only", "*/Popularity", "--results", small, "--no-mlflow", "--no-report")
        worker, cell = worker_seconds(alone=False)
        forking, forked = worker_seconds(alone=True)
        stored = [record for record in Store(Path(results)).records() if record["threads"] == 1]
        by_cells = {1: small, len(stored): results}
        report, report_cell = results_seconds("report", name, by_cells)
        tracking, tracking_cell = results_seconds("track", name, by_cells)
        event = split_seconds(RunRequest.from_cli("zoo", Path(results), None))
        records = [*map(shipped, stored), *session_records()]
        speeds += [probe() for _ in range(5)]
    run = {
        "worker": worker, "forking_worker": forking, "cell": cell, "fork": max(0.0, forked - cell), "event": event,
        "report": report, "report_cell": report_cell, "tracking": tracking, "tracking_cell": tracking_cell,
    }  # fmt: skip
    head = {"machine": machine(), "speed": statistics.median(speeds), "run": rounded(run), "kernels": rounded(kernels)}
    write(head, records)
    print(f"{REFERENCE.relative_to(ROOT)}: {len(records)} models in {time.perf_counter() - began:.0f} s")


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """Four significant digits of each."""
    return {name: float(f"{value:.4g}") for name, value in sorted(seconds.items())}


if __name__ == "__main__":
    main()
