"""The display of a run: live bars on a terminal, plain lines elsewhere, never wider than the window."""

import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from cli.progress_display import RunDisplay, duration
from harness.cells.run_cell import CellOutcome

LABEL = "amazon-5core-sports/Attentional user GRU/3"
PLANNED = SimpleNamespace(cell=SimpleNamespace(label=LABEL))
RECORD = {
    "metrics": {"MRR@20": 0.25}, "seconds": {"fit": 60.0, "score": 5.0}, "epochs": 7, "stopped": "patience",
    "targets_per_second": 4321.0, "peak_memory_mb": 512.0, "resumed_from": None,
    "engine": "torch-unrolled-cpu",
}  # fmt: skip
STORE = SimpleNamespace(record=lambda key: RECORD if key == "good" else None)


def epoch(number, epochs=20):
    return {"event": "epoch", "epoch": number, "epochs": epochs, "loss": 2.5, "validation": 0.2, "seconds": 3.0,
            "targets_per_second": 4321.0}  # fmt: skip


def told(width=120, *, terminal=True, key="good", records=None):
    """What a run of one cell of three printed, and the lines of its live display just before the cell was done."""
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, highlight=False, _environ={"TERM": "xterm"})
    display = RunDisplay(console, STORE, 3, "MRR@20")
    display.start()
    for record in records or [{"event": "started"}, epoch(1), epoch(2)]:
        display.progress(PLANNED, record)
    shown = Console(width=width)
    with shown.capture() as live:
        shown.print(display._bars.get_renderable())
    state = "DONE" if key == "good" else "FAILED"
    display.done(PLANNED, CellOutcome(0, key, state, "" if key == "good" else "the loss became NaN"))
    with shown.capture() as after:
        shown.print(display._bars.get_renderable())
    display.end(True)
    return file.getvalue(), live.get().splitlines(), after.get().splitlines()


def test_a_running_cell_is_one_line_with_state_loss_rate_and_time_left():
    _, live, _ = told(130)
    assert len(live) == 2, "all cells, and the one that runs"
    assert "0/3" in live[0]
    for words in (LABEL, "epoch 2/20", "loss 2.5000", "MRR@20 0.2000", "4,321/s", "≤ 54.0 s left"):
        assert words in live[1]


def test_a_cell_that_has_begun_is_seen_before_its_first_epoch_and_after_its_last():
    assert "fitting" in told(records=[{"event": "started"}])[1][1]
    assert "ranking" in told(records=[epoch(20)])[1][1]


@pytest.mark.parametrize("width", [50, 60, 80, 100, 140])
def test_a_narrow_window_drops_words_instead_of_breaking_lines(width):
    _, live, _ = told(width)
    assert len(live) == 2
    assert max(map(len, live)) <= width
    assert ("epoch 2/20" in live[1] and "loss 2.5000" in live[1]) or width < 60


def test_the_whole_run_says_what_is_left_and_what_failed():
    assert re.search(r"1/3  about \d+\.\d s left", told()[2][0])
    assert "1/3  1 failed" in told(key="bad")[2][0]


def test_without_a_terminal_there_is_a_line_a_cell_and_no_control_signs():
    text, _, _ = told(terminal=False)
    words = "MRR@20 0.2500, 1 min 05 s, 7 epochs, patience, 4,321 targets/s, 512 MB, torch-unrolled-cpu"
    assert text == f"[1/3] {LABEL}  {words}\n"
    text, _, _ = told(terminal=False, key="bad")
    assert text == f"[1/3] {LABEL}  FAILED: the loss became NaN\n"


def test_no_color_is_honoured(monkeypatch):
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(told()[0])
    file = io.StringIO()
    console = Console(file=file, width=100, force_terminal=True, _environ={"TERM": "xterm-256color", "NO_COLOR": "1"})
    display = RunDisplay(console, STORE, 1, "MRR@20")
    display.start()
    display.progress(PLANNED, epoch(1))
    display.done(PLANNED, CellOutcome(0, "good", "DONE"))
    display.end(True)
    assert "[1/1]" in file.getvalue() and not colour.search(file.getvalue())


@pytest.mark.parametrize("seconds, words", [(None, "–"), (0.04, "0.0 s"), (59.9, "59.9 s"), (61, "1 min 01 s"),
                                            (3600, "1 h 00 min"), (5430, "1 h 30 min")])  # fmt: skip
def test_times_are_shown_in_seconds_minutes_or_hours(seconds, words):
    assert duration(seconds) == words


RESUMED = {"metrics": {"MRR@20": 0.25}, "seconds": {"fit": 60.0, "score": 4.0}, "epochs": 5, "stopped": "patience",
          "targets_per_second": 12345.6, "peak_memory_mb": 512.4, "engine": "torch-cpu", "resumed_from": 2}  # fmt: skip


def test_one_line_per_cell_where_there_is_no_terminal():
    printed = io.StringIO()
    store = SimpleNamespace(record=lambda key: RESUMED if key == "good" else None)
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
