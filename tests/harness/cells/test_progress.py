import io
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from cli.progress_display import RunDisplay, duration
from harness.cells.progress import ProgressWatcher, last_epoch, progress_writer
from harness.cells.run_cell import CellOutcome
from harness.running.session import _placed
from harness.suites.request import RunRequest


def test_what_is_written_is_told_once_and_half_a_line_not_at_all(tmp_path):
    told = []
    log = progress_writer(tmp_path / "a")
    log({"event": "epoch", "epoch": 1})
    with ProgressWatcher(
        {"a": tmp_path / "a", "b": tmp_path / "b"}, lambda key, record: told.append((key, record["epoch"]))
    ):
        log({"event": "epoch", "epoch": 2})
        progress_writer(tmp_path / "b")({"event": "epoch", "epoch": 7})
        with (tmp_path / "a" / "progress.jsonl").open("a") as file:
            file.write('{"event": "epoch", "epo')
        deadline = time.monotonic() + 20
        while len(told) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert sorted(told) == [("a", 2), ("b", 7)], "the first epoch was there before the watch began"
    assert last_epoch(tmp_path / "a") == 2
    assert last_epoch(tmp_path / "none") is None


def test_a_line_cut_off_by_a_full_disk_hides_none_that_follow(tmp_path):
    (tmp_path / "progress.jsonl").write_text('{"event": "epoch", "epoch": 1}\n{"event": "epoch", "epo')
    log = progress_writer(tmp_path)
    log({"event": "started"})
    log({"event": "epoch", "epoch": 2})
    assert last_epoch(tmp_path) == 2
    (tmp_path / "progress.jsonl").write_bytes(
        b'{"event": "epo{"event": "epoch"}\n\0\0\n3\n{"event": "epoch", "epoch": 4}\n'
    )
    assert last_epoch(tmp_path) == 4


def test_a_cell_computed_anew_is_watched_from_its_start(tmp_path):
    told = []
    old = progress_writer(tmp_path / "a")
    for epoch in range(50):
        old({"event": "epoch", "epoch": epoch, "loss": 0.123456})
    with ProgressWatcher({"a": tmp_path / "a"}, lambda key, record: told.append(record["epoch"])):
        (tmp_path / "a" / "progress.jsonl").unlink()
        log = progress_writer(tmp_path / "a")
        for epoch in range(100, 103):
            log({"event": "epoch", "epoch": epoch})
        deadline = time.monotonic() + 20
        while len(told) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert told == [100, 101, 102]


@pytest.mark.parametrize("seconds, words", [(None, "–"), (0.04, "0.0 s"), (59.9, "59.9 s"), (61, "1 min 01 s"),
                                            (3600, "1 h 00 min"), (5430, "1 h 30 min")])  # fmt: skip
def test_times_are_told_in_a_readers_units(seconds, words):
    assert duration(seconds) == words


RECORD = {"metrics": {"MRR@20": 0.25}, "seconds": {"fit": 60.0, "score": 4.0}, "epochs": 5, "stopped": "patience",
          "targets_per_second": 12345.6, "peak_memory_mb": 512.4, "engine": "torch-cpu", "resumed_from": 2}  # fmt: skip


def test_a_line_a_cell_where_there_is_no_terminal():
    printed = io.StringIO()
    store = SimpleNamespace(record=lambda key: RECORD if key == "good" else None)
    cell = SimpleNamespace(cell=SimpleNamespace(label="ml/GRU [x]/0"))
    display = RunDisplay(Console(file=printed, width=200), store, 3, "MRR@20")
    display.start()
    display.progress(cell, {"event": "epoch", "epoch": 1, "epochs": 5, "loss": 1.0, "seconds": 1.0})
    display.done(cell, CellOutcome(0, "good", "DONE"))
    display.done(cell, CellOutcome(1, "bad", "FAILED", "it broke"))
    display.done(cell, CellOutcome(2, "good", "FOUND"))
    display.end(True)
    result = "MRR@20 0.2500, 1 min 04 s, 5 epochs, patience, 12,346 targets/s, 512 MB, torch-cpu"
    assert printed.getvalue().splitlines() == [
        "ml/GRU [x]/0  resumed from its checkpoint after epoch 2",
        f"[1/3] ml/GRU [x]/0  {result}",
        "[2/3] ml/GRU [x]/0  FAILED: it broke",
        f"[3/3] ml/GRU [x]/0  {result} (computed by another process)",
    ]


def test_cells_are_spread_over_all_gpus_unless_one_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    order = RunRequest("s", tmp_path, device="cuda:0", spread=True)
    assert [_placed(order, n).device for n in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert _placed(replace(order, spread=False), 1).device == "cuda:0"
    assert _placed(replace(order, device="cpu"), 1).device == "cpu"
