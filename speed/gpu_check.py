"""The check of a machine with a GPU, in at most eight minutes: tests, bits, ranks and speed.

    python3 -m speed.gpu_check [--data FOLDER] [--out FOLDER] [--cells-per-gpu 1,2,4,8] [--device cuda:0]

Without a GPU it says so and runs every stage at tiny size on the CPU, which checks the script. Writes gpu-check.json
and gpu-check.md. It needs torch, numpy, scipy, pandas, pyarrow, numba, joblib, typer, rich and pytest, nothing more.
--data: a folder with MovieLens 100K (ml-100k/u.data) and YooChoose 1/64 (yoochoose/1_64/*-sessions.txt), plain or as
.xz, together 2 MB; what is absent is replaced by generated data.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from harness.system.determinism import DeviceUnavailable, prepare_determinism, resolve_device, set_environment

MINUTES = 8.0
NEEDED = ("torch", "numpy", "scipy", "pandas", "pyarrow", "numba", "joblib", "typer", "rich", "pytest")
SHORTEST = 20.0  # seconds that must be left for a stage to begin


def main(arguments: list[str] | None = None) -> int:
    """Run the stages, write both files, return the exit code: 1 if a stage failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder of data sets, at most 20 MB are read")
    parser.add_argument("--out", type=Path, default=Path("results/gpu-check"), metavar="FOLDER")
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda[:N]", help="cpu: tiny sizes")
    parser.add_argument("--cells-per-gpu", type=_counts, default=(1, 2, 4, 8), metavar="N,N", help="cells at once")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="longest time of the whole check")
    options = parser.parse_args(arguments)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        parser.error(f"{sys.executable} lacks {', '.join(missing)}: install it there, or use another Python")
    set_environment()  # before torch is imported
    try:
        device = resolve_device(options.device)
    except DeviceUnavailable as error:
        parser.error(str(error))
    if options.data is not None and not options.data.is_dir():
        parser.error(f"--data {options.data} is no folder: give one that holds ml-100k/ and yoochoose/1_64/")
    prepare_determinism(1, device)
    from speed.gpu import kernels, suites
    from speed.gpu.report import markdown, report_of
    from speed.gpu.stage import Surroundings

    tiny = device == "cpu"
    if tiny:
        print("No GPU: every stage runs at tiny size on the CPU. This checks the script; the numbers measure nothing.")
    stages: dict[str, Callable] = {
        "Tests marked gpu": suites.tests,
        "Quickstart twice": suites.quickstart,
        "Ranks, CPU and GPU": kernels.ranks,
        "Cells beside torch.nn.LSTM": kernels.cells,
        "Softmax by precision": kernels.softmax,
        "Several cells at once": suites.several_cells,
    }
    outcomes = {}
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as folder:
        around = Surroundings(device, tiny, Path(folder), options.data, options.cells_per_gpu,
                              time.monotonic() + 60 * options.minutes)  # fmt: skip
        for name, stage in stages.items():
            outcomes[name] = outcome = _run(stage, around)
            print(f"{name}: {outcome.state} ({outcome.seconds:.0f} s). {outcome.sentence}", flush=True)
            options.out.mkdir(parents=True, exist_ok=True)  # written after each stage: a lost machine loses one stage
            report = report_of(around, outcomes)
            (options.out / "gpu-check.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
            (options.out / "gpu-check.md").write_text(markdown(report), encoding="utf-8")
    print(f"{options.out / 'gpu-check.json'}\n{options.out / 'gpu-check.md'}")
    return int(any(outcome.state == "failed" for outcome in outcomes.values()))


def _run(stage: Callable, around):
    """The outcome of a stage; an error is its failure and does not end the check."""
    from speed.gpu.stage import Outcome

    if around.seconds_left < SHORTEST:
        return Outcome("skipped", "No time was left.")
    started = time.monotonic()
    try:
        outcome = stage(around)
    except subprocess.TimeoutExpired:
        outcome = Outcome("failed", "The time of the whole check ended before it did.")
    except Exception as error:
        outcome = Outcome("failed", f"{type(error).__name__}: {' '.join(str(error).split())}")
    return replace(outcome, seconds=time.monotonic() - started)


def _counts(text: str) -> tuple[int, ...]:
    """The numbers of cells in "1,2,4"."""
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} must be numbers of cells, 1 or more, such as 1,2,4,8")
    return tuple(int(part) for part in parts)


if __name__ == "__main__":
    os.environ.setdefault("ENCORE_OFFLINE", "1")  # nothing is downloaded
    sys.exit(main())
