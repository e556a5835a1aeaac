"""Energy: what the machine's own counters say that some work took; nothing is said where no counter can be read.

RAPL counts the whole processor and NVML the whole GPU, so that other work beside it is counted too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
_EVERY_SECONDS = 30.0  # a processor's counter starts anew after some hundred kilojoules


class EnergyMeter:
    """Counts between entering and leaving a ``with`` block; ``record`` says what was counted."""

    def __init__(self, device: str = "cpu", powercap: Path = POWERCAP) -> None:
        self._packages = {path: _microjoules(path) for path in _packages(powercap)}
        self._gpu = _gpu_handle(device)
        self._gpu_started = _gpu_joules(self._gpu)
        self._spent = dict.fromkeys(self._packages, 0)
        self._gpu_spent: float | None = None
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look_now_and_then, daemon=True)

    def __enter__(self) -> EnergyMeter:
        if self._packages:
            self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._packages:
            self._watch.join()
            self._look()
        if self._gpu_started is not None:
            self._gpu_spent = _gpu_joules(self._gpu) - self._gpu_started

    def _look_now_and_then(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            self._look()

    def _look(self) -> None:
        """Add what each package has spent since the last look; a counter that fell has started anew."""
        for path, before in self._packages.items():
            now = _microjoules(path)
            grown = now - before if now >= before else now - before + int((path / "max_energy_range_uj").read_text())
            self._spent[path] += grown
            self._packages[path] = now

    @property
    def record(self) -> dict[str, Any]:
        """{"cpu_joules", "gpu_joules", "counters"}; None where there is no counter, and then ``counters`` lacks it."""
        cpu = sum(self._spent.values()) / 1e6 if self._packages else None
        counters = ["RAPL"] * bool(self._packages) + ["NVML"] * (self._gpu_spent is not None)
        return {"cpu_joules": cpu, "gpu_joules": self._gpu_spent, "counters": counters}


def _packages(powercap: Path) -> Iterator[Path]:
    """The processors whose counter may be read."""
    for path in sorted(powercap.glob("intel-rapl:*")):
        if path.name.count(":") == 1 and os.access(path / "energy_uj", os.R_OK):
            yield path


def _microjoules(path: Path) -> int:
    return int((path / "energy_uj").read_text())


def _gpu_handle(device: str) -> Any:
    """NVML and its handle of a CUDA device, None where either is missing."""
    if not device.startswith("cuda"):
        return None
    with contextlib.suppress(OSError, ValueError):
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        handle = ctypes.c_void_p()
        if nvml.nvmlInit_v2() == 0 and _find(nvml, device, handle) == 0:
            return nvml, handle
    return None


def _find(nvml: Any, device: str, handle: ctypes.c_void_p) -> int:
    """Point ``handle`` at the device that CUDA calls so; NVML's error number, 0 if it is there."""
    number = int(device.partition(":")[2] or 0)
    shown = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    name = shown[number] if number < len(shown) else str(number)
    if name.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(name)), ctypes.byref(handle))
    return nvml.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(handle))


def _gpu_joules(gpu: Any) -> float | None:
    """What the GPU has spent since its driver was loaded; None if it does not count."""
    if gpu is None:
        return None
    nvml, handle = gpu
    millijoules = ctypes.c_ulonglong()
    failed = nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules))
    return None if failed else millijoules.value / 1e3
