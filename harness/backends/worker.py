"""Worker: the parent side of a process that computes one cell at a time; its end is the failure of that cell only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Pipe
from pathlib import Path

from harness.backends.serve import FORKS
from harness.cells.record import Failure
from harness.cells.run_cell import CellJob, CellOutcome
from harness.system.blame import blamed_line_in_dump
from harness.system.determinism import thread_environment
from harness.system.exit_reasons import exit_reason, memory_kills
from harness.system.limits import resident_bytes

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.1
STACKS_SECONDS = 0.2  # in which a cell that ran out of time writes where it is
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from harness.backends.serve import serve; serve(*map(int, sys.argv[2:]))"
)


class WorkerLost(ChildProcessError):
    """A worker's process ended before it began to compute."""


class Worker:
    """A process that computes cells; it is a fresh interpreter, and its children end with it and with this process.

    alone: it computes each cell in a process of its own, a fork of it, where the system allows. suite: the file of the
    user's suite whose cells it computes, "" for built-in suites. usable: whether it may compute another cell.
    """

    def __init__(self, threads: int, alone: bool, suite: str = "") -> None:
        self.threads, self.alone, self.suite, self.usable = threads, alone, suite, True
        self._ending = threading.Lock()
        self._pipe, theirs = Pipe()
        read_end, self._alive = os.pipe()  # our end closes with this process, however it ends
        self._stacks = tempfile.TemporaryFile("a+b")  # noqa: SIM115  # open as long as the process
        descriptors = (theirs.fileno(), read_end, self._stacks.fileno())
        command = [sys.executable, "-P", "-c", _CODE, str(ROOT), *map(str, (*descriptors, threads, int(alone)))]
        try:
            self._process = subprocess.Popen(
                command,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                env=self._environment(),
                process_group=0,  # Ctrl-C is for this process alone
            )
        finally:
            os.close(read_end)
            theirs.close()

    def _environment(self) -> dict[str, str]:
        """The environment of this process, with the number of threads; numba refuses a change once it runs."""
        return os.environ | thread_environment(self.threads) | {"NUMBA_NUM_THREADS": str(self.threads)}

    def compute(self, job: CellJob) -> CellOutcome:
        """Compute a job within its limits. Raises WorkerLost, and the errors that run_cell raises."""
        cell, folder = _RunningCell(job), _current_folder()
        try:
            self._pipe.send((job, self._environment(), folder, list(sys.path)))
            self._follow(cell)
        except (EOFError, OSError):  # the process has ended, and its end of the pipe is closed
            self.end()
            cell.code = self._process.returncode
        if cell.process is None and cell.answer is None:
            raise WorkerLost(exit_reason(cell.code or 0, cell.memory_kills))
        if cell.answer is None:
            return self._failure(cell)
        if isinstance(cell.answer, BaseException):
            raise cell.answer
        self.usable &= not cell.answer.changed if not self.alone else FORKS
        return cell.answer

    def _follow(self, cell: _RunningCell) -> None:
        """Read what the process says of a cell until it is done, and end a cell that exceeds a limit."""
        while True:
            if not self._pipe.poll(POLL_SECONDS):
                if self._process.poll() is not None and not self._pipe.poll():
                    raise EOFError
                cell.check_limits()
                continue
            kind, value = self._pipe.recv()
            if kind == "started":
                cell.start(value)
            elif kind in ("outcome", "error"):
                cell.answer = value
            elif kind == "ended":
                cell.code = value
            if kind == "ended" or (cell.answer is not None and not (self.alone and FORKS)):
                return

    def _failure(self, cell: _RunningCell) -> CellOutcome:
        """The outcome of a cell whose process has ended: the limit that it exceeded, else the reason of its end."""
        self._stacks.seek(0)
        stacks = self._stacks.read().decode(errors="replace")
        self._stacks.truncate(0)
        line = blamed_line_in_dump(stacks)
        state, reason = cell.exceeded or ("FAILED", exit_reason(cell.code or 0, cell.memory_kills))
        reason += f" (in {line})" if line else ""
        trace = f"{reason}\n\n{stacks}"
        return CellOutcome.of_failure(cell.job, Failure(reason, "", trace, state, round(cell.seconds, 1)))

    def end(self) -> None:
        """End the process, the process of its cell and what they started."""
        self.usable = False
        with self._ending:
            if self._alive >= 0:
                os.close(self._alive)  # the guardians see it, too
                self._alive = -1
        end_group(self._process.pid)
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that the kernel holds ends when it lets go
            self._process.wait(timeout=5)


@dataclass
class _RunningCell:
    """A job that a worker computes.

    process: that computes it, None before it begins. exceeded: state and reason of the limit that it exceeded. answer:
    its outcome or the error of the run. code: the exit code of a process that ended.
    """

    job: CellJob
    process: int | None = None
    exceeded: tuple[str, str] | None = None
    answer: CellOutcome | BaseException | None = None
    code: int | None = None
    memory_kills: int = field(default_factory=memory_kills)
    began: float = field(default_factory=time.monotonic)

    def start(self, process: int) -> None:
        """Begin to count: the process owns the cell."""
        self.process, self.began = process, time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the cell began."""
        return time.monotonic() - self.began

    def check_limits(self) -> None:
        """End the cell's process if it exceeds a limit."""
        job = self.job
        if self.process is None or self.exceeded is not None:
            return
        if job.timeout is not None and self.seconds > job.timeout + STACKS_SECONDS:
            self.exceeded = ("TIMEOUT", f"it ran longer than its limit of {job.timeout:g} s; raise the limit or make "
                             "the cell smaller")  # fmt: skip
        elif job.memory is not None and (used := resident_bytes(self.process)) > job.memory:
            self.exceeded = ("OUT OF MEMORY", f"it used {used / 1e6:,.0f} MB, more than its limit of "
                             f"{job.memory / 1e6:,.0f} MB; raise the limit or make the cell smaller")  # fmt: skip
        else:
            return
        end_group(self.process)


def _current_folder() -> str:
    """The current folder; the checkout where it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return str(ROOT)


def end_group(process: int) -> None:
    """End the process group of a worker or of a cell; also the process itself, if it does not lead one yet."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)
