"""The environment of a result: library versions, commit, hardware and memory."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEY_LIBRARIES = ("torch", "numpy", "scipy", "numba")  # libraries whose version can change a result
RECORDED_LIBRARIES = (*KEY_LIBRARIES, "pandas", "pyarrow", "joblib", "mlflow", "matplotlib")


@functools.cache
def version_of(library: str) -> str:
    """The installed version of a library, or "absent"."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def key_versions() -> dict[str, str]:
    """The versions in a cell's key: Python (major and minor) and KEY_LIBRARIES."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version_of(name) for name in KEY_LIBRARIES},
    }


@functools.cache
def git_state(root: Path = ROOT) -> tuple[str, bool]:
    """The commit of the checkout, and whether its files have uncommitted changes; ("", False) without git."""
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit, bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return "", False


def _git(root: Path, *args: str) -> str:
    """The output of a git command, run without optional locks so that it blocks no other git process."""
    command = ["git", "--no-optional-locks", "-C", str(root), *args]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


@functools.cache
def cpu_model() -> str:
    """The processor's name, as the system reports it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.lower().startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def total_memory_mb() -> int:
    """The machine's memory in MB (10⁶ bytes)."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000


def device_name(device: str) -> str:
    """The name of the GPU, or of the processor for "cpu"."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    return cpu_model()


def environment_record(settings: dict[str, Any]) -> dict[str, Any]:
    """The environment in a cell's record; ``settings`` are those of prepare_determinism."""
    commit, dirty = git_state()
    return {
        "python": platform.python_version(),
        **{name: version_of(name) for name in RECORDED_LIBRARIES},
        "commit": commit,
        "dirty": dirty,
        "host_hash": hashlib.sha256(platform.node().encode()).hexdigest()[:12],
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "memory_mb": total_memory_mb(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        **settings,
    }


def reset_peak_memory() -> None:
    """Reset the process's peak memory if the system allows it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # the peak is then that of the whole process


def peak_memory_mb() -> float:
    """The largest resident memory of this process since reset_peak_memory, in MB (10⁶ bytes), libraries included."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024 / 1e6
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6


def process_start(pid: int) -> str | None:
    """The start of process ``pid`` on this machine (boot id and clock ticks since boot); None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None if not _alive(pid) else "unknown"
    return None if fields[0] == "Z" else f"{boot}:{fields[19]}"


def _alive(pid: int) -> bool:
    """Whether a process exists, for systems without /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
