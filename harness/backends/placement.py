"""Placement: the GPU of a cell, chosen where the cell is computed."""

from __future__ import annotations

from dataclasses import replace

from harness.cells.run_cell import CellJob


def placed(job: CellJob, slot: int) -> CellJob:
    """The job on the GPU of a slot of this machine, where cells are spread over several GPUs."""
    request = job.request
    if not request.spread or request.device == "cpu":
        return job
    import torch

    return replace(job, request=replace(request, device=f"cuda:{slot % max(1, torch.cuda.device_count())}"))
