"""Trials of SIGKILL and SIGTERM at random moments of a run, which is then resumed."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from evaluation.results.suite_results import SuiteResults, read_suite
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store
from harness.suites.request import RunRequest
from tests.faults.misbehaviour import cell_of, difference
from tests.faults.trial import Trial

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = 20  # of each target
GROUP, PARENT, WORKER, TERMINATED = TARGETS = (
    "SIGKILL of a run's process group", "SIGKILL of its parent alone", "SIGKILL of one worker",
    "SIGTERM to every process of a run")  # fmt: skip
JOBS = (1, 2)
CASES = tuple(itertools.product(TARGETS, JOBS))
SECONDS_TO_END = 5.0
MARK = "ENCORE_FAULT_TRIAL"  # in the environment of every process of one try
SUITE = """
import subprocess, time
from dataclasses import dataclass
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU


@dataclass
class WithChild(Popularity):
    def fit(self, train, run):
        subprocess.Popen(["sleep", "600"])
        time.sleep(0.5)
        return super().fit(train, run)


MODELS = {"GRU 8": GRU(dim=8, epochs=6, batch_size=8), "WithChild": WithChild(), "Popularity": Popularity(),
          "GRU 9": GRU(dim=9, epochs=6, batch_size=8), "GRU 10": GRU(dim=10, epochs=6, batch_size=8)}
SUITE = Suite("killed", "Killed", [Experiment(MarkovChainSequences(num_users=60, num_items=30, length=20),
              PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)], seeds=[0], metrics=[MRR(5)])
"""


def trials(folder: Path, scale: float, seed: int, cases: Iterable[tuple[str, int]] = CASES) -> Iterator[Trial]:
    """MOMENTS times scale kills per target, shared between the numbers of jobs; cases: targets with such numbers."""
    random = np.random.default_rng(seed)
    path = folder / "killed.py"
    path.write_text(SUITE)
    began = time.monotonic()
    _start(path, folder / "undisturbed", jobs=1, mark=uuid.uuid4().hex).wait()
    longest = time.monotonic() - began
    undisturbed = read_suite(folder / "undisturbed", "killed")
    for target, number in cases:
        trial = Trial(f"{target} at a random moment, --jobs {number}, resumed: every rank equal to the undisturbed "
                      f"run, no process left after {SECONDS_TO_END:g} s")  # fmt: skip
        for moment in random.uniform(0, longest, size=max(1, round(MOMENTS * scale / len(JOBS)))):
            results = folder / f"{TARGETS.index(target)}-{number}-{trial.tried}"
            trial.count(_kill_and_resume(path, results, target, number, float(moment), undisturbed))
        yield trial


def _kill_and_resume(
    path: Path, results: Path, target: str, jobs: int, moment: float, undisturbed: SuiteResults
) -> str:
    """What is lost or left over after a kill; empty if nothing is."""
    mark = uuid.uuid4().hex
    run = _start(path, results, jobs=jobs, mark=mark)
    time.sleep(moment)
    with contextlib.suppress(ProcessLookupError, StopIteration):
        if target == GROUP:
            os.killpg(run.pid, signal.SIGKILL)
        elif target == PARENT:
            run.kill()
        elif target == WORKER:
            os.kill(next(pid for pid in marked(mark) if pid != run.pid), signal.SIGKILL)
        else:
            for pid in marked(mark):
                os.kill(pid, signal.SIGTERM)
    try:
        code = run.wait(timeout=300 if target == WORKER else 20)
    except subprocess.TimeoutExpired:
        run.kill()
        return f"after {moment:.2f} s: it did not end"
    if target == TERMINATED and code not in (0, 143, -signal.SIGTERM):
        return f"after {moment:.2f} s: exit code {code}"
    end = time.monotonic() + SECONDS_TO_END
    while (left := marked(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    if left:
        return f"after {moment:.2f} s: {len(left)} processes left"
    found = resume(path, results)
    return "; ".join(filter(None, (difference(cell, cell_of(found, cell.model)) for cell in undisturbed.cells)))


def _start(path: Path, results: Path, *, jobs: int, mark: str) -> subprocess.Popen:
    """Start a run in a process group of its own."""
    command = [sys.executable, "benchmark.py", "run", str(path), "--results", str(results), "--jobs", str(jobs),
               "--no-mlflow", "--no-report"]  # fmt: skip
    environment = os.environ | {MARK: mark}
    return subprocess.Popen(command, cwd=ROOT, env=environment, process_group=0, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)  # fmt: skip


def resume(path: Path, root: Path) -> SuiteResults:
    """Run again what is missing."""
    store = Store.open(root)
    run_session(make_plan(RunRequest(str(path), store.root).load(), store), store)
    return read_suite(root, "killed")


def marked(mark: str) -> list[int]:
    """The processes of a try that have not ended, by the mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
    return sorted(found)
