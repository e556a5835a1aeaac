"""A cell gets the GPU of its slot where cells are spread over several."""

from dataclasses import replace

import torch

from harness.backends.placement import placed
from harness.cells.run_cell import CellJob
from harness.suites.request import RunRequest


def test_cells_are_spread_over_all_gpus_unless_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    request = RunRequest("s", tmp_path, device="cuda:0", spread=True)

    def device(request, slot):
        return placed(CellJob(request, 0, "k", {}), slot).request.device

    assert [device(request, slot) for slot in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert device(replace(request, spread=False), 1) == "cuda:0"
    assert device(replace(request, device="cpu"), 1) == "cpu"
