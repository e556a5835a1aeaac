"""Choose: the backend that a command line asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness.backends.backend import Backend
from harness.backends.processes import ProcessBackend
from harness.system.determinism import resolve_device

BACKENDS = ("processes", "dask")


@contextlib.contextmanager
def chosen_backend(
    name: str, *, jobs: int, scheduler: str | None, scheduler_file: Path | None, shared: bool, device: str
) -> Iterator[Backend]:
    """The backend of a name, ready to compute.

    Raises ValueError for options that do not go together and where Dask is not installed, and BackendLost where its
    scheduler cannot be reached.
    """
    remote = scheduler is not None or scheduler_file is not None
    if name not in BACKENDS:
        raise ValueError(f"--backend {name} is unknown: expected {' or '.join(BACKENDS)}")
    if name == "processes" and (remote or not shared):
        raise ValueError("--scheduler, --scheduler-file and --no-shared-store need --backend dask: give it, too")
    if scheduler is not None and scheduler_file is not None:
        raise ValueError("--scheduler and --scheduler-file both name a scheduler: give one of them")
    if remote and jobs > 1:
        raise ValueError(f"--jobs {jobs} has no place beside a scheduler, whose workers compute: start more workers")
    if name == "processes":
        yield ProcessBackend(jobs)
        return
    try:
        from harness.backends.dask import dask_backend
    except ModuleNotFoundError as error:
        raise ValueError("--backend dask needs Dask, which is not installed: pip install -r requirements-cluster.txt "
                         "-c constraints.txt") from error  # fmt: skip
    gpus = not remote and resolve_device(device) != "cpu"
    with dask_backend(
        scheduler=scheduler, scheduler_file=scheduler_file, jobs=jobs, gpus=gpus, shared=shared
    ) as backend:
        yield backend
