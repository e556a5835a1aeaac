"""MLflow under faults: processes killed at any moment, hostile names, two processes at once; no run lost or doubled."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from evaluation.results.suite_results import CellFailure, CellResult
from evaluation.stored_files import SCHEMAS
from harness.store import Store
from harness.system.environment import ROOT
from harness.tracking.database import database, database_problem, ensure_database
from harness.tracking.mlflow_client import SuiteExperiment, connect
from harness.tracking.mlflow_view import Tracker
from tests.faults.trial import Trial
from tests.harness.tracking.made_up_cells import CURVE, RECORD
from tests.stored_records import write_sealed

STARTS, ENTRIES, NAMES, PAIRS, DATABASES = 12, 20, 60, 6, 40
CELLS = 8
PIECES = ("it's", '"', "`", "%", "_", ";", "--", "\\", "?", "#", "%20", " ", "用户", "🙂", "tags.suite", "= 'x'", "a",
          "\x1b", "\n")  # fmt: skip
SUITE = "little"
SCRIPT = """
import sys
from pathlib import Path
from harness.store import Store
from harness.tracking.mlflow_view import Tracker
from tests.faults.tracking import stored_cells
store = Store(Path(sys.argv[1]))
print("begin", flush=True)
tracker = Tracker(store, "little", lambda text: print(text, flush=True)).open()
print("opened", flush=True)
tracker.begin([("chain", "p", "GRU")])
print(tracker.enter(stored_cells(store)), flush=True)
tracker.close()
"""


def trials(folder: Path, scale: float, seed: int) -> Iterator[Trial]:
    """Kills of first starts and of entries, damaged databases, names, and two processes at once."""
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    draws = random.Random(seed)
    template = folder / "template"
    make_cells(template)
    connect(template, print)

    def number(tries: int) -> range:
        return range(max(1, round(tries * scale)))

    yield _killed_starts(folder, draws, number(STARTS))
    yield _killed_entries(folder, template, draws, number(ENTRIES))
    yield _damaged_databases(folder, template, draws, number(DATABASES))
    yield _names(template, draws, number(NAMES))
    yield _two_at_once(folder, template, number(PAIRS))


def make_cells(root: Path) -> Store:
    """A store of finished cells, and one that failed."""
    store = Store.open(root)

    def write(folder: Path) -> None:
        key = folder.name.removeprefix(".new-")
        (folder / "ranks.parquet").write_bytes(b"ranks")
        (folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in CURVE))
        write_sealed(folder / "cell.json", RECORD | {"key": key, "seed": int(key, 16) % 100})

    for n in range(CELLS):
        store.commit(f"{n:024x}", write)
    record = {"schema": SCHEMAS["failure.json"], "key": "f" * 24, "reason": "it broke", "finished": "2030"}
    store.commit_failure("f" * 24, record, "the traceback")
    return store


def stored_cells(store: Store, dataset: str = "chain", model: str = "GRU") -> list[CellResult | CellFailure]:
    """The cells of the store, with these labels."""
    keys = [f"{n:024x}" for n in range(CELLS)]
    cells: list[CellResult | CellFailure] = [
        CellResult(store.folder(key), dataset, "p", model, n, store.record(key) or {}) for n, key in enumerate(keys)
    ]
    key = "f" * 24
    return [*cells, CellFailure(dataset, "p", model, 99, "FAILED", "it broke", "command", key, store.folder(key))]


def _start(root: Path) -> subprocess.Popen[str]:
    """A process that enters every cell."""
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(root)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip


def _kill_after(process: subprocess.Popen[str], word: str, seconds: float) -> None:
    """Kill a process some time after it has printed a word."""
    while word not in (line := process.stdout.readline()) and line:
        continue
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _entered(root: Path) -> str:
    """Enter every cell; say what is then missing, doubled or left open in MLflow."""
    warnings: list[str] = []
    store = Store(root)
    tracker = Tracker(store, SUITE, warnings.append).open()
    tracker.enter(stored_cells(store))
    tracker.close()
    if tracker.failed:
        return "; ".join(warnings)
    states = Counter((run.data.tags["cell_key"], run.info.status) for run in tracker._experiment.cell_runs())
    cells = stored_cells(store)
    expected = {(cell.key, "FAILED" if isinstance(cell, CellFailure) else "FINISHED"): 1 for cell in cells}
    found = {entry: count for entry, count in states.items() if entry[1] != "KILLED"}
    kept = json.loads(store.suite_file(SUITE, "mlflow.json").read_text())["runs"]
    lost = f"mlflow.json has {len(kept)} of {CELLS}" if len(kept) != CELLS else ""
    return lost if found == expected else f"{found} instead of one run of each cell"


def _killed_starts(folder: Path, draws: random.Random, tries: range) -> Trial:
    """A first start is killed; the next one must find no database, or a whole one."""
    trial = Trial("a first start of MLflow is killed: the next start has a whole database and every cell")
    for number in tries:
        make_cells(root := folder / f"start-{number}")
        _kill_after(_start(root), "begin", draws.uniform(0, 14))
        half = database_problem(database(root)) if database(root).exists() else ""
        trial.count(f"the database {half}" if half else _entered(root))
    return trial


def _killed_entries(folder: Path, template: Path, draws: random.Random, tries: range) -> Trial:
    """A process is killed while it enters cells; afterwards each cell has one run, and none is left open."""
    trial = Trial("a process is killed while it enters cells: track enters each of them once")
    for number in tries:
        shutil.copytree(template, root := folder / f"entry-{number}")
        _kill_after(_start(root), "opened", draws.uniform(0, 1.5))
        trial.count(_entered(root))
    return trial


def _damaged_databases(folder: Path, template: Path, draws: random.Random, tries: range) -> Trial:
    """A database that was cut, or never completed, is set aside and made anew, or is whole."""
    trial = Trial("a database is cut at a random byte or lacks a table: it is kept aside and made anew")
    whole = database(template).read_bytes()

    def remake(uri: str) -> None:
        Path(uri.removeprefix("sqlite:///")).write_bytes(whole)

    for number in tries:
        (root := folder / f"database-{number}").mkdir()
        database(root).write_bytes(broken := whole[: draws.randrange(len(whole))])
        warnings: list[str] = []
        ensure_database(root, remake, warnings.append)
        kept = root / "mlflow.db.broken-1"
        held = not database_problem(database(root)) and kept.read_bytes() == broken and len(warnings) == 1
        trial.count("" if held else f"cut at {len(broken)}: {warnings}")
    return trial


def _names(template: Path, draws: random.Random, tries: range) -> Trial:
    """Suites, data sets and models of any name are entered once."""
    trial = Trial("a suite, data set or model has a hostile name: its cells are entered once")
    store = Store(template)
    for number in tries:
        suite, dataset, model = ("".join(draws.choices(PIECES, k=3)) + str(number) for _ in range(3))
        warnings: list[str] = []
        counts = []
        for _ in range(2):
            tracker = Tracker(store, suite.replace("/", ""), warnings.append).open()
            tracker.begin([(dataset, "p", model)])
            counts.append(tracker.enter(stored_cells(store, dataset, model)[:2]))
            tracker.close()
        trial.count("" if counts == [2, 0] and not warnings else f"{suite!r}: entered {counts}; {warnings}")
    return trial


def _two_at_once(folder: Path, template: Path, tries: range) -> Trial:
    """Two processes enter the same cells at the same time; each cell gets one run, and both share the parent run."""
    trial = Trial("two processes enter the same cells at once: each cell has one run")
    for number in tries:
        shutil.copytree(template, root := folder / f"two-{number}")
        pair = [_start(root), _start(root)]
        printed = [process.communicate()[0].split() for process in pair]
        counts = sum(int(words[-1]) for words in printed)
        parents = [run for run in SuiteExperiment(root, SUITE, print).runs() if "cell_key" not in run.data.tags]
        doubled = f"entered {counts} of {CELLS + 1}, {len(parents)} parents"
        trial.count(_entered(root) or ("" if (counts, len(parents)) == (CELLS + 1, 1) else doubled))
    return trial
