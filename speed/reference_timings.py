"""Reference timings: what each model of the zoo costs here, shipped so that a first run elsewhere can be estimated.

    OMP_NUM_THREADS=1 python -m speed.reference_timings [--users 300] [--results DIR]

Runs the zoo on that many users of MovieLens 100K into an empty folder (or into DIR, where cells may be stored already),
and writes harness/running/reference_timings.json. The machine should do nothing else.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.running.estimates import REFERENCE
from harness.store import Store
from harness.system.probe import measure_speed
from speed.timing import machine, require_one_thread

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("dataset", "model", "model_fields", "device", "seconds", "epochs", "peak_memory_mb")
COUNTS = ("train_events", "test_queries", "items")


def shipped(record: dict) -> dict:
    """The fields of a cell's record that an estimate needs."""
    counts = {name: record["counts"][name] for name in COUNTS}
    return {name: record[name] for name in KEPT} | {"counts": counts, "key_parts": {}}


def main() -> None:
    """Run the zoo, probe the machine before and after it, and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--results")
    given = parser.parse_args()
    require_one_thread()
    probe = measure_speed.__wrapped__
    with tempfile.TemporaryDirectory() as empty:
        results, speeds = given.results or empty, [probe() for _ in range(5)]
        command = ["benchmark.py", "run", "zoo", "--limit-users", str(given.users), "--results", results]
        subprocess.run([sys.executable, *command, "--no-mlflow", "--no-report"], cwd=ROOT, check=True)
        speeds += [probe() for _ in range(5)]
        records = [shipped(record) for record in Store(Path(results)).records() if record["threads"] == 1]
    rows = ",\n".join(json.dumps(record) for record in sorted(records, key=lambda record: record["model"]))
    head = f'"machine": {json.dumps(machine())}, "speed": {statistics.median(speeds)}'
    REFERENCE.write_text(f'{{{head}, "records": [\n{rows}\n]}}\n')
    print(f"{REFERENCE.relative_to(ROOT)}: {len(records)} models")


if __name__ == "__main__":
    main()
