"""Crew: further processes of this program that work beside this one, so that a long report uses every core.

They are begun as fresh interpreters, not forked, so that neither threads nor torch of this process follow them.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, Self

_CHECKOUT = Path(__file__).resolve().parents[2]
_MOST = 8  # processes: more than that wait for each other's memory


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Crew:
    """Up to ``hands`` processes, of which this is one, by default one a core; the others end with the block."""

    def __init__(self, hands: int | None = None) -> None:
        if hands is not None and hands < 1:
            raise ValueError(f"hands must be at least 1, got {hands}")
        self.hands = min(cores(), _MOST) if hands is None else hands
        self.others: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for other in self.others:
            with contextlib.suppress(BrokenPipeError):  # a job that one did not live to read is still in its pipe
                other.stdin.close()  # which is what they end at
        for other in self.others:
            other.wait()
            other.stdout.close()

    def work(self, jobs: Sequence[Callable[[], Any]]) -> list[Any]:
        """What each job returns, in their order, whoever did it; None for one that raised an error.

        Jobs and results are pickled, so that every job works on its own copy of what it was given, and what it read is
        let go at its end. A process that dies leaves its job to this one.
        """
        waiting = deque(enumerate(pickle.dumps(job) for job in jobs))
        done: list[Any] = [None] * len(waiting)
        while len(self.others) < min(self.hands, len(waiting)) - 1:
            self.others.append(_another())
        leads = [threading.Thread(target=_lead, args=(other, waiting, done), daemon=True) for other in self.others]
        for lead in leads:
            lead.start()
        _do(waiting, done)
        for lead in leads:
            lead.join()
        _do(waiting, done)  # what a process that died gave back
        return done


def _another() -> subprocess.Popen[bytes]:
    """A fresh process of this program, which finds the modules of this one and the files under its folder."""
    known = os.pathsep.join([str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "evaluation.results.crew"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": known},
    )  # fmt: skip


def _do(waiting: deque[tuple[int, bytes]], done: list[Any]) -> None:
    """Do waiting jobs here, the last first, until there are none."""
    while waiting:
        try:
            number, job = waiting.pop()
        except IndexError:  # another was quicker
            return
        done[number] = _done(pickle.loads(job))


def _lead(other: subprocess.Popen[bytes], waiting: deque[tuple[int, bytes]], done: list[Any]) -> None:
    """Let ``other`` do waiting jobs, the first first, until there are none or it is no more."""
    while waiting:
        try:
            number, job = waiting.popleft()
        except IndexError:
            return
        try:
            other.stdin.write(job)
            other.stdin.flush()
            done[number] = pickle.load(other.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            waiting.append((number, job))
            return


def _done(job: Callable[[], Any]) -> Any:
    try:
        return job()
    except Exception:  # its error is told where the answer is asked for
        return None


def _serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Do the jobs that come, until there are no more."""
    while True:
        try:
            job = pickle.load(asked)
        except EOFError:
            return
        pickle.dump(_done(job), answers)
        answers.flush()


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "wb") as reply:
        os.dup2(2, 1)  # whatever prints, prints elsewhere
        _serve(sys.stdin.buffer, reply)
