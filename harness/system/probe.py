"""A short probe of this machine's speed, by which reference timings of another machine are scaled."""

from __future__ import annotations

import functools
import json
import time
from pathlib import Path

import numpy as np

from harness.system.environment import cpu_model
from recsys_data.atomic_write import write_bytes_atomically

SECONDS = 0.5
_SIZE = 192


@functools.cache
def measure_speed(seconds: float = SECONDS) -> float:
    """Rounds per second of a mix of what fits do: matrix products, gathers from a table, and Python's own loop.

    The fastest of the rounds counts, in seconds of the processor, so that other programs matter little.
    """
    generator = np.random.default_rng(0)
    left, table = generator.random((_SIZE, _SIZE), dtype=np.float32), generator.random((50_000, 32), dtype=np.float32)
    rows = generator.integers(0, len(table), 4096)
    fastest, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < seconds or fastest == float("inf"):
        begun = time.process_time()
        for _ in range(4):
            np.tanh(left @ left.T)
        table[rows].sum(axis=0)
        sum(number * number for number in range(4000))
        fastest = min(fastest, time.process_time() - begun)
    return 1 / fastest


def machine_speed(folder: Path) -> float:
    """The speed of this machine, measured once and kept in ``folder`` for its processor."""
    path = folder / "machine_speed.json"
    try:
        kept = json.loads(path.read_bytes())
        if kept["processor"] == cpu_model() and kept["fastest_rounds_per_second"] > 0:
            return float(kept["fastest_rounds_per_second"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # none yet, or damaged: measured again
    record = {"processor": cpu_model(), "fastest_rounds_per_second": measure_speed()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes_atomically(path, json.dumps(record).encode())
    except OSError:
        pass  # a plan of a store that cannot be written measures again
    return record["fastest_rounds_per_second"]
