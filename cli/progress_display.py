"""The display of a run: live progress bars on a terminal, one line per finished cell elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from harness.cells.run_cell import CellOutcome, changed_message
from harness.running.listener import RunListener
from harness.running.plan import PlannedCell
from harness.store import Store
from recsys_data.printable import printable

_BAR = 12


def duration(seconds: float | None) -> str:
    """A time in seconds, minutes or hours, as text; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def trial_line(record: Mapping[str, Any]) -> str:
    """A trial's record as one line: number, fields, score (or reason of failure), best score so far, time."""
    fields = ", ".join(f"{name} {format_value(value)}" for name, value in record["fields"].items())
    found = f"failed: {record['reason']}" if record["validation"] is None else (
        f"validation {record['metric']} {record['validation']:.4f}, best {record['best']:.4f}")  # fmt: skip
    same = f"; same as trial {record['same_as'] + 1}" if "same_as" in record else f", {duration(record['seconds'])}"
    return f"trial {record['trial'] + 1}/{record['trials']}  {fields}: {found}{same}"


def format_value(value: Any) -> str:
    """A field's value as text: numbers to three digits, a nested value by its type."""
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
        self._started = time.monotonic()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=_BAR),
            TimeElapsedColumn(),
            TextColumn("{task.fields[status]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._overall = self._bars.add_task("all cells", total=total, status=self._overall_status())

    def start(self) -> None:
        """Show the bars."""
        self._bars.start()

    def end(self, completed: bool) -> None:
        """Remove the bars."""
        self._bars.stop()

    def progress(self, planned: PlannedCell, record: Mapping[str, Any]) -> None:
        """Update the bar of a running cell; print a line for a resume or a trial."""
        label, event = planned.cell.label, record.get("event")
        if event == "resumed":
            self._print_resumed(label, record["epoch"])
        if event == "begun anew":
            self._line(f"{label}  begins anew: {record['reason']}")
        if event == "trial":
            self._line(f"{planned.cell.dataset}/{planned.cell.model_name}  {trial_line(record)}")
        if not self._console.is_terminal or event not in ("started", "epoch", "trial"):
            return
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(
                escape(self._short(printable(label))), total=None, status="fitting"
            )
        if event == "epoch":
            self._bars.update(self._tasks[label], total=record["epochs"], completed=record["epoch"],
                              status=self._cell_status(label, record))  # fmt: skip
        if event == "trial":
            self._bars.update(self._tasks[label], total=record["trials"], completed=record["trial"] + 1,
                              status="tuning")  # fmt: skip

    def done(self, planned: PlannedCell, outcome: CellOutcome) -> None:
        """Remove the bar of a finished cell; print its line."""
        self._finished += 1
        label = planned.cell.label
        self._failed += outcome.failed
        if label in self._tasks:
            self._bars.remove_task(self._tasks.pop(label))
        record = self._store.record(outcome.key)
        if record is not None and record["resumed_from"] is not None and outcome.state == "DONE":
            self._print_resumed(label, record["resumed_from"])
        self._bars.update(self._overall, advance=1, status=self._overall_status())
        failed = record is None or outcome.failed
        text = f"{outcome.state}: {outcome.reason}" if failed else self._result(record)
        found = " (computed by another process)" if outcome.state == "FOUND" else ""
        self._line(f"[{self._finished}/{self._total}] {label}  {text}{found}")
        if outcome.changed:
            self._line(f"{label}  {changed_message(outcome.changed)}")

    def _print_resumed(self, label: str, epoch: int) -> None:
        if label not in self._resumed:
            self._resumed.add(label)
            self._line(f"{label}  resumed from its checkpoint after epoch {epoch}")

    def _cell_status(self, label: str, record: Mapping[str, Any]) -> str:
        """State, loss, rate and time left of a running cell, as much as fits the terminal."""
        epoch, epochs = record["epoch"], record["epochs"]
        if epoch == epochs:
            return "ranking"
        left = f"≤ {duration((epochs - epoch) * record['seconds'])} left"
        validation = record.get("validation")
        parts = {"state": f"epoch {epoch}/{epochs}", "loss": f"loss {record['loss']:.4f}",
                 "validation": "" if validation is None else f"{self._metric} {validation:.4f}",
                 "rate": f"{record['targets_per_second']:,.0f}/s", "left": left}  # fmt: skip
        room = self._console.width - len(self._short(label)) - _BAR - 10  # elapsed time and spaces between columns
        for dropped in ("", "validation", "rate", "left"):  # the least important first
            parts.pop(dropped, None)
            text = "  ".join(filter(None, parts.values()))
            if len(text) <= room:
                break
        return text

    def _short(self, label: str) -> str:
        """A cell's label, shortened in the middle where the terminal is narrow."""
        room = max(self._console.width // 2 - _BAR, 16)
        half = (room - 1) // 2
        return label if len(label) <= room else f"{label[:half]}…{label[-half:]}"

    def _overall_status(self) -> str:
        """The numbers of finished and failed cells, and the time left at the average time per cell."""
        text = [f"{self._finished}/{self._total}"] + [f"{self._failed} failed"] * bool(self._failed)
        if 0 < self._finished < self._total:
            rest = (time.monotonic() - self._started) / self._finished * (self._total - self._finished)
            text.append(f"about {duration(rest)} left")
        return "  ".join(text)

    def _result(self, record: Mapping[str, Any]) -> str:
        """A finished cell's first metric, its costs and, where the model has one, its engine."""
        name, value = next(iter(record["metrics"].items()))
        if "elsewhere" in record:
            return f"{name} {value:.4f}, computed elsewhere by {record['elsewhere']['by']}"
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
        self._console.print(escape(printable(text)), highlight=False, soft_wrap=True)
