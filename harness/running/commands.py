"""Commands of a batch system: one self-contained shell line per missing cell, or per group of them, longest first."""

from __future__ import annotations

import math
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness.running.plan import Plan, PlannedCell
from harness.suites.request import LoadedSuite

PROGRAM = Path(__file__).resolve().parents[2] / "benchmark.py"
_PLACES = ("--results", "--data")
_AFTERWARDS = ("--no-report", "--no-mlflow")  # report and track do it once for all cells


def command_lines(plans: Iterable[Plan], group: int = 1, *, fresh: bool = False) -> list[str]:
    """A shell line for each group of ``group`` cells that the plans compute, each cell once; unknown times come first.

    A line works in any folder and on any machine that sees the same files. It runs all its cells, and its exit code is
    1 if one of them fails. fresh: the plans are of --fresh. Raises ValueError for a label that has no place in a line.
    """
    last = [*_AFTERWARDS, *["--fresh"] * fresh]
    found: dict[str, tuple[float, str]] = {}
    for plan in plans:
        loaded = _with_absolute_paths(plan.loaded)
        for planned in plan.to_do:
            found.setdefault(planned.key, (_seconds(planned), _command(loaded, planned, last)))
    commands = [command for _, command in sorted(found.values(), key=lambda pair: -pair[0])]
    return [_line(commands[start : start + group]) for start in range(0, len(commands), group)]


def _with_absolute_paths(loaded: LoadedSuite) -> LoadedSuite:
    """The loaded suite with a request whose commands name suite, results and data by absolute paths."""
    request = loaded.request.portable()
    pairs = list(zip(request.cli_args[::2], request.cli_args[1::2], strict=True))
    args = [arg for option, value in pairs if option not in _PLACES for arg in (option, value)]
    args += ["--results", str(request.results)]
    args += [] if request.data is None else ["--data", str(request.data)]
    return replace(loaded, request=replace(request, cli_args=tuple(args)))


def _seconds(planned: PlannedCell) -> float:
    return math.inf if planned.estimate.seconds is None else planned.estimate.seconds


def _command(loaded: LoadedSuite, planned: PlannedCell, last: Sequence[str]) -> str:
    """The command of one cell with this interpreter and this checkout."""
    _, _, *args = shlex.split(loaded.command(planned.cell))
    command = shlex.join([sys.executable, str(PROGRAM), *args, *last])
    if command.splitlines() != [command]:
        raise ValueError(f"the command of {planned.cell.label!r} is not one line, since a name or a path in it holds a "
                         "line break: rename it")  # fmt: skip
    return command


def _line(commands: list[str]) -> str:
    """One line of several commands, each of which runs whether or not an earlier one fails."""
    if len(commands) == 1:
        return commands[0]
    return f"(failed=0; {' '.join(f'{command} || failed=1;' for command in commands)} exit $failed)"
