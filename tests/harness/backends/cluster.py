"""Cluster: a Dask scheduler and workers as processes of this machine, and a suite whose cells note their starts."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

SUITE = '''"""A network whose fits are noted at their starts and ends."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_models.rnn import GRU

NOTES = Path({notes!r})


@dataclass
class Noted(GRU):
    def fit(self, train, run):
        with NOTES.open("a") as file:
            print("start", run.seed, file=file, flush=True)
            fitted = super().fit(train, run)
            while NOTES.with_name("hold").exists():
                time.sleep(0.05)
            time.sleep(1.5)
            print("end", run.seed, file=file, flush=True)
        return fitted


CHAIN = MarkovChainSequences(num_users=30, num_items=25, length=20)
PROTOCOL = PerUserFractions(train=0.8, validation=0.1, test=0.1)
NOTED = Noted(dim=8, embedding_dim=6, epochs=3, patience=3, batch_size=8)
SUITE = Suite(
    name="noted", title="Noted", experiments=[Experiment(CHAIN, PROTOCOL, {{"Noted": NOTED}})],
    seeds=range({seeds}), metrics=[MRR(20)], baselines=["Noted"], claims=[],
)
'''


class Cluster:
    """A scheduler and workers, each a process; all end with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.workers = folder, []
        self.file = folder / "scheduler.json"

    def __enter__(self):
        self.start_scheduler()
        return self

    def __exit__(self, *_):
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()

    @property
    def address(self):
        return json.loads(self.file.read_text())["address"]

    def start_scheduler(self):
        self.file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self.file), "--no-show")
        wait_for(lambda: self.file.exists() and self.file.read_text().rstrip().endswith("}"))

    def add_worker(self, **environment):
        self.workers.append(self._start(
            "worker", self.address, "--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder),
            "--death-timeout", "5", **environment,
        ))  # fmt: skip
        return self.workers[-1]

    def _start(self, what, *args, **environment):
        """A process in a folder that is not the checkout's."""
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *args, "--dashboard-address", ":0"]
        log = (self.folder / f"{what}{len(self.workers)}.log").open("ab")
        return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env={**os.environ, **environment})


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def wait_for(happened, seconds=120):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def ranks(store):
    """The bytes of every cell's ranks, by key."""
    return {path.parent.name: path.read_bytes() for path in (store.root / "cells").glob("*/ranks.parquet")}
