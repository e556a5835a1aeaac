"""Deterministic computation: threads, deterministic kernels, global generators, and the choice of the device."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from training.precision import FLOAT32, products_by

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
_GPU_DEVICES = ("nvidia*", "nvhost*", "nvmap", "kfd", "dxg")  # NVIDIA, its Jetson boards, AMD, Windows' subsystem
_SETTINGS = {"deterministic": True, "cudnn_benchmark": False, "tf32": False}


class DeviceUnavailable(ValueError):
    """The requested device is unknown or not available on this machine."""


def thread_environment(threads: int = 1) -> dict[str, str]:
    """The variables that libraries read at import."""
    return dict.fromkeys(_THREAD_VARIABLES, str(threads)) | {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def set_environment(threads: int = 1) -> None:
    """Set the variables that libraries read at import; call it before torch and numpy are imported."""
    os.environ.update(thread_environment(threads))
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ.get("MLFLOW_DISABLE_TELEMETRY", "true")


def prepare_determinism(threads: int = 1, device: str = "cpu", precision: str = FLOAT32) -> dict[str, Any]:
    """Make this process deterministic; return the settings for the record, equal in the parent and all workers.

    Sets torch's deterministic algorithms, cuDNN's benchmark off, TF32 off, and ``threads`` for torch, BLAS and numba.
    precision: of the products in training, which alone change the switches; named unless it is float32.
    Raises ValueError for fewer than one thread.
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    set_environment(threads)
    import torch

    torch.set_num_threads(threads)
    reset_global_state(0)
    _limit_blas(threads)
    _limit_numba(threads)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    chosen = {} if precision == FLOAT32 else {"tf32": device.startswith("cuda"), "precision": precision,
                                              "products": products_by(precision, device)}  # fmt: skip
    return {**_SETTINGS, "threads": threads, **chosen}


def reset_global_state(seed: int) -> None:
    """Give torch, NumPy and Python the global state in which every fit and every trial begins.

    Whatever ran before in this process, a model that uses global settings or generators then computes the same.
    """
    import random

    import numpy as np
    import torch

    torch.set_default_dtype(torch.float32)
    torch.set_default_device(None)
    torch.set_grad_enabled(True)
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a pass over every buffer, without effect on results
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.autograd.set_detect_anomaly(False)
    torch.sparse.check_sparse_tensor_invariants.disable()  # torch's default, which is a warning unless it is set
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also notes its stack for each device it might have
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # the global generator is what is reset
    random.seed(seed)


def _limit_blas(threads: int) -> None:
    """Set the threads of BLAS libraries that are already loaded; later ones read the environment."""
    if importlib.util.find_spec("threadpoolctl") is not None:
        _blas_libraries(len(sys.modules)).limit(limits=threads)


@functools.lru_cache(maxsize=1)
def _blas_libraries(_modules: int) -> Any:
    """The BLAS and OpenMP libraries of this process, looked for again once it has imported more modules."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _limit_numba(threads: int) -> None:
    """Set numba's threads, at most those that it was started with."""
    if "numba" in sys.modules:
        import numba

        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    else:
        os.environ["NUMBA_NUM_THREADS"] = str(threads)


def resolve_device(name: str) -> str:
    """Resolve ``auto``, ``cpu``, ``cuda`` or ``cuda:i`` to "cpu" or "cuda:i".

    Raises DeviceUnavailable for another name, or for a GPU that this machine does not have.
    """
    kind, _, index = name.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (kind != "cuda" and index) or (index and not index.isdigit()):
        raise DeviceUnavailable(f"unknown device {name!r}: expected auto, cpu, cuda or cuda:<number>")
    if name == "cpu" or (name == "auto" and _no_gpu_driver()):
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


def _no_gpu_driver() -> bool:
    """Whether Linux shows no device of a GPU driver; torch, which takes a second to import, then need not be asked."""
    if "torch" in sys.modules or not sys.platform.startswith("linux"):
        return False
    return not any(any(Path("/dev").glob(pattern)) for pattern in _GPU_DEVICES)


def device_kind(device: str) -> str:
    """The part of a device that is in a cell's key: "cpu" or "cuda"."""
    return device.partition(":")[0]
