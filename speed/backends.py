"""Backends: seconds that a cell costs which computes nothing, with worker processes and with a local Dask cluster.

    OMP_NUM_THREADS=1 python -m speed.backends [--cells 1000] [--backend processes|dask] [--no-shared-store]

A suite of popularity on 30 users and as many seeds as cells; two workers, which are warm: an earlier run of four other
cells has started them. Printed is the wall time of the run from its first to its last cell, per cell.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from harness.backends.choose import BACKENDS, chosen_backend
from harness.cells.run_cell import CellJob
from harness.running.plan import make_plan
from harness.store import Store
from harness.suites.request import RunRequest
from speed.timing import machine, require_one_thread

WORKERS, WARM_UP = 2, 4
BOUND = 30.0  # milliseconds
SUITE = """from baselines.simple.random_scores import Random
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions

DATA = MarkovChainSequences(num_users=30, num_items=25, length=20)
PROTOCOL = PerUserFractions(train=0.8, validation=0.1, test=0.1)
SUITE = Suite(name="empty", title="Empty", experiments=[Experiment(DATA, PROTOCOL, {"Random": Random()})],
              seeds=range(%d), metrics=[MRR(20)], baselines=["Random"], claims=[])
"""


def milliseconds(backend_name: str, cells: int, shared: bool) -> float:
    """Wall milliseconds per cell of one backend."""
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "empty.py"
        suite.write_text(SUITE % (cells + WARM_UP))
        request = RunRequest(str(suite), Path(folder) / "results").portable()
        planned = make_plan(request.load(), Store.open(request.results)).to_do
        jobs = [CellJob(replace(request), cell.index, cell.key, cell.parts) for cell in planned]
        with chosen_backend(
            backend_name, jobs=WORKERS, scheduler=None, scheduler_file=None, shared=shared, device="cpu"
        ) as backend:
            list(backend.run(jobs[:WARM_UP]))
            started = time.perf_counter()
            states = {outcome.state for outcome in backend.run(jobs[WARM_UP:])}
            took = time.perf_counter() - started
        if states != {"DONE"}:
            raise SystemExit(f"cells ended as {', '.join(sorted(states))}, expected DONE")
    return 1000 * took / cells


def main() -> None:
    """Print the cost of an empty cell for each backend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--backend", choices=BACKENDS, action="append")
    parser.add_argument("--no-shared-store", action="store_true")
    args = parser.parse_args()
    require_one_thread()
    print(machine())
    for name in args.backend or BACKENDS:
        found = milliseconds(name, args.cells, shared=not args.no_shared_store)
        print(f"{name}: {found:.1f} ms per empty cell, {args.cells} cells, {WORKERS} workers, bound {BOUND:g} ms")


if __name__ == "__main__":
    main()
