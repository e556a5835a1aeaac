"""Compiling of kernels: seconds that numba takes for each source file with kernels, where none was compiled before.

    NUMBA_CACHE_DIR=$(mktemp -d) OMP_NUM_THREADS=1 python -m speed.kernel_compiling

Fits and ranks every model of the zoo on a generated data set, networks in one epoch, and draws resamples as a report
does. Prints a JSON object: the file's name and the seconds of its outermost compilations.
"""

import json
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numba.core import event

from evaluation.ranking.rank import rank_held_out
from evaluation.statistics.resampling import flipped_sums, resampled_sums
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from suites.zoo import SUITE
from training.run import Run

ROOT = Path(__file__).resolve().parent.parent
DATA = MarkovChainSequences(num_users=30, num_items=25, length=20)
PROTOCOL = PerUserFractions(train=0.8, validation=0.1, test=0.1)


class Compilations(event.Listener):
    """Seconds of compilations by source file; one that another causes belongs to the other."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.running: list[tuple[str, float]] = []

    def on_start(self, happened: Any) -> None:
        """A compilation starts."""
        self.running.append((happened.data["dispatcher"].py_func.__code__.co_filename, time.perf_counter()))

    def on_end(self, happened: Any) -> None:
        """A compilation ends."""
        file, started = self.running.pop()
        if not self.running and Path(file).is_relative_to(ROOT):
            self.seconds[Path(file).relative_to(ROOT).as_posix()] += time.perf_counter() - started


def main() -> None:
    """Compile, and print the seconds."""
    heard, split = Compilations(), PROTOCOL.prepare(DATA.load()).freeze()
    with event.install_listener("numba:compile", heard):
        for experiment in SUITE.experiments:
            for model in experiment.models.values():
                shorter = replace(model, epochs=1) if hasattr(model, "epochs") else model
                fitted = shorter.fit(split.train, Run(seed=0))
                rank_held_out(fitted, split.test, split.train.item_counts)
        columns, generator = np.ones((8, 1)), np.random.default_rng(0)
        list(flipped_sums(columns, 8, generator))
        resampled_sums(columns, 8, generator)
    print(json.dumps(heard.seconds))


if __name__ == "__main__":
    main()
