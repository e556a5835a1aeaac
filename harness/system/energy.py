"""Energy by the machine's own counters: RAPL for the processor, NVML for the GPU.

They count the whole processor and the whole GPU, so other work at the same time is included.
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
_POLL_SECONDS = 30.0  # a RAPL counter wraps around after a few hundred kilojoules


class EnergyMeter:
    """Measures the energy of a ``with`` block; read ``record`` afterwards."""

    def __init__(self, device: str = "cpu", powercap: Path = POWERCAP) -> None:
        self._packages = {path: _microjoules(path) for path in _packages(powercap)}
        self._gpu = _gpu_handle(device)
        self._gpu_started = _gpu_joules(self._gpu)
        self._spent = dict.fromkeys(self._packages, 0)
        self._gpu_spent: float | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> EnergyMeter:
        if self._packages:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._packages:
            self._thread.join()
            self._read()
        if self._gpu_started is not None:
            self._gpu_spent = _gpu_joules(self._gpu) - self._gpu_started

    def _poll(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            self._read()

    def _read(self) -> None:
        """Add each package's energy since the last reading; a counter that fell has wrapped around."""
        for path, before in self._packages.items():
            now = _microjoules(path)
            spent = now - before if now >= before else now - before + int((path / "max_energy_range_uj").read_text())
            self._spent[path] += spent
            self._packages[path] = now

    @property
    def record(self) -> dict[str, Any]:
        """{"cpu_joules", "gpu_joules", "counters"}; joules are None without a counter."""
        cpu = sum(self._spent.values()) / 1e6 if self._packages else None
        counters = ["RAPL"] * bool(self._packages) + ["NVML"] * (self._gpu_spent is not None)
        return {"cpu_joules": cpu, "gpu_joules": self._gpu_spent, "counters": counters}


def _packages(powercap: Path) -> Iterator[Path]:
    """The RAPL folders of the processors whose counter is readable."""
    for path in sorted(powercap.glob("intel-rapl:*")):
        if path.name.count(":") == 1 and os.access(path / "energy_uj", os.R_OK):
            yield path


def _microjoules(path: Path) -> int:
    return int((path / "energy_uj").read_text())


def _gpu_handle(device: str) -> Any:
    """NVML and its handle of a CUDA device, or None."""
    if not device.startswith("cuda"):
        return None
    with contextlib.suppress(OSError, ValueError):
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        handle = ctypes.c_void_p()
        if nvml.nvmlInit_v2() == 0 and _find_gpu(nvml, device, handle) == 0:
            return nvml, handle
    return None


def _find_gpu(nvml: Any, device: str, handle: ctypes.c_void_p) -> int:
    """Set ``handle`` to a CUDA device; return NVML's error code, 0 on success."""
    number = int(device.partition(":")[2] or 0)
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    name = visible[number] if number < len(visible) else str(number)
    if name.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(name)), ctypes.byref(handle))
    return nvml.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(handle))


def _gpu_joules(gpu: Any) -> float | None:
    """The GPU's energy since its driver was loaded, or None if it has no counter."""
    if gpu is None:
        return None
    nvml, handle = gpu
    millijoules = ctypes.c_ulonglong()
    failed = nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules))
    return None if failed else millijoules.value / 1e3
