"""What a user sees while a suite runs: live bars on a terminal, a quiet line a cell otherwise."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from harness.cells.run_cell import CellOutcome
from harness.running.listener import RunListener
from harness.running.plan import PlannedCell
from harness.store import Store

_BAR = 12


def duration(seconds: float | None) -> str:
    """A time in a reader's units; a dash where it is unknown."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def trial_words(record: Mapping[str, Any]) -> str:
    """A trial's record in a line: its number, fields, score (or why it failed), the best so far, its time."""
    fields = ", ".join(f"{name} {value_words(value)}" for name, value in record["fields"].items())
    found = f"failed: {record['reason']}" if record["validation"] is None else (
        f"validation {record['metric']} {record['validation']:.4f}, best {record['best']:.4f}")  # fmt: skip
    same = f"; same as trial {record['same_as'] + 1}" if "same_as" in record else f", {duration(record['seconds'])}"
    return f"trial {record['trial'] + 1}/{record['trials']}  {fields}: {found}{same}"


def value_words(value: Any) -> str:
    """A field's value as it stands in a line: numbers to three digits, a nested value by its type."""
    if isinstance(value, Mapping):
        return str(value.get("type", "")).rpartition(".")[2]
    return f"{value:.3g}" if isinstance(value, float) else str(value)


class RunDisplay(RunListener):
    """Shows a run on ``console``: live bars on a terminal, one line per finished cell elsewhere."""

    def __init__(self, console: Console, store: Store, total: int, metric: str) -> None:
        self._console, self._store, self._total, self._metric = console, store, total, metric
        self._finished = self._failed = 0
        self._resumed: set[str] = set()
        self._tasks: dict[str, Any] = {}
        self._begun = time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=_BAR),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._overall = self._bars.add_task("all cells", total=total, words=self._overall_words())

    def start(self) -> None:
        """Show the bars."""
        self._bars.start()

    def end(self, completed: bool) -> None:
        """Remove the bars."""
        self._bars.stop()

    def progress(self, planned: PlannedCell, record: Mapping[str, Any]) -> None:
        """A running cell's record: a line when it goes on from a checkpoint, else its bar."""
        label, event = planned.cell.label, record.get("event")
        if event == "resumed":
            self._say_resumed(label, record["epoch"])
        if event == "trial":
            self._line(f"{planned.cell.dataset}/{planned.cell.model_name}  {trial_words(record)}")
        if not self._console.is_terminal or event not in ("started", "epoch", "trial"):
            return
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(escape(self._short(label)), total=None, words="fitting")
        if event == "epoch":
            self._bars.update(self._tasks[label], total=record["epochs"], completed=record["epoch"],
                              words=self._words(label, record))  # fmt: skip
        if event == "trial":
            self._bars.update(self._tasks[label], total=record["trials"], completed=record["trial"] + 1, words="tuning")

    def done(self, planned: PlannedCell, done: CellOutcome) -> None:
        """The line of a cell that is done."""
        self._finished += 1
        label = planned.cell.label
        self._failed += done.failed
        if label in self._tasks:
            self._bars.remove_task(self._tasks.pop(label))
        record = self._store.record(done.key)
        if record is not None and record["resumed_from"] is not None and done.state == "DONE":
            self._say_resumed(label, record["resumed_from"])
        self._bars.update(self._overall, advance=1, words=self._overall_words())
        words = f"FAILED: {done.reason}" if record is None or done.failed else self._result(record)
        found = " (computed by another process)" if done.state == "FOUND" else ""
        self._line(f"[{self._finished}/{self._total}] {label}  {words}{found}")

    def _say_resumed(self, label: str, epoch: int) -> None:
        if label not in self._resumed:
            self._resumed.add(label)
            self._line(f"{label}  resumed from its checkpoint after epoch {epoch}")

    def _words(self, label: str, record: Mapping[str, Any]) -> str:
        """State, loss, rate and time left of a running cell, as much of it as the terminal is wide."""
        epoch, epochs = record["epoch"], record["epochs"]
        if epoch == epochs:
            return "ranking"
        left = f"≤ {duration((epochs - epoch) * record['seconds'])} left"
        validation = record.get("validation")
        parts = {"state": f"epoch {epoch}/{epochs}", "loss": f"loss {record['loss']:.4f}",
                 "validation": "" if validation is None else f"{self._metric} {validation:.4f}",
                 "rate": f"{record['targets_per_second']:,.0f}/s", "left": left}  # fmt: skip
        room = self._console.width - len(self._short(label)) - _BAR - 10  # elapsed time, and a blank between columns
        for dropped in ("", "validation", "rate", "left"):  # what a reader misses least goes first
            parts.pop(dropped, None)
            words = "  ".join(filter(None, parts.values()))
            if len(words) <= room:
                break
        return words

    def _short(self, label: str) -> str:
        """A cell's label, its middle left out where a narrow terminal has no room for it."""
        room = max(self._console.width // 2 - _BAR, 16)
        half = (room - 1) // 2
        return label if len(label) <= room else f"{label[:half]}…{label[-half:]}"

    def _overall_words(self) -> str:
        """How many cells are done, how many failed, and the time left if the rest are like those."""
        words = [f"{self._finished}/{self._total}"] + [f"{self._failed} failed"] * bool(self._failed)
        if 0 < self._finished < self._total:
            rest = (time.monotonic() - self._begun) / self._finished * (self._total - self._finished)
            words.append(f"about {duration(rest)} left")
        return "  ".join(words)

    def _result(self, record: Mapping[str, Any]) -> str:
        """A finished cell's first metric and its costs, and the engine that ran, where a model has one."""
        name, value = next(iter(record["metrics"].items()))
        parts = [f"{name} {value:.4f}", duration(sum(record["seconds"].values()))]
        if record["epochs"] is not None:
            parts.append(f"{record['epochs']} epochs, {record['stopped']}")
        if "tuning" in record:
            parts.append(f"tuned in {record['tuning']['trials']} trials")
        if record["targets_per_second"]:
            parts.append(f"{record['targets_per_second']:,.0f} targets/s")
        parts.append(f"{record['peak_memory_mb']:,.0f} MB")
        return ", ".join([*parts, *filter(None, [record["engine"]])])

    def _line(self, text: str) -> None:
        self._console.print(escape(text), highlight=False, soft_wrap=True)
