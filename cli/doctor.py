"""Checks of the command ``doctor``: libraries, device, determinism, results folder, checkout and data sets."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.results.process_pool import shared_memory_problem
from harness.store import Store, StoreUnusable
from harness.system.determinism import prepare_determinism
from harness.system.environment import (
    RECORDED_LIBRARIES,
    ROOT,
    cpu_model,
    git_state,
    total_memory_mb,
    usable_cores,
    version_of,
)
from recsys_data.datasets.imported import Imported

_SPARE_GB = 2.0


@dataclass(frozen=True)
class Check:
    """The result of one check; level is "ok", "note" or "red", and a red one comes with advice."""

    name: str
    level: str
    found: str
    advice: str = ""


def run_checks(results: Path, data: Path | None, datasets: Mapping[str, Any]) -> list[Check]:
    """Run all checks, in the order of the output."""
    problem = shared_memory_problem()
    return [
        _python(),
        *_libraries(),
        _device(),
        Check("processor", "ok", f"{cpu_model()}, {usable_cores()} cores, {total_memory_mb() / 1000:.1f} GB memory"),
        _determinism(),
        Check("shared memory", "note", problem) if problem else Check("shared memory", "ok", "can be used"),
        *_results(results),
        _checkout(),
        *(_dataset(dataset, data) for dataset in datasets.values()),
    ]


def _python() -> Check:
    found = platform.python_version()
    tested = sys.version_info[:2] == (3, 11)
    return Check("python", "ok" if tested else "note", found if tested else f"{found}, tested with 3.11")


def _libraries() -> list[Check]:
    """Compare each library with its pinned version in requirements.txt."""
    pins = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        pins[name.strip().lower()] = version.strip()
    checks = []
    for name in dict.fromkeys([*RECORDED_LIBRARIES, *pins]):
        if name.startswith("#") or not name:
            continue
        found, pinned = version_of(name), pins.get(name, "")
        if found == "absent":
            checks.append(Check(name, "red", "absent", "run make setup"))
        elif pinned and found.partition("+")[0] != pinned:
            checks.append(Check(name, "note", f"{found}, pinned {pinned}: results may differ in their last bits"))
        else:
            checks.append(Check(name, "ok", found))
    return checks


def _device() -> Check:
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Check("device", "ok", f"GPU: {', '.join(names)}")
    reason = "a CPU build of torch" if torch.version.cuda is None else "no usable GPU"
    return Check("device", "note", f"CPU ({reason})")


def _determinism() -> Check:
    """Train a small recurrent network twice and compare the bits of its weights."""
    import torch

    prepare_determinism(1, "cpu")

    def once() -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(7)
        layer = torch.nn.GRU(16, 32, batch_first=True)
        for weight in layer.parameters():
            torch.nn.init.uniform_(weight, -0.1, 0.1, generator=generator)
        optimiser = torch.optim.AdamW(layer.parameters())
        for _ in range(3):
            optimiser.zero_grad()
            layer(torch.randn(8, 20, 16, generator=generator))[0].square().sum().backward()
            optimiser.step()
        return [weight.detach().clone() for weight in layer.parameters()]

    equal = all(torch.equal(a, b) for a, b in zip(once(), once(), strict=True))
    if equal:
        return Check("determinism", "ok", "a recurrent network trained twice gave the same bits")
    return Check(
        "determinism",
        "red",
        "a recurrent network trained twice gave different bits",
        "reinstall the pinned torch (make clean, make setup) and look for a faulty processor or memory",
    )


def _results(results: Path) -> list[Check]:
    """Check that results can be written, the free disk space, and unfinished cells."""
    folder = results.absolute()
    try:
        store = Store.open(folder)
    except StoreUnusable as error:
        return [Check("results", "red", str(error), "choose another folder with --results or ENCORE_RESULTS")]
    free = shutil.disk_usage(folder).free / 1e9
    space = Check("free disk", "ok", f"{free:.1f} GB at {results}")
    if free < _SPARE_GB:
        space = Check("free disk", "red", f"{free:.1f} GB at {results}", f"free at least {_SPARE_GB:.0f} GB")
    cells = len(list((store.root / "cells").glob("[!.]*/cell.json")))
    unfinished = [path.name for path in (store.root / "partial").iterdir() if not (store.folder(path.name)).exists()]
    note = f"; {len(unfinished)} unfinished; the same run continues them" if unfinished else ""
    return [space, Check("results", "ok", f"{cells} finished cells in {results}{note}")]


def _checkout() -> Check:
    commit, dirty = git_state()
    if not commit:
        return Check("checkout", "note", "not a git checkout: results record no commit")
    changes = ", with uncommitted changes" if dirty else ""
    return Check("checkout", "note" if dirty else "ok", f"commit {commit[:12]}{changes}")


def _dataset(dataset: Any, data: Path | None) -> Check:
    if dataset.present(data):
        if isinstance(dataset, Imported):
            try:
                dataset.record(data)
            except ValueError as error:
                return Check(dataset.name, "note", str(error))
        return Check(dataset.name, "ok", f"data present ({dataset.title})")
    how = "a run fetches them where it can, else skips their cells and says what to place where"
    return Check(dataset.name, "note", f"data absent ({dataset.title}): {how}")
