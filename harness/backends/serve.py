"""Serve: the child side of a worker. It computes the cells that its parent sends, and ends when its parent has ended.

Only the standard library is imported here, so that the guardian is forked from a small process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import os
import pickle
import pkgutil
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

FORKS = sys.platform == "linux"  # elsewhere a forked process may not use every library


def serve(connection: int, alive: int, stacks: int, threads: int, alone: int) -> NoReturn:
    """Compute the jobs that arrive, until the other end is closed.

    connection: the pipe of jobs and answers. alive: a pipe whose other end closes with the parent. stacks: a file for
    the stacks of a crash. alone: 1 if each job is computed in a process of its own. Answers are ("ready", None),
    ("started", process), ("outcome", CellOutcome), ("error", exception) and, where a cell has a process of its own,
    ("ended", exit code).
    """
    os.setpgid(0, 0)
    _guard(os.getpid(), alive, connection, stacks)
    for number in (signal.SIGTERM, signal.SIGINT):  # the parent decides when a worker ends
        signal.signal(number, _ignore)
    faulthandler.enable(stacks)
    pipe = Connection(connection)
    run = _runner(stacks)
    if alone and FORKS:
        _load_for_forks(threads)
    pipe.send(("ready", None))
    while True:
        try:
            job, environment, folder, path = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        os.environ.clear()
        os.environ.update(environment)
        with contextlib.suppress(OSError):  # the folder was removed
            os.chdir(folder)
        sys.path[:] = path
        if job.alone and FORKS:
            _in_a_fork(pipe, alive, stacks, lambda job=job: run(pipe, job))
        else:
            run(pipe, job)


def _ignore(_number: int, _frame: Any) -> None:
    """Do nothing; unlike SIG_IGN, a program that a model starts does not inherit this."""


def _guard(group: int, alive: int, *others: int) -> int:
    """Fork the guardian of a process group, which ends the group when the parent has ended; return its process.

    Even a model stuck in native code, and the programs that it started, end then.
    """
    guardian = os.fork()
    if guardian:
        return guardian
    try:
        os.setpgid(0, group)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for descriptor in (0, 1, 2, *others):
            os.close(descriptor)
        os.read(alive, 1)  # nobody writes: it returns when the other end is closed
        os.killpg(group, signal.SIGKILL)
    finally:
        os._exit(1)


def _runner(stacks: int) -> Callable[[Connection, Any], None]:
    """Import what every cell needs; return the function that computes a job and sends its outcome."""
    from harness.cells.run_cell import run_cell
    from harness.system.process_state import ProcessState

    state = ProcessState()

    def run(pipe: Connection, job: Any) -> None:
        def start() -> None:
            pipe.send(("started", os.getpid()))
            if job.timeout is not None:
                # a thread of C code writes where the cell hangs, whatever holds the interpreter
                faulthandler.dump_traceback_later(job.timeout, file=stacks)

        try:
            answer = ("outcome", run_cell(job, state, start))
        except Exception as error:
            answer = ("error", error)
        faulthandler.cancel_dump_traceback_later()
        pipe.send_bytes(_pickled(answer))

    return run


def _load_for_forks(threads: int) -> None:
    """Load what cells use, seconds of work, so that each fork of this process begins with it; compute nothing."""
    import numpy as np
    import pandas  # noqa: F401
    import scipy.sparse  # noqa: F401

    from evaluation.ranking.counts import count_block
    from harness.system.determinism import prepare_determinism

    prepare_determinism(threads)
    for package in map(importlib.import_module, ("baselines", "recsys_models", "training")):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    one, none = np.zeros((1, 1)), np.zeros((1, 0), dtype=np.int64)
    for block in (one.astype(np.float32), one):
        count_block(block, np.zeros((1, 1), dtype=np.int64), none)


def _pickled(answer: tuple[str, Any]) -> bytes:
    """An answer as bytes; an exception that cannot be sent as one that can."""
    try:
        data = pickle.dumps(answer)
        pickle.loads(data)
    except Exception:
        return pickle.dumps((answer[0], RuntimeError(f"{type(answer[1]).__name__}: {answer[1]}")))
    return data


def _in_a_fork(pipe: Connection, alive: int, stacks: int, compute: Callable[[], None]) -> None:
    """Compute in a process of its own, end what it left behind, and send its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            compute()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    with contextlib.suppress(OSError):  # whoever is first; the guardian needs the group
        os.setpgid(child, child)
    guardian = _guard(child, alive, pipe.fileno(), stacks)
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(guardian, 0)
    pipe.send(("ended", os.waitstatus_to_exitcode(status)))
