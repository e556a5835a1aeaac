"""Stages that use the command line: the tests marked gpu, the quickstart twice, and several cells at once."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

from evaluation.results.suite_results import SuiteResults, read_suite, stored_names
from harness.running.verify import difference
from speed.gpu import cells_at_once
from speed.gpu.stage import ROOT, Outcome, StageFailed, Surroundings, checked

QUICKSTART_DATA = "ml-100k/u.data"
YOOCHOOSE_DATA = ("yoochoose/1_64/train-sessions.txt", "yoochoose/1_64/test-sessions.txt")
MARK = re.compile(r"\bmark\.gpu\b")


def tests(around: Surroundings) -> Outcome:
    """Run the tests marked gpu; only their files are collected, since others need libraries that may be absent."""
    files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests").rglob("test_*.py"))
             if MARK.search(path.read_text(encoding="utf-8"))]  # fmt: skip
    found = around.python("-m", "pytest", "-q", "-m", "gpu", *files)
    summary = (found.stdout.strip().splitlines() or ["no output"])[-1].strip("= ")
    if found.returncode or "passed" not in summary:
        without_gpu = around.tiny and found.returncode == 0
        return Outcome("skipped" if without_gpu else "failed", f"pytest -m gpu: {summary}.")
    return Outcome("ok", f"pytest -m gpu: {summary}.")


def quickstart(around: Surroundings) -> Outcome:
    """Run the quickstart twice in two stores and compare every cell bit for bit."""
    chosen = ["--seeds", "1"]
    if around.tiny:
        chosen += ["--only", "markov*/GRU", "--set", "epochs=2"]
    elif not around.has(QUICKSTART_DATA):
        chosen += ["--only", "markov*/*"]
    runs = [_run(around, "quickstart", f"quickstart-{number}", "--jobs", "2", *chosen) for number in (1, 2)]
    first, second = ({cell.folder.name: cell for cell in run.cells} for run in runs)
    if not first or first.keys() != second.keys():
        raise StageFailed(f"the quickstart computed {len(first)} and {len(second)} cells")
    rows = [{"data set": cell.dataset, "model": cell.model, "engine": cell.record["engine"] or "none",
             "fit s": cell.record["seconds"]["fit"], "targets": len(cell.ranks),
             "second run": difference(cell, second[key]) or "same bits"} for key, cell in first.items()]  # fmt: skip
    different = sum(row["second run"] != "same bits" for row in rows)
    text = f"{len(rows)} cells computed twice on {around.device}, {different} of them with another bit."
    return Outcome("failed" if different else "ok", text, rows)


def several_cells(around: Surroundings) -> Outcome:
    """Throughput of one suite with 1, 2, 4, 8 … cells at once on one device."""
    data = cells_at_once.REAL if around.has(*YOOCHOOSE_DATA) and not around.tiny else cells_at_once.GENERATED
    rows = []
    for number in around.cells_at_once:
        options = ["--only", data.name, "--jobs", str(number), "--seeds", str(max(2, number))]
        options += ["--set", "dim=8"] if around.tiny else []
        run = _run(around, str(Path(cells_at_once.__file__)), f"at-once-{number}", *options)
        begin = min(_time(cell.record["started"]) for cell in run.cells)
        seconds = (max(_time(cell.record["finished"]) for cell in run.cells) - begin).total_seconds()
        rates = [cell.record["targets_per_second"] for cell in run.cells]
        memory = [cell.record["peak_gpu_memory_mb"] or 0.0 for cell in run.cells]
        rows.append({"at once": number, "cells": len(run.cells), "seconds": seconds,
                     "cells/h": 3600 * len(run.cells) / seconds, "targets/s of one": sorted(rates)[len(rates) // 2],
                     "GPU MB of one": max(memory)})  # fmt: skip
    best = max(rows, key=lambda row: row["cells/h"])
    text = (f"Cells of {cells_at_once.LABEL} on {data.name}; most cells per hour with "
            f"{best['at once']} at once. Seconds run from the first cell's start to the last cell's end.")  # fmt: skip
    return Outcome("ok", text, rows)


def _run(around: Surroundings, suite: str, folder: str, *options: str) -> SuiteResults:
    """Run a suite in a store of its own and read its results."""
    results = around.folder / folder
    data = ["--data", str(around.data.absolute())] if around.data is not None else []
    checked(around.python("benchmark.py", "run", suite, "--results", str(results), "--device", around.device, *data,
                          "--no-mlflow", "--no-report", *options))  # fmt: skip
    (name,) = stored_names(results)
    return read_suite(results, name)


def _time(stamp: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(stamp)
