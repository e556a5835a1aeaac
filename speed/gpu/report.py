"""The GPU check's outcome as JSON data and as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from harness.system.environment import RECORDED_LIBRARIES, device_name, git_state, version_of
from speed.gpu.stage import Outcome, Surroundings

OPTIONAL = ("mlflow", "optuna", "plutoprint", "pooch", "pypdf", "mmh3")


def report_of(around: Surroundings, outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """The JSON data of the whole check."""
    commit, dirty = git_state()
    gpu = around.device.startswith("cuda")
    return {
        "schema": "gpu-check/1",
        "device": around.device,
        "device_name": device_name(around.device),
        "gpu_memory_gb": round(torch.cuda.get_device_properties(around.device).total_memory / 1e9, 1) if gpu else None,
        "cuda": torch.version.cuda,
        "tiny": around.tiny,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "libraries": {name: version_of(name) for name in RECORDED_LIBRARIES},
        "absent": [name for name in OPTIONAL if version_of(name) == "absent"],
        "commit": commit + ("+changes" if dirty else ""),
        "stages": [
            {"name": name, "state": one.state, "sentence": one.sentence, "seconds": round(one.seconds, 1),
             "rows": list(one.rows)}
            for name, one in outcomes.items()
        ],
    }  # fmt: skip


def markdown(report: Mapping[str, Any]) -> str:
    """The report as a page of Markdown."""
    memory = f", {report['gpu_memory_gb']} GB" if report["gpu_memory_gb"] else ""
    lines = [
        "# GPU check",
        "",
        f"{report['device_name']}{memory}; Python {report['python']}, torch {report['libraries']['torch']}, "
        f"CUDA {report['cuda'] or 'absent'}; {report['cores']} cores; commit {report['commit'] or 'unknown'}.",
    ]
    if report["tiny"]:
        lines += ["", "No GPU: tiny sizes on the CPU. These numbers check the script; they measure nothing."]
    for stage in report["stages"]:
        lines += ["", f"## {stage['name']}", "", f"{stage['state'].upper()} ({stage['seconds']:.0f} s). "
                  f"{stage['sentence']}"]  # fmt: skip
        if stage["rows"]:
            lines += ["", *_table(stage["rows"])]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    columns = list(rows[0])
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return head + [f"| {' | '.join(_text(row[column]) for column in columns)} |" for row in rows]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "/")
