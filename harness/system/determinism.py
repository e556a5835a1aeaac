"""The switches that make a cell's bits repeatable: threads, deterministic kernels, TF32 off, the device's name."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_SWITCHES = {"deterministic": True, "cudnn_benchmark": False, "tf32": False}


class DeviceUnavailable(ValueError):
    """A device was asked for that this machine does not have."""


def set_environment(threads: int = 1) -> None:
    """Set the variables that libraries read when they are first imported; call it before torch and numpy load."""
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ.get("MLFLOW_DISABLE_TELEMETRY", "true")


def prepare_determinism(threads: int = 1, device: str = "cpu") -> dict[str, Any]:
    """The switches now in force, for the record; the same in the parent and in every worker.

    Sets torch's deterministic algorithms, cuDNN's benchmark off, TF32 off, and ``threads`` for torch, BLAS and numba.
    Raises ValueError for fewer than one thread.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    set_environment(threads)
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # costs a pass over every buffer, decides nothing
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    _limit_blas(threads)
    _limit_numba(threads)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    return {**_SWITCHES, "threads": threads}


def _limit_blas(threads: int) -> None:
    """Give BLAS libraries that are loaded already ``threads`` threads; later ones read the environment."""
    if importlib.util.find_spec("threadpoolctl") is not None:
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads)


def _limit_numba(threads: int) -> None:
    """Give numba's kernels ``threads`` threads (never more than it was started with)."""
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    else:
        os.environ["NUMBA_NUM_THREADS"] = str(threads)


def resolve_device(name: str) -> str:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:i`` means here: "cpu" or "cuda:i".

    Raises DeviceUnavailable with one sentence for another word, or a GPU that is not there.
    """
    kind, _, index = name.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (kind != "cuda" and index) or (index and not index.isdigit()):
        raise DeviceUnavailable(f"unknown device {name!r}: expected auto, cpu, cuda or cuda:<number>")
    if name == "cpu":
        return "cpu"
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda:0" if count else "cpu"
    if count == 0:
        build = torch.version.cuda
        reason = f"torch {torch.__version__} is a CPU build" if build is None else "torch finds no usable GPU"
        raise DeviceUnavailable(f"device {name!r} is not available: {reason}; use --device cpu or --device auto")
    if int(index or 0) >= count:
        raise DeviceUnavailable(
            f"device {name!r} is not available: this machine has {count} GPU(s), cuda:0 to cuda:{count - 1}"
        )
    return f"cuda:{int(index or 0)}"


def device_kind(device: str) -> str:
    """The part of a device that decides bits: "cpu" or "cuda"."""
    return device.partition(":")[0]
