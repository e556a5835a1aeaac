"""ProcessState: the global state that a cell can change for the cells after it, compared after the cell with before."""

from __future__ import annotations

import gc
import locale
import operator
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from types import ModuleType
from typing import Any

# Encore's layers, whose every attribute counts, and the library modules whose functions and classes count.
_OWN = ("recsys_data", "training", "evaluation", "recsys_models", "baselines", "harness")
_LIBRARIES = ("builtins", "math", "random", "json", "os", "time", "numpy", "numpy.random", "numpy.linalg",
              "scipy.sparse", "scipy.special", "scipy.sparse.linalg", "numba", "torch", "torch.linalg", "torch.nn",
              "torch.nn.functional", "torch.nn.init", "torch.optim", "torch.random", "torch.sparse")  # fmt: skip
_CLASS_CACHES = ("__abstractmethods__", "__annotations__", "__dict__", "__doc__", "__weakref__", "_abc_impl")
_SET_BY_LIBRARIES = ("CUDA_MODULE_LOADING", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "NUMBA_NUM_THREADS",
                     "TORCHINDUCTOR_CACHE_DIR")  # fmt: skip
_SET_BY_TORCH = ("torch.Storage",)  # it follows the default dtype
_MISSING = object()
_SMALLEST = 5e-324  # a denormal number: zero once multiplied where the processor flushes such numbers


class ProcessState:
    """The global state of this process before a cell, kept for all cells that the process computes.

    Random generators are not part of it: determinism.reset_global_state seeds them before each fit.
    """

    def __init__(self) -> None:
        self._settings: dict[str, Any] = {}
        self._modules: set[str] = set()
        self._attributes: list[_Attributes] = []

    def begin(self) -> None:
        """Read the settings: a cell begins."""
        self._settings = dict(_settings())
        self.extend()

    def extend(self) -> None:
        """Add the modules that were loaded since."""
        if sys.modules.keys() <= self._modules:
            return
        fresh = sys.modules.keys() - self._modules
        self._attributes += _attributes({name: sys.modules[name] for name in sorted(fresh)})
        self._modules |= fresh

    def changes(self) -> list[str]:
        """Name what differs now: settings with both values, and the attributes that were replaced."""
        now = dict(_settings())
        found = [f"{name} ({_short(self._settings.get(name))} → {_short(now.get(name))})"
                 for name in {**self._settings, **now} if self._settings.get(name) != now.get(name)]  # fmt: skip
        replaced = [label for attributes in self._attributes for label in attributes.replaced()]
        return found + list(dict.fromkeys(replaced))


def _wrapped_by_torch(label: str, before: Any, after: Any) -> bool:
    """Whether torch wrapped a function of its own, as it does when the first optimiser of a class is built."""
    if not label.startswith("torch.") or getattr(after, "__wrapped__", None) is not before:
        return False
    code = getattr(after, "__code__", None)  # a cache around a function has none
    return code is not None and Path(code.co_filename).is_relative_to(Path(sys.modules["torch"].__file__).parent)


def _short(value: Any) -> str:
    """A value in at most 60 characters; "unset" for None."""
    text = "unset" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _settings() -> Iterator[tuple[str, Any]]:
    """Every setting by name."""
    yield from ((name, os.environ[name]) for name in sorted(os.environ) if name not in _SET_BY_LIBRARIES)
    yield "the current folder", _current_folder()
    yield "the locale", locale.setlocale(locale.LC_ALL)
    yield "warnings that are errors", [str(entry[1:]) for entry in warnings.filters if entry[0] == "error"]
    yield "the recursion limit", sys.getrecursionlimit()
    yield "garbage collection", gc.isenabled()
    yield "denormal numbers", "flushed" if _SMALLEST * 1.0 == 0.0 else "kept"
    if "numpy" in sys.modules:
        import numpy as np

        yield "NumPy's handling of errors", dict(np.geterr())
    if "torch" in sys.modules:
        yield from _torch_settings()


def _current_folder() -> str | None:
    """The current folder; None where it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return None


def _torch_settings() -> Iterator[tuple[str, Any]]:
    import torch

    yield "torch's default dtype", torch.get_default_dtype()
    yield "torch's default device", torch.get_default_device()
    yield "torch's grad mode", torch.is_grad_enabled()
    yield "torch's inference mode", torch.is_inference_mode_enabled()
    yield "torch's threads", torch.get_num_threads()
    yield "torch's deterministic algorithms", (torch.are_deterministic_algorithms_enabled(),
                                               torch.is_deterministic_algorithms_warn_only_enabled())  # fmt: skip
    yield "torch's filling of memory", torch.utils.deterministic.fill_uninitialized_memory
    yield "torch's matmul precision", torch.get_float32_matmul_precision()
    yield "torch's cuDNN switches", (torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32,
                                     torch.backends.cuda.matmul.allow_tf32)  # fmt: skip
    yield "torch's anomaly detection", torch.is_anomaly_enabled()
    yield "torch's sparse checks", torch.sparse.check_sparse_tensor_invariants.is_enabled()
    yield "torch's autocast", torch.is_autocast_enabled("cpu")


def _attributes(modules: Mapping[str, Any]) -> Iterator[_Attributes]:
    """The attributes that count of each module and of its classes."""
    for module_name, module in modules.items():
        own = module_name.partition(".")[0] in _OWN
        if not isinstance(module, ModuleType) or not (own or module_name in _LIBRARIES):
            continue
        names = vars(module)
        found = list(names.items())
        yield _Attributes.of(module_name, names, {
            name: value for name, value in found
            if (own or callable(value)) and not name.startswith("__") and f"{module_name}.{name}" not in _SET_BY_TORCH
        })  # fmt: skip
        for name, value in found:
            if isinstance(value, type) and (value.__module__ == module_name if own else name[:1].isupper()):
                members = {inner: member for inner, member in list(vars(value).items()) if inner not in _CLASS_CACHES}
                yield _Attributes.of(f"{module_name}.{name}", vars(value), members)


@dataclass(frozen=True, eq=False)
class _Attributes:
    """The attributes of one module or class as they were: compared after each cell, thousands in a millisecond."""

    label: str
    now: Mapping[str, Any]
    names: tuple[str, ...]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, label: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> _Attributes:
        """The attributes ``before`` of a module or class whose names are ``now``."""
        return cls(label, now, tuple(before), tuple(before.values()))

    def replaced(self) -> Iterator[str]:
        """The labels of those that are another object now, or missing."""
        new = list(map(self.now.get, self.names, repeat(_MISSING)))
        if all(map(operator.is_, new, self.values)):
            return
        for name, before, after in zip(self.names, self.values, new, strict=True):
            if after is not before and not _wrapped_by_torch(f"{self.label}.{name}", before, after):
                yield f"{self.label}.{name}"
